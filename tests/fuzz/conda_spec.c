/* tests/fuzz/conda_spec.c - a version spec, and a version on the line after it: what is written of the spec says the same of the version. */
#include <stdint.h>
#include <stdlib.h>

#include "version/conda.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv rest = { (const char *)p, n }, first = { 0 }, why = { 0 };
        const struct conda_spec *s, *again;
        const struct conda_version *v;
        size_t at = 0;

        sv_cut(&rest, '\n', &first);
        s = conda_spec_parse(&a, first, &why, &at);
        v = conda_version_parse(&a, rest.n ? rest : SV("1.0a1+x"), NULL);
        if (!s && (!why.n || at > first.n))
                abort();
        if (s) {
                again = conda_spec_parse(&a, conda_spec_text(s), &why, &at);
                if (!again || !sv_eq(conda_spec_text(s), conda_spec_text(again)) ||
                    (v && conda_spec_has(s, v) != conda_spec_has(again, v)))
                        abort();
        }
        arena_done(&a);
        return 0;
}
