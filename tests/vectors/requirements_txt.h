/* tests/vectors/requirements_txt.h - requirements files as pip reads them: cases with "files", "entry" and "expect". */
#ifndef TESTS_VECTORS_REQUIREMENTS_TXT_H
#define TESTS_VECTORS_REQUIREMENTS_TXT_H

#include "tests/vectors/vectors.h"

void vectors_requirements_txt(struct vectors *v, const struct js *doc);

#endif
