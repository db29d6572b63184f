/* image/local_stores.h - an image of our store into the container stores of this machine: podman's and CRI-O's (containers-storage), docker's,
 * containerd's. Each is spoken to through its own program, so that its locks, its user namespace and its settings ($CONTAINER_HOST,
 * $DOCKER_HOST, $CONTAINERD_ADDRESS, $CONTAINERD_NAMESPACE, storage.conf) count. They hold one platform: one manifest is given, no index. */
#ifndef IMAGE_LOCAL_STORES_H
#define IMAGE_LOCAL_STORES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/op.h"
#include "oci/oci.h"
#include "store/store.h"

enum local_kind { LOCAL_CONTAINERS_STORAGE, LOCAL_DOCKER, LOCAL_CONTAINERD };

/** "containers-storage:", "docker-daemon:", "containerd:"; *ret_rest: what stands behind. False: none of them. */
bool local_store_is(sv text, enum local_kind *ret, sv *ret_rest);
const char *local_store_name(enum local_kind k); /* with its colon */
/** What people call an image there that is called `name` ("train") without a registry: "localhost/train" in podman's store, "train" in docker's,
 *  "docker.io/library/train" (what a pod's `image: train` means) in containerd's. */
sv local_store_repository(enum local_kind k, sv name, struct arena *a);

struct local_image {
        sha256 manifest,
                config; /* digests of blobs in the store; config is what podman and docker call the image's id */
        const sv *name; /* "localhost/train:latest": each gets it */
        size_t n_name;  /* at least one */
};
/** Every name is there and means this image. -ERR_NOT_FOUND: none of the programs is here, named · -ERR_FAILED with what the program said */
int local_store_has(enum local_kind k, const struct local_image *x, struct op *op, bool *ret, struct err *e);
/** Put it there. *ret_bytes: of the blobs it was given. Twice is harmless. Errors as local_store_has; -ERR_NOT_FOUND for a blob that is gone. */
int local_store_load(enum local_kind k, struct store *s, const struct local_image *x, struct op *op,
                     uint64_t *ret_bytes, struct err *e);

#endif
