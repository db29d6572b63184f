/* An image of the store, for run and inspect. */
#include "base/cleanup.h"
#include "image/image_priv.h"
#include "image/pull.h"
#include "registry/pull.h"

/* "busybox" was pulled as docker.io/library/busybox. */
static bool means_same(sv name, sv ref)
{
        sv hub = SV("docker.io/library/");

        return sv_starts(name, hub) && sv_eq(sv_skip(name, hub.n), ref);
}

static int not_found(struct image_ctx *c, sv ref, struct arena *a, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct store_ref *v = NULL;
        size_t n = 0;

        err_set(e, ERR_NOT_FOUND, "the store has no image '%.*s'", SV_ARG(ref));
        if (store_ref_list(c->store, a, &v, &n, &ignored) == 0 && n)
                for (size_t i = 0; i < n; i++)
                        if (means_same(v[i].name, ref) || sv_distance(v[i].name, ref, 3) <= 3)
                                err_hint(e, "did you mean '%.*s'?", SV_ARG(v[i].name));
        err_hint(e,
                 "envbuild build DEFINITION makes one and prints its name; one of a registry is named with its host, "
                 "as docker.io/library/%.*s",
                 SV_ARG(ref));
        return -(int)e->code;
}

static int read_doc(struct image_ctx *c, const sha256 *d, struct arena *a, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);

        if (store_read(c->store, STORE_BLOB, d, &b, e) < 0)
                return -(int)e->code;
        *ret = arena_sv(a, buf_sv(&b));
        return 0;
}

static int by_digest(struct image_ctx *c, sv ref, const sha256 *d, struct arena *a, struct image_view *v, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct store_ref sr;

        if (!store_has(c->store, STORE_BLOB, d, NULL))
                return not_found(c, ref, a, e);
        v->digest = *d;
        if (v->name.n && store_ref_get(c->store, a, v->name, &sr, &ignored) == 0 && sha256_eq(&sr.desc.digest, d))
                v->from = sr.from; /* else the notes of its blobs say it */
        return 0;
}

/* The digest that a reference means: its own, or that of the name. A name with a digest need not be the name's current one. */
int image_find(struct image_ctx *c, sv ref, struct arena *a, struct image_view *ret, struct err *e)
{
        struct err missing = { 0 };
        struct store_ref sr;
        struct reference r;
        sha256 digest;

        if (sv_starts(ref, SV("sha256:")) && sha256_read(ref, &digest))
                return by_digest(c, ref, &digest, a, ret, e);
        if (image_reference(a, ref, true, &r, e) < 0)
                return -(int)e->code;
        ret->name = reference_local_name(a, &r);
        if (r.has_digest)
                return by_digest(c, ref, &r.digest, a, ret, e);
        if (store_ref_get(c->store, a, ret->name, &sr, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return not_found(c, ref, a, e);
        }
        ret->digest = sr.desc.digest;
        ret->from = sr.from;
        return 0;
}

int image_open(struct image_ctx *c, sv ref, sv platform, struct arena *a, struct image_view *ret, struct err *e)
{
        struct image_view v = { 0 };
        const struct oci_desc *d;
        sv text;

        if (image_ctx_store(c, true, e) < 0 || image_find(c, ref, a, &v, e) < 0 ||
            read_doc(c, &v.digest, a, &text, e) < 0)
                return -(int)e->code;
        v.manifest_digest = v.digest;
        v.has_index = oci_is_index(a, text);
        if (v.has_index) {
                if (oci_index_parse(a, text, "index", &v.index, e) < 0 ||
                    reg_index_pick(&v.index, platform.n ? platform : image_host_platform(a), ref, a, &d, e) < 0)
                        return -(int)e->code;
                v.manifest_digest = d->digest;
                if (read_doc(c, &d->digest, a, &text, e) < 0)
                        return -(int)e->code;
        }
        if (oci_manifest_parse(a, text, "manifest", &v.manifest, e) < 0 ||
            read_doc(c, &v.manifest.config.digest, a, &text, e) < 0 ||
            oci_config_parse(a, text, "config", &v.config, e) < 0)
                return err_while(e, "reading the image '%.*s'", SV_ARG(ref));
        *ret = v;
        return 0;
}
