/* Any text as info/index.json, and the record that is made of it: canonical JSON that says the same when it is read again. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(buf_done) struct buf once = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct conda_index x;
        struct conda_paths none = { 0 };
        struct conda_meta m = { .index = &x,
                                .paths = &none,
                                .url = SV("https://c.example/c/noarch/x%211-0-0.conda?q#h") };
        struct js *doc;

        if (conda_index_parse(&a, (sv){ (const char *)p, n }, &x, &e) < 0)
                return 0;
        conda_meta_name(&a, &x);
        conda_meta_write(&m, &once);
        if (js_parse(&a, buf_sv(&once), &doc, &e) < 0 || !sv_is(js_get_str(doc, "fn"), "x!1-0-0.conda") ||
            js_get(doc, "requested_spec"))
                abort();
        js_write(doc, &again);
        if (!sv_eq(buf_sv(&once), buf_sv(&again)))
                abort();
        return 0;
}
