/* tests/vectors/pypi_files.h - kinds about files: one function each, in a file of its own. */
#ifndef TESTS_VECTORS_PYPI_FILES_H
#define TESTS_VECTORS_PYPI_FILES_H

#include "tests/vectors/vectors.h"

void vectors_pypi_wheel_select(struct vectors *v, const struct js *doc);

#endif
