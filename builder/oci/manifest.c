#include "oci/oci_priv.h"

#include "base/cleanup.h"

static int read_artifact_type(const struct oci_doc *d, sv *ret)
{
        if (oci_field_str(d, "artifactType", false, ret) < 0)
                return -(int)d->e->code;
        return !ret->n || oci_media_type_valid(*ret) ? 0 : oci_bad(d, "artifactType", "is not a media type");
}

int oci_manifest_parse(struct arena *a, sv text, const char *what, struct oci_manifest *ret, struct err *e)
{
        struct oci_manifest m = { 0 };
        const struct js *layers;
        struct oci_doc d;

        if (oci_doc_open(a, text, what, &d, e) < 0 || oci_doc_version(&d, OCI_MANIFEST, OCI_DOCKER_MANIFEST) < 0 ||
            oci_desc_read(&d, "config", oci_field(&d, "config"), &m.config) < 0 ||
            oci_field_typed(&d, "layers", JS_ARR, true, &layers) < 0)
                return -(int)e->code;
        if (layers->n == 0)
                return oci_bad(&d, "layers", "is empty");
        m.layer = arena_array(a, struct oci_desc, layers->n);
        for (; m.n_layer < layers->n; m.n_layer++)
                if (oci_desc_read(&d, arena_fmt(a, "layers[%zu]", m.n_layer).p, layers->v[m.n_layer].value,
                                  &m.layer[m.n_layer]) < 0)
                        return -(int)e->code;
        if (oci_field_pairs(&d, "annotations", &m.annotation, &m.n_annotation) < 0 ||
            read_artifact_type(&d, &m.artifact_type) < 0 || oci_subject_read(&d, &m.has_subject, &m.subject) < 0)
                return -(int)e->code;
        *ret = m;
        return 0;
}

void oci_manifest_write(const struct oci_manifest *m, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *layers = js_new_arr(&a);

        js_put_int(&a, doc, "schemaVersion", 2);
        js_put_str(&a, doc, "mediaType", SV(OCI_MANIFEST));
        js_put(&a, doc, SV("config"), oci_desc_js(&a, &m->config, oci_type_of_docker(m->config.media_type)));
        for (size_t i = 0; i < m->n_layer; i++)
                js_add(&a, layers, oci_desc_js(&a, &m->layer[i], oci_type_of_docker(m->layer[i].media_type)));
        js_put(&a, doc, SV("layers"), layers);
        if (m->artifact_type.n)
                js_put_str(&a, doc, "artifactType", m->artifact_type);
        if (m->has_subject)
                js_put(&a, doc, SV("subject"), oci_desc_js(&a, &m->subject, m->subject.media_type));
        js_put(&a, doc, SV("annotations"), oci_pairs_js(&a, m->annotation, m->n_annotation));
        js_write(doc, out);
}

bool oci_manifest_write_docker(const struct oci_manifest *m, struct buf *out, sv *ret_type)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *layers = js_new_arr(&a);

        js_put_int(&a, doc, "schemaVersion", 2);
        js_put_str(&a, doc, "mediaType", SV(OCI_DOCKER_MANIFEST));
        for (size_t i = 0; i <= m->n_layer; i++) {
                struct oci_desc d = i < m->n_layer ? m->layer[i] : m->config;
                sv type = oci_docker_type(d.media_type);

                if (!type.n) {
                        *ret_type = d.media_type;
                        return false;
                }
                d.n_annotation = 0;
                if (i < m->n_layer)
                        js_add(&a, layers, oci_desc_js(&a, &d, type));
                else
                        js_put(&a, doc, SV("config"), oci_desc_js(&a, &d, type));
        }
        js_put(&a, doc, SV("layers"), layers);
        js_write(doc, out);
        return true;
}
