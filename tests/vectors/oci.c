/* The image specification's own documents, good and bad ones. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "oci/oci.h"
#include "tests/vectors/vectors.h"

static void parse(struct arena *a, sv kind, sv text, struct err *e)
{
        struct oci_manifest m;
        struct oci_index x;
        struct oci_config c;
        struct oci_desc d;

        if (sv_is(kind, "manifest"))
                oci_manifest_parse(a, text, "the document", &m, e);
        else if (sv_is(kind, "index"))
                oci_index_parse(a, text, "the document", &x, e);
        else if (sv_is(kind, "config"))
                oci_config_parse(a, text, "the document", &c, e);
        else
                oci_desc_parse(a, text, "the document", &d, e);
}

static void run_one(struct vectors *v, const struct js *row)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        sv file = js_get_str(row, "file"), kind = js_get_str(row, "kind");
        AUTO(free_ptr) char *path = fs_path("%.*s/%.*s", (int)(strrchr(v->file, '/') - v->file), v->file, SV_ARG(file));
        bool want = js_true(js_get(row, "valid")), ok;

        if (sv_is(kind, "layout")) /* written, never parsed */
                return;
        if (fs_read(path, &text, &e) < 0) {
                vectors_fail(v, path, "%s", e.cause);
                return;
        }
        parse(&v->arena, kind, buf_sv(&text), &e);
        ok = want ? e.code == ERR_NONE || e.code == ERR_FAILED /* a valid digest by a hash that we do not have */
                  : e.code != ERR_NONE;
        vectors_check(v, ok, file.p, "%s", e.cause ? e.cause : "was taken");
}

static void image_spec(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++)
                run_one(v, doc->v[i].value);
}

const struct vectors_kind vectors_oci[] = { { "oci/image_spec", image_spec }, { NULL, NULL } };
