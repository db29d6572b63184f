#include <stdlib.h>

#include "base/cleanup.h"
#include "catalog/conda_priv.h"

/* ---- sets as people write them ---- */

struct group { /* the candidates of one version that are told of */
        const struct conda_version *v;
        sv text;
        uint32_t all, in;
};
struct view {
        const struct catalog_conda *c;
        const struct conda_name *n;
        set_id set;
        bool offered;        /* only candidates that are offered count: there is one in the set */
        struct group *group; /* highest version first */
        uint32_t n_group;
};

static bool counts(const struct view *v, uint32_t i)
{
        return !v->offered || v->n->cand[i].ban == BAN_NO;
}

static bool has(const struct view *v, uint32_t i)
{
        return sets_has(v->c->catalog.sets, v->set, i);
}

static int group_qsort(const void *x, const void *y)
{
        const struct group *a = x, *b = y;

        if (!a->v || !b->v)
                return a->v ? -1 : b->v ? 1 : sv_cmp(a->text, b->text);
        return a->v == b->v ? 0 : conda_version_cmp(b->v, a->v);
}

static void view_make(struct arena *a, const struct catalog_conda *c, const struct conda_name *n, set_id set,
                      struct view *ret)
{
        *ret = (struct view){ .c = c, .n = n, .set = set, .group = arena_array(a, struct group, n->n + 1) };
        for (uint32_t i = 0; i < n->n && !ret->offered; i++)
                ret->offered = n->cand[i].ban == BAN_NO && has(ret, i);
        for (uint32_t i = 0; i < n->n; i++)
                if (counts(ret, i))
                        ret->group[ret->n_group++] =
                                (struct group){ n->cand[i].v, n->cand[i].r->version, 1, has(ret, i) };
        if (ret->n_group)
                qsort(ret->group, ret->n_group, sizeof(*ret->group), group_qsort);
        for (uint32_t i = 0, kept = 0, all = ret->n_group; i < all; i++) {
                struct group *g = &ret->group[i];
                if (kept && group_qsort(&ret->group[kept - 1], g) == 0) {
                        ret->group[kept - 1].all++;
                        ret->group[kept - 1].in += g->in;
                } else {
                        ret->group[kept++] = *g;
                }
                ret->n_group = kept;
        }
}

static bool same_in(const struct view *v, set_id other)
{
        for (uint32_t i = 0; i < v->n->n; i++)
                if (counts(v, i) && has(v, i) != sets_has(v->c->catalog.sets, other, i))
                        return false;
        return true;
}

/* How somebody wrote this very set: the shortest text, the first in order of those. */
static sv as_written(const struct view *v)
{
        sv best = { 0 };

        for (const struct conda_says *s = v->n->known; s; s = s->next_known)
                if (same_in(v, s->set) &&
                    (!best.n || s->text.n < best.n || (s->text.n == best.n && sv_cmp(s->text, best) < 0)))
                        best = s->text;
        return best;
}

/* Versions first…last (highest first) as a range: "1.2", ">=1.2,<2", or nothing when it is all of them. */
static void range_text(const struct view *v, uint32_t first, uint32_t last, struct buf *out)
{
        bool all = first == 0 && last + 1 == v->n_group;

        if (all)
                return;
        if (first == last) {
                buf_fmt(out, " %.*s", SV_ARG(v->group[first].text));
                return;
        }
        buf_byte(out, ' ');
        if (last + 1 < v->n_group)
                buf_fmt(out, ">=%.*s", SV_ARG(v->group[last].text));
        if (first > 0)
                buf_fmt(out, "%s<%.*s", last + 1 < v->n_group ? "," : "", SV_ARG(v->group[first - 1].text));
}

static bool whole_versions(const struct view *v)
{
        for (uint32_t i = 0; i < v->n_group; i++)
                if (v->group[i].in && v->group[i].in != v->group[i].all)
                        return false;
        return true;
}

