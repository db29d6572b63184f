/* catalog/conda_dists.h - the Python distributions that a conda package supplies: from the *.dist-info/ and *.egg-info names among its paths,
 * never from guessed names (design/lock.md). Pure. */
#ifndef CATALOG_CONDA_DISTS_H
#define CATALOG_CONDA_DISTS_H

#include "base/arena.h"
#include "base/sv.h"

/** Paths of a package (as linked, or "site-packages/…" of noarch python) → "numpy 1.26.4": PEP 503 name and version as the folder says
 *  (none: the name alone), sorted. */
void conda_dists_of(const sv *path, size_t n, struct arena *a, sv **ret, size_t *ret_n);

#endif
