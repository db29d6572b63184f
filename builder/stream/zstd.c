#include "ext/zstd.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "stream/decode_priv.h"

struct zstd_reader {
        struct decode_reader d;
        struct zstd_in *z;
        bool between; /* no frame is open */
        bool any;     /* there was a frame */
};

static int zstd_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct zstd_reader *z = (struct zstd_reader *)r;
        struct decode_reader *d = &z->d;

        *ret_n = 0;
        while (max && !*ret_n) {
                if (decode_fill(d, e) < 0)
                        return -(int)e->code;
                if (d->end && z->between && z->any)
                        return 0;
                z->any |= d->rest.n > 0;
                if (zstd_in_step(z->z, &d->rest, p, max, ret_n, &z->between, e) < 0)
                        return -(int)e->code;
                if (d->end && !*ret_n)
                        return z->any && z->between ? 0 : err_set(e, ERR_INTEGRITY, "the zstd stream is cut off");
        }
        return 0;
}

static void zstd_free(struct decode_reader *d)
{
        zstd_in_free(((struct zstd_reader *)d)->z);
}

static const struct reader_ops zstd_read_ops = { "zstd", zstd_read };

struct reader *zstd_reader_new(struct reader *from)
{
        struct zstd_reader *z = xcalloc(1, sizeof(*z));

        z->d.r.ops = &zstd_read_ops;
        z->d.free = zstd_free;
        z->d.from = from;
        z->z = zstd_in_new();
        return &z->d.r;
}

struct zstd_writer {
        struct writer w;
        struct zstd_out *z;
        char piece[DECODE_PIECE];
};

static int zstd_push(struct zstd_writer *z, sv in, bool end, struct err *e)
{
        bool done = false;
        size_t n;

        do {
                if (zstd_out_step(z->z, &in, z->piece, sizeof(z->piece), end, &n, &done, e) < 0 ||
                    writer_write(z->w.next, z->piece, n, e) < 0)
                        return -(int)e->code;
        } while (end ? !done : in.n > 0);
        return 0;
}

static int zstd_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        return zstd_push((struct zstd_writer *)w, (sv){ p, n }, false, e);
}

static int zstd_finish(struct writer *w, struct err *e)
{
        if (zstd_push((struct zstd_writer *)w, (sv){ 0 }, true, e) < 0)
                return -(int)e->code;
        return writer_finish(w->next, e);
}

static const struct writer_ops zstd_write_ops = { "zstd", zstd_write, zstd_finish };

struct writer *zstd_writer_new(struct writer *next, int level, unsigned workers)
{
        struct zstd_writer *z = xcalloc(1, sizeof(*z));

        z->w = (struct writer){ &zstd_write_ops, next };
        z->z = zstd_out_new(level, workers);
        return &z->w;
}

void zstd_writer_free(struct writer *w)
{
        struct zstd_writer *z = (struct zstd_writer *)w;

        if (!z)
                return;
        zstd_out_free(z->z);
        free(z);
}
