#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "resolve/solve_priv.h"

#define NEIGHBOURS 64 /* how far a clause is widened at most, to each side */

bool var_visited(const struct var *v, uint32_t cand)
{
        return v->visited[cand / 64u] >> (cand % 64u) & 1u;
}

static uint32_t var_new(struct solver *s, uint32_t n)
{
        struct var *v;

        s->var = xgrow(s->var, &s->cap_var, s->n_var + 1, sizeof(*s->var));
        v = &s->var[s->n_var];
        *v = (struct var){ .id = NAME_ROOT,
                           .n = n,
                           .of = (uint32_t)s->n_var,
                           .extra = NO_VAR,
                           .set = n ? SET_ALL : SET_NONE,
                           .none = true,
                           .last = NO_STEP,
                           .prefer = NO_CAND };
        v->visited = arena_array(&s->arena, uint64_t, n / 64u + 1);
        return (uint32_t)s->n_var++;
}

/* The tiers of a name that are open: those of foo for foo[x] too; pre-releases where there is nothing else. */
static uint8_t open_tiers(const struct solver *s, const struct name *name)
{
        uint8_t open = s->o->open | 1u << TIER_NORMAL | (name->of < s->n_open ? s->open[name->of] : 0);

        for (uint32_t i = 0; i < name->n; i++)
                if (name->cand[i].tier == TIER_NORMAL && name->cand[i].ban == BAN_NO)
                        return open;
        return open | 1u << TIER_PRERELEASE;
}

/* What the index offers, and which of it is the last choice. */
static void var_offer(struct solver *s, uint32_t var)
{
        struct var *v = &s->var[var];
        struct arena *a = &s->arena;
        uint64_t *set = arena_array(a, uint64_t, v->n / 64u + 1), *last = arena_array(a, uint64_t, v->n / 64u + 1);
        uint8_t open = open_tiers(s, v->name);

        for (uint32_t i = 0; i < v->n; i++) {
                if (v->name->cand[i].ban == BAN_NO && (open >> v->name->cand[i].tier & 1u))
                        set[i / 64u] |= UINT64_C(1) << (i % 64u);
                if (v->name->cand[i].tier == TIER_YANKED)
                        last[i / 64u] |= UINT64_C(1) << (i % 64u);
        }
        v->set = sets_add(s->sets, set, v->n);
        v->yanked = sets_add(s->sets, last, v->n);
        for (size_t i = 0; i < s->o->n_prefer; i++)
                if (s->o->prefer[i].name == v->id)
                        v->prefer = sets_next(s->sets, s->o->prefer[i].set, 0, v->n);
}

/* foo[x] follows foo from here on, and to where foo is by now. */
static void var_join(struct solver *s, uint32_t var, uint32_t of)
{
        s->var[var].of = of;
        s->var[var].extra = s->var[of].extra;
        s->var[of].extra = var;
        if (s->var[of].last != NO_STEP)
                trail_set(s, var, s->var[of].set, true, NO_CLAUSE, of, s->var[of].set);
}

static int later_do(struct solver *s, name_id id, struct err *e);

int var_of(struct solver *s, name_id id, uint32_t *ret, struct err *e)
{
        uint32_t known = table_get(&s->by_name, id, 0, 0), of = NO_VAR, var;
        const struct name *name = NULL;
        int r;

        if (known) {
                *ret = known - 1;
                return 0;
        }
        r = s->c->ops->name(s->c, id, &name, e);
        if (r != 0)
                return r;
        if (name->of != id) {
                r = var_of(s, name->of, &of, e);
                if (r != 0)
                        return r;
        }
        var = var_new(s, name->absent ? 0 : name->n);
        s->var[var].id = id;
        s->var[var].name = name;
        var_offer(s, var);
        if (of != NO_VAR && s->var[of].n == s->var[var].n)
                var_join(s, var, s->var[of].of);
        s->var[var].lowest = s->o->lowest;
        table_put(&s->by_name, id, 0, 0, var + 1);
        *ret = var;
        return later_do(s, id, e);
}

/* A variable for a relation with several terms: value i is its term i. */
static int any_of(struct solver *s, const struct rel *rel, uint32_t *ret, struct err *e)
{
        uint32_t known = table_get(&s->by_any, rel->id, 0, 0), *term, var;

        if (known) {
                *ret = known - 1;
                return 0;
        }
        term = arena_array(&s->arena, uint32_t, rel->n);
        for (uint32_t i = 0; i < rel->n; i++) {
                int r = var_of(s, rel->term[i].name, &term[i], e);
                if (r != 0)
                        return r;
        }
        var = var_new(s, rel->n);
        s->var[var].any = rel;
        s->var[var].term = term;
        table_put(&s->by_any, rel->id, 0, 0, var + 1);
        for (uint32_t i = 0; i < rel->n; i++) {
                struct lit lit[2] = { { term[i], rel->term[i].set, false },
                                      { var, sets_not(s->sets, sets_one(s->sets, i, rel->n), rel->n), true } };
                uint32_t id = clause_add(s, (struct clause){ .kind = CLAUSE_TERM, .by = var, .rel = rel }, lit, 2);
                clause_watch(s, id);
                vec_push(&s->pending, id);
        }
        *ret = var;
        return 0;
}

