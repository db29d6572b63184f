/* An OCI layout on disk as the base of an image: oci:DIR[:TAG]. */
#include "base/cleanup.h"
#include "image/image_priv.h"

/* A colon in the last part of the path begins the tag, unless a folder of the whole name exists. */
sv layout_dir(struct arena *a, sv ref, sv dir, sv *ret_tag)
{
        sv path = sv_skip(ref, 4), tag = { 0 };
        sv whole =
                path.n && path.p[0] == '/' ? arena_sv(a, path) : arena_fmt(a, "%.*s/%.*s", SV_ARG(dir), SV_ARG(path));
        ptrdiff_t colon = sv_rfind(sv_basename(whole), ':');

        if (colon > 0 && !fs_is_dir(whole.p)) {
                size_t at = whole.n - sv_basename(whole).n + (size_t)colon;
                tag = sv_skip(whole, at + 1);
                whole = arena_sv(a, sv_from_to(whole, 0, at));
        }
        *ret_tag = tag;
        return whole;
}

char *layout_blob_path(const char *dir, const sha256 *d)
{
        return fs_path("%s/blobs/sha256/%s", dir, sha256_hex(d).s);
}

static int read_blob(const char *dir, const struct oci_desc *d, const char *what, struct arena *a, sv *ret,
                     struct err *e)
{
        AUTO(free_ptr) char *path = layout_blob_path(dir, &d->digest);
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        sha256 got;

        if (fs_read(path, &b, e) < 0)
                return err_while(e, "reading the %s of the layout '%s'", what, dir);
        got = sha256_of(buf_sv(&b));
        if (!sha256_eq(&got, &d->digest) || b.n != d->size)
                return err_set(e, ERR_INTEGRITY, "'%s' is not what its name says (sha256:%s, %zu bytes)", path,
                               sha256_hex(&got).s, b.n);
        *ret = arena_sv(a, buf_sv(&b));
        return 0;
}

/* The entry of index.json with the tag, or the only one. */
static const struct oci_desc *pick(const struct oci_index *x, sv tag, const char *dir, struct err *e)
{
        for (size_t i = 0; tag.n && i < x->n; i++)
                if (sv_eq(oci_desc_annotation(&x->v[i], OCI_REF_NAME), tag))
                        return &x->v[i];
        if (!tag.n && x->n == 1)
                return &x->v[0];
        if (!tag.n && x->n == 0) {
                err_set(e, ERR_NOT_FOUND, "the layout '%s' holds no image", dir);
                return NULL;
        }
        if (tag.n)
                err_set(e, ERR_NOT_FOUND, "the layout '%s' has no image named '%.*s'", dir, SV_ARG(tag));
        else
                err_set(e, ERR_USAGE, "the layout '%s' has %zu images: say which one", dir, x->n);
        for (size_t i = 0; i < x->n; i++) {
                sv name = oci_desc_annotation(&x->v[i], OCI_REF_NAME);
                if (name.n)
                        err_hint(e, "base: oci:%s:%.*s", dir, SV_ARG(name));
        }
        return NULL;
}

int layout_open(sv ref, sv dir, sv platform, struct arena *a, struct layout *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        AUTO(free_ptr) char *path = NULL;
        const struct oci_desc *d;
        struct oci_index x;
        sv tag;

        ret->dir = layout_dir(a, ref, dir, &tag);
        path = fs_path("%s/index.json", ret->dir.p);
        if (fs_read(path, &b, e) < 0) {
                err_hint(e,
                         "an OCI layout has oci-layout, index.json and blobs/: skopeo copy docker://IMAGE oci:%s:TAG "
                         "makes one",
                         ret->dir.p);
                return err_while(e, "reading the base '%.*s'", SV_ARG(ref));
        }
        if (oci_index_parse(a, arena_sv(a, buf_sv(&b)), path, &x, e) < 0)
                return -(int)e->code;
        d = pick(&x, tag, ret->dir.p, e);
        for (int depth = 0; d; depth++) { /* an index may hold an index */
                if (read_blob(ret->dir.p, d, "manifest", a, &ret->manifest_text, e) < 0)
                        return -(int)e->code;
                if (!oci_is_index(a, ret->manifest_text))
                        break;
                if (depth == 8)
                        return err_set(e, ERR_INTEGRITY, "the layout '%s' has indexes within indexes", ret->dir.p);
                if (oci_index_parse(a, ret->manifest_text, path, &x, e) < 0)
                        return -(int)e->code;
                d = oci_index_pick(&x, platform);
                if (!d)
                        return err_set(e, ERR_NOT_FOUND, "the base '%.*s' has no image for %.*s", SV_ARG(ref),
                                       SV_ARG(platform));
        }
        if (!d)
                return -(int)e->code;
        ret->manifest_digest = d->digest;
        if (oci_manifest_parse(a, ret->manifest_text, path, &ret->manifest, e) < 0 ||
            read_blob(ret->dir.p, &ret->manifest.config, "config", a, &ret->config_text, e) < 0 ||
            oci_config_parse(a, ret->config_text, path, &ret->config, e) < 0)
                return err_while(e, "reading the base '%.*s'", SV_ARG(ref));
        if (ret->config.n_diff_id != ret->manifest.n_layer)
                return err_set(e, ERR_INTEGRITY, "the base '%.*s' has %zu layers but its config names %zu", SV_ARG(ref),
                               ret->manifest.n_layer, ret->config.n_diff_id);
        return 0;
}
