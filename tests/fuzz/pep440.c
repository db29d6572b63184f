/* tests/fuzz/pep440.c - versions: what is written reads as the same version. */
#include <stdint.h>
#include <stdlib.h>

#include "version/pep440.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv text = { (const char *)p, n };
        const struct pep440 *v = pep440_parse(&a, text), *again;

        if (v) { /* what is written reads as the same version */
                again = pep440_parse(&a, pep440_text(v));
                if (!again || pep440_cmp(v, again) || !sv_eq(pep440_text(v), pep440_text(again)))
                        abort();
                again = pep440_parse(&a, pep440_canonical(v, &a));
                if (!again || pep440_cmp(v, again))
                        abort();
        }
        arena_done(&a);
        return 0;
}
