/* lock/export_priv.h - what the writers of other tools' formats share. */
#ifndef LOCK_EXPORT_PRIV_H
#define LOCK_EXPORT_PRIV_H

#include "lock/export.h"

/** "# train, locked by envbuild for linux/amd64", and what the format leaves out. */
void export_head(const struct lock *l, const struct lock_platform *p, bool wheels, struct buf *out);
/** Conda packages, dependencies first, rings broken, ties by name: indexes into p->artifact. */
uint32_t *export_order(const struct lock_platform *p, struct arena *a, size_t *ret_n);
/** "conda-forge" for https://conda.anaconda.org/conda-forge, else the URL. */
sv export_channel(sv url);

#endif
