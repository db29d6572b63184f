#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

char *buf_room(struct buf *b, size_t n)
{
        if (b->over || n > b->max || b->n > b->max - n) {
                b->over = true;
                return NULL;
        }
        b->p = xgrow(b->p, &b->cap, b->n + n + 1, 1);
        return b->p + b->n;
}

void buf_add(struct buf *b, sv s)
{
        char *at = buf_room(b, s.n);
        if (!at)
                return;
        if (s.n)
                memcpy(at, s.p, s.n);
        b->n += s.n;
        b->p[b->n] = '\0';
}

void buf_byte(struct buf *b, char c)
{
        buf_add(b, (sv){ &c, 1 });
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
        va_list ap, again;
        char *at;
        int n;

        va_start(ap, fmt);
        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        at = n >= 0 ? buf_room(b, (size_t)n) : NULL;
        if (at) {
                vsnprintf(at, (size_t)n + 1, fmt, again);
                b->n += (size_t)n;
        }
        va_end(again);
}

sv buf_sv(const struct buf *b)
{
        return (sv){ b->p, b->n };
}

void buf_clear(struct buf *b)
{
        b->n = 0;
        b->over = false;
        if (b->p)
                b->p[0] = '\0';
}

int buf_check(const struct buf *b, struct err *e)
{
        return b->over ? err_set(e, ERR_LIMIT, "more than the limit of %zu bytes", b->max) : 0;
}

int buf_take(struct buf *b, char **ret_text, struct err *e)
{
        if (buf_check(b, e) < 0)
                return -(int)e->code;
        *ret_text = b->p ? STEAL(b->p) : xstrdup("");
        *b = (struct buf)BUF_INIT(b->max);
        return 0;
}

void buf_done(struct buf *b)
{
        free(b->p);
        *b = (struct buf)BUF_INIT(b->max);
}
