/* One package: fetched, installed natively, made into its layers or its body. Runs on the workers of the pool. */
#include "base/cleanup.h"
#include "base/pool.h"
#include "catalog/debian.h"
#include "catalog/pypi.h"
#include "image/reuse_priv.h"

void package_init(struct package *p, const struct artifact *art, const struct lock_platform *lp, bool bucketed,
                  uint32_t parts)
{
        *p = (struct package){ .art = art, .bucketed = bucketed, .parts = parts };
        p->ctx = (struct install_ctx){ .prefix = SV(IMAGE_PREFIX),
                                       .root = lp->facts.root,
                                       .usrmerged = lp->facts.usrmerged };
        if (art->kind == ARTIFACT_WHEEL || sv_is(art->noarch, "python")) {
                sv v = lp->python.version;
                ptrdiff_t dot = sv_rfind(v, '.');
                p->ctx.python = sv_from_to(v, 0, dot > 0 ? (size_t)dot : v.n);
                p->ctx.site_packages = lp->python.site_packages;
        }
        for (uint32_t i = 0; i < parts; i++)
                p->key[i] = layer_key_package(art, &p->ctx, i, parts);
}

static bool complete(const struct package *p, const struct layer_fact *f)
{
        return p->bucketed ? f->has_body : f->has_layer;
}

