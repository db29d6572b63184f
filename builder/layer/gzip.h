/* layer/gzip.h - a whole tar as one gzip member: chunks of 1 MiB, compressed in parallel, the same bytes for any number of threads. */
#ifndef LAYER_GZIP_H
#define LAYER_GZIP_H

#include "base/op.h"
#include "stream/stream.h"

struct chunks;
struct gzip_writer {
        struct writer w;
        struct chunks *chunks;
        uint32_t crc;
        uint64_t size;
};
struct writer *gzip_writer_init(struct gzip_writer *g, struct writer *next, struct op *op);
void gzip_writer_done(struct gzip_writer *g); /* accepts {0} */

#endif
