/* `certificates:`: the image's bundle of trusted certificates with the definition's appended, as Debian's update-ca-certificates would leave
 * it. The bundle is read from the layers below: the base's, and layer `os` of a recipe. */
#include "base/cleanup.h"
#include "image/image_priv.h"

#define BUNDLE_MAX ((size_t)64 << 20)

static const char *const known[] = { "etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt",
                                     "etc/ssl/cert.pem" };

static bool is_certificate(sv path)
{
        return sv_starts(path, sv_skip(SV(CERTIFICATES_DIR), 1)) && sv_ends(path, SV(".crt"));
}

/* Blobs of the base and of our layer os, bottom first. */
static int find_layers(struct package_shop *shop, const struct built_layers *below, const char **blob,
                       struct oci_desc *desc, sha256 *diff_id, size_t *ret_n, struct err *e)
{
        const struct lock_base *base = &shop->platform->base;
        size_t n = 0;

        for (size_t i = 0; i < base->n_layer; i++, n++) {
                desc[n] = (struct oci_desc){ .media_type = base->layer[i].type,
                                             .digest = base->layer[i].digest,
                                             .size = base->layer[i].size };
                diff_id[n] = base->layer[i].diff_id;
        }
        for (size_t i = 0; i < below->n; i++) {
                const struct layer_encoding *enc = layer_fact_encoding(&below->v[i].fact, shop->codec);
                if (!sv_starts(below->v[i].of, SV("os ")) || !enc)
                        continue;
                desc[n] = (struct oci_desc){ .media_type = sv_from(oci_codec_type(shop->codec)),
                                             .digest = enc->digest,
                                             .size = enc->size };
                diff_id[n++] = below->v[i].fact.diff_id;
        }
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *path = store_find(shop->c->store, STORE_BLOB, &desc[i].digest);
                if (!path)
                        return err_set(e, ERR_NOT_FOUND, "a layer is gone from the store: sha256:%s",
                                       sha256_hex(&desc[i].digest).s);
                blob[i] = arena_str(shop->arena, sv_from(path));
        }
        *ret_n = n;
        return 0;
}

int bundle_build(struct package_shop *shop, const struct built_layers *below, const struct tree_list *files, sv dir,
                 sv *ret_path, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(BUNDLE_MAX);
        size_t n = shop->platform->base.n_layer + below->n, added = 0;
        const char **blob = arena_array(shop->arena, const char *, n);
        struct oci_desc *desc = arena_array(shop->arena, struct oci_desc, n);
        sha256 *diff_id = arena_array(shop->arena, sha256, n);
        struct scan s;

        *ret = (sv){ 0 };
        for (size_t i = 0; i < files->n; i++)
                added += is_certificate(files->entry[i].path);
        if (added == 0)
                return 0;
        if (base_fetch_layers(shop->c, shop->platform, dir, e) < 0 ||
            find_layers(shop, below, blob, desc, diff_id, &n, e) < 0 ||
            scan_layers(blob, desc, diff_id, n, shop->c->op, shop->arena, &s, e) < 0)
                return err_while(e, "reading the base's certificates");
        *ret_path = SV("etc/ssl/certs/ca-certificates.crt");
        for (size_t i = 0; i < ARRAY_LEN(known) && b.n == 0; i++) {
                sv real = scan_real(&s, shop->arena, sv_from(known[i]));
                buf_add(&b, scan_text(&s, shop->arena, sv_from(known[i])));
                if (b.n)
                        *ret_path = real;
        }
        for (size_t i = 0; i < files->n; i++) {
                if (!is_certificate(files->entry[i].path))
                        continue;
                if (b.n && b.p[b.n - 1] != '\n')
                        buf_byte(&b, '\n');
                buf_add(&b, (sv){ files->content[i].p, files->content[i].n });
        }
        if (buf_check(&b, e) < 0)
                return -(int)e->code;
        *ret = arena_sv(shop->arena, buf_sv(&b));
        return 0;
}
