/* tests/fuzz/specifier.c - specifiers: what is written reads as the same set. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "version/pep440.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv text = { (const char *)p, n };
        struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20);
        struct pep440_spec s, again;
        const struct pep440 *v = pep440_parse(&a, SV("1.0a1+x"));
        sv why = { 0 };

        if (pep440_spec_parse(&a, text, &s, &why)) {
                pep440_spec_write(&s, &first);
                if (!first.over && !pep440_spec_parse(&a, buf_sv(&first), &again, &why))
                        abort();
                if (!first.over) {
                        pep440_spec_write(&again, &second);
                        if (!sv_eq(buf_sv(&first), buf_sv(&second)) ||
                            pep440_spec_has(&s, v, SV("1.0a1+x")) != pep440_spec_has(&again, v, SV("1.0a1+x")))
                                abort();
                }
        } else if (!why.n) {
                abort();
        }
        buf_done(&first);
        buf_done(&second);
        arena_done(&a);
        return 0;
}
