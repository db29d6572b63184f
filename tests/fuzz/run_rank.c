/* rank-N.json: whatever the text, it is one rank's record with numbers that can be, or none. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_rank k;

        if (run_rank_parse(&a, (sv){ (const char *)p, n }, 3, &k) &&
            (k.rank != 3 || k.exit_code < 0 || k.exit_code > 255 || k.signal < 0 || k.signal > 127 || k.start_us < 0 ||
             k.end_us < 0))
                abort();
        return 0;
}
