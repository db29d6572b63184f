/* catalog/debian.h - a Debian suite behind resolve/catalog.h: InRelease (signature, Valid-Until), by-hash Packages indexes, candidates
 * (design/debian.md, design/solver.md). Indexes are cached in the store. */
#ifndef CATALOG_DEBIAN_H
#define CATALOG_DEBIAN_H

#include "base/diag.h"
#include "install/effects.h"
#include "lock/lock.h"
#include "net/net.h"
#include "resolve/resolve.h"
#include "spec/recipe.h"
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

/* --- recipes (catalog/debian_recipe.c): files beside the program, or the user's own */

/** Find and read a recipe. A name ("debian-13-python") is looked for in the folders of $ENVBUILD_RECIPES (a ':' list), beside the program,
 *  in its build tree, where it was installed; a text with a '/' or ending in ".yml" is a path.
 *  @return 0 · -ERR_NOT_FOUND, hint names the recipes there are · -ERR_USAGE: ds has errors */
int debian_recipe_load(struct arena *a, sv name, struct diags *ds, struct recipe **ret, struct err *e);
/** Its effects file for one architecture; an empty one when the recipe names none. */
int debian_effects_load(struct arena *a, const struct recipe *r, sv arch, struct diags *ds, struct effects **ret,
                        struct err *e);
/** What to open its catalog with. */
void debian_recipe_opts(struct arena *a, const struct recipe *r, sv arch, struct debian_opts *ret);
/** Names of all recipes that are found by name, sorted. */
int debian_recipe_list(struct arena *a, sv **ret, size_t *ret_n, struct err *e);
/** Fetch a .deb unless the store has it: from the mirror, else (mirrors drop superseded packages) from the recipe's snapshot archive as it
 *  was at `release`. Any thread. */
int debian_fetch(const struct recipe *r, int64_t release, const struct artifact *art, struct net *net,
                 struct store *store, struct op *op, struct err *e);

#endif
