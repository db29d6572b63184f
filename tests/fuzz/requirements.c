/* tests/fuzz/requirements.c - a requirements file, whatever it holds. */
#include <stdint.h>

#include "tests/fuzz/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        definition_run(&(struct definition){ "requirements.txt", { (const char *)p, n } });
        return 0;
}
