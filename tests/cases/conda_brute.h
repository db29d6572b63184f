/* tests/cases/conda_brute.h - the conda catalog and the solver against brute force: any bytes make a small channel and a request. */
#ifndef TESTS_CASES_CONDA_BRUTE_H
#define TESTS_CASES_CONDA_BRUTE_H

#include <stddef.h>
#include <stdint.h>

/** NULL when the answer is there exactly when brute force finds one, legal, without anything superfluous, the first requested name as
 *  high as it can be, and the same whatever the order of the records; else what is wrong (static). */
const char *conda_brute(const uint8_t *p, size_t n);

#endif
