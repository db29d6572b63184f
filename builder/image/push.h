/* image/push.h - images of the store into registries. What a registry has is not sent; what it has in another repository is mounted; what is not
 * here (a base's layer, a sparse image's) is fetched through the store. */
#ifndef IMAGE_PUSH_H
#define IMAGE_PUSH_H

#include "image/image.h"
#include "registry/push.h"

struct image_push_opts {
        bool docker; /* manifests and configs under Docker's media types; -ERR_USAGE for zstd layers, which they cannot name */
        const struct reg_repo *from; /* where else blobs may be mounted from */
        size_t n_from;
        sv cache_repo; /* where facts about its layers are kept (image/reuse.h); empty: `<repository>-layers` */
};
struct image_pushed { /* into one repository */
        struct reg_repo repo;
        sv *tag;
        size_t n_tag;
        struct oci_desc
                desc; /* of the manifest or index that the tags mean: its digest is the image's with other media types */
        struct reg_push_count count;
};
/**
 * @param image  "train", "train:v1", "train@sha256:…", "sha256:…": as image_open
 * @param to     references with a registry: REGISTRY/NAME[:TAG] ("latest" without a tag), or REGISTRY/NAME@sha256:… (no tag; it must be the
 *               image's digest). None: the image's own name
 * @param ret    one a repository, in the order in which `to` names them
 * @return 0 · -ERR_USAGE: a name without a registry, hint · -ERR_NOT_FOUND · what reg_push says
 */
int image_push(struct image_ctx *c, sv image, const sv *to, size_t n_to, const struct image_push_opts *o,
               struct arena *a, struct image_pushed **ret, size_t *ret_n, struct err *e);
/** Where an image may be pushed under this name: REGISTRY/NAME[:TAG]. -ERR_USAGE with a hint that shows how it is written. */
int image_push_name(struct arena *a, sv text, struct reference *ret, struct err *e);

#endif
