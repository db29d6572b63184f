/* tests/vectors/conda_install.h - rows of packages-made/bad/EXPECT.tsv: a file, and what a reader must do. */
#ifndef TESTS_VECTORS_CONDA_INSTALL_H
#define TESTS_VECTORS_CONDA_INSTALL_H

#include "tests/vectors/vectors.h"

void vectors_conda_bad(struct vectors *v, const struct js *doc);

#endif
