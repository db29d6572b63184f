#include "resolve/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "resolve/solve_priv.h"

#define MAX_ATTEMPTS 100000u

/* Tiers opened so far, by the id of the name itself (not of its extras). Only ever more. */
struct tiers {
        uint8_t *open;
        size_t n;
};

static void tiers_done(struct tiers *t)
{
        free(t->open);
}

/* True when that offers candidates which were closed before. */
static bool tiers_open(struct tiers *t, const struct name *name, uint8_t bits)
{
        uint8_t fresh;
        size_t cap = t->n;

        if (name->of >= t->n) {
                t->open = xgrow(t->open, &cap, (size_t)name->of + 1, 1);
                memset(t->open + t->n, 0, cap - t->n);
                t->n = cap;
        }
        fresh = bits & ~t->open[name->of];
        t->open[name->of] |= bits;
        for (uint32_t i = 0; i < name->n; i++)
                if (name->cand[i].ban == BAN_NO && (fresh >> name->cand[i].tier & 1u) &&
                    name->cand[i].tier != TIER_NORMAL)
                        return true;
        return false;
}

static const struct var *var_get(const struct solver *s, name_id id)
{
        uint32_t known = table_get(&s->by_name, id, 0, 0);

        return known ? &s->var[known - 1] : NULL;
}

/* ---- a solution: what is needed, and the tiers its relations open ---- */

struct walk {
        const struct solver *s;
        struct tiers *tiers;
        struct pick *pick;
        size_t n;
        struct table seen;
        bool widened;
};

static void walk_done(struct walk *w)
{
        free(w->pick);
        free(w->seen.slot);
}

/* The term of a relation that the solution fulfils it with. */
static uint32_t chosen_term(const struct solver *s, const struct rel *rel)
{
        uint32_t any = rel->n > 1 ? table_get(&s->by_any, rel->id, 0, 0) : 0;

        return any ? var_only(s, &s->var[any - 1]) : 0;
}

static void walk_rel(struct walk *w, const struct rel *rel, name_id by)
{
        uint32_t chosen = rel->kind == REL_NEEDS && rel->n ? chosen_term(w->s, rel) : 0;

        for (uint32_t i = 0; i < rel->n; i++) {
                const struct var *v = var_get(w->s, rel->term[i].name);
                uint32_t only = v ? var_only(w->s, v) : NO_CAND;
                if (only == NO_CAND || (rel->kind == REL_NEEDS && i != chosen))
                        continue;
                if (rel->opens)
                        w->widened |= tiers_open(w->tiers, v->name, rel->opens);
                if (rel->kind == REL_LIMITS || table_get(&w->seen, v->id, 0, 0))
                        continue;
                table_put(&w->seen, v->id, 0, 0, 1);
                w->pick[w->n++] = (struct pick){ v->id, only, rel, by };
        }
}

/* Breadth first from the wants: what is not reached is not needed. */
static int walk_solution(struct walk *w, struct err *e)
{
        const struct solver *s = w->s;

        w->pick = xcalloc(s->n_var, sizeof(*w->pick));
        for (size_t i = 0; i < s->n_want; i++)
                walk_rel(w, &s->want[i].rel, NAME_ROOT);
        for (size_t i = 0; i < w->n; i++) {
                struct rels rels = { 0 };
                int r = s->c->ops->rels(s->c, w->pick[i].name, w->pick[i].cand, &rels, e);
                if (r != 0)
                        return r;
                for (uint32_t k = 0; k < rels.n; k++)
                        walk_rel(w, rels.v[k], w->pick[i].name);
        }
        return 0;
}

struct named_pick {
        sv text;
        struct pick pick;
};

static int by_text(const void *a, const void *b)
{
        const struct named_pick *x = a, *y = b;
        int r = sv_cmp(x->text, y->text);

        return r ? r : x->pick.name < y->pick.name ? -1 : x->pick.name > y->pick.name;
}

static void take_picks(const struct walk *w, struct arena *a, struct resolution *res)
{
        AUTO(free_ptr) struct named_pick *named = xcalloc(w->n, sizeof(*named));

        for (size_t i = 0; i < w->n; i++)
                named[i] = (struct named_pick){ var_get(w->s, w->pick[i].name)->name->text, w->pick[i] };
        qsort(named, w->n, sizeof(*named), by_text);
        res->pick = arena_array(a, struct pick, w->n);
        res->n = w->n;
        for (size_t i = 0; i < w->n; i++)
                res->pick[i] = named[i].pick;
}

/* 1 when tiers were opened: solve again. */
static int end_found(const struct solver *s, struct tiers *t, struct arena *a, struct resolution *res, struct err *e)
{
        AUTO(walk_done) struct walk w = { .s = s, .tiers = t };
        int r = walk_solution(&w, e);

        if (r != 0 || w.widened)
                return r < 0 ? r : 1;
        take_picks(&w, a, res);
        return 0;
}

