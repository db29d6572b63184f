#include <stdlib.h>

#include "base/alloc.h"
#include "ext/inflate.h"
#include "stream/decode_priv.h"

struct gunzip_reader {
        struct decode_reader d;
        struct inflate *z;
        bool open; /* inside a member */
        bool any;  /* there was a member */
};

int decode_fill(struct decode_reader *d, struct err *e)
{
        size_t n;

        if (d->rest.n || d->end)
                return 0;
        if (reader_read(d->from, d->piece, sizeof(d->piece), &n, e) < 0)
                return -(int)e->code;
        d->rest = (sv){ d->piece, n };
        d->end = n == 0;
        return 0;
}

static int gunzip_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct gunzip_reader *g = (struct gunzip_reader *)r;
        struct decode_reader *d = &g->d;
        bool end;

        *ret_n = 0;
        while (max && !*ret_n) {
                if (decode_fill(d, e) < 0)
                        return -(int)e->code;
                if (d->end && g->any && !g->open)
                        return 0;
                if (d->end)
                        return err_set(e, ERR_INTEGRITY, "the gzip stream is cut off");
                if (!g->open)
                        inflate_reset(g->z);
                g->open = true;
                if (inflate_step(g->z, &d->rest, p, max, ret_n, &end, e) < 0)
                        return -(int)e->code;
                g->any |= end;
                g->open = !end;
        }
        return 0;
}

static void gunzip_free(struct decode_reader *d)
{
        inflate_free(((struct gunzip_reader *)d)->z);
}

static const struct reader_ops gunzip_ops = { "gunzip", gunzip_read };

struct reader *gunzip_reader_new(struct reader *from)
{
        struct gunzip_reader *g = xcalloc(1, sizeof(*g));

        g->d.r.ops = &gunzip_ops;
        g->d.free = gunzip_free;
        g->d.from = from;
        g->z = inflate_new();
        return &g->d.r;
}

void decode_reader_free(struct reader *r)
{
        struct decode_reader *d = (struct decode_reader *)r;

        if (!d)
                return;
        d->free(d);
        free(d);
}
