/* Planned packages → their layers: found or made in parallel, largest first, then buckets joined (design/layers.md §3). */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "image/image_priv.h"

int shelf_find(struct shelf *s, struct err *e)
{
        const struct lock_platform *p = s->shop->platform;

        s->first = arena_array(s->shop->arena, size_t, s->plan.n + 1);
        s->v = arena_array(s->shop->arena, struct package, p->n_artifact);
        for (size_t i = 0; i < s->plan.n; i++) {
                const struct plan_layer *l = &s->plan.v[i];
                s->first[i] = s->n;
                /* parts of one package stand side by side in the plan and are one package here */
                if (!l->bucket && l->part > 0) {
                        s->first[i] = s->n - 1;
                        continue;
                }
                for (size_t k = 0; k < l->n_member; k++) {
                        struct package *one = &s->v[s->n++];
                        package_init(one, l->member[k], p, l->bucket, l->bucket ? 1 : l->parts);
                        if (package_find(s->shop, one, e) < 0)
                                return -(int)e->code;
                        one->had = one->have;
                }
        }
        return 0;
}

struct job_arg {
        struct package_shop *shop;
        struct package *p;
};

static int run_job(void *arg, struct err *e)
{
        struct job_arg *j = arg;
        return package_make(j->shop, j->p, e);
}

int shelf_make(struct shelf *s, struct err *e)
{
        struct job_arg *arg = arena_array(s->shop->arena, struct job_arg, s->n);
        struct pool_job *job = arena_array(s->shop->arena, struct pool_job, s->n);

        for (size_t i = 0; i < s->n; i++) {
                arg[i] = (struct job_arg){ s->shop, &s->v[i] };
                job[i] = (struct pool_job){ s->v[i].have ? 0 : s->v[i].art->size, run_job, &arg[i] };
        }
        return pool_run(s->shop->c->op, job, s->n, e);
}

/* --- buckets */

struct remake_arg {
        struct package_shop *shop;
        struct package *p;
        struct fs_map map;
};

static int remake(void *arg, struct entry_source **ret, struct err *e)
{
        struct remake_arg *r = arg;
        return package_source(r->shop, r->p, &r->map, ret, e);
}

static sv of_bucket(struct arena *a, const struct package *v, size_t n)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

        buf_add(&b, SV("bucket: "));
        for (size_t i = 0; i < n; i++)
                buf_fmt(&b, "%s%.*s %.*s", i ? ", " : "", SV_ARG(v[i].art->name), SV_ARG(v[i].art->version));
        return arena_sv(a, buf_sv(&b));
}

static sha256 bucket_key(struct arena *a, const struct package *v, size_t n)
{
        sha256 *key = arena_array(a, sha256, n);

        for (size_t i = 0; i < n; i++)
                key[i] = v[i].key[0];
        return layer_key_bucket(key, n);
}

int layer_known(struct package_shop *shop, const sha256 *key, struct built_layer *ret, struct err *e)
{
        struct err missing = { 0 };
        int r = layer_fact_get(shop->c->store, key, &ret->fact, &missing);

        if (r < 0 && missing.code != ERR_NOT_FOUND)
                return err_move(e, &missing);
        err_done(&missing);
        ret->reused = r == 0 && ret->fact.has_layer;
        if (ret->reused && !layer_fact_encoding(&ret->fact, shop->codec))
                return layer_encode(shop->c->store, &ret->fact, shop->codec, shop->c->op, e);
        return 0;
}

static int make_bucket(struct package_shop *shop, struct package *v, size_t n, struct built_layer *ret, struct err *e)
{
        bool deb = v[0].art->kind == ARTIFACT_DEB;
        struct layer_member *m = arena_array(shop->arena, struct layer_member, n);
        struct remake_arg *arg = arena_array(shop->arena, struct remake_arg, n);
        struct layer_make how = { .style = deb ? LAYER_CHUNK : LAYER_JOIN,
                                  .root = deb ? (sv){ 0 } : v[0].ctx.root,
                                  .deb_table = deb,
                                  .subject = ret->of };
        sha256 key = bucket_key(shop->arena, v, n);
        int r;

        for (size_t i = 0; i < n; i++) {
                arg[i] = (struct remake_arg){ shop, &v[i], { 0 } };
                m[i] = (struct layer_member){
                        .fact = &v[i].fact[0], .style = package_style(v[i].art), .arg = &arg[i], .remake = remake
                };
        }
        r = layer_bucket(shop->c->store, &how, &key, m, n, shop->c->op, &ret->fact, e);
        for (size_t i = 0; i < n; i++)
                fs_map_close(&arg[i].map);
        if (r == 0 && !layer_fact_encoding(&ret->fact, shop->codec))
                r = layer_encode(shop->c->store, &ret->fact, shop->codec, shop->c->op, e);
        return r < 0 ? err_while(e, "joining the %.*s", SV_ARG(ret->of)) : 0;
}

/* --- all of it */

struct built_layer *layers_append(struct package_shop *shop, struct built_layers *b)
{
        return arena_push(shop->arena, b->v, b->n, b->cap);
}

static sv of_package(struct arena *a, const struct package *p, uint32_t part)
{
        if (p->parts > 1)
                return arena_fmt(a, "%.*s %.*s part %u/%u", SV_ARG(p->art->name), SV_ARG(p->art->version), part + 1,
                                 p->parts);
        return arena_fmt(a, "%.*s %.*s", SV_ARG(p->art->name), SV_ARG(p->art->version));
}

static int add_planned(struct shelf *s, size_t i, bool dry_run, struct built_layers *ret, struct err *e)
{
        const struct plan_layer *l = &s->plan.v[i];
        struct package *p = &s->v[s->first[i]];
        struct built_layer *b = layers_append(s->shop, ret);
        sha256 key;

        *b = (struct built_layer){ 0 };
        for (size_t k = 0; k < l->n_member; k++)
                if (!p[k].had)
                        b->need += p[k].art->size;
        if (!l->bucket) {
                b->of = of_package(s->shop->arena, p, l->part);
                b->fact = p->fact[l->part];
                b->reused = p->had;
                return 0;
        }
        b->of = of_bucket(s->shop->arena, p, l->n_member);
        key = bucket_key(s->shop->arena, p, l->n_member);
        if (layer_known(s->shop, &key, b, e) < 0)
                return -(int)e->code;
        return b->reused || dry_run ? 0 : make_bucket(s->shop, p, l->n_member, b, e);
}

int shelf_layers(struct shelf *s, bool dry_run, struct built_layers *ret, struct err *e)
{
        for (size_t i = 0; i < s->plan.n; i++)
                if (add_planned(s, i, dry_run, ret, e) < 0)
                        return -(int)e->code;
        return 0;
}
