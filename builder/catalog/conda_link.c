#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/conda.h"

/* Dependencies first; of those that are ready the first by name. python does not wait for noarch python packages (it may name pip), and
 * they all wait for it. A cycle is begun when nothing is ready: with the one that waits for nobody outside, noarch python packages last,
 * then by name; and it is ended before anything else goes on. */

struct node {
        uint32_t v; /* index into the artifacts */
        uint32_t *needs;
        size_t n, cap;
        bool placed;
        uint32_t seen;  /* by which walk */
        uint32_t cycle; /* which one it is part of; 0: none so far */
};
struct graph {
        const struct artifact *art;
        struct arena *a;
        struct node *node; /* by name */
        uint32_t n, walk, cycle;
        uint32_t left; /* of the cycle that was begun */
};

/* The name that a MatchSpec speaks of: "conda-forge::numpy >=1.20" → "numpy". */
static sv spec_name(sv spec)
{
        ptrdiff_t colon = sv_find_sv(spec, SV("::"));
        size_t n = 0;

        if (colon >= 0)
                spec = sv_skip(spec, (size_t)colon + 2);
        spec = sv_trim(spec);
        while (n < spec.n && sv_find(SV(" =<>!~["), spec.p[n]) < 0)
                n++;
        return sv_from_to(spec, 0, n);
}

static int node_qsort(const void *x, const void *y, void *arg)
{
        const struct node *a = x, *b = y;
        const struct artifact *art = arg;
        int r = sv_cmp(art[a->v].name, art[b->v].name);

        return r ? r : (int)art[a->v].kind - (int)art[b->v].kind;
}

static bool is_noarch_python(const struct graph *g, const struct node *x)
{
        return sv_is(g->art[x->v].noarch, "python");
}

static void edge(struct graph *g, struct node *from, const struct node *to, const struct node *python)
{
        if (!to || to == from || (from == python && is_noarch_python(g, to)))
                return;
        *arena_push(g->a, from->needs, from->n, from->cap) = (uint32_t)(to - g->node);
}

static void graph_make(struct graph *g, const struct artifact *v, size_t n)
{
        struct map by_name = { 0 };
        struct node *python;

        g->art = v;
        g->n = (uint32_t)n;
        g->node = arena_array(g->a, struct node, n + 1);
        for (size_t i = 0; i < n; i++)
                g->node[i].v = (uint32_t)i;
        qsort_r(g->node, n, sizeof(*g->node), node_qsort, (void *)v);
        for (size_t i = 0; i < n; i++)
                map_put(&by_name, g->a, v[g->node[i].v].name, &g->node[i]);
        python = map_get(&by_name, SV("python"));
        for (size_t i = 0; i < n; i++) {
                const struct artifact *art = &v[g->node[i].v];
                for (size_t k = 0; k < art->n_needs; k++)
                        edge(g, &g->node[i], map_get(&by_name, arena_lower(g->a, spec_name(art->needs[k]))), python);
                if (is_noarch_python(g, &g->node[i]))
                        edge(g, &g->node[i], python, python);
        }
}

static bool ready(const struct graph *g, const struct node *x)
{
        for (size_t i = 0; i < x->n; i++)
                if (!g->node[x->needs[i]].placed)
                        return false;
        return true;
}

/* How many nodes, all of them still to be placed, are reached from one: least inside a cycle that waits for nobody else. */
static uint32_t reach(struct graph *g, uint32_t from)
{
        AUTO(free_ptr) uint32_t *stack = xcalloc((size_t)g->n + 1, sizeof(*stack));
        uint32_t depth = 0, count = 0;

        g->walk++;
        g->node[from].seen = g->walk;
        stack[depth++] = from;
        while (depth) {
                const struct node *x = &g->node[stack[--depth]];
                count++;
                for (size_t i = 0; i < x->n; i++) {
                        struct node *y = &g->node[x->needs[i]];
                        if (y->placed || y->seen == g->walk)
                                continue;
                        y->seen = g->walk;
                        stack[depth++] = x->needs[i];
                }
        }
        return count;
}

static uint32_t least_waiting(struct graph *g)
{
        uint32_t best = UINT32_MAX, least = 0;

        for (uint32_t i = 0; i < g->n; i++) {
                uint32_t n;
                if (g->node[i].placed)
                        continue;
                n = reach(g, i);
                if (best == UINT32_MAX || n < least) {
                        best = i;
                        least = n;
                }
        }
        return best;
}

/* What nothing outside of it holds back any more. */
static void begin_cycle(struct graph *g)
{
        g->left = reach(g, least_waiting(g));
        g->cycle++;
        for (uint32_t i = 0; i < g->n; i++)
                if (!g->node[i].placed && g->node[i].seen == g->walk)
                        g->node[i].cycle = g->cycle;
}

static bool may_be_next(const struct graph *g, const struct node *x)
{
        return !x->placed && (!g->left || x->cycle == g->cycle);
}

static uint32_t next_ready(const struct graph *g)
{
        for (uint32_t i = 0; i < g->n; i++)
                if (may_be_next(g, &g->node[i]) && ready(g, &g->node[i]))
                        return i;
        return UINT32_MAX;
}

static uint32_t break_cycle(const struct graph *g)
{
        uint32_t best = UINT32_MAX;

        for (uint32_t i = 0; i < g->n; i++)
                if (may_be_next(g, &g->node[i]) &&
                    (best == UINT32_MAX || (is_noarch_python(g, &g->node[best]) && !is_noarch_python(g, &g->node[i]))))
                        best = i;
        return best;
}

static uint32_t next(struct graph *g)
{
        uint32_t i = next_ready(g);

        if (i == UINT32_MAX) {
                if (!g->left)
                        begin_cycle(g);
                i = break_cycle(g);
        }
        if (g->left)
                g->left--;
        return i;
}

void conda_link_order(const struct artifact *v, size_t n, struct arena *a, uint32_t **ret_order)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct graph g = { .a = &tmp };
        uint32_t *order = arena_array(a, uint32_t, n + 1);

        graph_make(&g, v, n);
        for (uint32_t i = 0; i < g.n; i++) {
                struct node *x = &g.node[next(&g)];
                x->placed = true;
                order[i] = x->v;
        }
        *ret_order = order;
}
