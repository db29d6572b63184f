/* ext/inflate.h - deflate, read by zlib (the only includer): gzip members as a stream, and raw deflate streams that are wholly in memory,
 * with the bit positions that joining them needs. Sizes are bytes. */
#ifndef EXT_INFLATE_H
#define EXT_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

struct inflate; /* heap, about 40 KiB; used for any number of streams, one after the other */

enum inflate_form { INFLATE_RAW, INFLATE_GZIP };

struct inflate *inflate_new(enum inflate_form form);
void inflate_free(struct inflate *z); /* NULL is fine */
static inline void inflate_freep(struct inflate **z)
{
        inflate_free(*z);
}

/* Any input, piece by piece. */
void inflate_reset(struct inflate *z);
/**
 * Inflate what is possible: takes bytes off *in, writes up to `max` to out.
 *
 * @param ret_end  the stream (the gzip member, whose CRC and size are checked) ended; what is left of *in follows it
 * @return 0; *ret_n 0 without *ret_end: more input is needed · -ERR_INTEGRITY: not deflate, or a wrong check value
 */
int inflate_step(struct inflate *z, sv *in, void *out, size_t max, size_t *ret_n, bool *ret_end, struct err *e);

/* One whole raw stream in memory (INFLATE_RAW). */
struct inflate_shape {      /* of a stream that was read to its end */
        uint64_t final_bit; /* position of the last block's BFINAL, counted as deflate does (bit 0 of a byte first) */
        uint64_t end_bit;   /* first bit that is not of the stream */
};
void inflate_whole(struct inflate *z, sv stream); /* borrowed until the end is reached */
/**
 * The next up to `max` bytes; *ret_n 0: the end. Then *ret_shape is set and the stream filled its memory exactly.
 *
 * @return 0 · -ERR_INTEGRITY: not deflate, cut off, or bytes after its end
 */
int inflate_next(struct inflate *z, void *out, size_t max, size_t *ret_n, struct inflate_shape *ret_shape,
                 struct err *e);

#endif
