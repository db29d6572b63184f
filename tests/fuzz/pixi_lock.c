/* tests/fuzz/pixi_lock.c - pixi.lock, of every version. */
#include <stdint.h>

#include "tests/fuzz/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        import_run((sv){ (const char *)p, n }, "pixi.lock", SPEC_FORM_PIXI);
        return 0;
}