/* What the build strings of the set begin with. */
static sv common_build(const struct view *v)
{
        sv common = { 0 };
        bool any = false;

        for (uint32_t i = 0; i < v->n->n; i++) {
                sv build = v->n->cand[i].r->build;
                size_t k = 0;
                if (!counts(v, i) || !has(v, i))
                        continue;
                while (any && k < common.n && k < build.n && common.p[k] == build.p[k])
                        k++;
                common = any ? sv_from_to(common, 0, k) : build;
                any = true;
        }
        return common;
}

/* Whether the set is exactly what this build string takes of the versions first…last. */
static bool build_tells(const struct view *v, sv build, uint32_t first, uint32_t last)
{
        for (uint32_t i = 0; i < v->n->n; i++) {
                const struct conda_cand *k = &v->n->cand[i];
                struct group g = { .v = k->v, .text = k->r->version };
                if (!counts(v, i) || has(v, i) || !sv_starts(k->r->build, build))
                        continue;
                if (group_qsort(&g, &v->group[first]) >= 0 && group_qsort(&g, &v->group[last]) <= 0)
                        return false;
        }
        return true;
}

static void first_and_last(const struct view *v, uint32_t *ret_first, uint32_t *ret_last)
{
        bool any = false;

        *ret_first = *ret_last = 0;
        for (uint32_t i = 0; i < v->n_group; i++) {
                if (!v->group[i].in)
                        continue;
                if (!any)
                        *ret_first = i;
                *ret_last = i;
                any = true;
        }
}

/* "numpy >=1.19,<1.22 py39*": builds of a kind. False when they have nothing in common that others lack. */
static bool builds_text(const struct view *v, struct buf *out)
{
        sv build = common_build(v);
        uint32_t first, last, n = 0;

        first_and_last(v, &first, &last);
        for (uint32_t i = first; i <= last; i++)
                n += v->group[i].in;
        for (; build.n >= 2 && n > 1; build.n--) { /* "py39", not "py39h": it ends where a word does */
                char c = build.p[build.n - 1];
                if (c >= '0' && c <= '9' && build_tells(v, build, first, last))
                        break;
        }
        if (n > 1 && build.n < 2)
                build = common_build(v);
        if (build.n < 2 || !build_tells(v, build, first, last))
                return false;
        buf_add(out, v->n->pub.text);
        if (first == 0 && last + 1 == v->n_group)
                buf_add(out, SV(" *"));
        else
                range_text(v, first, last, out);
        buf_fmt(out, " %.*s%s", SV_ARG(build), n > 1 ? "*" : "");
        return true;
}

/* Runs of versions, whether all of their builds are in the set or not. */
static void ranges_text(const struct view *v, struct buf *out)
{
        bool more = false;

        for (uint32_t i = 0; i < v->n_group; i++) {
                uint32_t first = i;
                bool part = false;

                if (!v->group[i].in)
                        continue;
                while (i + 1 < v->n_group && v->group[i + 1].in)
                        i++;
                for (uint32_t k = first; k <= i; k++)
                        part |= v->group[k].in != v->group[k].all;
                buf_fmt(out, "%s%.*s", more ? " or " : "", SV_ARG(v->n->pub.text));
                range_text(v, first, i, out);
                if (part)
                        buf_add(out, SV(" (some builds)"));
                more = true;
        }
}

void conda_words(struct catalog *cat, name_id id, set_id set, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct catalog_conda *c = conda_self(cat);
        const struct conda_name *n = c->name[id];
        struct view v;
        sv text;

        if (set == SET_ALL || set == SET_NONE) {
                buf_add(out, n->pub.text);
                return;
        }
        view_make(&a, c, n, set, &v);
        text = as_written(&v);
        if (text.n)
                buf_add(out, text);
        else if (whole_versions(&v) || !builds_text(&v, out))
                ranges_text(&v, out);
}

void conda_cand_text(struct catalog *cat, name_id id, uint32_t cand, struct buf *out)
{
        const struct conda_name *n = conda_self(cat)->name[id];
        const struct conda_record *r = n->cand[cand].r;

        buf_fmt(out, "%.*s %.*s", SV_ARG(n->pub.text), SV_ARG(r->version));
        if (!n->is_virtual)
                buf_fmt(out, " %.*s", SV_ARG(r->build));
}
