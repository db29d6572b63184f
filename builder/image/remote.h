/* image/remote.h - images in registries as bases, and their documents in the store. */
#ifndef IMAGE_REMOTE_H
#define IMAGE_REMOTE_H

#include "image/image_priv.h"
#include "registry/pull.h"

/** Keep index, manifest and config in the store, and note where they and the layers are. */
int remote_keep(struct image_ctx *c, const struct reg_image *x, struct arena *a, struct err *e);

/** "docker.io/library/ubuntu:24.04", "ubuntu:24.04", "NAME@sha256:…", "docker://…": base_resolve for these. A base that is locked for the same
 *  reference stays as it is, whatever its tag means by now, unless --upgrade-base or --upgrade say otherwise. */
int remote_base_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                        const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e);
/** A locked base of a registry: neither recipe nor layout nor scratch. */
bool remote_is_base(const struct lock_base *b);
/** Its config, from the store or by digest from the repository of its `ref`. -ERR_NOT_FOUND: gone, hint. */
int remote_base_config(struct image_ctx *c, const struct lock_base *b, struct arena *a, sv *ret, struct err *e);
/** Note where its layers are; those that no registry need hold are fetched now. */
int remote_base_note(struct image_ctx *c, const struct lock_base *b, struct arena *a, struct err *e);
/** All its layers into the store. */
int remote_base_fetch(struct image_ctx *c, const struct lock_base *b, struct arena *a, struct err *e);

#endif
