/* image/prewarm_priv.h - what the files of a prewarm share. */
#ifndef IMAGE_PREWARM_PRIV_H
#define IMAGE_PREWARM_PRIV_H

#include "base/map.h"
#include "image/prewarm.h"

/** Copies and empties *e. */
struct prewarm_fault prewarm_fault_of(struct arena *a, struct err *e);
/** A platform is among those that registries are to get. */
bool prewarm_wants(const struct prewarm_opts *o, sv platform);

struct prewarm_run {
        struct image_ctx *c;
        const struct prewarm_opts *o;
        struct arena *a;
        const sv *tag; /* at least one */
        size_t n_tag;
        sv host;          /* this machine's platform */
        struct map taken; /* reference → the set that has it */
};
/* What an image is before it is built, as far as its lock says it. */
struct prewarm_known {
        bool whole;    /* registries': */
        sha256 digest; /* manifest or index */
        bool here;     /* local stores': */
        sha256 manifest, config;
};

/* --- image/prewarm_place.c: one image at one place */

/** names: one a tag. Sets state to PREWARM_THERE when every name means it already. */
int prewarm_look(struct prewarm_run *w, const struct prewarm_place *p, const struct prewarm_known *k, const sv *name,
                 struct prewarm_result *ret, struct err *e);
/** --dry-run: what would be sent of the layers that the lock names. */
int prewarm_estimate(struct prewarm_run *w, const struct prewarm_place *p, const struct lock *l, const sv *name,
                     struct prewarm_result *ret, struct err *e);
/** After it was built. */
int prewarm_deliver(struct prewarm_run *w, const struct prewarm_place *p, sv image, const struct prewarm_known *k,
                    const sv *name, struct prewarm_result *ret, struct err *e);

#endif
