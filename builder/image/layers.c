/* Lock → the layers of one platform, in image order: debs, os, env, packages, last (design/layers.md §3). */
#include "base/cleanup.h"
#include "catalog/debian.h"
#include "image/image_priv.h"
#include "tree/plan.h"

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
        if (p->has_python) {
                if (venv_build(shop, layers_append(shop, ret), &env_paths, e) < 0)
                        return -(int)e->code;
                member[n_member++] = (struct last_member){ NULL, &env_paths, (uint32_t)ret->n - 1 };
        }
        first = ret->n;
        if (shelf_layers(&s, dry_run, ret, e) < 0)
                return -(int)e->code;
        if (dry_run)
                return 0;
        for (size_t i = 0; i < s.plan.n; i++)
                for (size_t k = 0; k < s.plan.v[i].n_member && s.plan.v[i].part == 0; k++) {
                        struct package *one = &s.v[s.first[i] + k];
                        member[n_member++] = (struct last_member){ one, &one->paths, (uint32_t)(first + i) };
                }
        if (last_build(shop, member, n_member, ret, dir, &last, e) < 0)
                return -(int)e->code;
        return last.n ? last_make(shop, &last, layers_append(shop, ret), e) : 0;
}

int layers_build(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, const struct spec *spec,
                 sv dir, enum oci_codec codec, bool dry_run, struct arena *a, struct built_layers *ret, struct err *e)
{
        struct package_shop shop = { .c = c, .lock = l, .platform = p, .codec = codec, .arena = a };
        struct recipe *recipe = NULL;
        int r;

        *ret = (struct built_layers){ 0 };
        if (image_ctx_net(c, e) < 0 || (p->base.recipe.n && recipe_locked(c, p, dir, a, &recipe, e) < 0))
                return -(int)e->code;
        pip_logins(c, spec, a);
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
