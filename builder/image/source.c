#include "image/source.h"

#include <stdlib.h>

#include "attest/sbom.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "image/attach.h"
#include "image/image_priv.h"
#include "image/pull.h"

#define LOOK_MAX        32                 /* referrers that are looked into: a registry is not to keep us busy */
#define SBOM_MAX        ((size_t)64 << 20) /* bytes; a tree of it takes some times as much */
#define SOURCE_LOCK_MAX ((size_t)16 << 20)

/* --- what a reference means */

struct found {
        struct image_ctx *c;
        struct arena *a;
        struct reg_client *reg;
        sv ref;
        struct image_source s;
        sv text; /* of the image, once somebody asked */
        struct oci_index children;
        sv *child_text; /* empty: it is not there */
};

static int parse_ref(struct found *f, struct reference *ret, struct err *e)
{
        *ret = (struct reference){ 0 };
        if (sv_starts(f->ref, SV("sha256:")) && sha256_read(f->ref, &ret->digest)) {
                ret->has_digest = true;
                ret->repository = SV("image");
                return 0;
        }
        return image_reference(f->a, f->ref, true, ret, e);
}

static sv digest_text(struct found *f, const sha256 *d)
{
        return arena_fmt(f->a, "sha256:%s", sha256_hex(d).s);
}

/* In the registry: the tag's digest now. */
static int ask_registry(struct found *f, const struct reference *r, struct err *e)
{
        struct oci_desc d;

        if (image_ctx_registry(f->c, &f->reg, e) < 0)
                return -(int)e->code;
        if (r->has_digest) {
                f->s.image = r->digest;
                return 0;
        }
        if (reg_manifest_head(f->reg, &f->s.repo, r->tag.n ? r->tag : SV("latest"), f->a, &d, e) < 0)
                return err_while(e, "looking for the image '%.*s'", SV_ARG(f->ref));
        f->s.image = d.digest;
        return 0;
}

/* --- locks out of a registry */

/* Which platform an image that is no index is for: the lock says it. */
static const struct lock_platform *pinned_as(const struct lock *l, const sha256 *d)
{
        for (size_t i = 0; i < l->n_platform; i++)
                for (size_t k = 0; k < l->platform[i].image.n_manifest; k++)
                        if (sha256_eq(&l->platform[i].image.manifest[k].digest, d))
                                return &l->platform[i];
        return NULL;
}

static int read_image(struct image_ctx *c, const struct image_source *s, struct arena *a, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        struct reg_client *reg;
        struct reg_manifest m;

        if (s->in_store) {
                if (store_read(c->store, STORE_BLOB, &s->image, &b, e) < 0)
                        return -(int)e->code;
                *ret = arena_sv(a, buf_sv(&b));
                return 0;
        }
        if (image_ctx_registry(c, &reg, e) < 0 ||
            reg_manifest_get(reg, &s->repo, arena_fmt(a, "sha256:%s", sha256_hex(&s->image).s), a, &m, e) < 0)
                return -(int)e->code;
        *ret = m.bytes;
        return 0;
}

/* A broken lock of somebody's is none; a broken network is an error. */
static bool stops(const struct err *e)
{
        return e->code == ERR_CANCELLED || e->code == ERR_NET || e->code == ERR_OFFLINE || e->code == ERR_AUTH;
}

static bool has_image_id(const struct lock *l, const sha256 *config)
{
        for (size_t i = 0; i < l->n_platform; i++)
                if (l->platform[i].has_image && sha256_eq(&l->platform[i].image.image_id, config))
                        return true;
        return false;
}

/* By the manifest's digest, else by that of its config, which names every layer: Docker's media types make another manifest of it. */
static bool pins(struct found *f, const struct lock *l, const sha256 *manifest, sv text)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct oci_manifest m;

        return pinned_as(l, manifest) || (text.n && oci_manifest_parse(f->a, text, "manifest", &m, &ignored) == 0 &&
                                          has_image_id(l, &m.config.digest));
}

