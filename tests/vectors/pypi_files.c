/* tests/vectors/pypi_files.c - the table of kinds about files. */
#include "tests/vectors/index_pages.h"
#include "tests/vectors/pypi_files.h"
#include "tests/vectors/requirements_txt.h"

const struct vectors_kind vectors_pypi_files[] = {
        { "pypi/pages", vectors_index_pages },
        { "pypi/wheel_select", vectors_pypi_wheel_select },
        { "pypi/requirements_txt", vectors_requirements_txt },
        { 0 },
};
