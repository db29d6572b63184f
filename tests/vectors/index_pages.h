/* tests/vectors/index_pages.h - corpus kind pypi/pages: what a page of the Simple API lists. A row of vectors_pypi_files. */
#ifndef TESTS_VECTORS_INDEX_PAGES_H
#define TESTS_VECTORS_INDEX_PAGES_H

#include "tests/vectors/vectors.h"

void vectors_index_pages(struct vectors *v, const struct js *doc);

#endif
