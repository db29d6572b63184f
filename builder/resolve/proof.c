#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "resolve/solve_priv.h"

/* Clauses are numbered in the order they came to be, so a derivation points back: one pass from the end marks what is used. */
static size_t mark(const struct solver *s, uint32_t *used)
{
        size_t n = 0;

        used[s->refutation] = 1;
        for (uint32_t id = s->refutation + 1; id-- > 0;) {
                const struct clause *c = s->clause[id];
                if (!used[id])
                        continue;
                n++;
                for (uint32_t i = 0; i < c->n_from; i++)
                        used[c->from[i]] = 1;
        }
        return n;
}

static struct proof_node copy(const struct clause *c, const uint32_t *place, struct arena *a)
{
        struct lit *lit = arena_array(a, struct lit, c->n + 1);
        uint32_t *from = arena_array(a, uint32_t, c->n_from + 1);

        memcpy(lit, c->lit, c->n * sizeof(*lit));
        for (uint32_t i = 0; i < c->n_from; i++)
                from[i] = place[c->from[i]];
        return (struct proof_node){ .kind = c->kind,
                                    .direct = c->direct,
                                    .by = c->by,
                                    .n = c->n,
                                    .n_from = c->n_from,
                                    .rel = c->rel,
                                    .lit = lit,
                                    .from = from };
}

struct proof *proof_new(const struct solver *s, struct arena *a)
{
        AUTO(free_ptr) uint32_t *used = NULL;
        struct proof *p = arena_new(a, struct proof);
        struct proof_var *var = arena_array(a, struct proof_var, s->n_var + 1);
        struct proof_node *node;

        for (size_t i = 0; i < s->n_var; i++)
                var[i] = (struct proof_var){ s->var[i].id, s->var[i].name, s->var[i].any, s->var[i].of, s->var[i].n };
        p->var = var;
        p->n_var = s->n_var;
        if (s->refutation == NO_CLAUSE)
                return p;
        used = xcalloc(s->n_clause, sizeof(*used));
        node = arena_array(a, struct proof_node, mark(s, used));
        for (uint32_t id = 0; id <= s->refutation; id++) {
                if (!used[id])
                        continue;
                node[p->n] = copy(s->clause[id], used, a);
                used[id] = (uint32_t)p->n++; /* from here on its place */
        }
        p->node = node;
        return p;
}
