#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "resolve/solve_priv.h"

uint32_t vec_push(struct vec *v, uint32_t x)
{
        v->v = xgrow(v->v, &v->cap, v->n + 1, sizeof(*v->v));
        v->v[v->n] = x;
        return (uint32_t)v->n++;
}

static struct table_slot *find(const struct table *t, uint32_t a, uint32_t b, uint32_t c)
{
        uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15) + c * UINT64_C(0xbf58476d1ce4e5b9);
        struct table_slot *slot;

        for (h ^= h >> 31;; h++) {
                slot = &t->slot[h & (t->size - 1)];
                if (!slot->value || (slot->a == a && slot->b == b && slot->c == c))
                        return slot;
        }
}

uint32_t table_get(const struct table *t, uint32_t a, uint32_t b, uint32_t c)
{
        return t->size ? find(t, a, b, c)->value : 0;
}

void table_put(struct table *t, uint32_t a, uint32_t b, uint32_t c, uint32_t value)
{
        struct table_slot *slot;

        if (t->n * 2 >= t->size) {
                struct table old = *t;
                t->size = old.size ? old.size * 2 : 64;
                t->slot = xcalloc(t->size, sizeof(*t->slot));
                for (size_t i = 0; i < old.size; i++)
                        if (old.slot[i].value)
                                *find(t, old.slot[i].a, old.slot[i].b, old.slot[i].c) = old.slot[i];
                free(old.slot);
        }
        slot = find(t, a, b, c);
        t->n += !slot->value;
        *slot = (struct table_slot){ a, b, c, value };
}

bool lit_false(const struct solver *s, const struct lit *l)
{
        const struct var *v = &s->var[l->var];

        return !(v->none && l->none) && sets_disjoint(s->sets, v->set, l->set, v->n);
}

bool lit_true(const struct solver *s, const struct lit *l)
{
        const struct var *v = &s->var[l->var];

        return (!v->none || l->none) && sets_subset(s->sets, v->set, l->set, v->n);
}

enum clause_state clause_look(const struct solver *s, const struct clause *c, const struct lit **ret_lit)
{
        uint32_t open = 0;

        for (uint32_t i = 0; i < c->n; i++) {
                if (lit_false(s, &c->lit[i]))
                        continue;
                if (lit_true(s, &c->lit[i]))
                        return CLAUSE_TRUE;
                if (open++)
                        return CLAUSE_OPEN;
                *ret_lit = &c->lit[i];
        }
        return open ? CLAUSE_UNIT : CLAUSE_FALSE;
}

uint32_t clause_add(struct solver *s, struct clause head, const struct lit *lit, uint32_t n)
{
        struct clause *c = arena_new(&s->arena, struct clause);

        *c = head;
        c->n = n;
        c->lit = arena_array(&s->arena, struct lit, n);
        if (n)
                memcpy(c->lit, lit, n * sizeof(*lit));
        s->clause = xgrow(s->clause, &s->cap_clause, s->n_clause + 1, sizeof(*s->clause));
        s->clause[s->n_clause] = c;
        return (uint32_t)s->n_clause++;
}

uint32_t lit_since(const struct solver *s, const struct lit *l)
{
        const struct var *v = &s->var[l->var];
        uint32_t at = v->last;

        while (at != NO_STEP) {
                const struct step *t = &s->trail[at];
                if ((t->none && l->none) || !sets_disjoint(s->sets, t->set, l->set, v->n))
                        return at;
                at = t->prev;
        }
        return NO_STEP;
}

/* How long a literal has been false: not false is latest, false from the beginning is earliest. */
static uint64_t freshness(const struct solver *s, const struct lit *l)
{
        uint32_t since;

        if (!lit_false(s, l))
                return UINT64_MAX;
        since = lit_since(s, l);
        return since == NO_STEP ? 0 : since + UINT64_C(1);
}

static void watch_one(struct solver *s, uint32_t var, uint32_t id)
{
        struct var *v = &s->var[var];

        v->watch = xgrow(v->watch, &v->cap_watch, v->n_watch + 1, sizeof(*v->watch));
        v->watch[v->n_watch++] = id;
}

void clause_watch(struct solver *s, uint32_t id)
{
        struct clause *c = s->clause[id];

        if (c->n < 2)
                return;
        for (uint32_t k = 0; k < 2; k++) {
                uint32_t best = k;
                for (uint32_t i = k + 1; i < c->n; i++)
                        if (freshness(s, &c->lit[i]) > freshness(s, &c->lit[best]))
                                best = i;
                struct lit l = c->lit[k];
                c->lit[k] = c->lit[best];
                c->lit[best] = l;
                watch_one(s, c->lit[k].var, id);
        }
}
