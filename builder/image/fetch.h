/* image/fetch.h - images whose layers are not all here (design/store.md, "Sparse images"). A layer that is elsewhere by record
 * (store_origin_add: the base's repository, where a fact came from, what was pushed or pulled) is as good as here for a build; run, export
 * and a push to another registry fetch it. */
#ifndef IMAGE_FETCH_H
#define IMAGE_FETCH_H

#include "image/image.h"

/** A blob is in the store, or known to be in some repository. */
bool image_blob_known(struct image_ctx *c, const sha256 *d);
/**
 * Name an image in the store: whole, or with the repositories that have what is missing. The documents of it that are here are read.
 * Writes nothing when the name says that already.
 */
int image_name(struct image_ctx *c, sv name, const struct oci_desc *d, struct arena *a, struct err *e);
/**
 * One blob into the store: from the repositories of its record, then those of `from` (a ref's: a blank between two), a foreign layer from its
 * urls first. Checked by digest and size. Any thread, once image_ctx_store (for writing) and image_ctx_registry were called.
 *
 * @return 0, also when it was there · -ERR_NOT_FOUND: nobody has it · -ERR_OFFLINE · -ERR_NET, -ERR_AUTH, -ERR_INTEGRITY: what the first of
 *         those that should have it said
 */
int image_blob_fetch(struct image_ctx *c, const struct oci_desc *d, sv from, sv subject, struct err *e);
/** Those of n layers that are not here, several at once, largest first. what: "docker.io/library/python:3.12", for messages.
 *  Offline: -ERR_OFFLINE names all that are missing. ret_bytes (may be NULL): fetched. */
int image_layers_fetch(struct image_ctx *c, const struct oci_desc *layer, size_t n, sv from, sv what,
                       uint64_t *ret_bytes, struct err *e);
/** All layers of an image; its names then say that it is whole. */
int image_fetch(struct image_ctx *c, const struct image_view *v, struct arena *a, struct err *e);

#endif
