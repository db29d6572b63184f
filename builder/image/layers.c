/* Lock → the layers of one platform, in image order: debs, os, env, packages, last (design/layers.md §3). */
#include "base/cleanup.h"
#include "catalog/conda.h"
#include "catalog/debian.h"
#include "image/image_priv.h"
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

static int build_packages(struct package_shop *shop, sv dir, bool dry_run, struct built_layers *ret, struct err *e)
{
        const struct lock_platform *p = shop->platform;
        struct artifact *v = arena_array(shop->arena, struct artifact, p->n_artifact);
        struct shelf s = { .shop = shop };
        struct paths env_paths = { 0 };
        struct last_member *member;
        struct tree_list last;
        size_t n = 0, first, n_member = 0;

        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind != ARTIFACT_DEB)
                        v[n++] = p->artifact[i];
        if (plan_packages(shop->arena, v, n, p->base.n_layer + ret->n + 2, &s.plan, e) < 0 || shelf_find(&s, e) < 0 ||
            (!dry_run && shelf_make(&s, e) < 0))
                return -(int)e->code;
        for (size_t i = 0; !dry_run && i < s.n; i++)
                if (package_paths(shop, &s.v[i], e) < 0)
                        return -(int)e->code;
        member = arena_array(shop->arena, struct last_member, s.n + 1);
        if (has_prefix(p)) {
                if (add_env(shop, ret, &env_paths, e) < 0)
                        return -(int)e->code;
                member[n_member++] = (struct last_member){ NULL, &env_paths, (uint32_t)ret->n - 1 };
        }
        first = ret->n;
        if (shelf_layers(&s, dry_run, ret, e) < 0)
                return -(int)e->code;
        if (dry_run)
                return 0;
        link_members(&s, v, n, first, member, &n_member);
        if (last_build(shop, member, n_member, ret, dir, &last, e) < 0 ||
            activation_collect(shop, member, n_member, ret, e) < 0)
                return -(int)e->code;
        return last.n ? last_make(shop, &last, layers_append(shop, ret), e) : 0;
}

int layers_build(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, const struct spec *spec,
                 sv dir, enum oci_codec codec, bool dry_run, struct arena *a, struct built_layers *ret, struct err *e)
{
        struct package_shop shop = { .c = c, .lock = l, .platform = p, .codec = codec, .arena = a };
        struct conda_setup conda = { 0 };
        struct recipe *recipe = NULL;
        int r;

        *ret = (struct built_layers){ 0 };
        if (image_ctx_net(c, e) < 0 || (p->base.recipe.n && recipe_locked(c, p, dir, a, &recipe, e) < 0))
                return -(int)e->code;
        pip_logins(c, spec, a);
        if (image_is_conda(p))
                conda_setup_again(c, spec, a, &conda);
        shop.conda = conda_ask(c, &conda);
        shop.recipe = recipe;
        pthread_mutex_init(&shop.mutex, NULL);
        r = recipe ? debs_build(&shop, dry_run, ret, e) : 0;
        if (r == 0)
                r = build_packages(&shop, dir, dry_run, ret, e);
        pthread_mutex_destroy(&shop.mutex);
        ret->fetched = shop.fetched;
        for (size_t i = 0; i < ret->n; i++)
                ret->reused += ret->v[i].reused;
        return r;
}
