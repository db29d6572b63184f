/* catalog/pypi.h - a PyPI index behind resolve/catalog.h: Simple API in JSON and HTML, metadata, candidates for a *target*
 * (specs/pypi.md §7-8). Pages are cached in the store with their validators. Wheels only. */
#ifndef CATALOG_PYPI_H
#define CATALOG_PYPI_H

#include "base/diag.h"
#include "catalog/pypi_source.h"
#include "lock/lock.h"
#include "net/net.h"
#include "pkg/tags.h"
#include "resolve/resolve.h"
#include "spec/spec.h"
#include "store/store.h"

struct pypi_fixed {       /* a distribution that is there already, since a conda package supplies it */
        sv name, version; /* normalised name; version as its folder says */
        sv by; /* what supplies it, and who asked for that: "conda's numpy 1.26.4 (env.yml:5:5: numpy=1.26)" */
};

struct pypi_opts {
        const sv *index; /* expanded URLs, in the order they are asked; credentials in them are used, never shown */
        const sv *index_public; /* the same as the lock writes them (unexpanded, credentials removed) */
        size_t n_index;
        const sv *find_links; /* folders and URLs, merged with the indexes */
        size_t n_find_links;
        bool merge;            /* --index-strategy pip: best version of all indexes; else the first that has the name */
        int64_t exclude_newer; /* 0: none */
        bool refresh;          /* ignore page lifetimes */
        sv python_full;        /* of the target */
        sv machine;            /* "x86_64", "aarch64" */
        struct tags_target tags;
        bool allow_sdist; /* source distributions count as installable: for test data, nothing builds them */
        sv dir;           /* relative find-links and paths are relative to it */
        /* Each is a name with one candidate and no relations (design/solver.md). Its METADATA is asked for when somebody wants an extra of
         * it, and only then; empty: it has none. The text must live as long as the catalog. */
        const struct pypi_fixed *fixed;
        size_t n_fixed;
        int (*fixed_metadata)(void *arg, sv name, sv *ret, struct err *e);
        void *fixed_arg;
};

struct catalog_pypi; /* begins with struct catalog */
/** The catalog over any source, which it owns from here on (also on failure). catalog/pypi.c: candidates, bans, tiers, relations. */
int pypi_open(const struct pypi_opts *o, struct pypi_source *source, struct op *op, struct catalog_pypi **ret,
              struct err *e);
/** Indexes and find-links on the network, pages cached in the store. catalog/pypi_net.c */
int pypi_net_open(const struct pypi_opts *o, struct net *net, struct store *store, struct op *op,
                  struct pypi_source **ret, struct err *e);
struct catalog *pypi_catalog(struct catalog_pypi *p);

/** The definition's requirements and constraints as wants (in file order; those whose marker is false are left out, EB205 note). Hashes,
 *  no-binary, only-binary and direct URLs of the spec are taken in here. */
int pypi_wants(struct catalog_pypi *p, const struct spec *s, struct arena *a, struct diags *ds,
               struct resolve_want **ret, size_t *ret_n, struct err *e);
/** The candidate of an old lock's artifact as a preference, when it still exists. */
bool pypi_prefer(struct catalog_pypi *p, const struct artifact *art, struct term *ret, struct err *e);
/** Picks → artifacts with sha256 and size (asked by HEAD or by downloading when the index does not say); warnings: yanked, unknown extras. */
int pypi_artifacts(struct catalog_pypi *p, const struct spec *s, const struct resolution *r, struct arena *a,
                   struct diags *ds, struct artifact **ret, size_t *ret_n, struct err *e);

/** Fetch an artifact into the store unless it is there: verified by sha256 and size while it streams; -ERR_INTEGRITY names both hashes.
 *  url: absolute and expanded. Any thread. */
int fetch_artifact(struct net *net, struct store *store, const struct artifact *art, sv url, struct op *op,
                   struct err *e);

#endif
