/* layer/fact_doc.h - what a registry knows of a layer's key (design/lock.md "Layer facts in a registry"): an OCI manifest whose blobs are the
 * layer, its path list and what an image's config or last layer may need besides, so that whoever has the document needs no package. Pure.
 *
 *   artifactType  application/vnd.envbuild.layer.v1+json, config {}
 *   layers        1…3 encodings of the layer (OCI layer types: gzip, none, zstd, in this order) · its path list · for a bucket the path list of
 *                 each member, in bucket order, annotated with the member's key · texts (activation scripts), by their sha256
 *   annotations   dev.envbuild.key, dev.envbuild.diff-id, dev.envbuild.layer-format, dev.envbuild.signature
 *   tag           lk-<key> */
#ifndef LAYER_FACT_DOC_H
#define LAYER_FACT_DOC_H

#include "ext/ed25519.h"
#include "layer/layer.h"
#include "registry/referrers.h"

#define FACT_TYPE      "application/vnd.envbuild.layer.v1+json"
#define FACT_TEXT_TYPE "application/vnd.envbuild.text.v1"
#define FACT_PATHS_MAX ((uint64_t)64 << 20) /* bytes of a path list that is taken from a registry */
#define FACT_TEXT_MAX  ((uint64_t)1 << 20)  /* of a text */
#define FACT_BLOBS_MAX 8192                 /* of one document */
#define FACT_TEXTS_MAX 256

struct fact_blob {
        sha256 digest;
        uint64_t size;
};
struct fact_member { /* of a bucket */
        sha256 key;
        struct fact_blob paths;
};
struct fact_doc {
        sha256 key, diff_id;
        struct layer_encoding encoding[3]; /* gzip, none, zstd: those that are there */
        size_t n_encoding;
        struct fact_blob paths;
        struct fact_member *member; /* bucket order; none: no bucket */
        size_t n_member;
        struct fact_blob *text;
        size_t n_text;
        bool has_signature;
        struct ed25519_signature signature;
};

/** "lk-<64 hex>" */
sv fact_doc_tag(const sha256 *key, struct arena *a);
/** Its manifest as registry/ writes one: layers without bytes, annotations, tag. Texts live in the arena. */
void fact_doc_artifact(const struct fact_doc *d, struct arena *a, struct reg_artifact *ret);
/**
 * Strict: what is not as fact_doc_artifact makes it is no fact. Texts live in the arena.
 *
 * @param key  what it must be about
 * @return 0 · -ERR_INTEGRITY: hostile or damaged, another key, members whose keys do not give a bucket's key
 */
int fact_doc_parse(struct arena *a, sv manifest, const sha256 *key, struct fact_doc *ret, struct err *e);
/** What is signed: all of it but the signature, as canonical text. */
void fact_doc_signed_text(const struct fact_doc *d, struct buf *out);
int fact_doc_sign(struct fact_doc *d, const struct ed25519_key *k, struct err *e);
/** One of the keys signed it. */
bool fact_doc_is_signed(const struct fact_doc *d, const struct ed25519_public *trust, size_t n);
const struct layer_encoding *fact_doc_encoding(const struct fact_doc *d, enum oci_codec c); /* or NULL */

#endif
