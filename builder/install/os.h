/* install/os.h - layer `os`: what depends on the whole set of debs (design/debian.md): dpkg's database as dpkg would have left it,
 * alternatives, what maintainer scripts are known to do, ld.so.cache, certificates, accounts, mount points, the recipe's own paths.
 * Nothing is run. A function of the debs' bytes, the effects entries and the recipe: struct layer_key_os. */
#ifndef INSTALL_OS_H
#define INSTALL_OS_H

#include "base/diag.h"
#include "install/deb_info.h"
#include "install/effects.h"
#include "spec/recipe.h"

struct os_input {
        const struct deb_info *deb; /* the recipe's and `apt:`'s together, sorted by name: dpkg's order */
        size_t n_deb;
        const struct effects *effects;
        const struct recipe *recipe;
        const sv *skip; /* apt-scripts-skip: packages whose unknown scripts are passed over */
        size_t n_skip;
};

/** Contents that os_build needs of the debs: give it to deb_info_read(). packages: the names of all debs. */
void os_wants(struct arena *a, const struct effects *x, struct deb_want *ret);
/**
 * Can these be installed without running anything? One error EB401 for each script that is not known (a warning EB402 when skipped),
 * naming package and script.
 * @return 0 · -ERR_FAILED: ds has the errors
 */
int os_check_scripts(const struct os_input *in, struct diags *ds, struct err *e);
/**
 * The layer's entries, sorted by path (directories before what is in them), for install_list().
 *
 * @param ret_content  content[i] belongs to entry[i]
 * @return 0 · -ERR_FAILED: unknown scripts (ds) · -ERR_CONFLICT: two packages ship one path (ds: EB403) · -ERR_INTEGRITY: a damaged certificate
 */
int os_build(struct arena *a, const struct os_input *in, struct diags *ds, struct entry **ret,
             struct content **ret_content, size_t *ret_n, struct err *e);

/* What the lock says of a base (design/lock.md), from its packages alone. */
struct os_facts {
        sv libc_version;   /* "2.41": version of libc6 */
        sv os_version;     /* the recipe's */
        sv python_version; /* "3.13.5"; empty: the set has no python3 */
        sv python_path;    /* "/usr/bin/python3.13" */
        sv python_abi;     /* "cp313" */
        sv site_packages;  /* "lib/python3.13/site-packages": of a venv over it */
};
void os_facts(struct arena *a, const struct recipe *r, const struct artifact *deb, size_t n, struct os_facts *ret);

#endif
