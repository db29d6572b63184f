/* tests/vectors/pypi_index.h - the packages of a scenario (or of a file of corpus/pypi/indexes) as an index that a PyPI catalog asks. */
#ifndef TESTS_VECTORS_PYPI_INDEX_H
#define TESTS_VECTORS_PYPI_INDEX_H

#include "base/map.h"
#include "catalog/pypi_source.h"
#include "tests/vectors/vectors.h"

struct index_package {             /* one name */
        sv name;                   /* normalised */
        sv line;                   /* JSON that is not parsed yet, or empty */
        const struct js *versions; /* {"1.0": {"files": […], "requires_dist": […], …}}; NULL until it is looked at */
        struct pypi_page *page;
};
struct index_file { /* what a file name stands for */
        const struct index_package *package;
        sv version;
        const struct js *about, *file; /* of the version; of the file, whose own fields win */
        sv metadata;
        uint32_t fetched; /* number of the source that gave it last */
};
struct vectors_index {
        struct arena *arena;
        const struct js *no_build;  /* names whose source distributions are not listed, or NULL */
        uint32_t n_source;          /* sources made so far */
        size_t n_fetched;           /* metadata that the last one gave, each file once */
        struct map packages, files; /* name → index_package; file name → index_file */
};

/** {"a": {"1.0": {…}}, …}; what is there already is added to. */
void index_add(struct vectors_index *x, const struct js *packages);
/** Lines of {"name": …, "versions": {…}}; false and one failure when the file can't be read. */
bool index_read(struct vectors *v, struct vectors_index *x, const char *path);
/** All versions of a name (normalised), or NULL. */
const struct js *index_versions(struct vectors_index *x, sv name);
/** Whether a file of a name counts for this index at all. */
bool index_lists(const struct vectors_index *x, sv name, const struct js *file);
/** requires_dist, requires_python, …: the file's, else the version's. */
const struct js *index_field(const struct js *about, const struct js *file, const char *field);
/** A new source over x, which must outlive it; the catalog releases it. */
struct pypi_source *index_source(struct vectors_index *x);

#endif
