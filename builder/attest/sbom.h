/* attest/sbom.h - what an image is made of, as SPDX 2.3 JSON (specs/oci.md §4.1). Everything is from the lock, so the same lock and the same
 * manifest give the same bytes, anywhere and at any time. Pure. */
#ifndef ATTEST_SBOM_H
#define ATTEST_SBOM_H

#include "lock/lock.h"

#define SPDX_MEDIA_TYPE "application/spdx+json"

struct sbom_deb { /* of the base image, as its dpkg says */
        sv name, version, arch;
};
struct sbom_image {
        sv name;       /* "train", or the repository's last word */
        sv repository; /* "ghcr.io/team/train"; empty: it is in no registry */
        bool has_manifest;
        sha256 manifest;             /* of this platform; without one the document is of what is locked */
        sv version;                  /* of envbuild, "0.1.0" */
        const struct sbom_deb *base; /* what is in the base image; none: not known */
        size_t n_base;
};

/**
 * The document: the image, its base with what is known of its packages, every package of the lock and every distribution that a conda package
 * supplies; what contains and what needs what. Packages are sorted by SPDXID. No login, token or password is in an address.
 */
void sbom_spdx_write(const struct lock *l, const struct lock_platform *p, const struct sbom_image *image,
                     struct buf *out);

#endif
