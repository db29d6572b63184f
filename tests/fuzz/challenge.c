#include <string.h>

#include "base/cleanup.h"
#include "registry/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* One header a line. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_challenge c = { 0 };
        sv rest = { (const char *)p, n }, line;

        while (sv_cut(&rest, '\n', &line))
                reg_challenge_read(&a, line, &c);
        if (c.kind == REG_BEARER && !c.realm.n)
                __builtin_trap();
        return 0;
}
