/* image/base_packages.h - what a base image of a registry or folder holds, as its dpkg says: noted when its layers are read for its facts, so that an
 * SBOM can tell. A base that was never read here is one package with a digest. */
#ifndef IMAGE_BASE_PACKAGES_H
#define IMAGE_BASE_PACKAGES_H

#include "attest/sbom.h"
#include "store/store.h"

/** dpkg_status: the text of /var/lib/dpkg/status; empty: it has none. diff_id: of the base's layers. */
void base_packages_keep(struct store *s, const sha256 *diff_id, size_t n, sv dpkg_status);
/** False: not known here. Sorted by name. */
bool base_packages_find(struct store *s, const struct lock_platform *p, struct arena *a, struct sbom_deb **ret,
                        size_t *ret_n);
/** A status file's installed packages, sorted. Pure; what is no proper package is left out. */
void base_packages_read(struct arena *a, sv dpkg_status, struct sbom_deb **ret, size_t *ret_n);

#endif
