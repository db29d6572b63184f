#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "catalog/conda_priv.h"

/* Best first, as rattler has it (specs/conda.md §9): channel (flexible), no track_features, version, build number; then the build whose
 * dependencies that all tied builds share reach the higher version; then what was built later; then what is always the same. */

static int by_number(uint64_t a, uint64_t b) /* the lower one first */
{
        return (a > b) - (a < b);
}

/* Everything that a record says of itself. */
static int plain_cmp(const struct catalog_conda *c, const struct conda_cand *a, const struct conda_cand *b)
{
        int r = (int)a->hidden - (int)b->hidden;

        if (!r && (c->opts.priority == CONDA_FLEXIBLE || a->hidden))
                r = by_number(a->r->channel_no, b->r->channel_no);
        if (!r)
                r = (a->r->n_track_features > 0) - (b->r->n_track_features > 0);
        if (!r && a->v != b->v)
                r = !a->v || !b->v ? (a->v ? -1 : 1) : conda_version_cmp(b->v, a->v);
        return r ? r : by_number(b->r->build_number, a->r->build_number);
}

static int last_cmp(const struct conda_cand *a, const struct conda_cand *b)
{
        int r = (b->r->timestamp > a->r->timestamp) - (b->r->timestamp < a->r->timestamp);

        if (!r)
                r = by_number(a->r->channel_no, b->r->channel_no);
        if (!r)
                r = (int)sv_is(a->r->subdir, "noarch") - (int)sv_is(b->r->subdir, "noarch");
        return r ? r : sv_cmp(a->r->fn, b->r->fn);
}

static int plain_qsort(const void *x, const void *y, void *arg)
{
        const struct conda_cand *a = x, *b = y;
        int r = plain_cmp(arg, a, b);

        return r ? r : last_cmp(a, b);
}

/* ---- builds that tie ---- */

struct tied { /* one of them, and the version that its dependency on the name in question can reach */
        struct conda_cand k;
        const struct conda_version *best;
        bool features;
};
struct ties {
        struct catalog_conda *c;
        struct arena *tmp;
        struct conda_name **shared; /* names that all of them need, in alphabetical order */
        size_t n_shared;
};

static int name_qsort(const void *a, const void *b)
{
        return sv_cmp((*(struct conda_name *const *)a)->pub.text, (*(struct conda_name *const *)b)->pub.text);
}

/* A record that says something unreadable will be banned: it has no say here. */
static bool all_readable(struct catalog_conda *c, struct conda_cand *k)
{
        struct conda_says **says = conda_cand_says(c, k);

        for (size_t i = 0; i < k->r->n_depends; i++)
                if (!conda_says_parse(c, says[i]))
                        return false;
        return true;
}

/* Names are counted once a record: those that all records name are left at the end. */
static void find_shared(struct ties *t, struct tied *v, size_t n)
{
        const struct conda_cand *first = &v[0].k;

        t->shared = arena_array(t->tmp, struct conda_name *, first->r->n_depends + 1);
        t->n_shared = 0;
        for (size_t k = 0; k < n; k++) {
                t->c->n_tied++;
                for (size_t i = 0; i < v[k].k.r->n_depends; i++) {
                        struct conda_name *name = v[k].k.says[i]->name;
                        if (name->tied_last == t->c->n_tied)
                                continue;
                        name->tied_count = k == 0 ? 1 : name->tied_count + (name->tied_last == t->c->n_tied - 1);
                        name->tied_last = t->c->n_tied;
                }
        }
        for (size_t i = 0; i < first->r->n_depends; i++) {
                struct conda_name *name = first->says[i]->name;
                if (name->tied_last != t->c->n_tied || name->tied_count != n)
                        continue;
                name->tied_count = 0; /* taken */
                t->shared[t->n_shared++] = name;
        }
        if (t->n_shared)
                qsort(t->shared, t->n_shared, sizeof(*t->shared), name_qsort);
}

