/* tests/fuzz/conda_explicit.c - @EXPLICIT lists, and what may stand in one. */
#include <stdint.h>

#include "tests/fuzz/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        import_run((sv){ (const char *)p, n }, "pins.txt", SPEC_FORM_EXPLICIT);
        return 0;
}
