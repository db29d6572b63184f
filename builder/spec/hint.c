#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "spec/spec_priv.h"

static size_t report(struct diags *ds, struct spec_where at, size_t len, enum diag_level level, const char *code,
                     const char *fmt, va_list ap)
{
        AUTO(free_ptr) char *text = NULL;
        size_t i;

        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL;
        i = level == DIAG_ERROR ? diag_add(ds, at.file, at.line, at.col, code, "%s", text ? text : "")
                                : diag_warn(ds, at.file, at.line, at.col, code, "%s", text ? text : "");
        ds->v[i].level = level;
        diag_span(ds, i, (uint32_t)(len > 1000 ? 1000 : len));
        return i;
}

size_t spec_fault(struct diags *ds, struct spec_where at, size_t len, const char *code, const char *fmt, ...)
{
        va_list ap;
        size_t i;

        va_start(ap, fmt);
        i = report(ds, at, len, DIAG_ERROR, code, fmt, ap);
        va_end(ap);
        return i;
}

size_t spec_warn(struct diags *ds, struct spec_where at, size_t len, const char *code, const char *fmt, ...)
{
        va_list ap;
        size_t i;

        va_start(ap, fmt);
        i = report(ds, at, len, DIAG_WARNING, code, fmt, ap);
        va_end(ap);
        return i;
}

size_t spec_note(struct diags *ds, struct spec_where at, size_t len, const char *code, const char *fmt, ...)
{
        va_list ap;
        size_t i;

        va_start(ap, fmt);
        i = report(ds, at, len, DIAG_NOTE, code, fmt, ap);
        va_end(ap);
        return i;
}

/* A third of the letters may be wrong, two at most: "dependancies", "chanels", but not "pip" for "apt". */
const char *spec_nearest(sv word, const char *const *known, size_t n)
{
        unsigned max = word.n < 4 ? 1 : 2, best = max + 1;
        const char *ret = NULL;

        for (size_t i = 0; i < n; i++) {
                unsigned d = sv_distance(word, sv_from(known[i]), max);
                if (d < best) {
                        best = d;
                        ret = known[i];
                }
        }
        return ret;
}

void *spec_grow(struct arena *a, const void *p, size_t n, size_t *cap, size_t size)
{
        size_t want = n ? 2 * n : 1;
        char *v = arena_alloc(a, arena_mul(want, size), 16);

        if (n)
                __builtin_memcpy(v, p, n * size);
        *cap = want;
        return v;
}

void *spec_concat(struct arena *a, const void *x, size_t n_x, const void *y, size_t n_y, size_t size)
{
        size_t n = n_x + n_y, cap = 1;
        char *v;

        if (n == 0)
                return NULL;
        while (cap < n)
                cap *= 2;
        v = arena_alloc(a, arena_mul(cap, size), 16);
        if (n_x)
                __builtin_memcpy(v, x, n_x * size);
        if (n_y)
                __builtin_memcpy(v + n_x * size, y, n_y * size);
        return v;
}
