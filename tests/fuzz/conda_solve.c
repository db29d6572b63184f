/* tests/fuzz/conda_solve.c - small random channels: catalog and solver against brute force. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/cases/conda_brute.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        const char *wrong = n < 4 || n > 400 ? NULL : conda_brute(p, n);

        if (wrong) {
                fprintf(stderr, "%s\n", wrong);
                abort();
        }
        return 0;
}
