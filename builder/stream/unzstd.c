#include <stdlib.h>

#include "base/alloc.h"
#include "ext/zstd.h"
#include "stream/stream.h"

struct unzstd {
        struct writer w;
        struct zstd_in *zstd;
        uint64_t passed, max;
        bool between; /* no frame is open */
        bool any;     /* bytes came */
        char piece[65536];
};

static int unzstd_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct unzstd *u = (struct unzstd *)w;
        sv in = { p, n };
        size_t got;

        u->any = u->any || n > 0;
        do { /* a full piece: more may be ready inside */
                if (zstd_in_step(u->zstd, &in, u->piece, sizeof(u->piece), &got, &u->between, e) < 0)
                        return -(int)e->code;
                if (got > u->max - u->passed)
                        return err_set(e, ERR_LIMIT, "it unpacks to more than %llu MiB",
                                       (unsigned long long)(u->max >> 20));
                u->passed += got;
                if (got && writer_write(w->next, u->piece, got, e) < 0)
                        return -(int)e->code;
        } while (in.n || got == sizeof(u->piece));
        return 0;
}

static int unzstd_finish(struct writer *w, struct err *e)
{
        struct unzstd *u = (struct unzstd *)w;

        if (!u->between || !u->any)
                return err_set(e, ERR_INTEGRITY, "the zstd stream is cut off");
        return writer_finish(w->next, e);
}

struct writer *unzstd_writer_new(struct writer *next, uint64_t max)
{
        static const struct writer_ops ops = { "unzstd", unzstd_write, unzstd_finish };
        struct unzstd *u = xcalloc(1, sizeof(*u));

        *u = (struct unzstd){ .w = { &ops, next }, .zstd = zstd_in_new(), .max = max };
        return &u->w;
}

void unzstd_writer_free(struct writer *w)
{
        struct unzstd *u = (struct unzstd *)w;

        if (!u)
                return;
        zstd_in_free(u->zstd);
        free(u);
}
