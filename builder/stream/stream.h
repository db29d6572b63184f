/* stream/stream.h - a writer handles bytes and passes them to `next`; it does not own `next`. One pass, constant memory, stages on the
 * stack, the sink built first. A reader gives bytes. Sizes are bytes. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "ext/hash.h"

struct writer;
struct writer_ops {
        const char *name;                                                       /* for traces */
        int (*write)(struct writer *w, const void *p, size_t n, struct err *e); /* all n or fail */
        int (*finish)(struct writer *w, struct err *e);                         /* flush own state, then finish next */
};
struct writer {
        const struct writer_ops *ops;
        struct writer *next; /* NULL for a sink */
};
int writer_write(struct writer *w, const void *p, size_t n, struct err *e);
int writer_finish(struct writer *w, struct err *e);

struct reader;
struct reader_ops {
        const char *name;
        int (*read)(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e); /* *ret_n 0: end */
};
struct reader {
        const struct reader_ops *ops;
};
int reader_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e);
/** Everything from r into w (not finished); counts into *ret_n when given. */
int reader_copy(struct reader *r, struct writer *w, uint64_t *ret_n, struct err *e);

/* stream/hash.c - sha256 and length of what passes. next may be NULL. */
struct hash_writer {
        struct writer w;
        struct hash *hash;
        uint64_t size;
        sha256 digest; /* valid after finish */
};
struct writer *hash_writer_init(struct hash_writer *h, struct writer *next);
void hash_writer_done(struct hash_writer *h);

/* stream/sink.c - into memory with a ceiling, and into a file descriptor. */
struct buf_writer {
        struct writer w;
        struct buf *buf;
};
struct writer *buf_writer_init(struct buf_writer *b, struct buf *buf);
struct fd_writer {
        struct writer w;
        int fd;           /* borrowed */
        const char *path; /* for messages */
        uint64_t size;
};
struct writer *fd_writer_init(struct fd_writer *f, int fd, const char *path);
struct mem_reader {
        struct reader r;
        sv rest;
};
struct reader *mem_reader_init(struct mem_reader *m, sv bytes);
struct fd_reader {
        struct reader r;
        int fd; /* borrowed */
        const char *path;
};
struct reader *fd_reader_init(struct fd_reader *f, int fd, const char *path);

/* stream/inflate.c, stream/zstd.c - what blobs and packages are compressed with. */
struct gunzip_reader; /* heap: one or many gzip members */
struct reader *gunzip_reader_new(struct reader *from);
struct reader *zstd_reader_new(struct reader *from);
void decode_reader_free(struct reader *r); /* of either _new; NULL is fine */
struct writer *zstd_writer_new(struct writer *next, int level,
                               unsigned workers); /* same bytes for any number, 0 counts as 1 */
void zstd_writer_free(struct writer *w);
/** stream/unzstd.c: takes zstd off what passes. More than max bytes: -ERR_LIMIT. finish: -ERR_INTEGRITY in the middle of a frame. */
struct writer *unzstd_writer_new(struct writer *next, uint64_t max);
void unzstd_writer_free(struct writer *w); /* NULL is fine */

#endif
