#include <stdlib.h>

#include "base/alloc.h"
#include "resolve/solve_priv.h"

uint32_t trail_level(const struct solver *s)
{
        return (uint32_t)s->level.n;
}

uint32_t var_only(const struct solver *s, const struct var *v)
{
        uint32_t first;

        if (v->none)
                return NO_CAND;
        first = sets_next(s->sets, v->set, 0, v->n);
        return sets_next(s->sets, v->set, first + 1, v->n) == v->n ? first : NO_CAND;
}

/* Narrow a domain; the caller knows that something remains. */
void trail_set(struct solver *s, uint32_t var, set_id set, bool none, uint32_t reason, uint32_t same, set_id same_set)
{
        struct var *v = &s->var[var];
        bool was_none = v->none;

        set = sets_and(s->sets, v->set, set, v->n);
        none = none && v->none;
        if (set == v->set && none == v->none)
                return;
        s->trail = xgrow(s->trail, &s->cap_trail, s->n_trail + 1, sizeof(*s->trail));
        s->trail[s->n_trail] = (struct step){ .var = var,
                                              .prev = v->last,
                                              .level = trail_level(s),
                                              .reason = reason,
                                              .same = same,
                                              .same_set = same_set,
                                              .set = v->set,
                                              .none = v->none };
        v->last = (uint32_t)s->n_trail++;
        v->set = set;
        v->none = none;
        if (var_only(s, v) != NO_CAND)
                vec_push(&s->forced, var);
        else if (was_none && !none)
                vec_push(&s->needed, var);
}

void trail_decide(struct solver *s, uint32_t var, uint32_t cand)
{
        vec_push(&s->level, (uint32_t)s->n_trail);
        s->decisions++;
        trail_set(s, var, sets_one(s->sets, cand, s->var[var].n), false, NO_CLAUSE, NO_VAR, SET_NONE);
}

bool trail_decided(const struct solver *s, const struct var *v)
{
        return v->last != NO_STEP && s->trail[v->last].reason == NO_CLAUSE && s->trail[v->last].same == NO_VAR;
}

void trail_back(struct solver *s, uint32_t level)
{
        if (level >= s->level.n)
                return;
        while (s->n_trail > s->level.v[level]) {
                const struct step *t = &s->trail[--s->n_trail];
                struct var *v = &s->var[t->var];
                v->set = t->set;
                v->none = t->none;
                v->last = t->prev;
        }
        s->level.n = level;
        s->breadth.stale = true;
        if (s->head > s->n_trail)
                s->head = s->n_trail;
}

/* foo is in the set, or foo[x] is not; and foo[x] is in the set or not chosen, or foo is elsewhere: the two clauses of a set that
 * bind them, written down only when one of them is needed for a proof. */
uint32_t trail_same(struct solver *s, uint32_t from, set_id set, uint32_t to)
{
        bool to_extra = s->var[from].of == from;
        struct lit lit[2] = { { to, set, to_extra }, { from, sets_not(s->sets, set, s->var[from].n), !to_extra } };

        return clause_add(s, (struct clause){ .kind = CLAUSE_SAME, .by = from }, lit, 2);
}

static uint32_t same_one(struct solver *s, uint32_t from, uint32_t to)
{
        struct lit l = { to, s->var[from].set, s->var[from].of == from };

        if (lit_false(s, &l))
                return trail_same(s, from, l.set, to);
        if (!lit_true(s, &l))
                trail_set(s, to, l.set, l.none, NO_CLAUSE, from, l.set);
        return NO_CLAUSE;
}

/* foo[x] is foo: what foo may be, and that foo is needed when foo[x] is. */
static uint32_t propagate_same(struct solver *s, uint32_t var)
{
        uint32_t false_one = NO_CLAUSE;

        if (s->var[var].of != var)
                return s->var[var].none ? NO_CLAUSE : same_one(s, var, s->var[var].of);
        for (uint32_t x = s->var[var].extra; x != NO_VAR && false_one == NO_CLAUSE; x = s->var[x].extra)
                false_one = same_one(s, var, x);
        return false_one;
}

/* A watched literal may have become false: watch another one, or propagate. True when the clause leaves this variable's list. */
static bool look_at_watch(struct solver *s, uint32_t var, uint32_t id, uint32_t *ret_false)
{
        struct clause *c = s->clause[id];
        uint32_t at = c->lit[0].var == var ? 0 : 1;
        struct lit *mine = &c->lit[at], *other = &c->lit[1 - at];

        if (!lit_false(s, mine) || lit_true(s, other))
                return false;
        for (uint32_t i = 2; i < c->n; i++) {
                struct lit l = c->lit[i];
                if (lit_false(s, &l))
                        continue;
                c->lit[i] = *mine;
                *mine = l;
                s->var[l.var].watch = xgrow(s->var[l.var].watch, &s->var[l.var].cap_watch, s->var[l.var].n_watch + 1,
                                            sizeof(uint32_t));
                s->var[l.var].watch[s->var[l.var].n_watch++] = id;
                return true;
        }
        if (lit_false(s, other))
                *ret_false = id;
        else
                trail_set(s, other->var, other->set, other->none, id, NO_VAR, SET_NONE);
        return false;
}

static uint32_t propagate_watches(struct solver *s, uint32_t var)
{
        uint32_t false_one = NO_CLAUSE;
        size_t keep = 0, i = 0;

        for (; i < s->var[var].n_watch && false_one == NO_CLAUSE; i++) {
                uint32_t id = s->var[var].watch[i];
                if (!look_at_watch(s, var, id, &false_one))
                        s->var[var].watch[keep++] = id;
        }
        for (; i < s->var[var].n_watch; i++)
                s->var[var].watch[keep++] = s->var[var].watch[i];
        s->var[var].n_watch = keep;
        return false_one;
}

/* Clauses that are new or have grown. They stay in the list until they are neither false nor unit. */
static uint32_t propagate_pending(struct solver *s)
{
        while (s->pending.n) {
                uint32_t id = s->pending.v[s->pending.n - 1];
                const struct lit *l;
                switch (clause_look(s, s->clause[id], &l)) {
                case CLAUSE_FALSE:
                        return id;
                case CLAUSE_UNIT:
                        if (s->clause[id]->n == 1)
                                trail_back(s, 0); /* holds always: not to be undone */
                        trail_set(s, l->var, l->set, l->none, id, NO_VAR, SET_NONE);
                        break;
                case CLAUSE_OPEN:
                case CLAUSE_TRUE:
                        break;
                }
                s->pending.n--;
        }
        return NO_CLAUSE;
}

uint32_t propagate(struct solver *s)
{
        uint32_t false_one;

        do {
                false_one = propagate_pending(s);
                while (false_one == NO_CLAUSE && s->head < s->n_trail) {
                        uint32_t var = s->trail[s->head++].var;
                        false_one = propagate_same(s, var);
                        if (false_one == NO_CLAUSE)
                                false_one = propagate_watches(s, var);
                }
        } while (false_one == NO_CLAUSE && s->pending.n);
        return false_one;
}
