#include "lock/export_priv.h"

#include <string.h>

#include "lock/lock_priv.h"

void export_head(const struct lock *l, const struct lock_platform *p, bool wheels, struct buf *out)
{
        size_t debs = 0, left = 0;

        for (size_t i = 0; i < p->n_artifact; i++) {
                debs += p->artifact[i].kind == ARTIFACT_DEB;
                left += p->artifact[i].kind == (wheels ? ARTIFACT_CONDA : ARTIFACT_WHEEL);
        }
        buf_fmt(out, "# %.*s, locked by envbuild for %.*s\n", SV_ARG(l->name), SV_ARG(p->platform));
        if (debs)
                buf_fmt(out, "# Not here: %zu Debian package%s.\n", debs, debs == 1 ? "" : "s");
        if (wheels && left)
                buf_fmt(out, "# Not here: %zu conda package%s.\n", left, left == 1 ? "" : "s");
}

/* A package whose needs are being looked at: as a list, since a hostile lock may be one long chain. */
struct frame {
        const struct artifact *a;
        size_t need;
};

static void visit(const struct lock_platform *p, size_t root, struct frame *stack, bool *seen, uint32_t *order,
                  size_t *n)
{
        size_t depth = 1;

        seen[root] = true;
        stack[0] = (struct frame){ &p->artifact[root], 0 };
        while (depth) {
                struct frame *f = &stack[depth - 1];
                const struct artifact *need = NULL;
                while (f->need < f->a->n_needs && !need) {
                        need = lock_find_need(p, f->a, f->a->needs[f->need++]);
                        if (need && seen[need - p->artifact])
                                need = NULL;
                }
                if (need) {
                        seen[need - p->artifact] = true;
                        stack[depth++] = (struct frame){ need, 0 };
                } else {
                        order[(*n)++] = (uint32_t)(f->a - p->artifact);
                        depth--;
                }
        }
}

uint32_t *export_order(const struct lock_platform *p, struct arena *a, size_t *ret_n)
{
        uint32_t *order = arena_array(a, uint32_t, p->n_artifact + 1);
        struct frame *stack = arena_array(a, struct frame, p->n_artifact + 1);
        bool *seen = arena_array(a, bool, p->n_artifact + 1);

        *ret_n = 0;
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_CONDA && !seen[i])
                        visit(p, i, stack, seen, order, ret_n);
        return order;
}

/* Only what means the same to everybody: "defaults" does not, and a name with '/' may be one of .condarc's. */
sv export_channel(sv url)
{
        sv alias = SV("https://conda.anaconda.org/"), name;

        if (!sv_starts(url, alias))
                return url;
        name = sv_skip(url, alias.n);
        for (size_t i = 0; i < name.n; i++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", name.p[i]))
                        return url;
        return name.n && !sv_is(name, "defaults") && !sv_is(name, "local") ? name : url;
}
