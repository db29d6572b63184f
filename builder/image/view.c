/* An image of the store, for run and inspect. */
#include "base/cleanup.h"
#include "image/image_priv.h"
#include "oci/reference.h"

static int not_found(struct image_ctx *c, sv ref, struct arena *a, struct err *e)
{
        struct store_ref *v = NULL;
        struct err ignored = { 0 };
        size_t n = 0;

        err_set(e, ERR_NOT_FOUND, "the store has no image '%.*s'", SV_ARG(ref));
        if (store_ref_list(c->store, a, &v, &n, &ignored) == 0 && n)
                for (size_t i = 0; i < n; i++)
                        if (sv_distance(v[i].name, ref, 3) <= 3)
                                err_hint(e, "did you mean '%.*s'?", SV_ARG(v[i].name));
        err_done(&ignored);
        err_hint(e, "envbuild build DEFINITION makes one and prints its name");
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

/* The digest that a reference means: its own, or that of the name. A name with a digest need not be the name's current one. */
int image_find(struct image_ctx *c, sv ref, struct arena *a, struct image_view *ret, struct err *e)
{
        struct err missing = { 0 };
        struct store_ref sr;
        struct reference r;
        const char *why = NULL;

        if (sv_starts(ref, SV("sha256:")) && sha256_read(ref, &ret->digest))
                return store_has(c->store, STORE_BLOB, &ret->digest, NULL) ? 0 : not_found(c, ref, a, e);
        if (!reference_parse(a, ref, true, &r, &why))
                return err_set(e, ERR_USAGE, "'%.*s' is not the name of an image: %s", SV_ARG(ref), why);
        ret->name = reference_local_name(a, &r);
        if (r.has_digest) {
                ret->digest = r.digest;
                return store_has(c->store, STORE_BLOB, &r.digest, NULL) ? 0 : not_found(c, ref, a, e);
        }
        if (store_ref_get(c->store, a, ret->name, &sr, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return not_found(c, ref, a, e);
        }
        ret->digest = sr.desc.digest;
        return 0;
}

int image_open(struct image_ctx *c, sv ref, sv platform, struct arena *a, struct image_view *ret, struct err *e)
{
        const struct oci_desc *d;
        struct oci_index x;
        sha256 manifest;
        sv text;

        if (image_ctx_store(c, true, e) < 0 || image_find(c, ref, a, ret, e) < 0 ||
            read_doc(c, &ret->digest, a, &text, e) < 0)
                return -(int)e->code;
        manifest = ret->digest;
        if (oci_is_index(a, text)) {
                if (oci_index_parse(a, text, "index", &x, e) < 0)
                        return -(int)e->code;
                d = oci_index_pick(&x, platform.n ? platform : image_host_platform(a));
                if (!d)
                        return err_set(e, ERR_NOT_FOUND, "'%.*s' has no image for %.*s", SV_ARG(ref),
                                       SV_ARG((platform.n ? platform : image_host_platform(a))));
                manifest = d->digest;
                if (read_doc(c, &manifest, a, &text, e) < 0)
                        return -(int)e->code;
        }
        if (oci_manifest_parse(a, text, "manifest", &ret->manifest, e) < 0 ||
            read_doc(c, &ret->manifest.config.digest, a, &text, e) < 0 ||
            oci_config_parse(a, text, "config", &ret->config, e) < 0)
                return err_while(e, "reading the image '%.*s'", SV_ARG(ref));
        return 0;
}
