#include "image/append.h"

#include "base/cleanup.h"
#include "layer/gzip.h"

#define CREATED_BY "envbuild run"

static void hash_donep(struct hash_writer *h)
{
        hash_writer_done(h);
}

static int put_layer(struct image_ctx *c, int (*tar)(void *, struct writer *, struct err *), void *arg,
                     struct image_appended *x, sha256 *ret_diff_id, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(gzip_writer_done) struct gzip_writer gzip = { 0 };
        AUTO(hash_donep) struct hash_writer plain = { 0 };
        struct writer *w;

        if (store_put_begin(c->store, STORE_BLOB, &put, &w, e) < 0)
                return -(int)e->code;
        w = hash_writer_init(&plain, gzip_writer_init(&gzip, w, c->op));
        if (tar(arg, w, e) < 0 || writer_finish(w, e) < 0 || store_put_commit(&put, NULL, e) < 0)
                return err_while(e, "writing a layer");
        *ret_diff_id = plain.digest;
        x->layer =
                (struct oci_desc){ .media_type = SV(OCI_LAYER_GZIP), .digest = put.hash.digest, .size = put.hash.size };
        return 0;
}

static void add_history(struct arena *a, const struct oci_config *cfg, struct js *doc)
{
        struct js *one = js_new_obj(a), *history = js_get(doc, "history");
        sv created = js_get_str(doc, "created");

        if (!cfg->history) { /* one that does not fit its layers, or none: entries of ours alone would not either */
                js_drop(doc, "history");
                return;
        }
        if (created.n)
                js_put_str(a, one, "created", created);
        js_put_str(a, one, "created_by", SV(CREATED_BY));
        js_add(a, history, one);
}

/* A copy of the document: the caller's view stays as it is. */
static int put_config(struct image_ctx *c, const struct image_view *base, const sha256 *diff_id, struct arena *a,
                      struct oci_desc *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        struct oci_config cfg;
        struct js *ids;

        js_write(base->config.doc, &text);
        if (buf_check(&text, e) < 0 || oci_config_parse(a, arena_sv(a, buf_sv(&text)), "config", &cfg, e) < 0)
                return -(int)e->code;
        ids = js_get(js_get(cfg.doc, "rootfs"), "diff_ids");
        if (!ids || cfg.n_diff_id != base->manifest.n_layer)
                return err_set(e, ERR_INTEGRITY, "the config speaks of %zu layers, the manifest has %zu", cfg.n_diff_id,
                               base->manifest.n_layer);
        add_history(a, &cfg, cfg.doc);
        js_add(a, ids, js_new_str(a, arena_fmt(a, "sha256:%s", sha256_hex(diff_id).s)));
        buf_clear(&text);
        js_write(cfg.doc, &text);
        *ret = (struct oci_desc){ .media_type = SV(OCI_CONFIG), .size = text.n };
        return buf_check(&text, e) < 0 ? -(int)e->code
                                       : store_put_bytes(c->store, STORE_BLOB, buf_sv(&text), &ret->digest, e);
}

/* Docker's names of layers become OCI's, as the manifest is OCI's: the bytes are the same. */
static struct oci_desc as_oci(const struct oci_desc *d)
{
        struct oci_desc out = *d;
        enum oci_codec codec;

        if (!oci_layer_foreign(d->media_type) && oci_layer_codec(d->media_type, &codec))
                out.media_type = sv_from(oci_codec_type(codec));
        return out;
}

/* Where layers are that are not here is known of the base's name; the new image has none. */
static int note_origin(struct image_ctx *c, const struct oci_desc *layer, sv from, struct err *e)
{
        sv one;

        if (store_has(c->store, STORE_BLOB, &layer->digest, NULL))
                return 0;
        while (sv_cut(&from, ' ', &one))
                if (one.n && store_origin_add(c->store, &layer->digest, one, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int put_manifest(struct image_ctx *c, const struct image_view *base, const struct oci_desc *config,
                        struct arena *a, struct image_appended *x, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        struct oci_manifest m = { .config = *config,
                                  .n_layer = base->manifest.n_layer + 1,
                                  .annotation = base->manifest.annotation,
                                  .n_annotation = base->manifest.n_annotation };

        m.layer = arena_array(a, struct oci_desc, m.n_layer);
        for (size_t i = 0; i + 1 < m.n_layer; i++) {
                m.layer[i] = as_oci(&base->manifest.layer[i]);
                if (note_origin(c, &m.layer[i], base->from, e) < 0)
                        return -(int)e->code;
        }
        m.layer[m.n_layer - 1] = x->layer;
        oci_manifest_write(&m, &text);
        return buf_check(&text, e) < 0 ? -(int)e->code
                                       : store_put_bytes(c->store, STORE_BLOB, buf_sv(&text), &x->digest, e);
}

int image_append(struct image_ctx *c, const struct image_view *base, sv name,
                 int (*tar)(void *arg, struct writer *w, struct err *e), void *arg, struct arena *a,
                 struct image_appended *ret, struct err *e)
{
        struct image_appended x = { 0 };
        struct oci_desc config;
        sha256 diff_id;

        if (put_layer(c, tar, arg, &x, &diff_id, e) < 0 || put_config(c, base, &diff_id, a, &config, e) < 0 ||
            put_manifest(c, base, &config, a, &x, e) < 0)
                return err_while(e, "adding a layer to the image '%.*s'", SV_ARG(base->name));
        x.name = arena_fmt(a, "%.*s@sha256:%s", SV_ARG(name), sha256_hex(&x.digest).s);
        *ret = x;
        return 0;
}
