/* run/supervise/rootfs.h - submit/image.json: an image as a rank's machine needs it, without asking registries or reading manifests. */
#ifndef RUN_SUPERVISE_ROOTFS_H
#define RUN_SUPERVISE_ROOTFS_H

#include "oci/oci.h"
#include "run/record/record.h"

struct run_rootfs {
        sv name; /* name@sha256:… */
        struct oci_desc *layer;
        sha256 *diff_id;
        size_t n;
        sv *env; /* of the image's config */
        size_t n_env;
        sv user, workdir;
        sv *entrypoint;
        size_t n_entrypoint;
        sv pycache; /* folder of the store for compiled files; empty: none */
};
int run_rootfs_write(const struct run_record *r, const struct run_rootfs *f, struct err *e);
int run_rootfs_read(struct arena *a, const struct run_record *r, struct run_rootfs *ret, struct err *e);

#endif
