#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A cause that does not fit is cut: an error must never be the reason for a large allocation. */
#define TEXT_MAX 16384

static char *vtext(const char *fmt, va_list ap)
{
        char *p = NULL;
        if (vasprintf(&p, fmt, ap) < 0)
                return xstrdup(fmt);
        if (strlen(p) > TEXT_MAX)
                p[TEXT_MAX] = '\0';
        return p;
}

int err_set(struct err *e, enum err_code c, const char *fmt, ...)
{
        va_list ap;

        if (e->code != ERR_NONE)
                return -(int)e->code;
        va_start(ap, fmt);
        e->cause = vtext(fmt, ap);
        va_end(ap);
        e->code = c;
        return -(int)c;
}

int err_errno(struct err *e, const char *fmt, ...)
{
        int saved = errno;
        char *text, *whole = NULL;
        va_list ap;

        if (e->code != ERR_NONE)
                return -(int)e->code;
        va_start(ap, fmt);
        text = vtext(fmt, ap);
        va_end(ap);
        if (asprintf(&whole, "%s: %s", text, strerror(saved)) < 0)
                whole = xstrdup(text);
        free(text);
        e->cause = whole;
        e->code = saved == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        if (saved == ENOSPC || saved == EDQUOT)
                err_hint(e, "free some space, or point ENVBUILD_CACHE_DIR at another disk");
        return -(int)e->code;
}

int err_while(struct err *e, const char *fmt, ...)
{
        char *text, *whole = NULL;
        va_list ap;

        va_start(ap, fmt);
        text = vtext(fmt, ap);
        va_end(ap);
        if (asprintf(&whole, "%s%s\n", e->trail ? e->trail : "", text) < 0)
                whole = xstrdup(text);
        free(text);
        free(e->trail);
        e->trail = whole;
        return -(int)e->code;
}

void err_hint(struct err *e, const char *fmt, ...)
{
        va_list ap;

        if (e->hint)
                return;
        va_start(ap, fmt);
        e->hint = vtext(fmt, ap);
        va_end(ap);
}

int err_move(struct err *to, struct err *from)
{
        if (to != from) {
                err_done(to);
                *to = *from;
                *from = (struct err){ 0 };
        }
        return -(int)to->code;
}

void err_done(struct err *e)
{
        free(e->cause);
        free(e->trail);
        free(e->hint);
        *e = (struct err){ 0 };
}

int err_exit_code(enum err_code c)
{
        return c >= ERR_LIMIT && c < 100 ? 1 : (int)c;
}
