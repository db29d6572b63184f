/* image/reuse.h - facts about layers in registries (design/lock.md, docs/internals/reuse.md): publishing them after a push. Looking them up is
 * the build's own (image/reuse_priv.h). */
#ifndef IMAGE_REUSE_H
#define IMAGE_REUSE_H

#include "image/image.h"

/** Settings and the key of cache.sign can be read: asked before a push, not after it. -ERR_USAGE, -ERR_NOT_FOUND … */
int reuse_ready(struct image_ctx *c, struct err *e);

struct reuse_publish {
        struct reg_repo target;      /* where the image was pushed: its layers are mounted from there */
        const struct reg_repo *into; /* --cache-repo; NULL: `<target>-layers` */
        bool only_once; /* nothing new was pushed: do not ask again what this store has published there before */
        sha256 image;   /* its manifest, or an index over several, as the store has it */
};
struct reuse_published {
        size_t present, written;
        size_t unknown; /* layers that this store cannot vouch for: it did not make or look them up */
};
/**
 * Facts of all layers of the image that the repository lacks: asked by tag, several at once. A repository that cannot be written is a
 * warning, told once, and no failure: facts only save work.
 *
 * @return 0 · -ERR_INTEGRITY: the repository says that a key has another diff_id; both are named · -ERR_CANCELLED
 */
int reuse_publish(struct image_ctx *c, const struct reuse_publish *p, struct reuse_published *ret, struct err *e);

#endif
