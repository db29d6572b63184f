/* An index of referrers that others wrote: adding to it keeps an index, all entries and their order, and adding twice adds once. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "registry/referrers_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX);
        AUTO(buf_done) struct buf again = BUF_INIT(OCI_DOC_MAX);
        struct oci_desc entry = { .media_type = SV(OCI_MANIFEST), .artifact_type = SV("a/b"), .size = 7 };
        sv text = { (const char *)p, n };
        struct oci_index before = { 0 }, after = { 0 };
        bool had;

        entry.digest.b[3] = 5;
        if (referrers_add(text, &entry, &out, &had, &e) < 0 || had)
                return 0;
        if (text.n && oci_index_parse(&a, text, "fuzz", &before, &e) < 0)
                abort();
        if (oci_index_parse(&a, buf_sv(&out), "fuzz", &after, &e) < 0 || after.n != before.n + 1)
                abort();
        if (referrers_add(buf_sv(&out), &entry, &again, &had, &e) < 0 || !had)
                abort();
        return 0;
}
