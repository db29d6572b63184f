/* tests/vectors/pypi_files.c - the table of kinds about files. */
#include "tests/vectors/pypi_files.h"

#include "tests/vectors/requirements_txt.h"

const struct vectors_kind vectors_pypi_files[] = {
        { "pypi/wheel_select", vectors_pypi_wheel_select },
        { "pypi/requirements_txt", vectors_requirements_txt },
        { 0 },
};
