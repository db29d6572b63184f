/* ext/zstd.h - zstd streams by libzstd (the only includer). Frames, also many of them; window at most 128 MiB. Sizes are bytes. */
#ifndef EXT_ZSTD_H
#define EXT_ZSTD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/sv.h"

struct zstd_in; /* reading, heap */

struct zstd_in *zstd_in_new(void);
void zstd_in_free(struct zstd_in *z); /* NULL is fine */
/**
 * Takes bytes off *in, writes up to `max` to out.
 *
 * @param ret_done  between two frames: the input may end here
 * @return 0 · -ERR_INTEGRITY: not zstd, or a wrong checksum · -ERR_LIMIT: its window is larger than we give
 */
int zstd_in_step(struct zstd_in *z, sv *in, void *out, size_t max, size_t *ret_n, bool *ret_done, struct err *e);

struct zstd_out; /* writing, heap */

/** Always with workers (specs/oci.md §2.5): the bytes are then the same for any number of them. */
struct zstd_out *zstd_out_new(int level, unsigned workers);
void zstd_out_free(struct zstd_out *z); /* NULL is fine */
/** Takes bytes off *in, writes up to `max` to out. end: nothing follows *in; call until *ret_done. */
int zstd_out_step(struct zstd_out *z, sv *in, void *out, size_t max, bool end, size_t *ret_n, bool *ret_done,
                  struct err *e);

#endif
