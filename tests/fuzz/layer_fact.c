/* A fact that was read is written and read again as the same. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "layer/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct layer_fact f, g;
        struct err e = { 0 };
        AUTO(buf_done) struct buf a = BUF_INIT(65536), b = BUF_INIT(65536);

        if (layer_fact_parse((sv){ (const char *)p, n }, &f, &e) == 0) {
                layer_fact_write(&f, &a);
                if (layer_fact_parse(buf_sv(&a), &g, &e) < 0)
                        abort();
                layer_fact_write(&g, &b);
                if (!sv_eq(buf_sv(&a), buf_sv(&b)))
                        abort();
        }
        err_done(&e);
        return 0;
}
