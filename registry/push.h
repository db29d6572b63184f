/* registry/push.h - an image into a repository: blobs several at once and largest first, then manifests, then tags (specs/oci.md §3.5).
 * Nothing is tagged before all it needs is there: a broken push leaves blobs, never a broken image. */
#ifndef REGISTRY_PUSH_H
#define REGISTRY_PUSH_H

#include "registry/blob.h"
#include "registry/manifest.h"

struct reg_push_blob {
        struct oci_desc desc;
        struct reg_bytes bytes;      /* path NULL and text empty: not here (unless size is 0) */
        sv subject;                  /* "numpy 2.1.0": for events and errors */
        const struct reg_repo *from; /* where this one may be mounted from; before those of all */
        size_t n_from;
};
struct reg_push {
        struct reg_repo repo;
        const struct reg_push_blob *blob; /* any order, each once */
        size_t n_blob;
        const struct reg_repo *from; /* where they may be mounted from */
        size_t n_from;
        /* A blob that is neither here, nor there, nor to be mounted (a base's layer in another registry): fetch it, say where its file is (heap). NULL: an error. Any thread. */
        int (*fetch)(void *arg, const struct reg_push_blob *b, char **ret_path, struct err *e);
        void *arg;
        const struct reg_manifest
                *manifest; /* children before the index over them; the last one is what the tags mean */
        size_t n_manifest;
        const sv *tag; /* may be none: by digest only */
        size_t n_tag;
};
struct reg_push_count {
        size_t present, mounted, sent; /* blobs */
        uint64_t bytes;                /* sent */
        bool whole;                    /* the image was there: nothing but HEADs of manifest and tags */
        bool noted;                    /* the server took note of the last manifest's subject just now */
};
/** When the last manifest is there by digest and every tag means it, nothing else is asked. */
int reg_push(struct reg_client *c, const struct reg_push *p, struct reg_push_count *ret, struct err *e);

#endif