int package_find(struct package_shop *shop, struct package *p, struct err *e)
{
        p->have = !reuse_anew(shop->reuse) && !p->again;
        for (uint32_t i = 0; i < p->parts && p->have; i++) {
                struct err missing = { 0 };
                int r = layer_fact_get(shop->c->store, &p->key[i], &p->fact[i], &missing);
                if (r < 0 && missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                p->have = r == 0 && complete(p, &p->fact[i]);
        }
        return 0;
}

static int fetch(struct package_shop *shop, const struct package *p, struct err *e)
{
        struct image_ctx *c = shop->c;
        const struct artifact *art = p->art;
        int r;

        if (store_has(c->store, STORE_PACKAGE, &art->sha256, NULL))
                return 0;
        if (art->kind == ARTIFACT_DEB)
                r = debian_fetch(shop->recipe, shop->platform->base.release, art, c->net, c->store, c->op, e);
        else if (art->kind == ARTIFACT_CONDA)
                r = conda_fetch(&shop->conda, art, e);
        else
                r = fetch_artifact(c->net, c->store, art, art->url, c->op, e);
        if (r < 0)
                return r;
        pthread_mutex_lock(&shop->mutex);
        shop->fetched += art->size;
        pthread_mutex_unlock(&shop->mutex);
        return 0;
}

/* Diagnostics of a worker join the command's. */
static void merge_diags(struct package_shop *shop, const struct diags *from)
{
        pthread_mutex_lock(&shop->mutex);
        for (size_t i = 0; i < from->n; i++) {
                const struct diag *d = &from->v[i];
                size_t k =
                        d->level == DIAG_ERROR
                                ? diag_add(shop->c->diags, d->file, d->line, d->col, d->code, "%.*s", SV_ARG(d->text))
                                : diag_warn(shop->c->diags, d->file, d->line, d->col, d->code, "%.*s", SV_ARG(d->text));
                shop->c->diags->v[k].level = d->level;
                if (d->hint.n)
                        diag_hint(shop->c->diags, k, "%.*s", SV_ARG(d->hint));
        }
        pthread_mutex_unlock(&shop->mutex);
}

/* Another build may drop the file once its own layers are made, between our look and our opening it: then it is fetched again. */
int package_bytes(struct package_shop *shop, const struct package *p, struct fs_map *ret, struct err *e)
{
        for (int tries = 3;; tries--) {
                struct err gone = { 0 };

                if (fetch(shop, p, e) < 0)
                        return -(int)e->code;
                if (store_map(shop->c->store, STORE_PACKAGE, &p->art->sha256, ret, &gone) == 0)
                        return 0;
                if (gone.code != ERR_NOT_FOUND || tries == 1)
                        return err_move(e, &gone);
                err_done(&gone);
        }
}

static int (*const installers[])(const struct artifact *, sv, const struct install_ctx *, struct diags *,
                                 struct entry_source **, struct err *) = {
        [ARTIFACT_WHEEL] = install_wheel,
        [ARTIFACT_CONDA] = install_conda,
        [ARTIFACT_DEB] = install_deb,
};

int package_source(struct package_shop *shop, const struct package *p, struct fs_map *ret_map,
                   struct entry_source **ret, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        sv bytes;
        int r;

        if (package_bytes(shop, p, ret_map, e) < 0)
                return -(int)e->code;
        bytes = (sv){ (const char *)ret_map->p, ret_map->n };
        r = installers[p->art->kind](p->art, bytes, &p->ctx, &ds, ret, e);
        merge_diags(shop, &ds);
        return r;
}

enum layer_style package_style(const struct artifact *art)
{
        return art->kind == ARTIFACT_WHEEL ? LAYER_JOIN : LAYER_CHUNK;
}

int package_walk(struct package_shop *shop, const struct package *p,
                 int (*see)(void *arg, const struct entry *en, const struct content *c, struct err *e), void *arg,
                 struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct content c;
        struct entry *en;
        int r = package_source(shop, p, &map, &src, e);

        while (r == 0 && (r = src->ops->next(src, &en, &c, e)) == 1) {
                const struct entry *known = paths_find(&p->paths, en->path);

                if (known)
                        en->sha256 = known->sha256;
                r = see(arg, en, &c, e);
        }
        return r < 0 ? r : 0;
}

static int make(struct package_shop *shop, struct package *p, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct arena tmp = { 0 };
        bool deb = p->art->kind == ARTIFACT_DEB;
        struct layer_make m = {
                .style = package_style(p->art),
                .root = deb ? (sv){ 0 } : p->ctx.root,
                .deb_table = deb,
                .subject = arena_fmt(&tmp, "%.*s %.*s", SV_ARG(p->art->name), SV_ARG(p->art->version)),
                .total = p->art->size,
        };
        int r = package_source(shop, p, &map, &src, e);

        if (r == 0)
                r = layer_make(shop->c->store, &m, p->key, p->parts, p->bucketed, src, shop->c->op, p->fact, e);
        if (r < 0)
                err_while(e, "making the layer of %.*s", SV_ARG(m.subject));
        arena_done(&tmp);
        return r;
}

static bool has_codec(const struct package_shop *shop, const struct package *p)
{
        for (uint32_t i = 0; i < p->parts && !p->bucketed; i++)
                if (!layer_fact_encoding(&p->fact[i], shop->codec))
                        return false;
        return true;
}

int package_make(struct package_shop *shop, struct package *p, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        int r;

        if (p->have && has_codec(shop, p))
                return 0;
        r = store_claim_take(shop->c->store, &p->key[0], &claim, e);
        if (r != 0)
                return r;
        if (package_find(shop, p, e) < 0) /* somebody may have finished it while we waited */
                return -(int)e->code;
        if (!p->have && make(shop, p, e) < 0)
                return -(int)e->code;
        for (uint32_t i = 0; i < p->parts && !p->bucketed; i++)
                if (!layer_fact_encoding(&p->fact[i], shop->codec) &&
                    layer_encode(shop->c->store, &p->fact[i], shop->codec, shop->c->op, e) < 0)
                        return -(int)e->code;
        return 0;
}

int package_paths(struct package_shop *shop, struct package *p, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };

        for (uint32_t i = 0; i < p->parts; i++) {
                struct paths one = { 0 };
                if (layer_fact_paths(shop->c->store, &p->fact[i], shop->arena, &one, e) < 0)
                        return -(int)e->code;
                if (p->parts == 1) {
                        p->paths = one;
                        break;
                }
                for (size_t k = 0; k < one.n; k++)
                        paths_add(shop->arena, &p->paths, &one.v[k]);
        }
        paths_sort(&p->paths);
        /* What making its layer would have told, when it was there already. */
        if (p->had && p->art->kind == ARTIFACT_CONDA)
                install_conda_warn(p->art, &p->ctx, &p->paths, &ds);
        merge_diags(shop, &ds);
        return 0;
}
