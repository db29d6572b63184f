#include "oci/oci_priv.h"

int oci_bad(const struct oci_doc *d, const char *field, const char *fault)
{
        return err_set(d->e, ERR_INTEGRITY, "%s is not a valid document: %s%s %s", d->what, d->at, field, fault);
}

int oci_doc_open(struct arena *a, sv text, const char *what, struct oci_doc *ret, struct err *e)
{
        struct err why = { 0 };
        struct js *doc;

        if (text.n > OCI_DOC_MAX)
                return err_set(e, ERR_INTEGRITY, "%s has %zu bytes, more than the limit of %zu", what, text.n,
                               OCI_DOC_MAX);
        if (js_parse(a, text, &doc, &why) < 0) {
                err_set(e, ERR_INTEGRITY, "%s is not JSON: %s", what, why.cause);
                err_done(&why);
                return -(int)e->code;
        }
        if (doc->type != JS_OBJ)
                return err_set(e, ERR_INTEGRITY, "%s is not a JSON object", what);
        *ret = (struct oci_doc){ a, what, "", doc, e };
        return 0;
}

const struct js *oci_field(const struct oci_doc *d, const char *field)
{
        const struct js *j = js_get(d->obj, field);

        return j && j->type == JS_NULL ? NULL : j;
}

int oci_field_typed(const struct oci_doc *d, const char *field, enum js_type type, bool required, const struct js **ret)
{
        static const char *const name[] = { [JS_STR] = "is not a text",
                                            [JS_ARR] = "is not a list",
                                            [JS_OBJ] = "is not an object" };
        const struct js *j = oci_field(d, field);

        if (!j && required)
                return oci_bad(d, field, "is missing");
        if (j && j->type != type)
                return oci_bad(d, field, name[type]);
        *ret = j;
        return 0;
}

int oci_field_str(const struct oci_doc *d, const char *field, bool required, sv *ret)
{
        const struct js *j;

        if (oci_field_typed(d, field, JS_STR, required, &j) < 0)
                return -(int)d->e->code;
        *ret = js_str(j);
        return 0;
}

int oci_field_strs(const struct oci_doc *d, const char *field, sv **ret, size_t *ret_n)
{
        const struct js *j;
        sv *v;

        if (oci_field_typed(d, field, JS_ARR, false, &j) < 0)
                return -(int)d->e->code;
        if (!j)
                return 0;
        v = arena_array(d->a, sv, j->n);
        for (size_t i = 0; i < j->n; i++) {
                if (j->v[i].value->type != JS_STR)
                        return oci_bad(d, field, "has an element that is not a text");
                v[i] = j->v[i].value->str;
        }
        *ret = v;
        *ret_n = j->n;
        return 0;
}

int oci_field_pairs(const struct oci_doc *d, const char *field, struct oci_pair **ret, size_t *ret_n)
{
        const struct js *j;
        struct oci_pair *v;

        if (oci_field_typed(d, field, JS_OBJ, false, &j) < 0)
                return -(int)d->e->code;
        if (!j)
                return 0;
        v = arena_array(d->a, struct oci_pair, j->n);
        for (size_t i = 0; i < j->n; i++) {
                if (j->v[i].value->type != JS_STR)
                        return oci_bad(d, field, "has a value that is not a text");
                v[i] = (struct oci_pair){ j->v[i].key, j->v[i].value->str };
        }
        *ret = v;
        *ret_n = j->n;
        return 0;
}

static bool schema_1(const struct oci_doc *d, sv type)
{
        int64_t version = 0;

        return (js_int(oci_field(d, "schemaVersion"), &version) && version == 1) || oci_field(d, "fsLayers") ||
               sv_is(type, "application/vnd.docker.distribution.manifest.v1+json") ||
               sv_is(type, "application/vnd.docker.distribution.manifest.v1+prettyjws");
}

int oci_doc_version(const struct oci_doc *d, const char *oci_type, const char *docker_type)
{
        int64_t version = 0;
        sv type = { 0 };

        if (oci_field_str(d, "mediaType", false, &type) < 0)
                return -(int)d->e->code;
        if (schema_1(d, type)) {
                err_set(d->e, ERR_INTEGRITY,
                        "%s is in Docker's schema 1, which is not read: it does not name its layers' content", d->what);
                err_hint(d->e, "convert it once: skopeo copy --format v2s2 docker://OLD docker://NEW");
                return -(int)d->e->code;
        }
        if (!js_int(oci_field(d, "schemaVersion"), &version) || version != 2)
                return oci_bad(d, "schemaVersion", "is not 2");
        if (type.n && !sv_is(type, oci_type) && !sv_is(type, docker_type))
                return oci_bad(d, "mediaType", "is that of something else");
        if (oci_field(d, "layers") && oci_field(d, "manifests"))
                return oci_bad(d, "layers", "stands beside manifests: it could be read as two things");
        return 0;
}
