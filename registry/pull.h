/* registry/pull.h - what an image reference means: index → platform → manifest → config, checked against each other (specs/oci.md §1, §3.4).
 * No layer is fetched. OCI and Docker schema 2 are read; schema 1 is refused; attestation entries are passed over; what is no image is refused
 * by the name of its type. */
#ifndef REGISTRY_PULL_H
#define REGISTRY_PULL_H

#include "registry/blob.h"
#include "registry/manifest.h"

struct reg_image {
        struct reg_repo repo;
        sv name; /* "docker.io/library/python:3.12": for messages, and for base.name */
        bool has_index;
        struct reg_manifest index; /* when the reference leads to one */
        struct oci_index x;
        struct reg_manifest manifest;
        struct oci_manifest m;
        sv config_text;
        struct oci_config config;
};
/**
 * ref: tag or digest, "latest" without either; the digest decides where both are. platform: "linux/amd64"; empty: the first of an index.
 * -ERR_NOT_FOUND names the platforms that are there · -ERR_INTEGRITY: the documents do not fit together · -ERR_FAILED: no image, or layers of a
 * type that we cannot read, named.
 */
int reg_image_get(struct reg_client *c, const struct reference *ref, sv platform, struct arena *a,
                  struct reg_image *ret, struct err *e);

/* The pure steps of it, for who has the documents already. */
/** "docker.io/library/python:latest@sha256:…": everything written. */
sv reg_reference_text(struct arena *a, const struct reference *r);
/** "linux/amd64, linux/arm64/v8": the images of an index, each once. */
sv reg_index_platforms(struct arena *a, const struct oci_index *x);
/** The entry for a platform, or the first image when none is asked for. -ERR_NOT_FOUND as above. */
int reg_index_pick(const struct oci_index *x, sv platform, sv name, struct arena *a, const struct oci_desc **ret,
                   struct err *e);
/** Fill m and config from the texts of manifest and config, and check that all fits: types, layers, platform. */
int reg_image_check(struct reg_image *x, sv platform, struct arena *a, struct err *e);

#endif
