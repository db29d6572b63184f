/* A registry's word for a layer: refused, or written again as it was read. The key is the one that the text itself names, so that the fuzzer
 * gets past it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "layer/fact_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static sha256 key_in(sv text)
{
        ptrdiff_t at = sv_find_sv(text, SV("\"dev.envbuild.key\":\""));
        sha256 key = { 0 };

        if (at >= 0)
                sha256_read(sv_from_to(text, (size_t)at + 20, (size_t)at + 84), &key);
        return key;
}

static void write_doc(const struct fact_doc *d, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_artifact art;

        fact_doc_artifact(d, &a, &art);
        reg_artifact_write(&art, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf one = BUF_INIT((size_t)8 << 20), two = BUF_INIT((size_t)8 << 20);
        AUTO(err_done) struct err e = { 0 };
        sv text = { (const char *)p, n };
        sha256 key = key_in(text);
        struct ed25519_public any = { { 0 } };
        struct fact_doc d, again;

        if (fact_doc_parse(&a, text, &key, &d, &e) < 0)
                return 0;
        write_doc(&d, &one);
        if (fact_doc_parse(&a, buf_sv(&one), &key, &again, &e) < 0)
                abort();
        write_doc(&again, &two);
        if (!sv_eq(buf_sv(&one), buf_sv(&two)))
                abort();
        (void)fact_doc_is_signed(&d, &any, 1);
        return 0;
}
