/* pip.conf: whatever it holds, the settings lie within what was read. */
#include "image/image_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        struct pip_conf c = { 0 };

        pip_conf_parse(&a, (sv){ (const char *)p, n }, "fuzz", &c);
        pip_conf_parse(&a, (sv){ (const char *)p, n }, "again", &c);
        for (size_t i = 0; i < c.n_extra; i++)
                if (c.extra[i].n == 0 || c.extra[i].n > n)
                        __builtin_trap();
        arena_done(&a);
        return 0;
}
