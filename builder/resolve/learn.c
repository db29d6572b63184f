#include <string.h>

#include "base/alloc.h"
#include "resolve/solve_priv.h"

/* Add a literal to the clause being derived. */
static void work_add(struct solver *s, const struct lit *l)
{
        struct work_lit *w = &s->work[l->var];

        if (!w->in) {
                *w = (struct work_lit){ l->set, l->none, true, NO_STEP };
                vec_push(&s->in_work, l->var);
        } else {
                w->set = sets_or(s->sets, w->set, l->set, s->var[l->var].n);
                w->none |= l->none;
        }
        w->step = lit_since(s, &(struct lit){ l->var, w->set, w->none });
}

/* Resolve with a clause over var: there both literals must hold, elsewhere either. */
static void work_resolve(struct solver *s, uint32_t var, uint32_t with)
{
        const struct clause *c = s->clause[with];
        struct work_lit *w = &s->work[var];

        vec_push(&s->from, with);
        for (uint32_t i = 0; i < c->n; i++) {
                const struct lit *l = &c->lit[i];
                if (l->var != var) {
                        work_add(s, l);
                        continue;
                }
                w->set = sets_and(s->sets, w->set, l->set, s->var[var].n);
                w->none = w->none && l->none;
        }
        if (w->set == SET_NONE && !w->none) {
                w->in = false;
                for (size_t i = 0; i < s->in_work.n; i++)
                        if (s->in_work.v[i] == var)
                                s->in_work.v[i] = s->in_work.v[--s->in_work.n];
        } else {
                w->step = lit_since(s, &(struct lit){ var, w->set, w->none });
        }
}

static uint32_t reason_of(struct solver *s, uint32_t step)
{
        const struct step *t = &s->trail[step];

        return t->same == NO_VAR ? t->reason : trail_same(s, t->same, t->same_set, t->var);
}

/* Latest step of the clause, and the level of the latest one of another literal. */
static uint32_t latest(const struct solver *s, uint32_t *ret_var, uint32_t *ret_second)
{
        uint32_t best = NO_STEP, second = 0;

        for (size_t i = 0; i < s->in_work.n; i++) {
                uint32_t at = s->work[s->in_work.v[i]].step;
                if (at == NO_STEP)
                        continue;
                if (best == NO_STEP || at > best) {
                        if (best != NO_STEP && s->trail[best].level > second)
                                second = s->trail[best].level;
                        best = at;
                        *ret_var = s->in_work.v[i];
                } else if (s->trail[at].level > second) {
                        second = s->trail[at].level;
                }
        }
        *ret_second = second;
        return best;
}

static uint32_t learned_add(struct solver *s)
{
        struct lit *lit = arena_array(&s->arena, struct lit, s->in_work.n + 1);
        uint32_t *from = arena_array(&s->arena, uint32_t, s->from.n);

        memcpy(from, s->from.v, s->from.n * sizeof(*from));
        for (size_t i = 0; i < s->in_work.n; i++) {
                const struct work_lit *w = &s->work[s->in_work.v[i]];
                lit[i] = (struct lit){ s->in_work.v[i], w->set, w->none };
        }
        return clause_add(
                s, (struct clause){ .kind = CLAUSE_LEARNED, .by = NO_VAR, .n_from = (uint32_t)s->from.n, .from = from },
                lit, (uint32_t)s->in_work.n);
}

/* What is left is false from the beginning: the index does not offer it. */
static uint32_t refute(struct solver *s)
{
        while (s->in_work.n) {
                uint32_t var = s->in_work.v[s->in_work.n - 1], at = s->var[var].last;
                struct lit l = { var, s->var[var].set, true };
                if (at != NO_STEP) {
                        while (s->trail[at].prev != NO_STEP)
                                at = s->trail[at].prev;
                        l.set = s->trail[at].set;
                }
                work_resolve(s, var, clause_add(s, (struct clause){ .kind = CLAUSE_HAVE, .by = var }, &l, 1));
        }
        return learned_add(s);
}

static void work_begin(struct solver *s, uint32_t conflict)
{
        const struct clause *c = s->clause[conflict];

        s->work = xgrow(s->work, &s->cap_work, s->n_var, sizeof(*s->work));
        for (size_t i = 0; i < s->n_var; i++)
                s->work[i].in = false;
        s->in_work.n = s->from.n = 0;
        vec_push(&s->from, conflict);
        for (uint32_t i = 0; i < c->n; i++)
                work_add(s, &c->lit[i]);
}

bool learn(struct solver *s, uint32_t conflict)
{
        uint32_t var = NO_VAR, second, at, id;

        work_begin(s, conflict);
        for (;;) {
                at = latest(s, &var, &second);
                if (at == NO_STEP) {
                        s->refutation = refute(s);
                        return false;
                }
                if (s->trail[at].level > second)
                        break;
                work_resolve(s, var, reason_of(s, at));
        }
        id = s->from.n == 1 ? conflict : learned_add(s); /* it may be the asserting clause already */
        trail_back(s, second);
        if (id != conflict)
                clause_watch(s, id);
        vec_push(&s->pending, id);
        decide_conflict(s, id, var);
        return true;
}
