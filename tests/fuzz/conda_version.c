/* tests/fuzz/conda_version.c - two versions, a line each: they have one order, and each begins with itself. */
#include <stdint.h>
#include <stdlib.h>

#include "version/conda.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct conda_version *version_of(struct arena *a, sv text)
{
        const char *why = NULL;
        const struct conda_version *v = conda_version_parse(a, text, &why), *again;

        if (!v != (why != NULL))
                abort();
        if (!v)
                return NULL;
        again = conda_version_parse(a, conda_version_text(v), NULL);
        if (!again || conda_version_cmp(v, again) || !sv_eq(conda_version_text(v), conda_version_text(again)))
                abort();
        if (conda_version_cmp(v, v))
                abort();
        return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv rest = { (const char *)p, n }, first = { 0 };
        const struct conda_version *v, *w;

        sv_cut(&rest, '\n', &first);
        v = version_of(&a, first);
        w = version_of(&a, rest);
        if (v && w) {
                if (conda_version_cmp(v, w) != -conda_version_cmp(w, v))
                        abort();
        }
        arena_done(&a);
        return 0;
}
