/* tests/fuzz/marker.c - markers: parsed, evaluated and written. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "pkg/marker.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv text = { (const char *)p, n };
        const struct marker *m;
        struct marker_env env;
        struct buf b = BUF_INIT(1 << 20);
        size_t at = 0;
        sv why = { 0 };

        marker_env_linux(&a, SV("3.13.5"), SV("x86_64"), &env);
        if (marker_parse(&a, text, &m, &why, &at)) {
                marker_eval(m, &env);
                marker_write(m, &b);
        } else if (!why.n || at > n) {
                abort();
        }
        buf_done(&b);
        arena_done(&a);
        return 0;
}
