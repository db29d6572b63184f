/* catalog/conda_near.h - the nearest of many names. Every name that no channel has is asked about, against 30,000 names a channel: a mark of
 * each, made once, tells most of them to be too far. Pure. */
#ifndef CATALOG_CONDA_NEAR_H
#define CATALOG_CONDA_NEAR_H

#include <stdint.h>

#include "base/sv.h"

struct conda_near {
        sv name;
        uint64_t mark;
        unsigned best; /* found is nearer than this */
        sv found;
};
typedef sv conda_name_at(const void *of, size_t i);

void conda_near_begin(struct conda_near *n, sv name);
uint64_t *conda_near_marks(conda_name_at *at, const void *of, size_t n); /* heap */
void conda_near_look(struct conda_near *near, const uint64_t *mark, conda_name_at *at, const void *of, size_t n);

#endif
