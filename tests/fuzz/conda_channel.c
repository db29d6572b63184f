/* tests/fuzz/conda_channel.c - channels: a URL that came out leads to itself, and holds neither login nor token. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pkg/conda_channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv urls[] = { SV("conda-forge"), SV("https://u:p@example.org/t/tok/mirror") };
        const struct conda_custom custom[] = { { SV("own"), urls + 1, 1 } }, multi[] = { { SV("all"), urls, 2 } };
        const struct conda_channel_settings s = {
                .cwd = SV("/cwd"), .home = SV("/home/x"), .custom = custom, .n_custom = 1, .multi = multi, .n_multi = 1
        };
        sv text = { (const char *)p, n }, why = { 0 }, name, version, build;
        struct conda_channel c, again, *all;
        size_t count = 0;

        if (conda_channel_parse(&a, text, &s, &c, &why)) {
                if (!c.url.n || sv_ends(c.url, SV("/")) || (c.subdir.n && !conda_subdir_known(c.subdir)))
                        abort();
                if (conda_channel_parse(&a, c.url, &s, &again, &why) && !again.subdir.n && !sv_eq(again.url, c.url) &&
                    sv_find_sv(c.url, SV("/t/")) < 0 && !sv_ends(c.url, SV(".conda")) &&
                    !sv_ends(c.url, SV(".tar.bz2")) && !sv_ends(c.url, SV(".json")))
                        abort();
        } else if (!why.n) {
                abort();
        }
        if (conda_channel_expand(&a, text, &s, &all, &count, &why) && !count)
                abort();
        conda_filename_split(text, &name, &version, &build);
        arena_done(&a);
        return 0;
}
