/* tests/cases/conda_memory.h - a conda_source over records in memory: what stories, vectors and fuzzers put in. Names are kept in the
 * order of their records; a shared memory can play for many catalogs. */
#ifndef TESTS_CASES_CONDA_MEMORY_H
#define TESTS_CASES_CONDA_MEMORY_H

#include "base/arena.h"
#include "base/map.h"
#include "catalog/conda_source.h"

struct conda_memory {
        struct arena *a;
        struct map by_name; /* → struct conda_memory_name */
        sv *name;
        size_t n_name, cap_name;
};

/** Channel by channel, the platform's folder before noarch, as the contract of the source wants it. Texts are borrowed. */
void conda_memory_add(struct conda_memory *m, const struct conda_record *r);
/** Lives beside the memory; freeing it frees only itself. */
struct conda_source *conda_memory_source(struct conda_memory *m);

#endif
