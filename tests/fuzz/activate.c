/* An activation script: taken whole or not at all; what it sets are names and values without surprises. */
#include "image/activate.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        struct activate x = { .prefix = SV("/opt/env") };
        size_t had;

        activate_read(&x, &a, SV("export BEFORE=1"));
        had = x.n_set;
        if (!activate_read(&x, &a, (sv){ (const char *)p, n }) && x.n_set != had)
                __builtin_trap();
        for (size_t i = 0; i < x.n_set; i++)
                for (size_t k = 0; k < x.set[i].key.n; k++) {
                        char c = x.set[i].key.p[k];

                        if (c == '=' || c == ' ' || c == '\n' || c == '$' || c == '\0')
                                __builtin_trap();
                }
        arena_done(&a);
        return 0;
}
