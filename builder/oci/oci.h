/* oci/oci.h - OCI image documents as data: descriptors, manifests, configs, indexes (image-spec v1.1.1; specs/oci.md §1). Pure.
 * Reading takes OCI and Docker schema 2 media types; writing gives OCI, canonical JSON. Unknown fields of a base's config survive. */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/sv.h"
#include "ext/json.h"

#define OCI_INDEX      "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST   "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG     "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER      "application/vnd.oci.image.layer.v1.tar"
#define OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCI_EMPTY      "application/vnd.oci.empty.v1+json" /* config of what is no image: {} */
#define OCI_REF_NAME   "org.opencontainers.image.ref.name"
#define OCI_DOC_MAX    ((size_t)4 << 20) /* bytes of a manifest, index or config */

struct oci_pair {
        sv key, value;
};
struct oci_desc {
        sv media_type;
        sha256 digest;
        uint64_t size;
        sv artifact_type;     /* what an index of referrers says that a manifest is for, or empty */
        sv os, arch, variant; /* platform of an index entry, or empty */
        struct oci_pair *annotation;
        size_t n_annotation;
        sv *url; /* where else the bytes are: of layers that no registry may hold */
        size_t n_url;
};
sv oci_desc_annotation(const struct oci_desc *d, const char *key); /* empty when absent */
/** One descriptor as a document of its own (the store's refs). -ERR_INTEGRITY; -ERR_FAILED: its digest is no sha256. */
int oci_desc_parse(struct arena *a, sv text, const char *what, struct oci_desc *ret, struct err *e);
void oci_desc_write(const struct oci_desc *d, struct buf *out);

enum oci_codec { OCI_CODEC_NONE, OCI_CODEC_GZIP, OCI_CODEC_ZSTD };
/** Codec of a layer's media type (OCI or Docker); false for a type that is no layer of ours to read. */
bool oci_layer_codec(sv media_type, enum oci_codec *ret);
/** A layer that registries need not hold ("foreign", "nondistributable"): its bytes are at the descriptor's urls. */
bool oci_layer_foreign(sv media_type);
const char *oci_codec_name(enum oci_codec c); /* "none", "gzip", "zstd" */
const char *oci_codec_type(enum oci_codec c); /* the OCI layer media type */

struct oci_manifest {
        sv artifact_type; /* empty: an image */
        struct oci_desc config, *layer;
        size_t n_layer;
        bool has_subject;
        struct oci_desc subject; /* what it hangs on */
        struct oci_pair *annotation;
        size_t n_annotation;
};
struct oci_index {
        struct oci_desc *v;
        size_t n;
};
/* -ERR_INTEGRITY: not JSON, wrong types, both layers and manifests, schema 1 (hint), a digest that is none. `what` names the document. */
int oci_manifest_parse(struct arena *a, sv text, const char *what, struct oci_manifest *ret, struct err *e);
int oci_index_parse(struct arena *a, sv text, const char *what, struct oci_index *ret, struct err *e);
/** "manifest" or "index" by mediaType, else by what it has. */
bool oci_is_index(struct arena *a, sv text);
void oci_manifest_write(const struct oci_manifest *m, struct buf *out);
void oci_index_write(const struct oci_index *x, struct buf *out);
/* The same in Docker's schema 2, for clients that read nothing else; it has no place for annotations, subject and artifactType. */
#define OCI_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define OCI_DOCKER_INDEX    "application/vnd.docker.distribution.manifest.list.v2+json"
/** False: *ret_type is a layer's type that Docker has no name for (zstd). */
bool oci_manifest_write_docker(const struct oci_manifest *m, struct buf *out, sv *ret_type);
/** Its entries are Docker manifests. */
void oci_index_write_docker(const struct oci_index *x, struct buf *out);
/** An entry that is an image or an index of some: not an attestation, not something else that hangs in an index. */
bool oci_index_is_image(const struct oci_desc *entry);
/** The entry for a platform ("linux/amd64", specs/oci.md §1.6), or NULL; attestation entries are skipped. */
const struct oci_desc *oci_index_pick(const struct oci_index *x, sv platform);

struct oci_config {
        struct js *doc; /* the whole document, for writing a derived one */
        sv arch, os, variant;
        sv *env, *entrypoint, *cmd;
        size_t n_env, n_entrypoint, n_cmd;
        sv user, workdir;
        sha256 *diff_id;
        size_t n_diff_id;
        struct js *history; /* array with an entry for each layer (and empty ones), or NULL */
};
/** -ERR_INTEGRITY. A history that does not fit the diff_ids is left out. */
int oci_config_parse(struct arena *a, sv text, const char *what, struct oci_config *ret, struct err *e);

#endif
