/* image/source.h - from an image back to what it was made from: what the store knows of it, else what hangs on it in its registry.
 * Who can push to a repository can hang anything on an image: a lock counts only when it pins this very image. */
#ifndef IMAGE_SOURCE_H
#define IMAGE_SOURCE_H

#include "image/origin.h"
#include "registry/client.h"

struct image_source {
        sv name;              /* of the image, without tag and digest: "train", "team/train" */
        struct reg_repo repo; /* of its name; registry empty: it is local to the store */
        sha256 image;         /* what the reference means: a manifest or an index */
        bool in_store;        /* else everything was read from repo */
        struct origin origin;
        struct lock *lock;
};
/**
 * "train", "train@sha256:…", "sha256:…" of the store; "ghcr.io/team/train:v1" of the store, else of its registry.
 * @return 0 · -ERR_NOT_FOUND: there is no such image, or nothing says what it was made from · -ERR_INTEGRITY: locks hang on it, but of other
 *         images · what registry/ says
 */
int source_find(struct image_ctx *c, sv ref, struct arena *a, struct image_source *ret, struct err *e);
/** One platform of it (empty: this machine's, or the only one), and the digest of its manifest. -ERR_NOT_FOUND. */
int source_platform(struct image_ctx *c, const struct image_source *s, sv platform, struct arena *a,
                    const struct lock_platform **ret, sha256 *ret_manifest, struct err *e);
/** The SBOM that hangs on an image of a registry, as it is: ours before other tools'. -ERR_NOT_FOUND. */
int source_sbom(struct image_ctx *c, sv ref, sv platform, struct arena *a, sv *ret, struct err *e);

#endif