/* The literal that a relation asks for: its term, one of them, or a limit. */
static int rel_lit(struct solver *s, const struct rel *rel, uint32_t term, struct lit *ret, struct err *e)
{
        bool any = rel->kind == REL_NEEDS && rel->n > 1;
        int r = any ? any_of(s, rel, &ret->var, e) : var_of(s, rel->term[term].name, &ret->var, e);

        if (r != 0)
                return r;
        ret->set = any ? SET_ALL : rel->term[term].set;
        ret->none = rel->kind == REL_LIMITS;
        if (s->var[ret->var].n == 0)
                ret->set = SET_NONE;
        return 0;
}

/* Whether a candidate says the same, when that is known already. */
static bool says(struct solver *s, name_id id, uint32_t cand, uint32_t rel)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct rels rels = { 0 };
        int r;

        if (!s->c->ops->known(s->c, id, cand))
                return false;
        r = s->c->ops->rels(s->c, id, cand, &rels, &ignored);
        s->changed |= r == CATALOG_CHANGED;
        for (uint32_t i = 0; r == 0 && i < rels.n; i++)
                if (rels.v[i]->id == rel)
                        return true;
        return false;
}

/* The candidates next to cand that say the same. Only where what is known does not hang on the network's pace: for the order of
 * PyPI a clause grows by visited candidates alone. */
static set_id widen(struct solver *s, uint32_t var, uint32_t cand, const struct rel *rel)
{
        uint32_t n = s->var[var].n, lo = cand, hi = cand;
        set_id set = sets_one(s->sets, cand, n);

        if (s->o->order != ORDER_CEILING)
                return set;
        if (s->c->ops->who)
                return sets_or(s->sets, set, s->c->ops->who(s->c, s->var[var].id, cand, rel), n);
        while (lo > 0 && cand - lo < NEIGHBOURS && says(s, s->var[var].id, lo - 1, rel->id))
                lo--;
        while (hi + 1 < n && hi - cand < NEIGHBOURS && says(s, s->var[var].id, hi + 1, rel->id))
                hi++;
        for (uint32_t i = lo; i <= hi; i++)
                set = sets_or(s->sets, set, sets_one(s->sets, i, n), n);
        return set;
}

/* One more candidate says it: the clause grows. It may be false or unit by that, so it is looked at again. */
static void rel_grow(struct solver *s, uint32_t id, uint32_t var, set_id says_it)
{
        struct clause *c = s->clause[id];

        for (uint32_t i = 0; i < c->n; i++)
                if (c->lit[i].var == var)
                        c->lit[i].set = sets_minus(s->sets, c->lit[i].set, says_it, s->var[var].n);
        vec_push(&s->pending, id);
}

static int rel_add(struct solver *s, uint32_t var, uint32_t cand, const struct rel *rel, uint32_t term, struct err *e)
{
        uint32_t known = table_get(&s->by_rel, var, rel->id, term), id, n = s->var[var].n, n_lit = 1;
        struct lit lit[2];
        set_id who;
        int r;

        if (known && !sets_has(s->sets,
                               s->clause[known - 1]->lit[0].var == var ? s->clause[known - 1]->lit[0].set
                                                                       : s->clause[known - 1]->lit[1].set,
                               cand))
                return 0; /* widened over it before */
        if (rel->n) {
                r = rel_lit(s, rel, term, &lit[1], e);
                if (r != 0)
                        return r;
                n_lit = 2;
        }
        if (n_lit == 2 && lit[1].var == var) { /* of itself: fulfilled, or the candidate can't be used */
                if (sets_has(s->sets, lit[1].set, cand))
                        return 0;
                n_lit = 1;
        }
        who = n_lit == 1 ? sets_one(s->sets, cand, n) : widen(s, var, cand, rel);
        if (known) {
                rel_grow(s, known - 1, var, who);
                return 0;
        }
        lit[0] = (struct lit){ var, sets_not(s->sets, who, n), true };
        id = clause_add(s, (struct clause){ .kind = CLAUSE_REL, .by = var, .rel = rel }, lit, n_lit);
        table_put(&s->by_rel, var, rel->id, term, id + 1);
        clause_watch(s, id);
        vec_push(&s->pending, id);
        return 0;
}

/* A limit on a name that nothing needs waits until something does: its candidates need not be known before. */
static bool limit_waits(struct solver *s, uint32_t var, uint32_t cand, const struct rel *rel, uint32_t term)
{
        name_id id = rel->term[term].name;
        uint32_t first;

        if (rel->term[term].set != SET_LATER || table_get(&s->by_name, id, 0, 0))
                return false;
        first = table_get(&s->by_later, id, 0, 0);
        s->later = xgrow(s->later, &s->cap_later, s->n_later + 1, sizeof(*s->later));
        s->later[s->n_later++] = (struct later){ var, cand, term, first, rel };
        table_put(&s->by_later, id, 0, 0, (uint32_t)s->n_later);
        return true;
}

