/* Lock → the layers of one platform, in image order: debs, os, env, packages, last (design/layers.md §3). */
#include "base/cleanup.h"
#include "catalog/conda.h"
#include "catalog/debian.h"
#include "image/reuse_priv.h"
#include "tree/plan.h"

/* The layer `env`: a venv over the base's python, or the folder of a conda prefix. False: neither is there. */
static bool has_prefix(const struct lock_platform *p)
{
        return p->has_python || image_is_conda(p);
}

bool image_is_conda(const struct lock_platform *p)
{
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_CONDA)
                        return true;
        return false;
}

static struct package *package_of(const struct shelf *s, const struct artifact *art, uint32_t *ret_layer)
{
        for (size_t i = 0; i < s->plan.n; i++)
                for (size_t k = 0; k < s->plan.v[i].n_member; k++) {
                        struct package *one = &s->v[s->first[i] + k];

                        if (one->art->kind == art->kind && sv_eq(one->art->name, art->name)) {
                                *ret_layer = (uint32_t)i;
                                return one;
                        }
                }
        return NULL;
}

/* Link order decides who wins a disputed path: conda by dependency, then name; then pip (design/layers.md §2). */
static void link_members(const struct shelf *s, const struct artifact *v, size_t n, size_t first,
                         struct last_member *member, size_t *ret_n)
{
        size_t n_conda = 0;
        uint32_t *order, layer;

        while (n_conda < n && v[n_conda].kind == ARTIFACT_CONDA) /* artifact_cmp: conda before wheels */
                n_conda++;
        conda_link_order(v, n_conda, s->shop->arena, &order);
        for (size_t i = 0; i < n_conda; i++) {
                struct package *one = package_of(s, &v[order[i]], &layer);

                member[(*ret_n)++] = (struct last_member){ one, &one->paths, (uint32_t)first + layer };
        }
        for (size_t i = 0; i < s->plan.n; i++)
                for (size_t k = 0; k < s->plan.v[i].n_member && s->plan.v[i].part == 0; k++) {
                        struct package *one = &s->v[s->first[i] + k];

                        if (one->art->kind == ARTIFACT_WHEEL)
                                member[(*ret_n)++] = (struct last_member){ one, &one->paths, (uint32_t)(first + i) };
                }
}

static int add_env(struct package_shop *shop, struct built_layers *ret, struct paths *ret_paths, struct err *e)
{
        struct built_layer *b = layers_append(shop, ret);

        *b = (struct built_layer){ 0 };
        return image_is_conda(shop->platform) ? conda_env_build(shop, b, ret_paths, e)
                                              : venv_build(shop, b, ret_paths, e);
}

/* One platform's layers, in the making. */
struct building {
        struct package_shop shop;
        bool dry_run;
        struct debs debs;   /* when there is a recipe */
        struct shelf shelf; /* conda packages and wheels */
        struct artifact *v; /* the same, in artifact_cmp order */
        size_t n;
        struct built_layers *ret;
};

static size_t n_debs(const struct building *b)
{
        return b->shop.recipe ? b->debs.recipe.plan.n + b->debs.apt.plan.n + 1 : 0;
}

/* Which package goes where, and all keys: no network, no package. */
static int plan_all(struct building *b, struct err *e)
{
        const struct lock_platform *p = b->shop.platform;

        if (b->shop.recipe && debs_plan(&b->shop, &b->debs, e) < 0)
                return -(int)e->code;
        b->v = arena_array(b->shop.arena, struct artifact, p->n_artifact);
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind != ARTIFACT_DEB)
                        b->v[b->n++] = p->artifact[i];
        b->shelf.shop = &b->shop;
        if (plan_packages(b->shop.arena, b->v, b->n, p->base.n_layer + n_debs(b) + 2, &b->shelf.plan, e) < 0)
                return -(int)e->code;
        shelf_lay(&b->shelf);
        return 0;
}

static size_t all_keys(const struct building *b, struct arena *a, sha256 **ret)
{
        const struct shelf *s[] = { &b->debs.recipe, &b->debs.apt, &b->shelf };
        sha256 *v = arena_array(a, sha256, n_debs(b) + b->shelf.plan.n);
        size_t n = 0;

        for (size_t k = b->shop.recipe ? 0 : 2; k < ARRAY_LEN(s); k++)
                for (size_t i = 0; i < s[k]->plan.n; i++)
                        v[n++] = shelf_key(s[k], i);
        if (b->shop.recipe)
                v[n++] = b->debs.os;
        *ret = v;
        return n;
}

/* What is here, then what repositories know of the rest: one question for all. Nobody looks into the lists of debs: `os` is made from the
 * debs themselves. */
