/* Planned packages → their layers: found or made in parallel, largest first, then buckets joined (design/layers.md §3). */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "image/reuse_priv.h"

static sha256 bucket_key(struct arena *a, const struct package *v, size_t n)
{
        sha256 *key = arena_array(a, sha256, n);

        for (size_t i = 0; i < n; i++)
                key[i] = v[i].key[0];
        return layer_key_bucket(key, n);
}

void shelf_lay(struct shelf *s)
{
        const struct lock_platform *p = s->shop->platform;

        s->first = arena_array(s->shop->arena, size_t, s->plan.n + 1);
        s->v = arena_array(s->shop->arena, struct package, p->n_artifact);
        s->bucket = arena_array(s->shop->arena, struct built_layer, s->plan.n + 1);
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
                }
                if (l->bucket)
                        s->bucket[i].fact.key = bucket_key(s->shop->arena, &s->v[s->first[i]], l->n_member);
        }
}

sha256 shelf_key(const struct shelf *s, size_t i)
{
        return s->plan.v[i].bucket ? s->bucket[i].fact.key : s->v[s->first[i]].key[s->plan.v[i].part];
}

/* --verify chose layers: what is in them is made again. */
static void mark_again(struct shelf *s)
{
        for (size_t i = 0; i < s->plan.n; i++) {
                sha256 key = shelf_key(s, i);

                for (size_t k = 0; reuse_is_again(s->shop->reuse, &key) && k < s->plan.v[i].n_member; k++)
                        s->v[s->first[i] + k].again = true;
        }
}

