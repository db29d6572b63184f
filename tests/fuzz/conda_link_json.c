/* Any text as info/link.json: every script lies in bin/, begins with a shebang, and imports what is a name. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool one_line(sv s)
{
        return s.n && sv_find(s, '\n') < 0 && sv_find(s, ' ') < 0 && sv_find(s, '\'') < 0 && sv_find(s, ';') < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct conda_link link;

        if (conda_link_parse(&a, (sv){ (const char *)p, n }, &link, &e) < 0)
                return 0;
        for (size_t i = 0; i < link.n; i++) {
                AUTO(err_done) struct err bad = { 0 };
                struct conda_entry_point ep;

                if (conda_entry_point_parse(&a, link.entry_point[i], &ep, &bad) < 0)
                        continue;
                if (sv_find(ep.name, '/') >= 0 || ep.name.p[0] == '.' || !one_line(ep.module) || !one_line(ep.attr) ||
                    !one_line(ep.first) ||
                    !sv_starts(conda_entry_point_script(&a, SV("/opt/env"), SV("3.11"), &ep), SV("#!/")))
                        abort();
        }
        return 0;
}