/* What the image is: read when a lock does not name it outright. */
static int read_parts(struct found *f, struct err *e)
{
        struct reg_manifest m;

        if (f->text.n)
                return 0;
        if (read_image(f->c, &f->s, f->a, &f->text, e) < 0 ||
            (oci_is_index(f->a, f->text) && oci_index_parse(f->a, f->text, "index", &f->children, e) < 0))
                return -(int)e->code;
        f->child_text = arena_array(f->a, sv, f->children.n);
        for (size_t i = 0; i < f->children.n && i < LOOK_MAX; i++) {
                struct err why = { 0 };
                if (reg_manifest_get(f->reg, &f->s.repo, digest_text(f, &f->children.v[i].digest), f->a, &m, &why) == 0)
                        f->child_text[i] = m.bytes;
                else if (stops(&why))
                        return err_move(e, &why);
                err_done(&why);
        }
        return 0;
}

/* An index of some of the lock's platforms (build --platform) is in no lock; its manifests are. */
static int names(struct found *f, const struct lock *l, bool *ret, struct err *e)
{
        *ret = (l->has_index && sha256_eq(&l->index, &f->s.image)) || pinned_as(l, &f->s.image);
        if (*ret)
                return 0;
        if (read_parts(f, e) < 0)
                return -(int)e->code;
        if (!f->children.n)
                *ret = pins(f, l, &f->s.image, f->text);
        for (size_t i = 0; i < f->children.n; i++)
                *ret = (i == 0 || *ret) && pins(f, l, &f->children.v[i].digest, f->child_text[i]);
        return 0;
}

/* The only layer of a referrer. a: of this candidate alone, since what others hung there may be large. */
static bool read_layer(struct found *f, const struct reg_referrer *r, size_t max, struct arena *a, sv *ret,
                       struct err *e)
{
        struct reg_manifest m;
        struct oci_manifest x;

        return reg_manifest_get(f->reg, &f->s.repo, digest_text(f, &r->desc.digest), a, &m, e) == 0 &&
               oci_manifest_parse(a, m.bytes, "referrer", &x, e) == 0 && x.n_layer == 1 &&
               reg_blob_read(f->reg, &f->s.repo, &x.layer[0], max, a, ret, e) == 0;
}

/* Into the arena that lasts. */
static int keep_lock(struct found *f, sv text, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };

        text = arena_sv(f->a, text);
        if (lock_parse(f->a, text, SV("lock"), &ds, &f->s.lock, e) < 0)
                return -(int)e->code;
        f->s.origin.lock = (struct origin_text){ .name = arena_fmt(f->a, "%.*s.lock", SV_ARG(f->s.lock->name)),
                                                 .digest = sha256_of(text),
                                                 .text = text };
        return 0;
}

static int try_lock(struct found *f, const struct reg_referrer *r, bool *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct err why = { 0 };
        struct lock *l = NULL;
        sv text;

        *ret = false;
        if (read_layer(f, r, SOURCE_LOCK_MAX, &a, &text, &why) && lock_parse(&a, text, SV("lock"), &ds, &l, &why) == 0)
                names(f, l, ret, &why);
        if (stops(&why))
                return err_move(e, &why);
        err_done(&why);
        return *ret ? keep_lock(f, text, e) : 0;
}

static int nothing_hangs(struct found *f, size_t n_other, struct err *e)
{
        sv repo = reg_repo_text(f->a, &f->s.repo);

        if (n_other)
                return err_set(e, ERR_INTEGRITY, "%zu locks hang on '%.*s@%.*s', but none of them is of this image",
                               n_other, SV_ARG(repo), SV_ARG(digest_text(f, &f->s.image)));
        err_set(e, ERR_NOT_FOUND, "nothing says what '%.*s@%.*s' was made from", SV_ARG(repo),
                SV_ARG(digest_text(f, &f->s.image)));
        err_hint(e, "envbuild push hangs the lock on an image, unless --source=false says otherwise");
        return -(int)e->code;
}

