/* The base an image stands on: an OCI layout, a recipe of Debian packages, or nothing (design §3, design/debian.md). */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/image_priv.h"

enum base_kind { BASE_SCRATCH, BASE_LAYOUT, BASE_RECIPE };

static int kind_of(sv text, enum base_kind *ret, struct err *e)
{
        if (sv_is(text, "scratch")) {
                *ret = BASE_SCRATCH;
        } else if (sv_starts(text, SV("oci:"))) {
                *ret = BASE_LAYOUT;
        } else if (sv_starts(text, SV("recipe:"))) {
                *ret = BASE_RECIPE;
        } else {
                err_set(e, ERR_USAGE, "'%.*s' is a base we cannot read yet: bases from registries are not there",
                        SV_ARG(text));
                err_hint(e, "skopeo copy docker://%.*s oci:DIR:TAG, then base: oci:DIR:TAG", SV_ARG(text));
                return -(int)e->code;
        }
        return 0;
}

/* --- an image's file system is read once and its facts kept, by ChainID */

static sha256 chain_id(const struct oci_config *cfg)
{
        sha256 chain = cfg->n_diff_id ? cfg->diff_id[0] : (sha256){ 0 };

        for (size_t i = 1; i < cfg->n_diff_id; i++) {
                char text[160];
                int n = snprintf(text, sizeof(text), "sha256:%s sha256:%s", sha256_hex(&chain).s,
                                 sha256_hex(&cfg->diff_id[i]).s);
                chain = sha256_of((sv){ text, (size_t)n });
        }
        return chain;
}

static int scan_base(struct image_ctx *c, const struct layout *l, struct arena *a, struct lock_platform *into,
                     struct err *e)
{
        const char **blob = arena_array(a, const char *, l->manifest.n_layer);
        struct scan s = { 0 };
        sha256 key = chain_id(&l->config);

        if (image_ctx_store(c, true, e) < 0)
                return -(int)e->code;
        if (facts_recall(c->store, &key, a, into))
                return 0;
        for (size_t i = 0; i < l->manifest.n_layer; i++) {
                AUTO(free_ptr) char *path = layout_blob_path(l->dir.p, &l->manifest.layer[i].digest);
                blob[i] = arena_str(a, sv_from(path));
        }
        if (scan_layers(blob, l->manifest.layer, &l->config.diff_id[0], l->manifest.n_layer, c->op, a, &s, e) < 0 ||
            facts_read(&s, a, &into->facts, e) < 0 ||
            facts_python(&s, &l->config, a, &into->has_python, &into->python, e) < 0)
                return -(int)e->code;
        facts_keep(c->store, &key, into);
        return 0;
}

static int resolve_layout(struct image_ctx *c, sv text, sv dir, sv platform, struct arena *a,
                          struct lock_platform *into, struct err *e)
{
        struct layout l = { 0 };

        if (layout_open(text, dir, platform, a, &l, e) < 0)
                return -(int)e->code;
        into->base =
                (struct lock_base){ .ref = text, .manifest = l.manifest_digest, .config = l.manifest.config.digest };
        into->base.layer = arena_array(a, struct lock_base_layer, l.manifest.n_layer);
        into->base.n_layer = l.manifest.n_layer;
        for (size_t i = 0; i < l.manifest.n_layer; i++)
                into->base.layer[i] =
                        (struct lock_base_layer){ l.config.diff_id[i], l.manifest.layer[i].digest,
                                                  l.manifest.layer[i].size, l.manifest.layer[i].media_type };
        return scan_base(c, &l, a, into, e);
}

static void resolve_scratch(struct lock_platform *into)
{
        into->base = (struct lock_base){ .ref = SV("scratch") };
        into->facts = (struct lock_facts){ .root = SV("opt"), .usrmerged = true };
}

