#include <string.h>

#include "resolve/story_priv.h"

enum { MAX_NODES = 5000 }; /* a longer proof is told step by step, as far as anyone reads */

/* ---- facts ---- */

set_id fact_who(const struct story *st, const struct fact *f)
{
        return sets_not(st->c->sets, f->lit[1].set, st->p->var[f->by].n);
}

/* One relation more between the same two: who says it and what is asked for are joined. It is weaker, and easier to read. */
static bool fact_join(struct story *st, const struct fact *f)
{
        struct sets *sets = st->c->sets;

        for (size_t i = 0; f->kind == CLAUSE_REL && f->n == 2 && i < st->n; i++) {
                struct fact *x = &st->fact[i];
                if (x->kind != CLAUSE_REL || x->n != 2 || x->by != f->by || x->lit[0].var != f->lit[0].var ||
                    x->rel->kind != f->rel->kind)
                        continue;
                x->mixed |= x->lit[0].set != f->lit[0].set;
                x->alike |=
                        x->lit[0].set == SET_NONE && f->lit[0].set == SET_NONE && !sv_eq(x->rel->text, f->rel->text);
                x->lit[0].set = sets_or(sets, x->lit[0].set, f->lit[0].set, st->p->var[x->lit[0].var].n);
                x->lit[1].set = sets_and(sets, x->lit[1].set, f->lit[1].set, st->p->var[f->by].n);
                return true;
        }
        return false;
}

static void fact_add(struct story *st, const struct proof_node *node, bool join)
{
        struct fact f = { .kind = node->kind, .direct = node->direct, .by = node->by, .rel = node->rel, .n = node->n };

        for (uint32_t i = 0; i < node->n; i++) {
                bool who = node->kind != CLAUSE_WANT && node->kind != CLAUSE_HAVE && node->lit[i].var == node->by;
                f.lit[node->n == 2 && who] = node->lit[i];
        }
        if (node->kind == CLAUSE_HAVE)
                f.by = NO_VAR;
        if (!join || !fact_join(st, &f))
                *arena_push(st->a, st->fact, st->n, st->cap) = f;
}

/* Wants first, then relations, then what the index offers: it comes last, so that it is told only when nothing else does. */
static void facts_take(struct story *st, bool join)
{
        static const uint8_t order[][3] = { { CLAUSE_WANT, CLAUSE_WANT, CLAUSE_WANT },
                                            { CLAUSE_REL, CLAUSE_TERM, CLAUSE_SAME },
                                            { CLAUSE_HAVE, CLAUSE_HAVE, CLAUSE_HAVE } };

        st->n = 0;
        for (size_t k = 0; k < ARRAY_LEN(order); k++)
                for (size_t i = 0; i < st->p->n; i++)
                        if (memchr(order[k], st->p->node[i].kind, sizeof(order[k])))
                                fact_add(st, &st->p->node[i], join);
}

/* ---- a refutation without cases: each fact narrows one domain, until one can't hold ---- */

struct narrow {
        size_t fact;
        uint32_t var;
        struct lit lit;
};
struct dom {
        set_id set;
        bool none;
};
struct refute {
        struct story *st;
        struct dom *dom;
        struct narrow *step;
        size_t n, cap;
};

static bool dead(const struct refute *r, const struct dom *d, const struct lit *l)
{
        return !(d->none && l->none) && sets_disjoint(r->st->c->sets, d->set, l->set, r->st->p->var[l->var].n);
}

/* Apply a fact: 1 it narrowed, 0 nothing, -1 it can't hold. */
static int apply(struct refute *r, size_t fact)
{
        const struct fact *f = &r->st->fact[fact];
        struct sets *sets = r->st->c->sets;
        const struct lit *open = NULL;

        for (uint32_t i = 0; i < f->n; i++) {
                if (dead(r, &r->dom[f->lit[i].var], &f->lit[i]))
                        continue;
                if (open)
                        return 0;
                open = &f->lit[i];
        }
        if (!open)
                return -1;
        struct dom *d = &r->dom[open->var];
        struct dom next = { sets_and(sets, d->set, open->set, r->st->p->var[open->var].n), d->none && open->none };
        if (next.set == d->set && next.none == d->none)
                return 0;
        *d = next;
        *arena_push(r->st->a, r->step, r->n, r->cap) = (struct narrow){ fact, open->var, *open };
        return 1;
}

/* The domain of a variable from some of the first `before` steps. */
static struct dom dom_of(const struct refute *r, uint32_t var, size_t before, const bool *drop)
{
        struct dom d = { r->st->p->var[var].n ? SET_ALL : SET_NONE, true };

        for (size_t i = 0; i < before; i++)
                if (r->step[i].var == var && !drop[i]) {
                        d.set = sets_and(r->st->c->sets, d.set, r->step[i].lit.set, r->st->p->var[var].n);
                        d.none &= r->step[i].lit.none;
                }
        return d;
}

/* Mark what made the literals of a fact false, as few steps as can be: later ones are dropped first. */
static void trace(struct refute *r, size_t fact, uint32_t except, size_t before, bool *drop, bool *take)
{
        struct fact *f = &r->st->fact[fact];

        f->used = true;
        for (uint32_t i = 0; i < f->n; i++) {
                if (f->lit[i].var == except)
                        continue;
                memset(drop, 0, r->n * sizeof(*drop));
                for (size_t k = before; k-- > 0;) {
                        if (r->step[k].var != f->lit[i].var)
                                continue;
                        drop[k] = true;
                        struct dom d = dom_of(r, f->lit[i].var, before, drop);
                        drop[k] = dead(r, &d, &f->lit[i]);
                        take[k] |= !drop[k];
                }
        }
}

static void trace_all(struct refute *r, size_t conflict)
{
        bool *drop = arena_array(r->st->a, bool, r->n + 1), *take = arena_array(r->st->a, bool, r->n + 1);

        trace(r, conflict, NO_VAR, r->n, drop, take);
        for (size_t k = r->n; k-- > 0;)
                if (take[k])
                        trace(r, r->step[k].fact, r->step[k].var, k, drop, take);
}

/* Round after round over all facts, so that short ways are found first. */
static bool refute_itself(struct story *st)
{
        struct refute r = { .st = st, .dom = arena_array(st->a, struct dom, st->p->n_var + 1) };
        bool more = true;

        for (size_t i = 0; i < st->p->n_var; i++)
                r.dom[i] = (struct dom){ st->p->var[i].n ? SET_ALL : SET_NONE, true };
        while (more) {
                more = false;
                for (size_t i = 0; i < st->n; i++) {
                        int done = apply(&r, i);
                        if (done < 0) {
                                trace_all(&r, i);
                                return true;
                        }
                        more |= done > 0;
                        if (done > 0 && st->fact[i].kind == CLAUSE_HAVE)
                                break; /* first see what follows from it */
                }
        }
        return false;
}

bool story_make(struct story *st, struct catalog *c, const struct proof *p, struct arena *a)
{
        *st = (struct story){ .c = c, .p = p, .a = a };
        if (p->n > MAX_NODES) {
                facts_take(st, false);
                return false;
        }
        facts_take(st, true);
        if (refute_itself(st))
                return true;
        facts_take(st, false);
        return refute_itself(st);
}
