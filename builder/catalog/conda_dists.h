/* catalog/conda_dists.h - the Python distributions that conda packages supply: from the *.dist-info/ and *.egg-info names in each
 * package's info/paths.json, never from guessed names (design/lock.md). */
#ifndef CATALOG_CONDA_DISTS_H
#define CATALOG_CONDA_DISTS_H

#include "base/op.h"
#include "net/net.h"
#include "pkg/artifact.h"
#include "store/store.h"

/**
 * Fill art->dists ("numpy 1.26.4", PEP 503 name and version as the folder says, sorted) of every conda artifact that needs a python. From
 * the package when the store has it, else from a range of the .conda, else by downloading. Kept in the store by sha256. Many at once.
 */
int conda_dists_fill(struct net *net, struct store *store, struct artifact *v, size_t n, struct op *op, struct arena *a,
                     struct err *e);
/** Pure: paths of a package (as linked, or "site-packages/…" of noarch python) → its distributions. */
void conda_dists_of(const sv *path, size_t n, struct arena *a, sv **ret, size_t *ret_n);

#endif
