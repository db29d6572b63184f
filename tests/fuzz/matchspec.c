/* tests/fuzz/matchspec.c - match specs: what is written can be read. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pkg/matchspec.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct conda_channel_settings settings = { .cwd = { "/cwd", 4 }, .home = { "/home/x", 7 } };

static bool again(struct arena *a, sv text, struct matchspec *ret, sv *ret_text)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        sv why = { 0 };
        size_t at = 0;

        if (!matchspec_parse(a, text, &settings, ret, &why, &at)) {
                if (!why.n || at > text.n)
                        abort();
                return false;
        }
        matchspec_write(ret, &b);
        *ret_text = arena_sv(a, buf_sv(&b));
        return true;
}

/* What is written can be read, and comes to rest. Not so a channel's URL: it may hold several platforms, tokens or files, of which one is
 * taken off at a time. */
static void settles(struct arena *a, sv text)
{
        struct matchspec m;

        for (int i = 0; i < 16; i++) {
                sv next;

                if (!again(a, text, &m, &next))
                        abort();
                if (sv_eq(text, next))
                        return;
                text = next;
        }
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv features[] = { SV("debug"), SV("mkl") };
        struct conda_record r = { .name = SV("numpy"),
                                  .version = SV("1.26.4"),
                                  .build = SV("py312_0"),
                                  .channel = SV("https://conda.anaconda.org/conda-forge"),
                                  .subdir = SV("linux-64"),
                                  .url = SV(
                                          "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py312_0.conda"),
                                  .license = SV("BSD-3-Clause"),
                                  .track_features = features,
                                  .n_track_features = 2 };
        const struct conda_version *v = conda_version_parse(&a, r.version, NULL);
        struct matchspec m;
        sv text, version;

        if (again(&a, (sv){ (const char *)p, n }, &m, &text)) {
                matchspec_has(&m, &r, v);
                matchspec_has(&m, &r, NULL);
                version = m.version ? conda_spec_text(m.version) : (sv){ 0 };
                version.n -= version.n && version.p[version.n - 1] == '*';
                /* Of "1.*.*" conda writes "=1.*", and of "1.conda.*" what it takes for a file: other specs. */
                if (sv_find(version, '*') < 0 && !sv_ends(text, SV(".conda")) && !sv_ends(text, SV(".tar.bz2")) &&
                    !sv_ends(text, SV("@")) && sv_find_sv(text, SV("://")) < 0)
                        settles(&a, text);
        }
        arena_done(&a);
        return 0;
}
