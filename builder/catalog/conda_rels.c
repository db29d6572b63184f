#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_priv.h"

/* ---- MatchSpecs ---- */

struct conda_says *conda_says_of(struct catalog_conda *c, sv text)
{
        struct conda_says *s = map_get(&c->says, text);

        if (!s) {
                s = arena_new(&c->arena, struct conda_says);
                s->text = text;
                map_put(&c->says, &c->arena, text, s);
        }
        return s;
}

static bool is_plain(const struct matchspec *m)
{
        return !m->channel.n && !m->n_channels && !m->subdir.n && !m->build.text.n && !m->has_build_number &&
               !m->md5.n && !m->sha256.n && !m->url.n && !m->fn.n && !m->license.text.n && !m->license_family.text.n &&
               !m->track_features.n && !m->features.n;
}

bool conda_says_parse(struct catalog_conda *c, struct conda_says *s)
{
        if (s->parsed)
                return !s->bad.n;
        s->parsed = true;
        if (!matchspec_parse(&c->arena, s->text, &c->opts.settings, &s->m, &s->bad, NULL)) {
                if (!s->bad.n)
                        s->bad = SV("it can't be read");
                return false;
        }
        if (s->m.name_glob || sv_is(s->m.name, "*") || !s->m.name.n) {
                s->bad = SV("it names no single package");
                return false;
        }
        s->name = conda_name_of(c, s->m.name);
        s->plain = is_plain(&s->m);
        return true;
}

bool conda_says_takes(const struct conda_says *s, const struct conda_cand *k)
{
        if (s->plain)
                return !s->m.version || (k->v && conda_spec_has(s->m.version, k->v));
        return matchspec_has(&s->m, k->r, k->v);
}

/* Candidates of one version stand together: a spec that asks for a version only is asked once for all of them. */
struct asking {
        const struct conda_says *s;
        const struct conda_version *v;
        bool any, yes;
};

static bool ask(struct asking *a, const struct conda_cand *k)
{
        if (!a->s->plain || !a->any || a->v != k->v)
                a->yes = conda_says_takes(a->s, k);
        a->any = true;
        a->v = k->v;
        return a->yes;
}

void conda_says_best(struct catalog_conda *c, struct conda_says *s)
{
        struct asking a = { .s = s };

        (void)c;
        if (s->has_best)
                return;
        s->has_best = true;
        for (uint32_t i = 0; i < s->name->n; i++) {
                const struct conda_cand *k = &s->name->cand[i];
                bool features = k->r->n_track_features > 0;
                int r;
                if (!k->v || k->ban || !k->asked || !ask(&a, k))
                        continue;
                r = s->best ? s->best == k->v ? 0 : conda_version_cmp(k->v, s->best) : 1;
                if (r > 0 || (r == 0 && !features)) {
                        s->best = k->v;
                        s->best_features = features;
                }
        }
}

static void make_set(struct catalog_conda *c, struct conda_says *s)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct asking a = { .s = s };
        uint64_t *words = arena_array(&tmp, uint64_t, s->name->n / 64u + 1);

        for (uint32_t i = 0; i < s->name->n; i++)
                if (ask(&a, &s->name->cand[i]))
                        words[i / 64u] |= UINT64_C(1) << (i % 64u);
        s->set = sets_add(c->catalog.sets, words, s->name->n);
        s->has_set = true;
        s->next_known = s->name->known;
        s->name->known = s;
}

int conda_says_set(struct catalog_conda *c, struct conda_says *s, set_id *ret, struct err *e)
{
        if (!s->has_set) {
                if (conda_name_ready(c, s->name, e) < 0)
                        return -(int)e->code;
                if (!s->has_set) /* as a limit it has one by now */
                        make_set(c, s);
        }
        *ret = s->set;
        return 0;
}

