/* tests/vectors/pypi_files.c - the table of kinds about files. */
#include "tests/vectors/index_pages.h"
#include "tests/vectors/pypi_files.h"
#include "tests/vectors/requirements_txt.h"

/* Two files of the corpus are named cases.json: the cases themselves say which they are. */
static void cases(struct vectors *v, const struct js *doc)
{
        const struct js *first = doc->n ? doc->v[0].value : NULL;

        if (js_get(first, "entry"))
                vectors_requirements_txt(v, doc);
        else
                vectors_pypi_wheels[0].run(v, doc);
}

const struct vectors_kind vectors_pypi_files[] = {
        { "pypi/pages", vectors_index_pages },
        { "pypi/wheel_select", vectors_pypi_wheel_select },
        { "pypi/requirements_txt", vectors_requirements_txt },
        { "pypi/cases", cases },
        { 0 },
};
