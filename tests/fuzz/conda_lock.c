/* tests/fuzz/conda_lock.c - conda-lock.yml, whatever it holds. */
#include <stdint.h>

#include "tests/fuzz/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        import_run((sv){ (const char *)p, n }, "conda-lock.yml", SPEC_FORM_CONDA_LOCK);
        return 0;
}
