/* tests/fuzz/requirement.c - requirements: a refusal has a reason and a place inside the text. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "pkg/requirement.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv text = { (const char *)p, n };
        struct requirement r;
        struct buf b = BUF_INIT(1 << 20);
        size_t at = 0;
        sv why = { 0 };

        if (requirement_parse(&a, text, &r, &why, &at))
                requirement_write(&r, &b);
        else if (!why.n || at > n || (requirement_parse_lenient(&a, text, &r, &why) && !r.name.n))
                abort();
        buf_done(&b);
        arena_done(&a);
        return 0;
}