/* Whether two builds say the same of a name, in the same order. */
static bool says_same(const struct conda_cand *a, const struct conda_cand *b, const struct conda_name *name)
{
        size_t i = 0, k = 0;

        for (;; i++, k++) {
                while (i < a->r->n_depends && a->says[i]->name != name)
                        i++;
                while (k < b->r->n_depends && b->says[k]->name != name)
                        k++;
                if (i == a->r->n_depends || k == b->r->n_depends)
                        return i == a->r->n_depends && k == b->r->n_depends;
                if (a->says[i] != b->says[k])
                        return false;
        }
}

/* A version without track_features is better than any with; then the higher; then any than none. */
static int reach_cmp(const struct conda_version *a, bool a_features, const struct conda_version *b, bool b_features)
{
        if (!a || !b)
                return (b != NULL) - (a != NULL);
        if (a_features != b_features)
                return a_features ? 1 : -1;
        return a == b ? 0 : conda_version_cmp(b, a);
}

static void reach(struct catalog_conda *c, struct tied *t, const struct conda_name *name)
{
        t->best = NULL;
        t->features = false;
        for (size_t i = 0; i < t->k.r->n_depends; i++) {
                struct conda_says *s = t->k.says[i];
                if (s->name != name)
                        continue;
                conda_says_best(c, s);
                if (reach_cmp(s->best, s->best_features, t->best, t->features) < 0) {
                        t->best = s->best;
                        t->features = s->best_features;
                }
        }
}

static int tied_qsort(const void *x, const void *y)
{
        const struct tied *a = x, *b = y;
        int r = reach_cmp(a->best, a->features, b->best, b->features);

        return r ? r : last_cmp(&a->k, &b->k);
}

/* v is in the order of last_cmp, and all of it says the same of the names before `at`. */
static int refine(struct ties *t, struct tied *v, size_t n, size_t at, struct err *e)
{
        bool differs = false;

        for (; n > 1 && at < t->n_shared && !differs; at++)
                for (size_t i = 1; i < n && !differs; i++)
                        differs = !says_same(&v[0].k, &v[i].k, t->shared[at]);
        if (!differs)
                return 0;
        if (op_check(t->c->op, e) < 0 || conda_name_read(t->c, t->shared[at - 1], e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                reach(t->c, &v[i], t->shared[at - 1]);
        qsort(v, n, sizeof(*v), tied_qsort);
        for (size_t from = 0, to; from < n; from = to) {
                for (to = from + 1; to < n; to++)
                        if (reach_cmp(v[from].best, v[from].features, v[to].best, v[to].features) != 0)
                                break;
                if (refine(t, v + from, to - from, at, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int order_tied(struct catalog_conda *c, struct conda_cand *k, size_t n, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct tied *v = arena_array(&tmp, struct tied, n);
        struct ties t = { .c = c, .tmp = &tmp };
        size_t good = 0, bad = n;

        for (size_t i = 0; i < n; i++)
                if (all_readable(c, &k[i]))
                        v[good++].k = k[i];
        for (size_t i = n; i-- > 0 && good < n;)
                if (!all_readable(c, &k[i]))
                        v[--bad].k = k[i];
        if (good > 1) {
                find_shared(&t, v, good);
                if (refine(&t, v, good, 0, e) < 0)
                        return -(int)e->code;
        }
        for (size_t i = 0; i < n; i++)
                k[i] = v[i].k;
        return 0;
}

int conda_order(struct catalog_conda *c, struct conda_name *n, struct err *e)
{
        if (n->n < 2)
                return 0;
        qsort_r(n->cand, n->n, sizeof(*n->cand), plain_qsort, c);
        for (uint32_t from = 0, to; from < n->n; from = to) {
                for (to = from + 1; to < n->n && plain_cmp(c, &n->cand[from], &n->cand[to]) == 0;)
                        to++;
                if (to - from > 1 && order_tied(c, n->cand + from, to - from, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}
