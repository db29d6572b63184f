#include <stdlib.h>

#include "base/cleanup.h"
#include "catalog/pypi_priv.h"

struct parts {
        sv *v;
        size_t n, cap;
};

static void add_parts(struct arena *a, struct parts *p, char mark, sv text)
{
        sv part;

        while (sv_cut(&text, '&', &part))
                if (part.n && (mark != '#' || !sv_starts(part, SV("egg=")))) /* the name is known already */
                        *arena_push(a, p->v, p->n, p->cap) = arena_fmt(a, "%c%.*s", mark, SV_ARG(part));
}

static sv take_after(sv *text, char mark)
{
        ptrdiff_t at = sv_find(*text, mark);
        sv after = at < 0 ? (sv){ 0 } : sv_skip(*text, (size_t)at + 1);

        if (at >= 0)
                text->n = (size_t)at;
        return after;
}

sv pypi_url_identity(struct arena *a, sv url)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct parts p = { 0 };
        sv fragment = take_after(&url, '#'), query = take_after(&url, '?');

        add_parts(&tmp, &p, '?', query);
        add_parts(&tmp, &p, '#', fragment);
        if (p.n)
                qsort(p.v, p.n, sizeof(*p.v), sv_qsort);
        buf_add(&b, url);
        for (size_t i = 0; i < p.n; i++) {
                buf_byte(&b, '\n'); /* which no URL holds */
                buf_add(&b, p.v[i]);
        }
        return arena_sv(a, buf_sv(&b));
}
