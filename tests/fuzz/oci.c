/* OCI documents from anybody: what parses must survive being written and parsed again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void manifest(struct arena *a, sv text)
{
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX * 2);
        AUTO(err_done) struct err e = { 0 };
        struct oci_manifest m, again;
        sv type;

        if (oci_manifest_parse(a, text, "fuzz", &m, &e) < 0)
                return;
        oci_manifest_write(&m, &out);
        if (oci_manifest_parse(a, buf_sv(&out), "fuzz", &again, &e) < 0 || again.n_layer != m.n_layer ||
            !sv_eq(again.artifact_type, m.artifact_type) || again.has_subject != m.has_subject)
                abort();
        buf_clear(&out);
        if (oci_manifest_write_docker(&m, &out, &type) && oci_manifest_parse(a, buf_sv(&out), "fuzz", &again, &e) < 0)
                abort();
}

static void index_of(struct arena *a, sv text)
{
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX * 2);
        AUTO(err_done) struct err e = { 0 };
        struct oci_index x, again;

        if (oci_index_parse(a, text, "fuzz", &x, &e) < 0)
                return;
        oci_index_pick(&x, SV("linux/arm64/v8"));
        oci_index_write(&x, &out);
        if (oci_index_parse(a, buf_sv(&out), "fuzz", &again, &e) < 0 || again.n != x.n)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv text = { (const char *)p, n };
        struct oci_config c;

        manifest(&a, text);
        index_of(&a, text);
        oci_is_index(&a, text);
        oci_config_parse(&a, text, "fuzz", &c, &e);
        return 0;
}
