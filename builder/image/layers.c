/* Lock → the layers of one platform: packages in parallel, largest first, then buckets, env and last (design/layers.md §3). */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "image/image_priv.h"
#include "tree/plan.h"

struct shelf { /* all of one platform's packages and where they go */
        struct package_shop *shop;
        struct package *v; /* as planned: layer by layer */
        size_t n, cap;
        struct plan plan;
        size_t *first; /* of each planned layer, its first package in v */
};

static int find_all(struct shelf *s, struct err *e)
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
                        package_init(&s->v[s->n], l->member[k], p, l->bucket, l->bucket ? 1 : l->parts);
                        if (package_find(s->shop, &s->v[s->n++], e) < 0)
                                return -(int)e->code;
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

static int make_all(struct shelf *s, struct err *e)
{
        struct job_arg *arg = arena_array(s->shop->arena, struct job_arg, s->n);
        struct pool_job *job = arena_array(s->shop->arena, struct pool_job, s->n);

        for (size_t i = 0; i < s->n; i++) {
                arg[i] = (struct job_arg){ s->shop, &s->v[i] };
                job[i] = (struct pool_job){ s->v[i].have ? 0 : s->v[i].art->size, run_job, &arg[i] };
        }
        if (pool_run(s->shop->c->op, job, s->n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < s->n; i++)
                if (package_paths(s->shop, &s->v[i], e) < 0)
                        return -(int)e->code;
        return 0;
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

static int known(struct package_shop *shop, const sha256 *key, struct built_layer *ret, struct err *e)
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
                m[i] = (struct layer_member){ .fact = &v[i].fact[0], .style = how.style, .arg = &arg[i], .remake = remake };
        }
        r = layer_bucket(shop->c->store, &how, &key, m, n, shop->c->op, &ret->fact, e);
        for (size_t i = 0; i < n; i++)
                fs_map_close(&arg[i].map);
        if (r == 0 && !layer_fact_encoding(&ret->fact, shop->codec))
                r = layer_encode(shop->c->store, &ret->fact, shop->codec, shop->c->op, e);
        return r < 0 ? err_while(e, "joining the %.*s", SV_ARG(ret->of)) : 0;
}

/* --- layers that are made from memory: env, last */

static int make_small(struct package_shop *shop, const sha256 *key, const struct tree_list *t, bool dot, sv root,
                      struct built_layer *ret, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct layer_make how = {
                .style = LAYER_JOIN, .root = root, .dir = NULL, .dot_first = dot, .subject = ret->of
        };
        struct entry *dir = arena_array(shop->arena, struct entry, t->n);

        if (known(shop, key, ret, e) < 0 || ret->reused)
                return -(int)e->code;
        for (size_t i = 0; i < t->n; i++)
                if (t->entry[i].type == ENTRY_DIR)
                        dir[how.n_dir++] = t->entry[i];
        how.dir = dir;
        src = install_list(t->entry, t->content, t->n);
        if (layer_make(shop->c->store, &how, key, 1, false, src, shop->c->op, &ret->fact, e) < 0)
                return err_while(e, "making the layer '%.*s'", SV_ARG(ret->of));
        if (!layer_fact_encoding(&ret->fact, shop->codec))
                return layer_encode(shop->c->store, &ret->fact, shop->codec, shop->c->op, e);
        return 0;
}

/* Each part of the root with the base's attributes, outermost first. */
static void root_parents(const struct lock_platform *p, struct arena *a, struct install_venv *v)
{
        sv root = p->facts.root;

        v->parent = arena_array(a, struct entry, root.n + 1);
        for (size_t i = 0; i <= root.n; i++) {
                struct entry *en;
                if (i < root.n && root.p[i] != '/')
                        continue;
                en = &v->parent[v->n_parent++];
                *en = (struct entry){ .path = sv_from_to(root, 0, i),
                                      .type = ENTRY_DIR,
                                      .mode = 0755,
                                      .mtime = ENTRY_MTIME_FLOOR,
                                      .generated = true };
                for (size_t k = 0; k < p->facts.n_odd_dir; k++)
                        if (sv_eq(p->facts.odd_dir[k].path, en->path)) {
                                en->mode = p->facts.odd_dir[k].mode;
                                en->uid = p->facts.odd_dir[k].uid;
                                en->gid = p->facts.odd_dir[k].gid;
                        }
        }
}

static int make_venv(struct package_shop *shop, struct built_layer *ret, struct paths *ret_paths, struct err *e)
{
        const struct lock_platform *p = shop->platform;
        struct install_venv v = { .root = p->facts.root,
                                  .prefix = SV(IMAGE_PREFIX),
                                  .python = p->python.path,
                                  .python_version = p->python.version };
        struct tree_list t = { 0 };
        sha256 key;

        root_parents(p, shop->arena, &v);
        install_venv(shop->arena, &v, &t.entry, &t.content, &t.n);
        key = layer_key_venv(&v);
        ret->of = SV("env venv");
        if (make_small(shop, &key, &t, false, (sv){ 0 }, ret, e) < 0)
                return -(int)e->code;
        return layer_fact_paths(shop->c->store, &ret->fact, shop->arena, ret_paths, e);
}

