#include <stdlib.h>

#include "base/alloc.h"
#include "resolve/solve_priv.h"

#define DEFAULT_CONFLICTS 200000u
#define DEFAULT_BYTES     ((size_t)1 << 30)

static uint64_t bytes(const struct solver *s)
{
        return s->arena.bytes + sets_bytes(s->sets) - s->bytes_before + s->cap_var * sizeof(*s->var) +
               s->cap_trail * sizeof(*s->trail) + s->cap_clause * sizeof(*s->clause);
}

static bool over_limit(const struct solver *s)
{
        return s->conflicts >= (s->o->max_conflicts ? s->o->max_conflicts : DEFAULT_CONFLICTS) ||
               bytes(s) > (s->o->max_bytes ? s->o->max_bytes : DEFAULT_BYTES);
}

/* What says most of all that was learned: the fewest literals, the latest of those. */
static uint32_t best_learned(const struct solver *s)
{
        uint32_t best = NO_CLAUSE;

        for (uint32_t i = 0; i < s->n_clause; i++)
                if (s->clause[i]->kind == CLAUSE_LEARNED &&
                    (best == NO_CLAUSE || s->clause[i]->n <= s->clause[best]->n))
                        best = i;
        return best;
}

/* The next variable that has one candidate left and whose relations were not asked for. */
static uint32_t next_forced(struct solver *s, uint32_t *ret_cand)
{
        while (s->forced_head < s->forced.n) {
                uint32_t var = s->forced.v[s->forced_head++];
                *ret_cand = var_only(s, &s->var[var]);
                if (*ret_cand != NO_CAND && !var_visited(&s->var[var], *ret_cand))
                        return var;
        }
        s->forced_head = s->forced.n = 0;
        return NO_VAR;
}

/* A clause that became unit while its level was already past may have been left: all of them once more before the answer. */
static bool something_left(struct solver *s)
{
        const struct lit *l;

        for (uint32_t i = 0; i < s->n_clause; i++) {
                enum clause_state state = clause_look(s, s->clause[i], &l);
                if (state == CLAUSE_UNIT || state == CLAUSE_FALSE)
                        vec_push(&s->pending, i);
        }
        return s->pending.n > 0;
}

/* A name that was tried often will be so again: more of its candidates are fetched ahead, of those that are still possible; where a
 * pin leaves one, of all in order. */
static void more_soon(struct solver *s, const struct var *v, set_id likely)
{
        if (v->name && (v->tried == 5 || v->tried == 10 || (v->tried && v->tried % 20 == 0)))
                s->c->ops->soon(s->c, v->id, likely, v->tried);
}

/* One step on: visit what is forced, or decide. 0, CATALOG_CHANGED, -code; *ret_done when nothing is left to do. */
static int advance(struct solver *s, bool *ret_done, struct err *e)
{
        uint32_t cand, var;
        int r;

        visit_soon(s);
        var = next_forced(s, &cand);
        if (var != NO_VAR) {
                if (!trail_decided(s, &s->var[var]))
                        more_soon(s, &s->var[var], SET_ALL);
                return visit(s, var, cand, e);
        }
        r = decide_var(s, &var, e);
        if (r != 0)
                return r;
        if (var != NO_VAR) {
                more_soon(s, &s->var[var], s->var[var].set);
                trail_decide(s, var, decide_cand(s, var));
        } else if (!something_left(s)) {
                *ret_done = true;
        }
        return 0;
}

static int run(struct solver *s, enum solve_end *ret_end, struct err *e)
{
        int r = visit_wants(s, e);

        for (bool done = false; r == 0 && !done;) {
                uint32_t conflict = propagate(s);
                if (op_check(s->op, e) < 0)
                        return -(int)e->code;
                if (conflict == NO_CLAUSE) {
                        r = advance(s, &done, e);
                } else if (!learn(s, conflict)) {
                        *ret_end = SOLVE_NONE;
                        return 0;
                } else {
                        s->conflicts++;
                }
                if (over_limit(s)) {
                        s->refutation = best_learned(s);
                        *ret_end = SOLVE_LIMIT;
                        return 0;
                }
        }
        *ret_end = r == CATALOG_CHANGED ? SOLVE_CHANGED : SOLVE_FOUND;
        return r < 0 ? r : 0;
}

int solve(struct solver *s, enum solve_end *ret_end, struct err *e)
{
        s->sets = s->c->sets;
        s->bytes_before = sets_bytes(s->sets);
        s->refutation = NO_CLAUSE;
        return run(s, ret_end, e);
}

void solve_done(struct solver *s)
{
        for (size_t i = 0; i < s->n_var; i++)
                free(s->var[i].watch);
        free(s->var);
        free(s->clause);
        free(s->trail);
        free(s->level.v);
        free(s->forced.v);
        free(s->pending.v);
        free(s->needed.v);
        free(s->want_var.v);
        free(s->by_name.slot);
        free(s->by_rel.slot);
        free(s->by_any.slot);
        free(s->by_later.slot);
        free(s->later);
        breadth_done(&s->breadth);
        free(s->pairs.slot);
        free(s->work);
        free(s->in_work.v);
        free(s->from.v);
        arena_done(&s->arena);
}
