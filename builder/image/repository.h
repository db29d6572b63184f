/* image/repository.h - what a repository of a registry holds, and what of it nobody needs: by reachability from locks, not by names.
 * A registry lists tags only: a manifest without one is seen when an index or a tag schema leads to it. Bytes are freed by the registry's own
 * garbage collection, later. */
#ifndef IMAGE_REPOSITORY_H
#define IMAGE_REPOSITORY_H

#include "image/image.h"

enum repository_kind {
        REPOSITORY_IMAGE,
        REPOSITORY_INDEX, /* over the images of several platforms */
        REPOSITORY_FACT,  /* of a layer (layer/fact_doc.h) */
        REPOSITORY_ATTACHED, /* tag schemas: what hangs on an image where the registry has no API for it, and cosign's .sig and .att */
        REPOSITORY_OTHER /* none of ours: never touched */
};
struct repository_item { /* a manifest with all of its tags */
        sha256 digest;
        sv *tag; /* sorted */
        size_t n_tag;
        enum repository_kind kind;
        int64_t created; /* what it says of its own date; 0: nothing */
        uint64_t bytes;  /* of its layers, or of those of the images below an index that have no tag of their own: 0 */
        sha256 config;   /* IMAGE */
        sha256 key;      /* FACT */
        sha256 subject;  /* ATTACHED: the image */
        sha256 *child;   /* INDEX: images; ATTACHED: what hangs on it */
        size_t n_child;
        bool kept;       /* after repository_judge */
        const char *why; /* for people: "locked", "younger", …; NULL: it goes */
};
struct repository {
        struct reg_repo repo;
        struct repository_item *v; /* sorted by first tag */
        size_t n;
};
/** repo: "REGISTRY/NAME". -ERR_USAGE, -ERR_NOT_FOUND, … */
int repository_list(struct image_ctx *c, sv repo, struct arena *a, struct repository *ret, struct err *e);
const char *repository_kind_name(enum repository_kind k);

struct repository_keep {
        sha256 *image; /* manifests, indexes and configs that locks name */
        size_t n_image, cap_image;
        sha256 *key; /* of layers in them */
        size_t n_key, cap_key;
        size_t locks;   /* read */
        int64_t before; /* only what is older may go; 0: of any age */
};
/** Every *.lock below dir that is ours. -ERR_USAGE: one that cannot be read (ctx->diags), or no lock there at all: a slip would delete
 *  everything. A lock that was never built is warned of: it keeps nothing. */
int repository_keep_locks(struct image_ctx *c, sv dir, struct arena *a, struct repository_keep *ret, struct err *e);
/** Pure. Sets kept and why. */
void repository_judge(struct repository *r, const struct repository_keep *keep);
/** Delete what is not kept: what hangs on images first, then indexes, then images. Stops at the first refusal: -ERR_AUTH, -ERR_FAILED (the
 *  registry does not delete). *ret_n: manifests deleted. */
int repository_prune(struct image_ctx *c, const struct repository *r, size_t *ret_n, struct err *e);

#endif
