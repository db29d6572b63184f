/* The base an image stands on: an image of a registry, an OCI layout, a recipe of Debian packages, or nothing (design §3, design/debian.md). */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/base_packages.h"
#include "image/image_priv.h"
#include "image/remote.h"

enum base_kind { BASE_SCRATCH, BASE_LAYOUT, BASE_RECIPE, BASE_REMOTE };

static enum base_kind kind_of(sv text)
{
        return sv_is(text, "scratch")           ? BASE_SCRATCH
               : sv_starts(text, SV("oci:"))    ? BASE_LAYOUT
               : sv_starts(text, SV("recipe:")) ? BASE_RECIPE
                                                : BASE_REMOTE;
}

/* A locked blob: in the store, else in the layout that the lock's note names. */
static int find_blob(struct image_ctx *c, const struct lock_base *base, sv dir, const sha256 *d, struct arena *a,
                     const char **ret, struct err *e)
{
        AUTO(free_ptr) char *path = store_find(c->store, STORE_BLOB, d);
        sv tag;

        if (!path && sv_starts(base->ref, SV("oci:"))) {
                path = layout_blob_path(layout_dir(a, base->ref, dir, &tag).p, d);
                if (!fs_exists(path)) {
                        free(path);
                        path = NULL;
                }
        }
        if (!path) {
                err_set(e, ERR_NOT_FOUND, "the locked base '%.*s' has no blob sha256:%s any more", SV_ARG(base->ref),
                        sha256_hex(d).s);
                err_hint(e, "envbuild lock --upgrade-base takes the base as it is now");
                return -(int)e->code;
        }
        *ret = arena_str(a, sv_from(path));
        return 0;
}

/* --- an image's file system is read once and its facts kept, by ChainID */

int base_scan(struct image_ctx *c, const struct oci_config *cfg, sv dir, struct arena *a, struct lock_platform *into,
              struct err *e)
{
        const struct lock_base *b = &into->base;
        const char **blob = arena_array(a, const char *, b->n_layer);
        struct oci_desc *desc = arena_array(a, struct oci_desc, b->n_layer);
        struct scan s = { 0 };

        for (size_t i = 0; i < b->n_layer; i++) {
                desc[i] = (struct oci_desc){ .media_type = b->layer[i].type,
                                             .digest = b->layer[i].digest,
                                             .size = b->layer[i].size };
                if (find_blob(c, b, dir, &b->layer[i].digest, a, &blob[i], e) < 0)
                        return -(int)e->code;
        }
        if (scan_layers(blob, desc, cfg->diff_id, b->n_layer, c->op, a, &s, e) < 0 ||
            facts_read(&s, a, &into->facts, e) < 0 || facts_python(&s, cfg, a, &into->has_python, &into->python, e) < 0)
                return -(int)e->code;
        facts_keep(c->store, cfg, into);
        base_packages_keep(c->store, cfg->diff_id, b->n_layer, scan_text(&s, a, SV("var/lib/dpkg/status")));
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
        if (image_ctx_store(c, true, e) < 0)
                return -(int)e->code;
        return facts_recall(c->store, &l.config, a, into) ? 0 : base_scan(c, &l.config, dir, a, into, e);
}

static void resolve_scratch(struct lock_platform *into)
{
        into->base = (struct lock_base){ .ref = SV("scratch") };
        into->facts = (struct lock_facts){ .root = SV("opt"), .usrmerged = true };
}

int base_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                 const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e)
{
        enum base_kind kind = kind_of(s->base.text);

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
        case BASE_REMOTE:
                return remote_base_resolve(c, r, s, old, a, into, e);
        }
        return 0;
}

/* --- building from the lock */

static int config_text(struct image_ctx *c, const struct lock_base *base, sv dir, struct arena *a, sv *ret,
                       struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        const char *path;
        sha256 got;

        if (remote_is_base(base))
                return remote_base_config(c, base, a, ret, e);
        if (find_blob(c, base, dir, &base->config, a, &path, e) < 0 || fs_read(path, &b, e) < 0)
                return -(int)e->code;
        got = sha256_of(buf_sv(&b));
        if (!sha256_eq(&got, &base->config))
                return err_set(e, ERR_INTEGRITY, "'%s' is not what its name says (sha256:%s)", path,
                               sha256_hex(&got).s);
        *ret = arena_sv(a, buf_sv(&b));
        return 0;
}

/* A lock whose layers are not the config's was edited: the image would be neither of the two. */
static int check_layers(const struct lock_base *base, const struct oci_config *cfg, struct err *e)
{
        bool same = base->n_layer == cfg->n_diff_id;

        for (size_t i = 0; i < base->n_layer && same; i++)
                same = sha256_eq(&base->layer[i].diff_id, &cfg->diff_id[i]);
        if (same)
                return 0;
        err_set(e, ERR_INTEGRITY, "the layers that are locked for the base '%.*s' are not those of its config",
                SV_ARG(base->ref));
        err_hint(e, "the lock was edited: envbuild lock --upgrade-base writes the base anew");
        return -(int)e->code;
}

int base_config(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, sv dir, struct arena *a,
                struct oci_config *ret, struct err *e)
{
        sv text;

        (void)l;
        *ret = (struct oci_config){ 0 };
        if (sha256_is_zero(&p->base.config))
                return 0;
        if (config_text(c, &p->base, dir, a, &text, e) < 0 ||
            oci_config_parse(a, text, arena_fmt(a, "the config of '%.*s'", SV_ARG(p->base.ref)).p, ret, e) < 0)
                return -(int)e->code;
        return check_layers(&p->base, ret, e);
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

static int copy_layers(struct image_ctx *c, const struct lock_base *b, sv dir, struct arena *a, struct err *e)
{
        for (size_t i = 0; i < b->n_layer; i++) {
                const struct lock_base_layer *l = &b->layer[i];
                const char *path;

                if (store_has(c->store, STORE_BLOB, &l->digest, NULL))
                        continue;
                if (find_blob(c, b, dir, &l->digest, a, &path, e) < 0 || copy_blob(c, path, &l->digest, e) < 0)
                        return err_while(e, "taking over layer %zu of the base", i + 1);
        }
        return 0;
}

int base_fetch(struct image_ctx *c, const struct lock_platform *p, sv dir, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };

        return remote_is_base(&p->base) ? remote_base_note(c, &p->base, &a, e) : copy_layers(c, &p->base, dir, &a, e);
}

int base_fetch_layers(struct image_ctx *c, const struct lock_platform *p, sv dir, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };

        return remote_is_base(&p->base) ? remote_base_fetch(c, &p->base, &a, e) : copy_layers(c, &p->base, dir, &a, e);
}
