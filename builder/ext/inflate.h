/* ext/inflate.h - gzip members, read piece by piece by zlib. What is wholly in memory as raw deflate is walked by
 * stream/deflate_walk.h; here the input comes in pieces that may end anywhere, and header, CRC and size are zlib's to check. */
#ifndef EXT_INFLATE_H
#define EXT_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/sv.h"

struct inflate; /* heap, about 40 KiB; used for any number of members, one after the other */

struct inflate *inflate_new(void);
void inflate_free(struct inflate *z);  /* NULL is fine */
void inflate_reset(struct inflate *z); /* another member begins */
/**
 * Inflate what is possible: takes bytes off *in, writes up to `max` to out.
 *
 * @param ret_end  the member, whose CRC and size are checked, ended; what is left of *in follows it
 * @return 0; *ret_n 0 without *ret_end: more input is needed · -ERR_INTEGRITY: not gzip, or a wrong check value
 */
int inflate_step(struct inflate *z, sv *in, void *out, size_t max, size_t *ret_n, bool *ret_end, struct err *e);

#endif
