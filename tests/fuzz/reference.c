/* Image references from command lines and definitions. A local name that parses must parse to itself. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv text = { (const char *)p, n };
        struct reference r, again;
        const char *why;

        if (reference_parse(&a, text, true, &r, &why)) {
                if (!reference_parse(&a, reference_local_name(&a, &r), true, &again, &why) ||
                    !sv_eq(again.repository, r.repository))
                        abort();
        }
        reference_parse(&a, text, false, &r, &why);
        return 0;
}
