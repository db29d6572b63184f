/* image/attach.h - what hangs on an image in a registry: its lock, its definition, its SBOM, provenance, signatures; all as referrers
 * (registry/referrers.h). The lock, the definition and what is said of the image as a whole hang on what its tag means (an index over several
 * platforms); an SBOM hangs on the manifest of its platform. */
#ifndef IMAGE_ATTACH_H
#define IMAGE_ATTACH_H

#include "image/sign.h"

#define ATTACH_LOCK       "application/vnd.envbuild.lock.v1+yaml"
#define ATTACH_DEFINITION "application/vnd.envbuild.definition.v1+yaml" /* a layer a file, titled with its name */

struct attach_opts {
        bool sbom, source, provenance;
        struct sign_key *key; /* sign the image, and the provenance; NULL: nothing */
        bool remember; /* the image was there already: what this store hung on it before is not asked for again */
};
struct attach_count {
        size_t made, present;
};
/**
 * After the push of an image: hang on it what this store knows of it (image/origin.h). An image that was not built here gets its signature
 * only. What is there is left alone, so that doing it twice changes nothing.
 *
 * @param image   its name in this store: "train@sha256:…", as image_open takes it
 * @param pushed  what the tags mean: another digest when it was pushed under Docker's media types
 * @return 0 · -ERR_NOT_FOUND: provenance of an image that was not built here · what registry/ says; the image stays where it is
 */
int attach_push(struct image_ctx *c, const struct reg_repo *repo, sv image, const struct oci_desc *pushed,
                const struct attach_opts *o, struct arena *a, struct attach_count *ret, struct err *e);

struct attached {
        const char *what; /* "lock", "definition", "sbom", "provenance", "signature", or the artifact type */
        sv type;
        struct oci_desc desc;
};
/** What hangs on an image of a registry, and its classic signatures, for `inspect`. Sorted by what, then digest. */
int attach_list(struct reg_client *reg, const struct reg_repo *repo, const sha256 *image, struct arena *a,
                struct attached **ret, size_t *ret_n, struct err *e);

#endif