int base_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                 const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e)
{
        enum base_kind kind;

        if (kind_of(s->base.text, &kind, e) < 0)
                return -(int)e->code;
        if (s->n_apt && kind != BASE_RECIPE) {
                err_set(e, ERR_USAGE, "apt: needs a recipe as base, not '%.*s'", SV_ARG(s->base.text));
                err_hint(e, "base: recipe:debian-13-python");
                return -(int)e->code;
        }
        switch (kind) {
        case BASE_SCRATCH:
                resolve_scratch(into);
                return 0;
        case BASE_LAYOUT:
                return resolve_layout(c, s->base.text, s->dir, into->platform, a, into, e);
        case BASE_RECIPE:
                return recipe_resolve(c, r, s, old, a, into, e);
        }
        return 0;
}

/* --- building from the lock */

/* A locked blob: in the store, else in the layout that the lock's note names. */
static int find_blob(struct image_ctx *c, const struct lock_platform *p, sv dir, const sha256 *d, struct arena *a,
                     const char **ret, struct err *e)
{
        AUTO(free_ptr) char *path = store_find(c->store, STORE_BLOB, d);
        sv tag;

        if (!path && sv_starts(p->base.ref, SV("oci:"))) {
                path = layout_blob_path(layout_dir(a, p->base.ref, dir, &tag).p, d);
                if (!fs_exists(path)) {
                        free(path);
                        path = NULL;
                }
        }
        if (!path) {
                err_set(e, ERR_NOT_FOUND, "the locked base '%.*s' has no blob sha256:%s any more", SV_ARG(p->base.ref),
                        sha256_hex(d).s);
                err_hint(e, "envbuild lock --upgrade-base takes the base as it is now");
                return -(int)e->code;
        }
        *ret = arena_str(a, sv_from(path));
        return 0;
}

int base_config(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, sv dir, struct arena *a,
                struct oci_config *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        const char *path;
        sha256 got;

        (void)l;
        *ret = (struct oci_config){ 0 };
        if (sha256_is_zero(&p->base.config))
                return 0;
        if (find_blob(c, p, dir, &p->base.config, a, &path, e) < 0 || fs_read(path, &b, e) < 0)
                return -(int)e->code;
        got = sha256_of(buf_sv(&b));
        if (!sha256_eq(&got, &p->base.config))
                return err_set(e, ERR_INTEGRITY, "'%s' is not what its name says (sha256:%s)", path,
                               sha256_hex(&got).s);
        return oci_config_parse(a, arena_sv(a, buf_sv(&b)), path, ret, e);
}

static int copy_blob(struct image_ctx *c, const char *path, const sha256 *want, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(fs_map_close) struct fs_map map = { 0 };
        struct writer *w;

        if (fs_map_open(path, &map, e) < 0 || store_put_begin(c->store, STORE_BLOB, &put, &w, e) < 0)
                return -(int)e->code;
        for (size_t at = 0; at < map.n; at += (size_t)1 << 20) {
                size_t n = map.n - at < (size_t)1 << 20 ? map.n - at : (size_t)1 << 20;
                if (op_check(c->op, e) < 0 || writer_write(w, map.p + at, n, e) < 0)
                        return -(int)e->code;
        }
        return store_put_commit(&put, want, e);
}

int base_fetch(struct image_ctx *c, const struct lock_platform *p, sv dir, struct err *e)
{
        struct arena a = { 0 };
        int r = 0;

        for (size_t i = 0; i < p->base.n_layer && r == 0; i++) {
                const struct lock_base_layer *l = &p->base.layer[i];
                const char *path;
                if (store_has(c->store, STORE_BLOB, &l->digest, NULL))
                        continue;
                r = find_blob(c, p, dir, &l->digest, &a, &path, e);
                if (r == 0)
                        r = copy_blob(c, path, &l->digest, e);
                if (r < 0)
                        err_while(e, "taking over layer %zu of the base", i + 1);
        }
        arena_done(&a);
        return r;
}
