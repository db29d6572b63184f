#include "pkg/tags.h"

#include <string.h>

/* Bounds against absurd targets: a list grows with python minor * libc minor. */
#define MINOR_MAX 99u

/* glibc versions whose manylinux had a name of its own before PEP 600. */
static const struct {
        uint32_t minor;
        const char *name;
} legacy[] = { { 17, "manylinux2014" }, { 12, "manylinux2010" }, { 5, "manylinux1" } };

struct platforms {
        sv *v;
        size_t n, cap;
};

static void manylinux(struct arena *a, const struct tags_target *t, struct platforms *p)
{
        bool intel = sv_is(t->arch, "x86_64") || sv_is(t->arch, "i686");
        uint32_t oldest = intel ? 5 : 17, newest = t->libc_minor < MINOR_MAX ? t->libc_minor : MINOR_MAX;

        if (t->libc_major != 2)
                return;
        for (uint32_t m = newest; m >= oldest; m--) {
                *arena_push(a, p->v, p->n, p->cap) = arena_fmt(a, "manylinux_2_%u_%.*s", m, SV_ARG(t->arch));
                for (size_t i = 0; i < ARRAY_LEN(legacy); i++)
                        if (legacy[i].minor == m)
                                *arena_push(a, p->v, p->n, p->cap) =
                                        arena_fmt(a, "%s_%.*s", legacy[i].name, SV_ARG(t->arch));
        }
}

static void musllinux(struct arena *a, const struct tags_target *t, struct platforms *p)
{
        for (uint32_t m = (t->libc_minor < MINOR_MAX ? t->libc_minor : MINOR_MAX) + 1; m-- > 0;)
                *arena_push(a, p->v, p->n, p->cap) =
                        arena_fmt(a, "musllinux_%u_%u_%.*s", t->libc_major, m, SV_ARG(t->arch));
}

void tags_platforms(struct arena *a, const struct tags_target *t, sv **ret, size_t *ret_n)
{
        struct platforms p = { 0 };

        if (t->libc == LIBC_GLIBC)
                manylinux(a, t, &p);
        else
                musllinux(a, t, &p);
        *arena_push(a, p.v, p.n, p.cap) = arena_fmt(a, "linux_%.*s", SV_ARG(t->arch));
        *ret = p.v;
        *ret_n = p.n;
}

/* ---- the whole list ---- */

static void add(struct tags *t, sv tag)
{
        if (map_get(&t->rank, tag))
                return;
        *arena_push(t->arena, t->v, t->n, t->cap) = tag;
        map_put(&t->rank, t->arena, tag, (void *)(uintptr_t)t->n);
}

static void add_each(struct tags *t, sv python, const char *abi, const sv *platform, size_t n)
{
        for (size_t i = 0; i < n; i++)
                add(t, arena_fmt(t->arena, "%.*s-%s-%.*s", SV_ARG(python), abi, SV_ARG(platform[i])));
}

void tags_make_for(struct arena *a, const struct tags_target *t, const sv *platform, size_t n, struct tags *ret)
{
        uint32_t major = t->major, minor = t->minor < MINOR_MAX ? t->minor : MINOR_MAX;
        const char *stable = t->free_threaded ? "abi3t" : "abi3";
        bool old = major < 3 || (major == 3 && minor < 8); /* pymalloc was part of the ABI */
        sv cp = arena_fmt(a, "cp%u%u", major, minor), any = SV("any"), *py;
        size_t n_py = 0;

        *ret = (struct tags){ .arena = a };
        add_each(ret, cp, arena_fmt(a, "%.*s%s", SV_ARG(cp), old ? "m" : t->free_threaded ? "t" : "").p, platform, n);
        if (major > 3 || (major == 3 && minor >= 2))
                add_each(ret, cp, stable, platform, n);
        add_each(ret, cp, "none", platform, n);
        for (uint32_t m = minor; major >= 3 && m > 2; m--)
                add_each(ret, arena_fmt(a, "cp%u%u", major, m - 1), stable, platform, n);

        py = arena_array(a, sv, (size_t)minor + 2);
        py[n_py++] = arena_fmt(a, "py%u%u", major, minor);
        py[n_py++] = arena_fmt(a, "py%u", major);
        for (uint32_t m = minor; m > 0; m--)
                py[n_py++] = arena_fmt(a, "py%u%u", major, m - 1);
        for (size_t i = 0; i < n_py; i++)
                add_each(ret, py[i], "none", platform, n);
        add_each(ret, cp, "none", &any, 1);
        for (size_t i = 0; i < n_py; i++)
                add_each(ret, py[i], "none", &any, 1);
}

void tags_make(struct arena *a, const struct tags_target *t, struct tags *ret)
{
        sv *platform;
        size_t n;

        tags_platforms(a, t, &platform, &n);
        tags_make_for(a, t, platform, n, ret);
}

void tags_from(struct arena *a, const sv *v, size_t n, struct tags *ret)
{
        *ret = (struct tags){ .arena = a };
        for (size_t i = 0; i < n; i++)
                add(ret, arena_sv(a, v[i]));
}

/* ---- ranks ---- */

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* One tag of a wheel's set, in lower case; longer than any that exists: -1. */
static int64_t rank_of(const struct tags *t, sv python, sv abi, sv platform)
{
        const sv part[] = { python, abi, platform };
        char tag[160];
        size_t n = 0;
        uintptr_t rank;

        if (python.n + abi.n + platform.n + 2 > sizeof(tag))
                return -1;
        for (size_t i = 0; i < ARRAY_LEN(part); i++) {
                if (i)
                        tag[n++] = '-';
                for (size_t k = 0; k < part[i].n; k++)
                        tag[n++] = lower(part[i].p[k]);
        }
        rank = (uintptr_t)map_get(&t->rank, (sv){ tag, n });
        return (int64_t)rank - 1;
}

int64_t tags_rank(const struct tags *t, sv python, sv abi, sv platform)
{
        int64_t best = -1;
        sv pythons = python, py, abis, ab, platforms, pl;

        while (sv_cut(&pythons, '.', &py))
                for (abis = abi; sv_cut(&abis, '.', &ab);)
                        for (platforms = platform; sv_cut(&platforms, '.', &pl);) {
                                int64_t r = rank_of(t, py, ab, pl);
                                if (r >= 0 && (best < 0 || r < best))
                                        best = r;
                        }
        return best;
}
