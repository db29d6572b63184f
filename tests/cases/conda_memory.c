#include "tests/cases/conda_memory.h"

#include <stdlib.h>

#include "base/alloc.h"

struct conda_memory_name {
        struct conda_record *v;
        size_t n, cap;
};
struct memory_source {
        struct conda_source source; /* first */
        struct conda_memory *m;
};

void conda_memory_add(struct conda_memory *m, const struct conda_record *r)
{
        struct conda_memory_name *name = map_get(&m->by_name, r->name);

        if (!name) {
                name = arena_new(m->a, struct conda_memory_name);
                map_put(&m->by_name, m->a, r->name, name);
                *arena_push(m->a, m->name, m->n_name, m->cap_name) = r->name;
        }
        *arena_push(m->a, name->v, name->n, name->cap) = *r;
}

static int op_records(struct conda_source *s, sv text, struct conda_records *ret, struct err *e)
{
        struct conda_memory_name *name = map_get(&((struct memory_source *)s)->m->by_name, text);

        (void)e;
        *ret = name ? (struct conda_records){ name->v, name->n } : (struct conda_records){ 0 };
        return 0;
}

static void op_soon(struct conda_source *s, sv name)
{
        (void)s, (void)name;
}

static bool op_ready(struct conda_source *s, sv name)
{
        (void)s, (void)name;
        return true;
}

static sv op_near(struct conda_source *s, sv text)
{
        struct conda_memory *m = ((struct memory_source *)s)->m;
        unsigned best = 3;
        sv found = { 0 };

        for (size_t i = 0; i < m->n_name; i++) {
                unsigned d = sv_distance(m->name[i], text, best);
                if (d < best) {
                        best = d;
                        found = m->name[i];
                }
        }
        return found;
}

static void op_free(struct conda_source *s)
{
        free(s);
}

static const struct conda_source_ops memory_ops = { op_records, op_soon, op_ready, op_near, op_free };

struct conda_source *conda_memory_source(struct conda_memory *m)
{
        struct memory_source *s = xcalloc(1, sizeof(*s));

        *s = (struct memory_source){ { &memory_ops }, m };
        return &s->source;
}