static int from_registry(struct found *f, struct err *e)
{
        struct reg_referrer *v = NULL;
        bool ok = false;
        size_t n = 0;

        if (image_ctx_registry(f->c, &f->reg, e) < 0 ||
            reg_referrers(f->reg, &f->s.repo, &f->s.image, SV(ATTACH_LOCK), f->a, &v, &n, e) < 0)
                return err_while(e, "looking for the lock of '%.*s'", SV_ARG(f->ref));
        for (size_t i = 0; i < n && i < LOOK_MAX && !ok; i++)
                if (try_lock(f, &v[i], &ok, e) < 0)
                        return err_while(e, "looking for the lock of '%.*s'", SV_ARG(f->ref));
        return ok ? 0 : nothing_hangs(f, n, e);
}

/* --- the store */

/* 1: it made the image, and knows. 0: ask a registry. */
static int from_store(struct found *f, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        struct err missing = { 0 };
        struct image_view v = { 0 };

        if (image_ctx_store(f->c, false, &missing) < 0 || image_find(f->c, f->ref, f->a, &v, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return 0;
        }
        f->s.image = v.digest;
        f->s.in_store = true;
        if (origin_find(f->c, &v.digest, f->a, &f->s.origin, &missing) < 0) {
                err_done(&missing);
                return 0;
        }
        return lock_parse(f->a, f->s.origin.lock.text, f->s.origin.lock.name, &ds, &f->s.lock, e) < 0 ? -(int)e->code
                                                                                                      : 1;
}

/* An image of the store that was pulled: where it came from knows more. */
static int from_its_registry(struct found *f, struct err *e)
{
        struct err none = { 0 };
        sv *from = NULL;
        size_t n = 0;

        if (!f->s.repo.registry.n) {
                store_origin_list(f->c->store, &f->s.image, f->a, &from, &n);
                if (n == 0 || reg_repo_parse(f->a, from[0], &f->s.repo, &none) < 0) {
                        err_done(&none);
                        return err_set(e, ERR_NOT_FOUND, "the store does not know what '%.*s' was made from",
                                       SV_ARG(f->ref));
                }
        }
        f->s.in_store = false;
        return from_registry(f, e);
}

int source_find(struct image_ctx *c, sv ref, struct arena *a, struct image_source *ret, struct err *e)
{
        struct found f = { .c = c, .a = a, .ref = ref };
        struct reference r;
        int how;

        if (parse_ref(&f, &r, e) < 0)
                return -(int)e->code;
        f.s.name = r.repository;
        if (r.registry.n)
                f.s.repo = reg_repo_of(&r);
        how = sv_starts(ref, SV("docker://")) ? 0 : from_store(&f, e); /* that one means a registry, whatever is here */
        if (how < 0)
                return how;
        if (how == 0 && f.s.in_store) {
                if (from_its_registry(&f, e) < 0)
                        return -(int)e->code;
        } else if (how == 0) {
                struct image_view v;
                if (!r.registry.n) /* says what is there instead */
                        return image_find(c, ref, a, &v, e) < 0 ? -(int)e->code : 0;
                if (ask_registry(&f, &r, e) < 0 || from_registry(&f, e) < 0)
                        return -(int)e->code;
        }
        *ret = f.s;
        return 0;
}

/* --- one platform */

static const struct lock_platform *pick(const struct lock *l, sv platform, struct arena *a)
{
        const struct lock_platform *p = lock_find_platform(l, platform.n ? platform : image_host_platform(a));

        return p || platform.n || l->n_platform == 0 ? p : &l->platform[0];
}

int source_platform(struct image_ctx *c, const struct image_source *s, sv platform, struct arena *a,
                    const struct lock_platform **ret, sha256 *ret_manifest, struct err *e)
{
        const struct lock_platform *p = pinned_as(s->lock, &s->image);
        const struct oci_desc *d;
        struct oci_index x;
        sv text;

        if (!p)
                p = pick(s->lock, platform, a);
        if (!p || (platform.n && !sv_eq(p->platform, platform)))
                return err_set(e, ERR_NOT_FOUND, "'%.*s' has nothing for %.*s", SV_ARG(s->name),
                               SV_ARG((platform.n ? platform : image_host_platform(a))));
        *ret = p;
        *ret_manifest = s->image;
        if (read_image(c, s, a, &text, e) < 0)
                return -(int)e->code;
        if (!oci_is_index(a, text))
                return 0;
        if (oci_index_parse(a, text, "index", &x, e) < 0)
                return -(int)e->code;
        d = oci_index_pick(&x, p->platform);
        if (!d)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' has no image for %.*s", SV_ARG(s->name), SV_ARG(p->platform));
        *ret_manifest = d->digest;
        return 0;
}

/* --- an SBOM as it is */

static bool is_ours(const struct js *doc)
{
        const struct js *list = js_get(js_get(doc, "creationInfo"), "creators");

        for (size_t i = 0; list && list->type == JS_ARR && i < list->n; i++)
                if (sv_starts(js_str(list->v[i].value), SV("Tool: envbuild-")))
                        return true;
        return false;
}

/* 2: ours, 1: one, 0: none. */
static int try_sbom(struct found *f, const struct reg_referrer *r, struct arena *a, sv *ret, struct err *e)
{
        struct err why = { 0 };
        struct js *doc = NULL;
        int kind = 0;

        if (read_layer(f, r, SBOM_MAX, a, ret, &why) && js_parse(a, *ret, &doc, &why) == 0 &&
            sv_starts(js_get_str(doc, "spdxVersion"), SV("SPDX-")))
                kind = is_ours(doc) ? 2 : 1;
        if (stops(&why))
                return err_move(e, &why);
        err_done(&why);
        return kind;
}

/* Ours, else another; of several the one that says most. */
static int best_sbom(struct found *f, const sha256 *subject, sv *ret, struct err *e)
{
        struct reg_referrer *v = NULL;
        int best = 0;
        size_t n = 0;

        if (reg_referrers(f->reg, &f->s.repo, subject, SV(SPDX_MEDIA_TYPE), f->a, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n && i < LOOK_MAX; i++) {
                AUTO(arena_done) struct arena a = { 0 };
                sv text;
                int kind = try_sbom(f, &v[i], &a, &text, e);

                if (kind < 0)
                        return kind;
                if (kind > best || (kind && kind == best && text.n > ret->n)) {
                        *ret = arena_sv(f->a, text);
                        best = kind;
                }
        }
        return 0;
}

static int child_of(struct found *f, sv platform, sha256 *ret, struct err *e)
{
        const struct oci_desc *d;
        struct oci_index x;
        sv text;

        *ret = f->s.image;
        if (read_image(f->c, &f->s, f->a, &text, e) < 0)
                return -(int)e->code;
        if (!oci_is_index(f->a, text))
                return 0;
        if (oci_index_parse(f->a, text, "index", &x, e) < 0)
                return -(int)e->code;
        if (!platform.n)
                platform = image_host_platform(f->a);
        d = oci_index_pick(&x, platform);
        if (!d)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' has no image for %.*s", SV_ARG(f->ref), SV_ARG(platform));
        *ret = d->digest;
        return 0;
}

int source_sbom(struct image_ctx *c, sv ref, sv platform, struct arena *a, sv *ret, struct err *e)
{
        struct found f = { .c = c, .a = a, .ref = ref };
        struct reference r;
        sha256 child;
        sv text = { 0 };

        if (parse_ref(&f, &r, e) < 0)
                return -(int)e->code;
        if (!r.registry.n)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' is in no registry", SV_ARG(ref));
        f.s.repo = reg_repo_of(&r);
        if (ask_registry(&f, &r, e) < 0 || child_of(&f, platform, &child, e) < 0 ||
            best_sbom(&f, &child, &text, e) < 0 ||
            (!text.n && !sha256_eq(&child, &f.s.image) && best_sbom(&f, &f.s.image, &text, e) < 0))
                return err_while(e, "looking for the SBOM of '%.*s'", SV_ARG(ref));
        if (!text.n) {
                err_set(e, ERR_NOT_FOUND, "no SBOM hangs on '%.*s'", SV_ARG(ref));
                err_hint(e, "envbuild push hangs one on an image that was built here");
                return -(int)e->code;
        }
        *ret = text;
        return 0;
}
