/* What a supervisor and a rank read of submit/: launch.json, image.json. */
#include <stdint.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "run/supervise/supervise_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_launch launch = { 0 };
        struct run_rootfs rootfs = { 0 };
        struct js *doc;

        if (js_parse(&a, (sv){ (const char *)p, n }, &doc, &e) < 0)
                return 0;
        if (run_launch_parse(&a, doc, &launch) && (launch.n == 0 || !launch.v[0].argv[0]))
                __builtin_trap();
        if (run_rootfs_parse(&a, doc, &rootfs) && rootfs.n == 0)
                __builtin_trap();
        return 0;
}
