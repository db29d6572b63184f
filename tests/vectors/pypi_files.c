/* tests/vectors/pypi_files.c - the table of kinds about files. */
#include "tests/vectors/pypi_files.h"

const struct vectors_kind vectors_pypi_files[] = {
        { "pypi/wheel_select", vectors_pypi_wheel_select },
        { 0 },
};
