/* config.yml: whatever the text, it is taken or its faults are told. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct settings_text t = { { (const char *)p, n }, { "/etc/envbuild/config.yml", 24 } };
        struct settings s;
        int r = settings_parse(&a, &t, 1, &ds, &s, &e);

        if (r < 0 ? ds.n_errors == 0 : ds.n_errors > 0)
                abort();
        return 0;
}
