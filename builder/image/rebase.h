/* image/rebase.h - the same packages on another base (design/README.md §6, docs/internals/rebase.md): an image's lock, or a lock file, with base,
 * facts, base's python and Debian packages of each platform replaced. Nothing else is resolved. What is built from it by image_build has the
 * same package layers, for their keys are the same. */
#ifndef IMAGE_REBASE_H
#define IMAGE_REBASE_H

#include "image/image.h"

struct image_rebase {                 /* what is rebased; filled by rebase_of_*, changed by rebase_onto */
        struct image_locked locked;   /* for image_build. path: of the lock file, or what it would be called here */
        struct image_request request; /* for image_build */
        sv name; /* what the image is called: "ghcr.io/team/train:v1", "train"; empty: only its digest was given */
        sv repo; /* its repository; empty: it is local to the store */
        enum oci_codec codec; /* of its layers */
        bool of_files;        /* a definition or a lock file, not an image */
        sv was; /* the base of its definition, else its own: "recipe:debian-13-python", "docker.io/library/debian:13" */
        bool departs; /* the definition names another base than rebase_onto's: the next `build` would go back */
};
/**
 * An image of the store or of a registry, by the lock it was made from (image/source.h). Platforms of the lock that the image does not have
 * are left out. Files of the definition, which are not at hand, are taken out of the image into the store.
 * @return 0 · what source_find says
 */
int rebase_of_image(struct image_ctx *c, sv ref, struct arena *a, struct image_rebase *ret, struct err *e);
/**
 * A definition, by the lock beside it, or a lock file.
 * @param files  what image_lock takes; flags are not looked at
 * @return 0 · -ERR_USAGE (ctx->diags) · -ERR_STALE: no lock, or it does not fit the definition
 */
int rebase_of_files(struct image_ctx *c, const struct image_request *files, struct arena *a, struct image_rebase *ret,
                    struct err *e);
/**
 * Put it on a base, as that is now: a reference, oci:DIR[:TAG], recipe:NAME, scratch.
 * @return 0 · -ERR_CONFLICT: the packages cannot stand there; the cause names every reason · -ERR_USAGE: apt: packages without a recipe ·
 *         what looking at the base says
 */
int rebase_onto(struct image_ctx *c, struct image_rebase *r, sv base, struct arena *a, struct err *e);

/* --- image/rebase_check.c: pure */
#define REBASE_FAULTS 5
/** Why what was made for the platform `was` cannot stand on the base of `now`: phrases about that base, as "its glibc 2.31 is older than …".
 *  Returns how many; 0: it can. */
size_t rebase_faults(const struct lock_platform *was, const struct lock_platform *now, struct arena *a,
                     sv ret[static REBASE_FAULTS]);

/* --- image/rebase_files.c */
/** The files of a lock (files:, certificates:) out of an image's last layer into the store, where image_build finds them by their hash. from:
 *  repositories, a blank between two. -ERR_NOT_FOUND: the layer has none of that hash. */
int rebase_files(struct image_ctx *c, const struct lock *l, const struct oci_desc *last, sv from, struct err *e);

#endif