static int find_all(struct building *b, struct err *e)
{
        struct reuse_want *want = arena_array(b->shop.arena, struct reuse_want, n_debs(b) + b->shelf.plan.n);
        struct built_layer os = { 0 };
        bool lists = !b->dry_run;
        size_t n = 0;

        if (b->shop.recipe) {
                if (shelf_find(&b->debs.recipe, e) < 0 || shelf_find(&b->debs.apt, e) < 0 ||
                    layer_here(&b->shop, &b->debs.os, &os, e) < 0)
                        return -(int)e->code;
                n += shelf_want(&b->debs.recipe, false, want);
                n += shelf_want(&b->debs.apt, false, want + n);
                if (!os.reused)
                        want[n++] = (struct reuse_want){ b->debs.os, false };
        }
        if (shelf_find(&b->shelf, e) < 0)
                return -(int)e->code;
        n += shelf_want(&b->shelf, lists, want + n);
        if (reuse_look(b->shop.reuse, want, n, e) < 0)
                return -(int)e->code;
        if (b->shop.recipe) {
                shelf_take(&b->debs.recipe, false);
                shelf_take(&b->debs.apt, false);
        }
        shelf_take(&b->shelf, lists);
        return 0;
}

static int build_packages(struct building *b, sv dir, struct err *e)
{
        struct package_shop *shop = &b->shop;
        struct shelf *s = &b->shelf;
        struct paths env_paths = { 0 };
        struct last_member *member;
        struct last last;
        size_t first, n_member = 0;

        if (!b->dry_run && shelf_make(s, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; !b->dry_run && i < s->n; i++)
                if (package_paths(shop, &s->v[i], e) < 0)
                        return -(int)e->code;
        member = arena_array(shop->arena, struct last_member, s->n + 1);
        if (has_prefix(shop->platform)) {
                if (add_env(shop, b->ret, &env_paths, e) < 0)
                        return -(int)e->code;
                member[n_member++] = (struct last_member){ NULL, &env_paths, (uint32_t)b->ret->n - 1 };
        }
        first = b->ret->n;
        if (shelf_layers(s, b->dry_run, b->ret, e) < 0)
                return -(int)e->code;
        if (b->dry_run)
                return 0;
        link_members(s, b->v, b->n, first, member, &n_member);
        if (last_build(shop, member, n_member, b->ret, dir, &last, e) < 0 ||
            activation_collect(shop, member, n_member, b->ret, e) < 0)
                return -(int)e->code;
        return last.list.n ? last_make(shop, &last, layers_append(shop, b->ret), e) : 0;
}

/* Nobody's word for a layer is another than the lock's; with --verify what was made again is what was known. */
static int check_all(struct building *b, struct err *e)
{
        for (size_t i = 0; i < b->ret->n; i++) {
                const struct built_layer *x = &b->ret->v[i];

                if (x->fact.has_layer && reuse_check(b->shop.reuse, &x->fact.key, &x->fact.diff_id,
                                                     x->from.n ? x->from.p : "what is here", e) < 0)
                        return -(int)e->code;
        }
        return b->dry_run ? 0 : reuse_verify(b->shop.reuse, b->ret, e);
}

static int build_all(struct building *b, sv dir, struct err *e)
{
        sha256 *key;
        size_t n;

        if (plan_all(b, e) < 0)
                return -(int)e->code;
        n = all_keys(b, b->shop.arena, &key);
        if (reuse_choose(b->shop.reuse, key, n, e) < 0 || find_all(b, e) < 0 ||
            (b->shop.recipe && debs_build(&b->shop, &b->debs, b->dry_run, b->ret, e) < 0) ||
            build_packages(b, dir, e) < 0)
                return -(int)e->code;
        return check_all(b, e);
}

int layers_build(struct reuse *r, const struct lock *l, const struct lock_platform *p, const struct spec *spec, sv dir,
                 struct arena *a, struct built_layers *ret, struct err *e)
{
        struct building b = {
                .shop = { .c = r->c, .lock = l, .platform = p, .codec = r->o->codec, .arena = a, .reuse = r },
                .dry_run = r->o->dry_run,
                .ret = ret
        };
        struct conda_setup conda = { 0 };
        struct recipe *recipe = NULL;
        int rc;

        *ret = (struct built_layers){ 0 };
        if (image_ctx_net(r->c, e) < 0 || (p->base.recipe.n && recipe_locked(r->c, p, dir, a, &recipe, e) < 0))
                return -(int)e->code;
        pip_logins(r->c, spec, a);
        if (image_is_conda(p))
                conda_setup_again(r->c, spec, a, &conda);
        b.shop.conda = conda_ask(r->c, &conda);
        b.shop.recipe = recipe;
        pthread_mutex_init(&b.shop.mutex, NULL);
        rc = build_all(&b, dir, e);
        pthread_mutex_destroy(&b.shop.mutex);
        ret->fetched = b.shop.fetched;
        for (size_t i = 0; i < ret->n; i++)
                ret->reused += ret->v[i].reused;
        return rc;
}
