/* image/pull.h - images of registries: into the store, and looked at from afar. */
#ifndef IMAGE_PULL_H
#define IMAGE_PULL_H

#include "image/image.h"
#include "oci/reference.h"

/** A name as users write it: "docker://" before it means a registry, whatever `local` says. -ERR_USAGE. */
int image_reference(struct arena *a, sv text, bool local, struct reference *ret, struct err *e);

struct image_pulled {
        sv name;        /* "docker.io/library/busybox" */
        sha256 digest;  /* of the index, when the name leads to one */
        uint64_t bytes; /* of layers fetched now */
};
/** Index, manifest, config and layers into the store, for one platform (empty: this machine's), under the reference's name; under
 *  "NAME@sha256:…" when it was asked for by digest, so that no tag changes its meaning. Errors: reg_image_get's, image_layers_fetch's. */
int image_pull(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct image_pulled *ret,
               struct err *e);
/** image_open; an image that is not in the store and whose name has a registry or a digest is pulled first, as docker run does. All its
 *  layers are then in the store or known to be in a registry. */
int image_open_or_pull(struct image_ctx *c, sv ref, sv platform, struct arena *a, struct image_view *ret,
                       struct err *e);
/** The same documents straight from the registry; nothing is kept. platform empty: this machine's, else the first. */
int image_look(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct image_view *ret,
               struct err *e);

#endif