/* A name has become a variable: what was said of it before counts from now on. */
static int later_do(struct solver *s, name_id id, struct err *e)
{
        for (uint32_t i = table_get(&s->by_later, id, 0, 0); i; i = s->later[i - 1].next) {
                struct later l = s->later[i - 1];
                int r = rel_add(s, l.var, l.cand, l.rel, l.term, e);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int rel_add_all(struct solver *s, uint32_t var, uint32_t cand, const struct rel *rel, struct err *e)
{
        if (rel->kind == REL_NEEDS)
                return rel_add(s, var, cand, rel, 0, e);
        for (uint32_t i = 0; i < rel->n; i++) {
                int r = limit_waits(s, var, cand, rel, i) ? 0 : rel_add(s, var, cand, rel, i, e);
                if (r != 0)
                        return r;
        }
        return 0;
}

int visit(struct solver *s, uint32_t var, uint32_t cand, struct err *e)
{
        const struct name *name = s->var[var].name;
        struct rels rels = { 0 };
        struct lit l;
        int r;

        s->var[var].visited[cand / 64u] |= UINT64_C(1) << (cand % 64u);
        if (!name) /* a relation with several terms: its clauses are there already */
                return 0;
        r = s->c->ops->rels(s->c, s->var[var].id, cand, &rels, e);
        if (r != 0)
                return r;
        s->asked++;
        s->var[var].tried++;
        if (name->cand[cand].ban != BAN_NO) {
                l = (struct lit){ var, sets_not(s->sets, sets_one(s->sets, cand, name->n), name->n), true };
                vec_push(&s->pending, clause_add(s, (struct clause){ .kind = CLAUSE_HAVE, .by = var }, &l, 1));
                return 0;
        }
        for (uint32_t i = 0; i < rels.n; i++) {
                r = rel_add_all(s, var, cand, rels.v[i], e);
                if (r != 0)
                        return r;
        }
        return s->changed ? CATALOG_CHANGED : 0;
}

static int want_add(struct solver *s, const struct resolve_want *w, uint32_t term, uint32_t *ret_var, struct err *e)
{
        struct clause head = { .kind = CLAUSE_WANT, .by = NO_VAR, .rel = &w->rel, .direct = w->direct };
        struct lit l;
        int r;

        if (w->rel.n == 0) {
                vec_push(&s->pending, clause_add(s, head, NULL, 0));
                return 0;
        }
        r = rel_lit(s, &w->rel, term, &l, e);
        if (r != 0)
                return r;
        *ret_var = l.var;
        if (w->direct && w->rel.kind == REL_NEEDS) {
                s->var[l.var].direct = true;
                s->var[l.var].lowest |= s->o->lowest_direct;
        }
        vec_push(&s->pending, clause_add(s, head, &l, 1));
        return 0;
}

/* What is needed first, so that names are discovered in the order of the file; then what is only limited. */
int visit_wants(struct solver *s, struct err *e)
{
        uint32_t ignored;

        for (size_t i = 0; i < s->n_want; i++) {
                uint32_t var = NO_VAR;
                int r = s->want[i].rel.kind == REL_NEEDS ? want_add(s, &s->want[i], 0, &var, e) : 0;
                if (r != 0)
                        return r;
                vec_push(&s->want_var, var);
        }
        for (size_t i = 0; i < s->n_want; i++)
                for (uint32_t k = 0; s->want[i].rel.kind == REL_LIMITS && k < s->want[i].rel.n; k++) {
                        int r = want_add(s, &s->want[i], k, &ignored, e);
                        if (r != 0)
                                return r;
                }
        /* pending is a stack: turn it round, so that the first line is the first to count */
        for (size_t i = 0, k = s->pending.n; i + 1 < k; i++) {
                uint32_t x = s->pending.v[i];
                s->pending.v[i] = s->pending.v[--k];
                s->pending.v[k] = x;
        }
        return 0;
}

/* Tell the catalog what will be asked next: names that are needed now, and more candidates of those that were tried often. */
void visit_soon(struct solver *s)
{
        for (size_t i = 0; i < s->needed.n; i++) {
                struct var *v = &s->var[s->needed.v[i]];
                if (v->none || !v->name || v->asked_soon == v->set)
                        continue;
                v->asked_soon = v->set;
                s->c->ops->soon(s->c, v->id, v->set, v->tried);
        }
        s->needed.n = 0;
        for (size_t i = s->forced_head; i < s->forced.n; i++) {
                struct var *v = &s->var[s->forced.v[i]];
                uint32_t only = var_only(s, v);
                if (only != NO_CAND && v->name && !var_visited(v, only) && v->asked_soon != v->set) {
                        v->asked_soon = v->set;
                        s->c->ops->soon(s->c, v->id, v->set, v->tried);
                }
        }
}
