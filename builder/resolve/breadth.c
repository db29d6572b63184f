#include <stdlib.h>

#include "resolve/solve_priv.h"

/* The names that the solution needs so far, in the order in which a reader would meet them: what the lines ask for, then what those
 * ask for, relation by relation. The first one that is undecided is decided next. As long as the search only goes on, all before it
 * stays as it is, so the walk goes on too; after a jump back it begins again. */

static void begin_again(struct solver *s)
{
        struct breadth *b = &s->breadth;

        for (size_t i = 0; i < b->met.n; i++)
                s->var[b->met.v[i]].met = false;
        b->met.n = b->at = b->wants = 0;
        b->rel = 0;
        b->stale = false;
}

/* True when a variable is undecided: it is the one. A decided one is met. */
static bool meet(struct solver *s, uint32_t var)
{
        struct var *v = &s->var[var];

        if (v->any || v->none)
                return false; /* several terms: decided when all else is; not needed: another jump back is due */
        if (var_only(s, v) == NO_CAND)
                return true;
        if (!v->met) {
                v->met = true;
                vec_push(&s->breadth.met, var);
        }
        return false;
}

static bool meet_rel(struct solver *s, const struct rel *rel, uint32_t *ret)
{
        uint32_t known = rel->kind == REL_NEEDS && rel->n == 1 ? table_get(&s->by_name, rel->term->name, 0, 0) : 0;

        *ret = known ? known - 1 : NO_VAR;
        return known && meet(s, *ret);
}

int breadth_next(struct solver *s, uint32_t *ret, struct err *e)
{
        struct breadth *b = &s->breadth;

        *ret = NO_VAR;
        if (b->stale)
                begin_again(s);
        for (; b->wants < s->n_want; b->wants++)
                if (meet_rel(s, &s->want[b->wants].rel, ret))
                        return 0;
        for (; b->at < b->met.n; b->at++, b->rel = 0) {
                const struct var *v = &s->var[b->met.v[b->at]];
                struct rels rels = { 0 };
                int r = s->c->ops->rels(s->c, v->id, var_only(s, v), &rels, e);
                if (r != 0)
                        return r;
                for (; b->rel < rels.n; b->rel++)
                        if (meet_rel(s, rels.v[b->rel], ret))
                                return 0;
        }
        *ret = NO_VAR;
        return 0;
}

void breadth_done(struct breadth *b)
{
        free(b->met.v);
}
