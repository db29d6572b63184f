/* catalog/debian.h - a Debian suite behind resolve/catalog.h: InRelease (signature, Valid-Until), by-hash Packages indexes, candidates
 * (design/debian.md, design/solver.md). Indexes are cached in the store. */
#ifndef CATALOG_DEBIAN_H
#define CATALOG_DEBIAN_H

#include "lock/lock.h"
#include "net/net.h"
#include "resolve/resolve.h"
#include "store/store.h"

struct debian_opts {
        sv mirror; /* "http://deb.debian.org/debian" */
        sv suite;  /* "trixie" */
        const sv *component;
        size_t n_component;
        const sv *
                extra_suite; /* further suites of the same system, "trixie-updates"; each with its mirror in extra_mirror */
        const sv *extra_mirror;
        size_t n_extra;
        sv arch;          /* "amd64" */
        const char *keys; /* keyring file for gpgv or sqv */
        bool refresh, check_valid_until;
};
struct catalog_debian;
int debian_open(const struct debian_opts *o, struct net *net, struct store *store, struct op *op,
                struct catalog_debian **ret, struct err *e);
struct catalog *debian_catalog(struct catalog_debian *d);
int64_t debian_release_date(const struct catalog_debian *d);
/** Packages to want, as control files write dependencies ("libgl1", "python3 (>= 3.11)"); fixed: artifacts whose versions stay. */
int debian_wants(struct catalog_debian *d, const sv *text, const sv *at, size_t n, const struct artifact *fixed,
                 size_t n_fixed, struct arena *a, struct resolve_want **ret, size_t *ret_n, struct err *e);
int debian_artifacts(struct catalog_debian *d, const struct resolution *r, struct arena *a, struct artifact **ret,
                     size_t *ret_n, struct err *e);

#endif
