/* What hangs on an image, or stands by itself: a manifest with an artifactType and an empty config. */
#include "base/cleanup.h"
#include "registry/blob_priv.h"
#include "registry/referrers_priv.h"

static const sv empty = SV("{}");

static struct oci_desc empty_config(void)
{
        return (struct oci_desc){ .media_type = SV(OCI_EMPTY), .digest = sha256_of(empty), .size = empty.n };
}

void reg_artifact_write(const struct reg_artifact *x, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct oci_manifest m = { .artifact_type = x->type,
                                  .config = empty_config(),
                                  .layer = arena_array(&a, struct oci_desc, x->n_layer + 1),
                                  .annotation = (struct oci_pair *)x->annotation,
                                  .n_annotation = x->n_annotation };

        for (size_t i = 0; i < x->n_layer; i++)
                m.layer[m.n_layer++] = x->layer[i].desc;
        if (x->n_layer == 0) /* a list of layers must not be empty (image-spec "Guidelines for Artifact Usage") */
                m.layer[m.n_layer++] = empty_config();
        if (x->subject) {
                m.has_subject = true;
                m.subject = (struct oci_desc){ .media_type = x->subject->media_type,
                                               .digest = x->subject->digest,
                                               .size = x->subject->size };
        }
        oci_manifest_write(&m, out);
}

/* Layers and the empty config, each once. */
static size_t blobs_of(const struct reg_artifact *x, struct reg_push_blob *v)
{
        size_t n = 0;

        v[n++] = (struct reg_push_blob){ .desc = empty_config(), .bytes.text = empty };
        for (size_t i = 0; i < x->n_layer; i++) {
                bool seen = false;

                for (size_t k = 0; k < n; k++)
                        seen |= sha256_eq(&v[k].desc.digest, &x->layer[i].desc.digest);
                if (!seen)
                        v[n++] = x->layer[i];
        }
        return n;
}

int reg_artifact_push(struct reg_client *c, const struct reg_repo *repo, const struct reg_artifact *x,
                      struct oci_desc *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        struct reg_manifest m = { .media_type = SV(OCI_MANIFEST) };
        struct reg_push_blob *blob = arena_array(&a, struct reg_push_blob, x->n_layer + 1);
        struct reg_push p = { .repo = *repo, .blob = blob, .manifest = &m, .n_manifest = 1 };
        struct reg_push_count count;
        struct oci_desc entry = { .media_type = SV(OCI_MANIFEST),
                                  .artifact_type = x->type,
                                  .annotation = (struct oci_pair *)x->annotation,
                                  .n_annotation = x->n_annotation };

        reg_artifact_write(x, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        m.bytes = buf_sv(&text);
        m.digest = entry.digest = sha256_of(m.bytes);
        entry.size = m.bytes.n;
        p.n_blob = blobs_of(x, blob);
        p.tag = &x->tag;
        p.n_tag = x->tag.n > 0;
        if (reg_push(c, &p, &count, e) < 0)
                return -(int)e->code;
        if (x->subject && !count.noted && referrers_note(c, repo, &x->subject->digest, &entry, e) < 0)
                return -(int)e->code;
        *ret = (struct oci_desc){ .media_type = SV(OCI_MANIFEST), .digest = entry.digest, .size = entry.size };
        return 0;
}
