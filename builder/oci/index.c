#include "oci/oci_priv.h"

#include "base/cleanup.h"

int oci_index_parse(struct arena *a, sv text, const char *what, struct oci_index *ret, struct err *e)
{
        struct oci_index x = { 0 };
        struct oci_desc subject;
        const struct js *list;
        struct oci_doc d;
        bool has;

        if (oci_doc_open(a, text, what, &d, e) < 0 || oci_doc_version(&d, OCI_INDEX, OCI_DOCKER_INDEX) < 0 ||
            oci_field_typed(&d, "manifests", JS_ARR, true, &list) < 0)
                return -(int)e->code;
        x.v = arena_array(a, struct oci_desc, list->n);
        for (size_t i = 0; i < list->n; i++) {
                struct err one = { 0 };
                struct oci_doc inner = d;
                int r;

                inner.e = &one;
                r = oci_desc_read(&inner, arena_fmt(a, "manifests[%zu]", i).p, list->v[i].value, &x.v[x.n]);
                if (r == -ERR_FAILED) { /* named by another hash: somebody else's entry, as unknown types are */
                        err_done(&one);
                        continue;
                }
                if (r < 0)
                        return err_move(e, &one);
                x.n++;
        }
        if (oci_subject_read(&d, &has, &subject) < 0)
                return -(int)e->code;
        *ret = x;
        return 0;
}

bool oci_is_index(struct arena *a, sv text)
{
        AUTO(err_done) struct err e = { 0 };
        struct oci_doc d;
        sv type;

        if (oci_doc_open(a, text, "the document", &d, &e) < 0)
                return false;
        type = js_str(oci_field(&d, "mediaType"));
        if (type.n)
                return sv_is(type, OCI_INDEX) || sv_is(type, OCI_DOCKER_INDEX);
        return oci_field(&d, "manifests") && !oci_field(&d, "layers");
}

static void write_index(const struct oci_index *x, sv type, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *list = js_new_arr(&a);

        js_put_int(&a, doc, "schemaVersion", 2);
        js_put_str(&a, doc, "mediaType", type);
        for (size_t i = 0; i < x->n; i++) /* the bytes of a child are not ours to rename: its type stays */
                js_add(&a, list, oci_desc_js(&a, &x->v[i], x->v[i].media_type));
        js_put(&a, doc, SV("manifests"), list);
        js_write(doc, out);
}

void oci_index_write(const struct oci_index *x, struct buf *out)
{
        write_index(x, SV(OCI_INDEX), out);
}

void oci_index_write_docker(const struct oci_index *x, struct buf *out)
{
        write_index(x, SV(OCI_DOCKER_INDEX), out);
}

bool oci_index_is_image(const struct oci_desc *d)
{
        sv t = d->media_type;

        if (oci_desc_annotation(d, "vnd.docker.reference.type").n || sv_is(d->os, "unknown"))
                return false; /* buildkit's attestations */
        return sv_is(t, OCI_MANIFEST) || sv_is(t, OCI_INDEX) || sv_is(t, OCI_DOCKER_MANIFEST) ||
               sv_is(t, OCI_DOCKER_INDEX);
}

/* "v7" → 7; the default of the architecture when none is written; 0 when it is no such number. */
static unsigned variant_level(sv arch, sv variant)
{
        uint64_t n;

        if (!variant.n)
                return sv_is(arch, "arm64") ? 8 : sv_is(arch, "arm") ? 7 : 1;
        if (variant.p[0] != 'v' || !sv_u64(sv_skip(variant, 1), &n) || n > 1000)
                return 0;
        return (unsigned)n;
}

/* How well an entry suits: 0 not at all, else more is better. Lower variants of these three run on higher machines. */
static unsigned suits(const struct oci_desc *d, sv os, sv arch, sv variant)
{
        unsigned have, want;

        if (!sv_eq(d->os, os) || !sv_eq(d->arch, arch))
                return 0;
        if (!sv_is(arch, "arm64") && !sv_is(arch, "arm") && !sv_is(arch, "amd64"))
                return sv_eq(d->variant, variant);
        have = variant_level(arch, d->variant);
        want = variant_level(arch, variant);
        if (sv_eq(d->variant, variant))
                return have + 1;
        return have && have <= want ? have + 1 : 0;
}

const struct oci_desc *oci_index_pick(const struct oci_index *x, sv platform)
{
        const struct oci_desc *best = NULL, *only = NULL;
        unsigned score = 0;
        size_t n_image = 0;
        sv rest = platform, os = { 0 }, arch = { 0 };

        sv_cut(&rest, '/', &os);
        sv_cut(&rest, '/', &arch);
        for (size_t i = 0; i < x->n; i++) {
                const struct oci_desc *d = &x->v[i];
                unsigned s;

                if (!oci_index_is_image(d))
                        continue;
                n_image++;
                if (!d->os.n)
                        only = d;
                s = suits(d, os, arch, rest);
                if (s > score) {
                        score = s;
                        best = d;
                }
        }
        /* An index of one image that does not say what it runs on: its config will. */
        return best ? best : n_image == 1 ? only : NULL;
}
