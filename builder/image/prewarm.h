/* image/prewarm.h - many environments to many places, so that whoever starts a job finds its image there: resolve, build what is missing, push,
 * load. Everything is content-addressed, so it may run from cron, twice, and on several hosts at once: the second finds what the first did. */
#ifndef IMAGE_PREWARM_H
#define IMAGE_PREWARM_H

#include "image/attach.h"
#include "image/image.h"
#include "image/local_stores.h"

struct prewarm_place {
        sv text; /* as given: "localhost:5000/team", "containerd:" */
        bool local;
        enum local_kind kind;
        sv prefix; /* what stands before an image's name; empty: a local store's own way */
};
/** "REGISTRY[/PATH]", or "containers-storage:", "docker-daemon:", "containerd:", each with an optional REGISTRY[/PATH] that images are named
 *  after there. -ERR_USAGE with a hint. */
int prewarm_place_read(struct arena *a, sv text, struct prewarm_place *ret, struct err *e);
/** What the image `name` is called there: "localhost:5000/team/train:latest". */
int prewarm_name(struct arena *a, const struct prewarm_place *p, sv name, sv tag, sv *ret, struct err *e);

struct prewarm_fault { /* code ERR_NONE: none */
        enum err_code code;
        sv cause, trail, hint;
};
struct prewarm_set {
        sv what; /* as given; of a folder: the file in it */
        sv file; /* definition or lock */
        bool curated;
        struct prewarm_fault fault; /* it cannot be used */
};
/**
 * Words → sets. A word is a definition, a lock, "curated/NAME" (unless a file is called so), or a folder: its *.yml and *.yaml, the env.yml or
 * environment.yml of each folder in it, and each *.lock whose definition is not beside it. What cannot be used is a set with a fault, so
 * that the others still go; a file that is named twice is one set.
 */
void prewarm_sets(struct arena *a, const sv *word, size_t n, struct prewarm_set **ret, size_t *ret_n);

struct prewarm_opts {
        const struct prewarm_set *set;
        size_t n_set;
        const struct prewarm_place *place;
        size_t n_place;
        const sv *tag; /* none: "latest" */
        size_t n_tag;
        const sv *platform; /* for registries; none: all of the lock. A local store gets this machine's */
        size_t n_platform;
        enum oci_codec codec;
        const struct attach_opts *attach; /* what is hung on images in registries; NULL: nothing */
        bool dry_run;
        bool locked; /* locks must fit and are not written; for curated sets always so */
};
enum prewarm_state {
        PREWARM_THERE,   /* under every tag; nothing was moved */
        PREWARM_PUSHED,  /* or loaded */
        PREWARM_MISSING, /* --dry-run: would be */
        PREWARM_FAILED
};
struct prewarm_result { /* of one image at one place */
        const struct prewarm_place *place;
        sv reference; /* with the first tag */
        enum prewarm_state state;
        size_t present, mounted, sent; /* blobs; of a registry. --dry-run: sent is what would be, where it is known */
        bool counted;
        uint64_t bytes; /* sent or loaded */
        int64_t ms;
        struct prewarm_fault fault;
};
struct prewarm_image {
        const struct prewarm_set *set;
        sv name; /* empty: its definition could not be read */
        bool has_digest;
        sha256 digest; /* of what registries get: manifest or index */
        bool built;    /* or, with --dry-run, would be: it was not at every place */
        struct image_count count;
        int64_t ms;                 /* locking and building */
        struct prewarm_fault fault; /* it was not locked or not built: nothing went anywhere */
        struct prewarm_result *at;  /* one a place, in their order; none with a fault */
        size_t n_at;
};
struct prewarm_report {
        struct prewarm_image *image;
        size_t n_image;
        size_t n_failed;    /* images that did not get everywhere */
        enum err_code code; /* of the faults when all have one, else ERR_FAILED; ERR_NONE */
};
/** Every image and every place is tried. Faults of definitions are in c->diags, those of images in the report; 0 also then.
 *  -ERR_CANCELLED. Places and names are borrowed. */
int prewarm(struct image_ctx *c, const struct prewarm_opts *o, struct arena *a, struct prewarm_report *ret,
            struct err *e);

#endif