struct conda_says **conda_cand_says(struct catalog_conda *c, struct conda_cand *k)
{
        if (!k->says) {
                size_t n = k->r->n_depends;
                k->says = arena_array(&c->arena, struct conda_says *, n + k->r->n_constrains + 1);
                for (size_t i = 0; i < n; i++)
                        k->says[i] = conda_says_of(c, k->r->depends[i]);
                for (size_t i = 0; i < k->r->n_constrains; i++)
                        k->says[n + i] = conda_says_of(c, k->r->constrains[i]);
        }
        return k->says;
}

/* ---- relations ---- */

static struct rel *rel_new(struct catalog_conda *c, const struct conda_says *s, enum rel_kind kind, set_id set, sv at)
{
        struct rel *r = arena_new(&c->arena, struct rel);
        struct term *t = arena_new(&c->arena, struct term);

        *t = (struct term){ s->name->pub.of, set };
        *r = (struct rel){ .id = c->n_rel++, .kind = (uint8_t)kind, .n = 1, .term = t, .text = s->text, .at = at };
        return r;
}

static int needs_of(struct catalog_conda *c, struct conda_says *s, sv at, const struct rel **ret, struct err *e)
{
        set_id set;

        if (!s->needs) {
                if (conda_says_set(c, s, &set, e) < 0)
                        return -(int)e->code;
                s->needs = rel_new(c, s, REL_NEEDS, set, at);
        }
        *ret = s->needs;
        return 0;
}

/* Nobody waits for the candidates of a name only because it is limited. */
static const struct rel *limits_of(struct catalog_conda *c, struct conda_says *s, sv at)
{
        if (!s->limits) {
                s->limits = rel_new(c, s, REL_LIMITS, SET_LATER, at);
                if (s->name->ready) {
                        if (!s->has_set)
                                make_set(c, s);
                        ((struct term *)s->limits->term)->set = s->set;
                } else {
                        s->later = s->name->later;
                        s->name->later = s;
                }
        }
        return s->limits;
}

void conda_limits_due(struct catalog_conda *c, struct conda_name *n)
{
        for (struct conda_says *s = n->later; s; s = s->later) {
                if (!s->has_set)
                        make_set(c, s);
                ((struct term *)s->limits->term)->set = s->set;
        }
        n->later = NULL;
}

static void ban_late(struct catalog_conda *c, struct conda_name *n, uint32_t cand, const struct conda_says *s)
{
        n->cand[cand].ban = BAN_METADATA;
        n->cand[cand].note = arena_fmt(&c->arena, "it asks for '%.*s': %.*s", SV_ARG(s->text), SV_ARG(s->bad));
        ((struct cand *)n->pub.cand)[cand].ban = BAN_METADATA;
}

static struct conda_says *first_bad(struct catalog_conda *c, struct conda_cand *k)
{
        struct conda_says **says = conda_cand_says(c, k);

        for (size_t i = 0; i < k->r->n_depends + k->r->n_constrains; i++)
                if (!conda_says_parse(c, says[i]))
                        return says[i];
        return NULL;
}

bool conda_cand_soon(struct catalog_conda *c, struct conda_cand *k)
{
        if (first_bad(c, k))
                return false;
        for (size_t i = 0; i < k->r->n_depends; i++) {
                struct conda_name *n = k->says[i]->name;
                if (n->read || n->soon || n->is_virtual)
                        continue;
                n->soon = true;
                c->source->ops->soon(c->source, n->pub.text);
        }
        return true;
}

/* All names that it needs are on their way before the first is waited for. False: unreadable, and banned by now. */
static bool read_says(struct catalog_conda *c, struct conda_name *n, uint32_t cand)
{
        if (conda_cand_soon(c, &n->cand[cand]))
                return true;
        ban_late(c, n, cand, first_bad(c, &n->cand[cand]));
        return false;
}

/* A virtual package is there or not, whoever needs it: a limit on one is fulfilled or not from the beginning. NULL: it says nothing. */
static int rel_of(struct catalog_conda *c, const struct conda_name *by, struct conda_says *s, enum rel_kind kind,
                  const struct rel **ret, struct err *e)
{
        *ret = NULL;
        if (kind == REL_LIMITS && s->name->is_virtual) {
                if (conda_name_ready(c, s->name, e) < 0)
                        return -(int)e->code;
                if (s->name->pub.absent)
                        return 0;
                kind = REL_NEEDS;
        }
        if (kind == REL_NEEDS)
                return needs_of(c, s, by->pub.text, ret, e);
        *ret = limits_of(c, s, by->pub.text);
        return 0;
}

