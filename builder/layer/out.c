#include <string.h>

#include "layer/layer_priv.h"

int out_flush(struct out *o, struct err *e)
{
        size_t n = o->n;

        o->n = 0;
        return n ? writer_write(o->w.next, o->piece, n, e) : 0;
}

static int out_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct out *o = (struct out *)w;

        o->total += n;
        if (n > sizeof(o->piece) - o->n && out_flush(o, e) < 0)
                return -(int)e->code;
        if (n >= sizeof(o->piece))
                return writer_write(w->next, p, n, e);
        memcpy(o->piece + o->n, p, n);
        o->n += n;
        return 0;
}

static int out_finish(struct writer *w, struct err *e)
{
        return out_flush((struct out *)w, e) < 0 ? -(int)e->code : writer_finish(w->next, e);
}

static const struct writer_ops out_ops = { "gather", out_write, out_finish };

struct writer *out_init(struct out *o, struct writer *next)
{
        o->w = (struct writer){ &out_ops, next };
        o->n = 0;
        o->total = 0;
        return &o->w;
}
