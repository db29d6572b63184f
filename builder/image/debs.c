/* The Debian part of an image: the recipe's debs, those of apt:, and layer `os`, which depends on all of them (design/debian.md). */
#include "base/cleanup.h"
#include "catalog/debian.h"
#include "image/image_priv.h"
#include "install/os.h"
#include "tree/plan.h"

static void plan_group(struct package_shop *shop, bool of_recipe, struct shelf *ret)
{
        const struct lock_platform *p = shop->platform;
        const struct artifact **v = arena_array(shop->arena, const struct artifact *, p->n_artifact);
        size_t n = 0;

        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_DEB && p->artifact[i].recipe == of_recipe)
                        v[n++] = &p->artifact[i];
        ret->shop = shop;
        plan_debs(shop->arena, v, n, &ret->plan);
        shelf_lay(ret);
}

/* dpkg's order: by name. Artifacts of a lock are in it. */
static size_t all_debs(const struct package_shop *shop, const struct artifact ***ret)
{
        const struct lock_platform *p = shop->platform;
        const struct artifact **v = arena_array(shop->arena, const struct artifact *, p->n_artifact);
        size_t n = 0;

        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_DEB)
                        v[n++] = &p->artifact[i];
        *ret = v;
        return n;
}

static sha256 os_key(const struct package_shop *shop, const struct artifact *const *v, size_t n,
                     const struct effects *x)
{
        sha256 *deb = arena_array(shop->arena, sha256, n);
        sv *name = arena_array(shop->arena, sv, n);
        struct layer_key_os k = { .deb = deb, .n_deb = n, .os = shop->recipe->os };

        for (size_t i = 0; i < n; i++) {
                deb[i] = v[i]->sha256;
                name[i] = v[i]->name;
        }
        k.effects = effects_digest(x, name, n);
        return layer_key_os(&k);
}

static int read_info(struct package_shop *shop, const struct artifact *art, const struct deb_want *want,
                     struct deb_info *ret, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        struct package p;

        package_init(&p, art, shop->platform, true, 1);
        if (package_bytes(shop, &p, &map, e) < 0)
                return -(int)e->code;
        return deb_info_read(shop->arena, art, (sv){ (const char *)map.p, map.n }, shop->platform->facts.usrmerged,
                             want, ret, e);
}

static int make_os(struct package_shop *shop, const struct artifact *const *v, size_t n, const struct effects *x,
                   const sha256 *key, struct built_layer *ret, struct err *e)
{
        struct deb_info *info = arena_array(shop->arena, struct deb_info, n);
        struct os_input in = { .deb = info,
                               .n_deb = n,
                               .effects = x,
                               .recipe = shop->recipe,
                               .skip = shop->lock->scripts_skip,
                               .n_skip = shop->lock->n_scripts_skip };
        struct tree_list t = { 0 };
        struct deb_want want;

        os_wants(shop->arena, x, &want);
        for (size_t i = 0; i < n; i++)
                if (op_check(shop->c->op, e) < 0 || read_info(shop, v[i], &want, &info[i], e) < 0)
                        return err_while(e, "reading what %.*s needs of the system", SV_ARG(v[i]->name));
        if (os_build(shop->arena, &in, shop->c->diags, &t.entry, &t.content, &t.n, e) < 0)
                return -(int)e->code;
        return layer_from_list(shop, key, &t, LAYER_CHUNK, true, ret, e);
}

int debs_plan(struct package_shop *shop, struct debs *ret, struct err *e)
{
        sv arch = recipe_arch(shop->recipe, shop->platform->platform);

        *ret = (struct debs){ 0 };
        ret->n = all_debs(shop, &ret->v);
        if (debian_effects_load(shop->arena, shop->recipe, arch, shop->c->diags, &ret->effects, e) < 0)
                return -(int)e->code;
        plan_group(shop, true, &ret->recipe);
        plan_group(shop, false, &ret->apt);
        ret->os = os_key(shop, ret->v, ret->n, ret->effects);
        return 0;
}

int debs_build(struct package_shop *shop, struct debs *d, bool dry_run, struct built_layers *ret, struct err *e)
{
        struct built_layer *os;

        if ((!dry_run && (shelf_make(&d->recipe, e) < 0 || shelf_make(&d->apt, e) < 0)) ||
            shelf_layers(&d->recipe, dry_run, ret, e) < 0 || shelf_layers(&d->apt, dry_run, ret, e) < 0)
                return -(int)e->code;
        os = layers_append(shop, ret);
        *os = (struct built_layer){ .of = arena_fmt(shop->arena, "os %.*s", SV_ARG(shop->recipe->name)) };
        if (layer_known(shop, &d->os, os, e) < 0 || os->reused || dry_run)
                return -(int)e->code;
        return make_os(shop, d->v, d->n, d->effects, &d->os, os, e);
}