int conda_rels(struct catalog *cat, name_id id, uint32_t cand, struct rels *ret, struct err *e)
{
        struct catalog_conda *c = conda_self(cat);
        struct conda_name *n = c->name[id];
        struct conda_cand *k = &n->cand[cand];
        size_t n_says = k->r->n_depends + k->r->n_constrains;
        const struct rel **v;
        uint32_t count = 0;

        *ret = (struct rels){ 0 };
        if (!k->rels) {
                if (k->ban || !read_says(c, n, cand))
                        return 0;
                v = arena_array(&c->arena, const struct rel *, n_says + 1);
                for (size_t i = 0; i < n_says; i++) {
                        if (rel_of(c, n, k->says[i], i < k->r->n_depends ? REL_NEEDS : REL_LIMITS, &v[count], e) < 0)
                                return -(int)e->code;
                        count += v[count] != NULL;
                }
                k->rels = arena_new(&c->arena, struct rels);
                *k->rels = (struct rels){ v, count };
        }
        *ret = *k->rels;
        return 0;
}

bool conda_known(struct catalog *cat, name_id id, uint32_t cand)
{
        const struct conda_name *n = conda_self(cat)->name[id];

        return n->ready && n->cand[cand].rels;
}

/* ---- who says it ---- */

struct conda_who {
        uint64_t *words;
        set_id set;
        bool has_set;
};

static void who_add(struct catalog_conda *c, struct conda_name *n, enum rel_kind kind, const struct conda_says *s,
                    uint32_t cand)
{
        struct conda_who *w = map_get(&n->who[kind], s->text);

        if (!w) {
                w = arena_new(&c->arena, struct conda_who);
                w->words = arena_array(&c->arena, uint64_t, n->n / 64u + 1);
                map_put(&n->who[kind], &c->arena, s->text, w);
        }
        w->words[cand / 64u] |= UINT64_C(1) << (cand % 64u);
}

static void who_make(struct catalog_conda *c, struct conda_name *n)
{
        n->has_who = true;
        for (uint32_t i = 0; i < n->n; i++) {
                struct conda_cand *k = &n->cand[i];
                struct conda_says **says = conda_cand_says(c, k);
                for (size_t s = 0; s < k->r->n_depends + k->r->n_constrains; s++)
                        who_add(c, n, s < k->r->n_depends ? REL_NEEDS : REL_LIMITS, says[s], i);
        }
}

set_id conda_who(struct catalog *cat, name_id id, uint32_t cand, const struct rel *rel)
{
        struct catalog_conda *c = conda_self(cat);
        struct conda_name *n = c->name[id];
        struct conda_who *w;

        if (!n->has_who)
                who_make(c, n);
        w = map_get(&n->who[rel->kind], rel->text);
        if (!w)
                return sets_one(cat->sets, cand, n->n);
        if (!w->has_set) {
                w->set = sets_add(cat->sets, w->words, n->n);
                w->has_set = true;
        }
        return w->set;
}

/* ---- ahead ---- */

/* The name, and once its records are there what its likely candidate needs. */
void conda_soon(struct catalog *cat, name_id id, set_id likely, uint32_t tried)
{
        struct catalog_conda *c = conda_self(cat);
        struct conda_name *n = c->name[id];
        uint32_t first;

        (void)tried;
        if (n->is_virtual)
                return;
        if (!n->ready) {
                if (!n->read && !n->soon)
                        c->source->ops->soon(c->source, n->pub.text);
                n->soon = true;
                return;
        }
        first = sets_next(cat->sets, likely, 0, n->n);
        if (first < n->n && !n->cand[first].ban)
                conda_cand_soon(c, &n->cand[first]);
}
