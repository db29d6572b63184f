/* catalog/conda.h - conda channels behind resolve/catalog.h (design/solver.md, specs/conda.md §7-10): candidates in rattler's order, bans,
 * constrains, virtual packages, channel priority, explanations. */
#ifndef CATALOG_CONDA_H
#define CATALOG_CONDA_H

#include "base/diag.h"
#include "catalog/conda_channels.h"
#include "lock/lock.h"
#include "net/net.h"
#include "pkg/conda_channel.h"
#include "resolve/resolve.h"
#include "spec/spec.h"
#include "store/store.h"

enum conda_priority { CONDA_STRICT, CONDA_FLEXIBLE, CONDA_DISABLED };

struct conda_virtual {
        sv name, version, build; /* "__glibc", "2.36", "0" */
};
struct conda_opts {
        const struct conda_channel *channel; /* priority order; specs that name another are a fault */
        size_t n_channel;
        struct conda_channel_settings settings; /* borrowed as long as the catalog lives; the other lists are copied */
        const struct conda_mirror *mirror;      /* where conda_artifacts asks for what a channel does not say */
        size_t n_mirror;
        enum conda_priority priority;
        const struct conda_virtual *virtual_;
        size_t n_virtual;
        int64_t exclude_newer; /* seconds since 1970; 0: none. By indexed, else timestamp */
        bool allow_unhashed; /* records without sha256 and md5 may be used: of made channels, that nobody installs from */
};

struct catalog_conda; /* begins with struct catalog */
/** Takes the source over (also on failure). */
int conda_open(const struct conda_opts *o, struct conda_source *source, struct op *op, struct catalog_conda **ret,
               struct err *e);
struct catalog *conda_catalog(struct catalog_conda *c);

/** MatchSpecs as wants, in order; before anything else asks for candidates, since their order looks at what is requested. A spec that cannot
 *  be parsed or names a channel that is not in the list is a fault in ds (EB13x) with its place; -ERR_USAGE then. */
int conda_wants(struct catalog_conda *c, const struct spec_text *spec, size_t n, struct arena *a, struct diags *ds,
                struct resolve_want **ret, size_t *ret_n, struct err *e);
/** The candidate of an old lock's artifact as a preference, when it still exists. */
bool conda_prefer(struct catalog_conda *c, const struct artifact *art, struct term *ret, struct err *e);
/** The record of a pick; NULL for a virtual package. */
const struct conda_record *conda_record_of(struct catalog_conda *c, const struct pick *p);
/**
 * Picks → artifacts (name order), without virtual packages. What the channel does not say (sha256, size) is asked by HEAD, or by downloading
 * into the store, md5 checked. dists are not filled: conda_peek (catalog/conda_fetch.h) does.
 */
int conda_artifacts(struct catalog_conda *c, const struct spec *s, const struct resolution *r, struct net *net,
                    struct store *store, struct arena *a, struct diags *ds, struct artifact **ret, size_t *ret_n,
                    struct err *e);
/** Link order: dependencies first, python before noarch python packages, cycles broken, ties by name (specs/conda.md §15). Pure.
 *  order[i]: index into v of the i-th. */
void conda_link_order(const struct artifact *v, size_t n, struct arena *a, uint32_t **ret_order);

#endif
