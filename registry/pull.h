/* registry/pull.h - what an image reference means: index → platform → manifest → config, checked against each other (specs/oci.md §1, §3.4).
 * No layer is fetched. OCI and Docker schema 2 are read; schema 1 is refused; attestation entries are passed over. */
#ifndef REGISTRY_PULL_H
#define REGISTRY_PULL_H

#include "registry/blob.h"
#include "registry/manifest.h"

struct reg_image {
        struct reg_repo repo;
        bool has_index;
        struct reg_manifest index; /* when the reference leads to one */
        struct reg_manifest manifest;
        struct oci_manifest m;
        sv config_text;
        struct oci_config config;
};
/** ref: tag or digest, "latest" without either. -ERR_NOT_FOUND names the platforms that are there. */
int reg_image_get(struct reg_client *c, const struct reference *ref, sv platform, struct arena *a,
                  struct reg_image *ret, struct err *e);

#endif
