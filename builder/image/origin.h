/* image/origin.h - what an image was made from: its lock and its definition, kept in the store by the digest of the image, so that a push can hang
 * them on it and anybody can ask for them later. Logins and tokens that stand in a definition's URLs are not kept. */
#ifndef IMAGE_ORIGIN_H
#define IMAGE_ORIGIN_H

#include "image/image.h"

struct origin_text {
        sv name; /* "train.lock", "env.yml": no folder */
        sha256 digest;
        sv text;
};
struct origin {
        struct origin_text lock;
        struct origin_text
                *definition; /* the files that were read, as they were named; none: built from a lock alone */
        size_t n_definition;
};

/**
 * At the end of a build: keep the lock's text and the definition's under an image's digest, and under those of its platforms when it is an index.
 * Costs a look at one small file when it is there already. A lock that says more (its image half) is not replaced by one that says less.
 */
int origin_keep(struct image_ctx *c, const struct image_request *r, const struct image_locked *l, const sha256 *image,
                struct err *e);
/** -ERR_NOT_FOUND: this store did not make it, or forgot. */
int origin_find(struct image_ctx *c, const sha256 *image, struct arena *a, struct origin *ret, struct err *e);
/** A definition's text without the logins and tokens in its URLs; ${NAME}s stay. Pure. */
sv origin_public_text(struct arena *a, sv text);

#endif
