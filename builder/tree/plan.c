#include "tree/plan.h"

#include <stdlib.h>

#include "ext/hash.h"

#define MIB         ((uint64_t)1 << 20)
#define ALONE       (MIB / 2) /* a package of this size has a layer of its own */
#define DEB_ALONE   (4 * MIB)
#define ONE_BUCKET  MIB /* all bucketed packages together below this: one bucket */
#define PART        (256 * MIB)
#define PARTS_MAX   8
#define BUCKETS     16
#define DEB_BUCKETS 4

uint32_t plan_parts(uint64_t size)
{
        uint32_t n = 2;

        if (size < PART)
                return 1;
        while (n < PARTS_MAX && n * PART <= size)
                n *= 2;
        return n;
}

static int by_kind(const struct artifact *a, const struct artifact *b)
{
        return sv_cmp(sv_from(artifact_kind_name(a->kind)), sv_from(artifact_kind_name(b->kind)));
}

static int by_name(const void *a, const void *b)
{
        const struct artifact *x = *(const struct artifact *const *)a, *y = *(const struct artifact *const *)b;
        int c = sv_cmp(x->name, y->name);

        return c ? c : by_kind(x, y);
}

static int by_size(const void *a, const void *b)
{
        const struct artifact *x = *(const struct artifact *const *)a, *y = *(const struct artifact *const *)b;
        int c = (x->size < y->size) - (x->size > y->size);

        if (!c)
                c = by_kind(x, y);
        return c ? c : sv_cmp(x->name, y->name);
}

/* Packages by size, largest first: the first `alone` of them have layers of their own, the others are in buckets. */
struct split {
        struct arena *arena;
        const struct artifact **v;
        size_t n, alone;
        uint32_t buckets;
        bool one; /* all in bucket 0 */
};

static uint32_t bucket_of(const struct split *s, const struct artifact *art)
{
        struct arena tmp = { 0 };
        sv text = arena_fmt(&tmp, "%s:%.*s", artifact_kind_name(art->kind), SV_ARG(art->name));
        sha256 d = sha256_of(text);

        arena_done(&tmp);
        return s->one ? 0 : d.b[0] & (s->buckets - 1);
}

static void sort_and_split(struct split *s, uint64_t limit)
{
        if (s->n)
                qsort(s->v, s->n, sizeof(struct artifact *), by_size);
        while (s->alone < s->n && s->v[s->alone]->size >= limit)
                s->alone++;
}

static bool are_few(const struct split *s)
{
        uint64_t sum = 0;

        for (size_t i = s->alone; i < s->n; i++)
                sum += s->v[i]->size;
        return sum < ONE_BUCKET;
}

static size_t count_layers(const struct split *s)
{
        bool used[BUCKETS] = { false };
        size_t n = 0;

        for (size_t i = 0; i < s->alone; i++)
                n += plan_parts(s->v[i]->size);
        for (size_t i = s->alone; i < s->n; i++)
                used[bucket_of(s, s->v[i])] = true;
        for (size_t i = 0; i < s->buckets; i++)
                n += used[i];
        return n;
}

static void add_layer(struct split *s, struct plan *p, struct plan_layer l)
{
        *arena_push(s->arena, p->v, p->n, p->cap) = l;
}

static void add_bucket(struct split *s, struct plan *p, uint32_t no)
{
        struct plan_layer l = { .bucket = true, .bucket_no = no, .parts = 1 };
        size_t cap = 0;

        for (size_t i = s->alone; i < s->n; i++)
                if (bucket_of(s, s->v[i]) == no)
                        *arena_push(s->arena, l.member, l.n_member, cap) = s->v[i];
        if (!l.n_member)
                return;
        qsort(l.member, l.n_member, sizeof(struct artifact *), by_name);
        add_layer(s, p, l);
}

static void emit(struct split *s, struct plan *p)
{
        for (size_t i = 0; i < s->alone; i++) {
                struct plan_layer l = { .member = &s->v[i], .n_member = 1, .parts = plan_parts(s->v[i]->size) };

                for (; l.part < l.parts; l.part++)
                        add_layer(s, p, l);
        }
        for (uint32_t no = 0; no < s->buckets; no++)
                add_bucket(s, p, no);
}

int plan_packages(struct arena *a, const struct artifact *v, size_t n, size_t n_other, struct plan *ret, struct err *e)
{
        struct split s = { .arena = a, .n = n, .buckets = BUCKETS };
        size_t layers;

        s.v = arena_array(a, const struct artifact *, n);
        for (size_t i = 0; i < n; i++)
                s.v[i] = &v[i];
        sort_and_split(&s, ALONE);
        s.one = are_few(&s);
        while (layers = n_other + count_layers(&s), layers > PLAN_BUDGET && s.alone) {
                s.alone--;
                s.one = are_few(&s);
        }
        if (layers > PLAN_MAX) {
                err_set(e, ERR_LIMIT, "the image would have %zu layers, runtimes take %d", layers, PLAN_MAX);
                err_hint(e, "use a base image with fewer layers: %zu of them are not packages", n_other);
                return -(int)e->code;
        }
        emit(&s, ret);
        return 0;
}

void plan_debs(struct arena *a, const struct artifact *const *v, size_t n, struct plan *ret)
{
        struct split s = { .arena = a, .n = n, .buckets = DEB_BUCKETS };

        s.v = arena_array(a, const struct artifact *, n);
        for (size_t i = 0; i < n; i++)
                s.v[i] = v[i];
        sort_and_split(&s, DEB_ALONE);
        emit(&s, ret);
}
