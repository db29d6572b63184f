/* stream/deflate_walk.h - a raw deflate stream that is wholly in memory, walked: its bytes, and to the bit where its last block begins and
 * where it ends, which joining streams needs (layer/splice.c). Our own: zlib, which can tell these places, took half of the time of a
 * layer, and libdeflate, which is as fast, tells none and wants all the room at once. It accepts and refuses what zlib does
 * (tests/fuzz/deflate_walk.c compares them). Sizes are bytes. */
#ifndef STREAM_DEFLATE_WALK_H
#define STREAM_DEFLATE_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

struct deflate_walk; /* heap, about 80 KiB; used for any number of streams, one after the other */

struct deflate_shape {      /* of a stream that was walked to its end */
        uint64_t final_bit; /* position of the last block's BFINAL, counted as deflate does (bit 0 of a byte first) */
        uint64_t end_bit;   /* first bit that is not of the stream */
};

enum deflate_end {
        DEFLATE_CLOSED, /* it ends with its last block, in its memory's last byte */
        DEFLATE_OPEN, /* it has no last block and ends, between two blocks, where its memory ends; its final_bit is end_bit */
};

struct deflate_walk *deflate_walk_new(void);
void deflate_walk_free(struct deflate_walk *z); /* NULL is fine */
static inline void deflate_walk_freep(struct deflate_walk **z)
{
        deflate_walk_free(*z);
}

/** stream: borrowed until the end is reached, or another one is begun. */
void deflate_walk_begin(struct deflate_walk *z, sv stream, enum deflate_end end);
/**
 * The next bytes: `max` of them (at least 1), less only at the end; *ret_n 0: it was reached. All of out[0..max) may be written to.
 *
 * @param ret_shape  set when *ret_n is 0; may be NULL
 * @return 0 · -ERR_INTEGRITY: not deflate, cut off, or bytes after its end; go on with deflate_walk_begin only
 */
int deflate_walk_next(struct deflate_walk *z, void *out, size_t max, size_t *ret_n, struct deflate_shape *ret_shape,
                      struct err *e);

#endif
