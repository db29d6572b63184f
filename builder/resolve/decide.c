#include "resolve/solve_priv.h"

#define CONFLICTS_OF_A_PAIR 5

static bool undecided(const struct solver *s, const struct var *v)
{
        return !v->none && var_only(s, v) == NO_CAND;
}

/* The requested names in the order given; of a request with several terms, then the name of the term that was chosen. */
static uint32_t requested(const struct solver *s)
{
        for (size_t i = 0; i < s->want_var.n; i++) {
                uint32_t var = s->want_var.v[i], only;
                if (var == NO_VAR)
                        continue;
                only = var_only(s, &s->var[var]);
                if (s->var[var].any && only != NO_CAND)
                        var = s->var[var].term[only];
                if (undecided(s, &s->var[var]))
                        return var;
        }
        return NO_VAR;
}

/* Fewest candidates first; relations with several terms last, when it is known what else is there; then as discovered. */
static bool ceiling_before(const struct solver *s, uint32_t a, uint32_t b)
{
        const struct var *x = &s->var[a], *y = &s->var[b];
        uint32_t n = sets_count(s->sets, x->set, x->n), m = sets_count(s->sets, y->set, y->n);

        if (!x->any != !y->any)
                return !x->any;
        return !x->any && n < m;
}

static int rank(const struct solver *s, const struct var *v)
{
        const struct var *of = &s->var[v->of];

        return v->any ? 3 : of->early ? 0 : of->late ? 2 : 1;
}

/* By rank, then as discovered; foo[x] directly after foo. A culprit comes last: decided before the names that it makes trouble for are
 * even required, it would take its best candidate again and drive them to ancient ones. */
static bool culprit_before(const struct solver *s, uint32_t a, uint32_t b)
{
        const struct var *x = &s->var[a], *y = &s->var[b];
        int i = rank(s, x), k = rank(s, y);

        return i != k ? i < k : x->of != y->of ? x->of < y->of : a < b;
}

int decide_var(struct solver *s, uint32_t *ret, struct err *e)
{
        bool ceiling = s->o->order == ORDER_CEILING;
        uint32_t best = ceiling ? requested(s) : NO_VAR;

        if (ceiling && s->c->breadth && best == NO_VAR) {
                int r = breadth_next(s, &best, e);
                if (r != 0)
                        return r;
        }
        *ret = best;
        if (best != NO_VAR)
                return 0;
        for (uint32_t i = 0; i < s->n_var; i++) {
                if (!undecided(s, &s->var[i]))
                        continue;
                if (best == NO_VAR || (ceiling ? ceiling_before(s, i, best) : culprit_before(s, i, best)))
                        best = i;
        }
        *ret = best;
        return 0;
}

static uint32_t last_of(const struct solver *s, set_id set, uint32_t n)
{
        uint32_t last = n;

        for (uint32_t i = sets_next(s->sets, set, 0, n); i < n; i = sets_next(s->sets, set, i + 1, n))
                last = i;
        return last;
}

static bool is_want(const struct solver *s, uint32_t var)
{
        for (size_t i = 0; i < s->want_var.n; i++)
                if (s->want_var.v[i] == var)
                        return true;
        return false;
}

/* The first term that may hold; but one that holds already needs nothing more. */
static uint32_t term_cand(const struct solver *s, uint32_t var)
{
        const struct var *v = &s->var[var];

        for (uint32_t i = 0; i < v->n && !is_want(s, var); i++)
                if (sets_has(s->sets, v->set, i) &&
                    lit_true(s, &(struct lit){ v->term[i], v->any->term[i].set, false }))
                        return i;
        return sets_next(s->sets, v->set, 0, v->n);
}

uint32_t decide_cand(struct solver *s, uint32_t var)
{
        const struct var *v = &s->var[var];
        set_id first;

        if (v->any)
                return term_cand(s, var);
        if (v->prefer != NO_CAND && v->prefer < v->n && sets_has(s->sets, v->set, v->prefer))
                return v->prefer;
        first = sets_minus(s->sets, v->set, v->yanked, v->n);
        if (first == SET_NONE)
                first = v->set;
        return v->lowest ? last_of(s, first, v->n) : sets_next(s->sets, first, 0, v->n);
}

static bool make_late(struct var *v)
{
        bool changed = !v->early && !v->late;

        v->late = true;
        return changed;
}

void decide_conflict(struct solver *s, uint32_t clause, uint32_t var)
{
        const struct clause *c = s->clause[clause];
        uint32_t affected = s->var[var].of;

        if (s->o->order != ORDER_CULPRIT)
                return;
        for (uint32_t i = 0; i < c->n; i++) {
                uint32_t culprit = s->var[c->lit[i].var].of, n;
                if (culprit == affected)
                        continue;
                n = table_get(&s->pairs, affected, culprit, 0) + 1;
                table_put(&s->pairs, affected, culprit, 0, n);
                if (n != CONFLICTS_OF_A_PAIR)
                        continue;
                bool changed = !s->var[affected].early;
                s->var[affected].early = true;
                changed = make_late(&s->var[culprit]) || changed;
                if (changed && trail_decided(s, &s->var[culprit]))
                        trail_back(s, s->trail[s->var[culprit].last].level - 1);
        }
}
