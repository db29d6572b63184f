/* stream/decode_priv.h - what the decoding readers share: a buffer of packed bytes, and how each is released. */
#ifndef STREAM_DECODE_PRIV_H
#define STREAM_DECODE_PRIV_H

#include "stream/stream.h"

#define DECODE_PIECE 65536

struct decode_reader {
        struct reader r;
        void (*free)(struct decode_reader *d);
        struct reader *from; /* borrowed */
        sv rest;             /* read, not yet decoded; in piece */
        bool end;            /* `from` has no more */
        char piece[DECODE_PIECE];
};

/** Read more packed bytes when rest is empty; sets end. */
int decode_fill(struct decode_reader *d, struct err *e);

#endif
