/* Any text as entry_points.txt: what is accepted names a module and a function, under unique names. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "install/wheel_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct entry_points ep = { 0 };

        if (entry_points_parse(&a, (sv){ (const char *)p, n }, SV("3.13"), &ep, &e) < 0)
                return 0;
        for (size_t i = 0; i < ep.n; i++) {
                if (!ep.v[i].name.n || !ep.v[i].module.n || !ep.v[i].first.n || !sv_starts(ep.v[i].attr, ep.v[i].first))
                        abort();
                if (i && sv_cmp(ep.v[i - 1].name, ep.v[i].name) >= 0)
                        abort();
                script_body(&a, SV("#!p\n"), &ep.v[i]);
                entry_points_wrap(&ep, ep.v[i].name);
        }
        return 0;
}