/* ---- no solution: the tiers that the proof asks for ---- */

/* Open what the proof's relations name; and, where the index's lack is in the proof, pre-releases of a name of which no final
 * release is in all that the proof asks of it. */
static bool widen_from_proof(const struct proof *p, struct sets *sets, struct tiers *t)
{
        AUTO(free_ptr) set_id *asked = xcalloc(p->n_var, sizeof(*asked));
        bool widened = false;

        for (size_t i = 0; i < p->n_var; i++)
                asked[i] = p->var[i].n ? SET_ALL : SET_NONE;
        for (size_t i = 0; i < p->n; i++) {
                const struct proof_node *x = &p->node[i];
                for (uint32_t k = 0; k < x->n && x->rel; k++) {
                        uint32_t var = x->lit[k].var;
                        if (var == x->by || !p->var[var].name)
                                continue;
                        asked[var] = sets_and(sets, asked[var], x->lit[k].set, p->var[var].n);
                        asked[p->var[var].of] = sets_and(sets, asked[p->var[var].of], x->lit[k].set, p->var[var].n);
                        if (x->rel->opens)
                                widened |= tiers_open(t, p->var[var].name, x->rel->opens);
                }
        }
        for (size_t i = 0; i < p->n; i++) {
                uint32_t var = p->node[i].kind == CLAUSE_HAVE ? p->node[i].lit[0].var : NO_VAR;
                bool final = false;
                for (uint32_t k = 0; var != NO_VAR && k < p->var[var].n; k++) {
                        const struct cand *cand = &p->var[var].name->cand[k];
                        final |= cand->tier == TIER_NORMAL && cand->ban == BAN_NO && sets_has(sets, asked[var], k);
                }
                if (var != NO_VAR && !final)
                        widened |= tiers_open(t, p->var[var].name, 1u << TIER_PRERELEASE);
        }
        return widened;
}

/* One line that names the user's lines the proof leans on. */
static void say_conflict(const struct proof *p, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        size_t said = 0;

        for (size_t i = 0; i < p->n; i++)
                if (p->node[i].kind == CLAUSE_WANT && said++ < 5)
                        buf_fmt(&b, "%s'%.*s' (%.*s)", said > 1 ? ", " : "", SV_ARG(p->node[i].rel->text),
                                SV_ARG(p->node[i].rel->at));
        err_set(e, ERR_CONFLICT,
                said == 1 ? "no set of packages fulfils %s%s" : "no set of packages fulfils all of %s%s",
                b.p ? b.p : "", said > 5 ? ", …" : "");
}

static int end_none(const struct solver *s, struct tiers *t, struct arena *a, struct resolution *res, struct err *e)
{
        struct proof *p = proof_new(s, a);

        if (widen_from_proof(p, s->sets, t))
                return 1;
        res->proof = p;
        say_conflict(p, e);
        return -(int)ERR_CONFLICT;
}

static int end_limit(const struct solver *s, struct arena *a, struct resolution *res, struct err *e)
{
        res->proof = proof_new(s, a);
        res->proof->limit = true;
        err_set(e, ERR_LIMIT, "gave up after %u conflicts between packages", s->conflicts);
        err_hint(e, "ask for narrower versions of the packages that are named");
        return -(int)ERR_LIMIT;
}

/* One attempt: 1 to begin again. */
static int attempt(struct solver *s, struct tiers *t, struct arena *a, struct resolution *res, struct err *e)
{
        enum solve_end end;
        int r = solve(s, &end, e);

        res->conflicts += s->conflicts;
        res->decisions += s->decisions;
        res->visited = s->asked;
        if (r < 0)
                return r;
        switch (end) {
        case SOLVE_FOUND:
                return end_found(s, t, a, res, e);
        case SOLVE_NONE:
                return end_none(s, t, a, res, e);
        case SOLVE_LIMIT:
                return end_limit(s, a, res, e);
        case SOLVE_CHANGED:
                break;
        }
        return 1;
}

int resolve(struct catalog *c, const struct resolve_want *want, size_t n, const struct resolve_opts *o, struct op *op,
            struct arena *a, struct resolution **ret, struct err *e)
{
        AUTO(tiers_done) struct tiers t = { 0 };
        struct resolution *res = arena_new(a, struct resolution);
        int r = 1;

        for (uint32_t i = 0; r == 1 && i < MAX_ATTEMPTS; i++) {
                AUTO(solve_done) struct solver s = {
                        .c = c, .o = o, .want = want, .n_want = n, .open = t.open, .n_open = t.n, .op = op
                };
                r = attempt(&s, &t, a, res, e);
        }
        if (r == 1)
                r = err_set(e, ERR_LIMIT, "the index kept changing while it was resolved");
        if (r == 0 || res->proof)
                *ret = res;
        return r;
}
