/* image/append.h - an image with one more layer: how the source of a run gets to where only images get. */
#ifndef IMAGE_APPEND_H
#define IMAGE_APPEND_H

#include "image/image.h"
#include "stream/stream.h"

struct image_appended {
        sv name;               /* NAME@sha256:…, in the store */
        sha256 digest;         /* of its manifest */
        struct oci_desc layer; /* the one that was added */
};
/**
 * The same config (of one platform) with one diff_id and one history entry more; base layers need not be here (image/fetch.h). Deterministic: no
 * time of its own, the layer compressed to the same bytes anywhere. No name of the store means it: image_push takes the one that is returned.
 *
 * @param name  without tag and digest: where it will be pushed ("registry/team/train")
 * @param tar   writes the layer's tar; finish is called by us
 * @return 0 · -ERR_INTEGRITY: the base contradicts itself · what tar says
 */
int image_append(struct image_ctx *c, const struct image_view *base, sv name,
                 int (*tar)(void *arg, struct writer *w, struct err *e), void *arg, struct arena *a,
                 struct image_appended *ret, struct err *e);

#endif
