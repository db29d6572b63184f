/* catalog/conda_fetch.h - package files of conda channels: fetched, measured, looked into. Asked at mirrors, and with the channels' logins and
 * tokens, which stand in no lock, message or cache name. */
#ifndef CATALOG_CONDA_FETCH_H
#define CATALOG_CONDA_FETCH_H

#include "base/op.h"
#include "catalog/conda_channels.h"
#include "net/net.h"
#include "pkg/artifact.h"
#include "store/store.h"

struct conda_ask {
        struct net *net;
        struct store *store;
        struct op *op;
        struct conda_channels_opts channels; /* a file of none of them is asked for where its url says */
};
/** As fetch_artifact (catalog/pypi.h); what a mirror refuses, the next one may have. Any thread. */
int conda_fetch(const struct conda_ask *ask, const struct artifact *art, struct err *e);
/** Fill in sha256 and size of conda packages where the channel says neither: by HEAD for all at once, or by downloading into the store; md5
 *  and what is said are checked. -ERR_INTEGRITY names both. */
int conda_complete(const struct conda_ask *ask, struct artifact *v, size_t n, struct err *e);
/**
 * What only the packages themselves say. Fills art->dists (of those that need a python); with `index`, which is for resolutions of other
 * tools, also noarch, depends, constrains, site_packages and uploaded where they are empty, of all of them. From the package when the store
 * has it, else from a range of the .conda, else by downloading; kept in the store by sha256. Many at once.
 */
int conda_peek(const struct conda_ask *ask, struct artifact *v, size_t n, bool index, struct arena *a, struct err *e);

#endif
