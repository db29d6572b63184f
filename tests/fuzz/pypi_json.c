#include "base/cleanup.h"
#include "catalog/pypi_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct pypi_links links = { 0 };
        sv body = arena_sv(&a, (sv){ (const char *)p, n });

        if (pypi_json_parse(&a, body, SV("https://h.example/simple/x/"), &links, &e) < 0)
                return 0;
        for (size_t i = 0; i < links.n; i++) /* nothing is kept that has no name, or that would end in the middle */
                if (!links.v[i].filename.n || !links.v[i].url.n || (links.v[i].n_hash && !links.v[i].hash[0].hex.n))
                        __builtin_trap();
        return 0;
}
