/* tests/fuzz/environment.c - environment.yml, whatever it holds. */
#include <stdint.h>

#include "tests/fuzz/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        definition_run(&(struct definition){ "env.yml", { (const char *)p, n } });
        return 0;
}
