/* tests/fuzz/condarc.c - .condarc: two texts, a line "---8<---" between them. Either there is an answer or a cause, and the same each time. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/condarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool variable_of(void *arg, sv name, sv *ret)
{
        (void)arg;
        *ret = sv_is(name, "CONDA_CHANNELS") ? SV("x,conda-forge") : SV("/value");
        return sv_is(name, "CONDA_CHANNELS") || sv_is(name, "HOME") || sv_is(name, "A");
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv text = { (const char *)p, n };
        ptrdiff_t cut = sv_find_sv(text, SV("---8<---"));
        struct condarc_text v[] = { { sv_from_to(text, 0, cut < 0 ? n : (size_t)cut), SV("one") },
                                    { cut < 0 ? SV("") : sv_skip(text, (size_t)cut + 8), SV("two") } };
        struct condarc c[2];
        int r[2];

        for (int i = 0; i < 2; i++) {
                AUTO(err_done) struct err e = { 0 };

                r[i] = condarc_parse(&a, v, 2, variable_of, NULL, SV("/cwd"), &c[i], &e);
                if ((r[i] < 0) != (e.cause != NULL))
                        abort();
        }
        if (r[0] != r[1])
                abort();
        if (r[0] == 0) {
                struct conda_channel *ch;
                size_t count;
                sv why;

                if (c[0].n_channels != c[1].n_channels || c[0].n_mirror != c[1].n_mirror)
                        abort();
                for (size_t i = 0; i < c[0].n_channels; i++)
                        if (conda_channel_expand(&a, c[0].channels[i], &c[0].settings, &ch, &count, &why) && count)
                                condarc_permits(&c[0], &a, ch, &why);
        }
        return 0;
}
