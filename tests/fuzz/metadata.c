/* tests/fuzz/metadata.c - core metadata. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv text = { (const char *)p, n };
        struct err e = { 0 };
        struct metadata m;

        if (!metadata_parse(&a, text, &m, &e) && (!m.name.n || !m.version.n))
                abort();
        err_done(&e);
        arena_done(&a);
        return 0;
}
