#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SOURCE_MAX ((size_t)1 << 20)

static sv vtext(struct arena *a, const char *fmt, va_list ap)
{
        char *p = NULL;
        sv s = SV("");

        if (vasprintf(&p, fmt, ap) >= 0)
                s = arena_sv(a, sv_from(p));
        free(p);
        return s;
}

static size_t add(struct diags *ds, sv file, uint32_t line, uint32_t col, enum diag_level level, const char *code,
                  sv text)
{
        *arena_push(&ds->arena, ds->v, ds->n, ds->cap) = (struct diag){
                .file = arena_sv(&ds->arena, file),
                .line = line,
                .col = col,
                .level = level,
                .code = code,
                .text = text,
        };
        ds->n_errors += level == DIAG_ERROR;
        return ds->n - 1;
}

size_t diag_add(struct diags *ds, sv file, uint32_t line, uint32_t col, const char *code, const char *fmt, ...)
{
        va_list ap;
        sv text;

        va_start(ap, fmt);
        text = vtext(&ds->arena, fmt, ap);
        va_end(ap);
        return add(ds, file, line, col, DIAG_ERROR, code, text);
}

size_t diag_warn(struct diags *ds, sv file, uint32_t line, uint32_t col, const char *code, const char *fmt, ...)
{
        va_list ap;
        sv text;

        va_start(ap, fmt);
        text = vtext(&ds->arena, fmt, ap);
        va_end(ap);
        return add(ds, file, line, col, DIAG_WARNING, code, text);
}

void diag_hint(struct diags *ds, size_t i, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        ds->v[i].hint = vtext(&ds->arena, fmt, ap);
        va_end(ap);
}

void diag_span(struct diags *ds, size_t i, uint32_t len)
{
        ds->v[i].len = len;
}

void diag_source(struct diags *ds, sv file, sv text)
{
        for (size_t i = 0; i < ds->n_source; i++)
                if (sv_eq(ds->source[i].file, file))
                        return;
        if (text.n > SOURCE_MAX)
                text.n = SOURCE_MAX;
        *arena_push(&ds->arena, ds->source, ds->n_source, ds->cap_source) =
                (struct diag_source){ arena_sv(&ds->arena, file), arena_sv(&ds->arena, text) };
}

sv diag_line(const struct diags *ds, sv file, uint32_t line)
{
        for (size_t i = 0; i < ds->n_source; i++) {
                sv rest = ds->source[i].text, text;
                if (!sv_eq(ds->source[i].file, file))
                        continue;
                for (uint32_t k = 1; sv_line(&rest, &text); k++)
                        if (k == line)
                                return text;
        }
        return (sv){ 0 };
}

static int order(const void *pa, const void *pb, void *arg)
{
        const struct diags *ds = arg;
        const struct diag *a = &ds->v[*(const size_t *)pa], *b = &ds->v[*(const size_t *)pb];
        size_t ia = *(const size_t *)pa, ib = *(const size_t *)pb;

        if (!sv_eq(a->file, b->file))
                for (size_t i = 0; i < ds->n; i++) {
                        if (sv_eq(ds->v[i].file, a->file))
                                return -1;
                        if (sv_eq(ds->v[i].file, b->file))
                                return 1;
                }
        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        if (a->col != b->col)
                return a->col < b->col ? -1 : 1;
        return ia < ib ? -1 : ia > ib;
}

void diag_sort(struct diags *ds)
{
        size_t *at = arena_array(&ds->arena, size_t, ds->n), n = 0;
        struct diag *v = arena_array(&ds->arena, struct diag, ds->n);

        for (size_t i = 0; i < ds->n; i++)
                at[i] = i;
        qsort_r(at, ds->n, sizeof(*at), order, ds);
        for (size_t i = 0; i < ds->n; i++) {
                const struct diag *d = &ds->v[at[i]], *last = n ? &v[n - 1] : NULL;
                if (last && sv_eq(last->file, d->file) && last->line == d->line && last->col == d->col &&
                    last->level == d->level && sv_eq(last->text, d->text)) {
                        ds->n_errors -= d->level == DIAG_ERROR;
                        continue;
                }
                v[n++] = *d;
        }
        ds->v = v;
        ds->cap = ds->n;
        ds->n = n;
}

void diags_done(struct diags *ds)
{
        arena_done(&ds->arena);
        *ds = (struct diags){ 0 };
}