static int make_last(struct package_shop *shop, const struct tree_list *t, struct built_layer *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)256 << 20);
        struct paths list = { 0 };
        sha256 digest, key;

        for (size_t i = 0; i < t->n; i++) {
                if (t->entry[i].type == ENTRY_FILE)
                        t->entry[i].sha256 = sha256_of((sv){ t->content[i].p, t->content[i].n });
                paths_add(shop->arena, &list, &t->entry[i]);
        }
        paths_sort(&list);
        paths_write(&list, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        digest = sha256_of(buf_sv(&text));
        key = layer_key_last(&digest);
        ret->of = SV("last");
        return make_small(shop, &key, t, false, (sv){ 0 }, ret, e);
}

/* --- all of it */

static struct built_layer *append(struct package_shop *shop, struct built_layers *b)
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

static int add_planned(struct shelf *s, size_t i, const bool *had, bool dry_run, struct built_layers *ret,
                       struct err *e)
{
        const struct plan_layer *l = &s->plan.v[i];
        struct package *p = &s->v[s->first[i]];
        struct built_layer *b = append(s->shop, ret);
        sha256 key;

        *b = (struct built_layer){ 0 };
        for (size_t k = 0; k < l->n_member; k++)
                if (!had[s->first[i] + k])
                        b->need += p[k].art->size;
        if (!l->bucket) {
                b->of = of_package(s->shop->arena, p, l->part);
                b->fact = p->fact[l->part];
                b->reused = had[s->first[i]];
                return 0;
        }
        b->of = of_bucket(s->shop->arena, p, l->n_member);
        key = bucket_key(s->shop->arena, p, l->n_member);
        if (known(s->shop, &key, b, e) < 0)
                return -(int)e->code;
        return b->reused || dry_run ? 0 : make_bucket(s->shop, p, l->n_member, b, e);
}

static int build_wheels(struct package_shop *shop, sv dir, bool dry_run, struct built_layers *ret, struct err *e)
{
        const struct lock_platform *p = shop->platform;
        struct artifact *wheel = arena_array(shop->arena, struct artifact, p->n_artifact);
        struct shelf s = { .shop = shop };
        struct paths env_paths = { 0 };
        uint32_t env_layer = (uint32_t)ret->n;
        struct package **member;
        struct tree_list last;
        uint32_t *layer;
        bool *had;
        size_t n = 0;

        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind != ARTIFACT_DEB)
                        wheel[n++] = p->artifact[i];
        if (plan_packages(shop->arena, wheel, n, p->base.n_layer + ret->n + 2, &s.plan, e) < 0 || find_all(&s, e) < 0)
                return -(int)e->code;
        had = arena_array(shop->arena, bool, s.n + 1);
        for (size_t i = 0; i < s.n; i++)
                had[i] = s.v[i].have;
        if (!dry_run && make_all(&s, e) < 0)
                return -(int)e->code;
        if (p->has_python && make_venv(shop, append(shop, ret), &env_paths, e) < 0)
                return -(int)e->code;
        member = arena_array(shop->arena, struct package *, s.n);
        layer = arena_array(shop->arena, uint32_t, s.n);
        for (size_t i = 0; i < s.plan.n; i++) {
                if (add_planned(&s, i, had, dry_run, ret, e) < 0)
                        return -(int)e->code;
                for (size_t k = 0; k < s.plan.v[i].n_member; k++) {
                        member[s.first[i] + k] = &s.v[s.first[i] + k];
                        layer[s.first[i] + k] = (uint32_t)ret->n - 1;
                }
        }
        if (dry_run)
                return 0;
        if (last_build(shop, member, layer, s.n, p->has_python ? &env_paths : NULL, env_layer, dir, &last, e) < 0)
                return -(int)e->code;
        return last.n ? make_last(shop, &last, append(shop, ret), e) : 0;
}

int layers_build(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, const struct spec *spec,
                 sv dir, enum oci_codec codec, bool dry_run, struct arena *a, struct built_layers *ret, struct err *e)
{
        struct package_shop shop = { .c = c, .lock = l, .platform = p, .spec = spec, .codec = codec, .arena = a };
        int r;

        *ret = (struct built_layers){ 0 };
        if (image_ctx_net(c, e) < 0)
                return -(int)e->code;
        pthread_mutex_init(&shop.mutex, NULL);
        r = build_wheels(&shop, dir, dry_run, ret, e);
        pthread_mutex_destroy(&shop.mutex);
        ret->fetched = shop.fetched;
        for (size_t i = 0; i < ret->n; i++)
                ret->reused += ret->v[i].reused;
        return r;
}