int shelf_find(struct shelf *s, struct err *e)
{
        mark_again(s);
        for (size_t i = 0; i < s->n; i++) {
                if (package_find(s->shop, &s->v[i], e) < 0)
                        return -(int)e->code;
                s->v[i].had = s->v[i].have;
        }
        for (size_t i = 0; i < s->plan.n; i++) {
                sha256 key = shelf_key(s, i);

                if (s->plan.v[i].bucket && layer_here(s->shop, &key, &s->bucket[i], e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

/* --- what repositories know of */

static bool lacks_member(const struct shelf *s, size_t i)
{
        for (size_t k = 0; k < s->plan.v[i].n_member; k++)
                if (!s->v[s->first[i] + k].have)
                        return true;
        return false;
}

size_t shelf_want(const struct shelf *s, bool lists, struct reuse_want *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < s->plan.n; i++) {
                const struct plan_layer *l = &s->plan.v[i];
                const struct package *p = &s->v[s->first[i]];

                if (!p->again && (l->bucket ? !s->bucket[i].reused || lacks_member(s, i) : !p->have))
                        ret[n++] = (struct reuse_want){ shelf_key(s, i), lists };
        }
        return n;
}

static struct layer_fact fact_of(const struct fact_doc *d)
{
        struct layer_fact f = { .key = d->key, .has_layer = true, .diff_id = d->diff_id, .paths = d->paths.digest };

        for (size_t i = 0; i < d->n_encoding; i++)
                f.encoding[f.n_encoding++] = d->encoding[i];
        return f;
}

void layer_take(struct built_layer *b, const struct reuse_fact *f)
{
        b->fact = fact_of(&f->doc);
        b->from = f->repo->name;
        b->member = f->doc.member;
        b->n_member = f->doc.n_member;
        b->text = f->doc.text;
        b->n_text = b->cap_text = f->doc.n_text;
        b->reused = true;
}

/* A bucket's members are not made when their lists are known: nobody needs their bodies. */
static void take_bucket(struct shelf *s, size_t i, bool lists)
{
        const struct plan_layer *l = &s->plan.v[i];
        const struct reuse_fact *f = reuse_get(s->shop->reuse, &s->bucket[i].fact.key, s->shop->codec, lists);

        if (!f || f->doc.n_member != l->n_member)
                return;
        for (size_t k = 0; k < l->n_member; k++) {
                struct package *p = &s->v[s->first[i] + k];

                if (p->have)
                        continue;
                p->fact[0] = (struct layer_fact){ .key = p->key[0], .paths = f->doc.member[k].paths.digest };
                p->have = p->had = true;
        }
        if (!s->bucket[i].reused)
                layer_take(&s->bucket[i], f);
}

static void take_package(struct shelf *s, struct package *p, bool lists)
{
        const struct reuse_fact *f[8];

        for (uint32_t k = 0; k < p->parts; k++)
                if (!(f[k] = reuse_get(s->shop->reuse, &p->key[k], s->shop->codec, lists)))
                        return;
        for (uint32_t k = 0; k < p->parts; k++) {
                p->remote[k] = f[k];
                p->fact[k] = fact_of(&f[k]->doc);
        }
        p->have = p->had = true;
}

void shelf_take(struct shelf *s, bool lists)
{
        for (size_t i = 0; i < s->plan.n; i++) {
                struct package *p = &s->v[s->first[i]];

                if (p->again)
                        continue;
                if (s->plan.v[i].bucket)
                        take_bucket(s, i, lists);
                else if (!p->have)
                        take_package(s, p, lists);
        }
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

int layer_here(struct package_shop *shop, const sha256 *key, struct built_layer *ret, struct err *e)
{
        struct err missing = { 0 };
        int r;

        if (reuse_anew(shop->reuse) || reuse_is_again(shop->reuse, key))
                return 0;
        r = layer_fact_get(shop->c->store, key, &ret->fact, &missing);
        if (r < 0) {
                ret->fact.key = *key;
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
        }
        ret->reused = r == 0 && ret->fact.has_layer;
        return 0;
}

int layer_known(struct package_shop *shop, const sha256 *key, struct built_layer *ret, struct err *e)
{
        const struct reuse_fact *f;

        if (layer_here(shop, key, ret, e) < 0)
                return -(int)e->code;
        if (ret->reused)
                return layer_fact_encoding(&ret->fact, shop->codec)
                               ? 0
                               : layer_encode(shop->c->store, &ret->fact, shop->codec, shop->c->op, e);
        f = reuse_get(shop->reuse, key, shop->codec, false);
        if (f && !reuse_is_again(shop->reuse, key))
                layer_take(ret, f);
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
        sha256 key = ret->fact.key;
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

static void add_members(struct package_shop *shop, const struct package *v, size_t n, struct built_layer *b)
{
        struct fact_member *m = arena_array(shop->arena, struct fact_member, n);

        if (b->n_member) /* a fact named them */
                return;
        for (size_t i = 0; i < n; i++) {
                m[i] = (struct fact_member){ v[i].key[0], { v[i].fact[0].paths, 0 } };
                store_has(shop->c->store, STORE_BLOB, &m[i].paths.digest, &m[i].paths.size);
        }
        b->member = m;
        b->n_member = n;
}

static int add_bucket(struct shelf *s, size_t i, bool dry_run, struct built_layer *b, struct err *e)
{
        const struct plan_layer *l = &s->plan.v[i];
        struct package *p = &s->v[s->first[i]];
        uint64_t need = b->need;

        *b = s->bucket[i];
        b->of = of_bucket(s->shop->arena, p, l->n_member);
        b->need = need;
        if (b->reused && !b->from.n && !layer_fact_encoding(&b->fact, s->shop->codec) && !dry_run &&
            layer_encode(s->shop->c->store, &b->fact, s->shop->codec, s->shop->c->op, e) < 0)
                return -(int)e->code;
        if (!b->reused && !dry_run && make_bucket(s->shop, p, l->n_member, b, e) < 0)
                return -(int)e->code;
        if (!dry_run)
                add_members(s->shop, p, l->n_member, b);
        return 0;
}

static int add_planned(struct shelf *s, size_t i, bool dry_run, struct built_layers *ret, struct err *e)
{
        const struct plan_layer *l = &s->plan.v[i];
        struct package *p = &s->v[s->first[i]];
        struct built_layer *b = layers_append(s->shop, ret);

        *b = (struct built_layer){ 0 };
        for (size_t k = 0; k < l->n_member; k++)
                if (!p[k].had)
                        b->need += p[k].art->size;
        if (l->bucket)
                return add_bucket(s, i, dry_run, b, e);
        if (p->remote[l->part])
                layer_take(b, p->remote[l->part]);
        b->fact = p->fact[l->part];
        b->of = of_package(s->shop->arena, p, l->part);
        b->reused = p->had;
        return 0;
}

int shelf_layers(struct shelf *s, bool dry_run, struct built_layers *ret, struct err *e)
{
        for (size_t i = 0; i < s->plan.n; i++)
                if (add_planned(s, i, dry_run, ret, e) < 0)
                        return -(int)e->code;
        return 0;
}
