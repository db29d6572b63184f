/* ext/xz.h - .xz streams by liblzma (the only includer of <lzma.h>). Decoding only. */
#ifndef EXT_XZ_H
#define EXT_XZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

/**
 * Decode a whole .xz file (concatenated streams are fine) piece by piece; at most 128 MiB of decoder memory, 64 KiB of output at a time.
 *
 * @param max   bytes of output allowed
 * @param sink  gets the output; what it fails with ends the decoding
 * @return 0 · -ERR_INTEGRITY: no .xz, damaged, cut off · -ERR_LIMIT: more output or memory than allowed · what sink failed with
 */
int xz_decode(sv xz, uint64_t max, int (*sink)(void *arg, const void *p, size_t n, struct err *e), void *arg,
              struct err *e);

#endif
