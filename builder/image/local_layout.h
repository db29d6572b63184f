/* image/local_layout.h - one image of the store as a folder or an archive that container tools load: an OCI layout of its own, whose blobs are
 * links into the store; or a tar that is an OCI layout and, by its manifest.json, what `docker save` writes: every docker, podman and ctr
 * reads one of the two. */
#ifndef IMAGE_LOCAL_LAYOUT_H
#define IMAGE_LOCAL_LAYOUT_H

#include "store/store.h"

struct local_blob {
        sha256 digest;
        uint64_t size;
        const char *path; /* in the store */
};
struct local_blobs { /* each once: manifest, config, layers in image order */
        struct oci_desc manifest;
        struct oci_manifest m;
        struct local_blob *v;
        size_t n;
        uint64_t bytes;
};
/** -ERR_NOT_FOUND: the store lacks one of them, named. */
int local_blobs_read(struct store *s, const sha256 *manifest, struct arena *a, struct local_blobs *ret, struct err *e);
/** Into an existing folder. Tools call the image by `name`s: full references ("localhost/train:latest"). */
int local_layout_write(const struct local_blobs *b, const sv *name, size_t n_name, const char *dir, struct err *e);
int local_archive_write(const struct local_blobs *b, const sv *name, size_t n_name, const char *path, struct op *op,
                        struct err *e);

#endif
