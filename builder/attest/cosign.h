/* attest/cosign.h - signatures of images as cosign writes and reads them (sigstore/cosign specs/SIGNATURE_SPEC.md, specs/oci.md §4.4). Two forms:
 * the classic one, a manifest under the tag sha256-<hex>.sig whose layers are payloads, each with its signature as an annotation; and a statement
 * in a bundle (attest/bundle.h) that refers to the image. Pure; what comes from a registry is hostile. */
#ifndef ATTEST_COSIGN_H
#define ATTEST_COSIGN_H

#include <stdbool.h>

#include "oci/oci.h"

#define COSIGN_PAYLOAD_TYPE   "application/vnd.dev.cosign.simplesigning.v1+json"
#define COSIGN_SIGNATURE      "dev.cosignproject.cosign/signature" /* annotation: base64 of the DER */
#define COSIGN_PREDICATE_TYPE "https://sigstore.dev/cosign/sign/v1"
#define COSIGN_PAYLOAD_MAX    ((size_t)1 << 20)

/** "sha256-<hex>.sig" */
sv cosign_tag(struct arena *a, const sha256 *manifest);
/** The classic payload: what a signature is over. repository: "ghcr.io/team/train". */
void cosign_payload_write(sv repository, const sha256 *manifest, struct buf *out);
/** Does this payload speak of that manifest? False for anything that is no such payload. */
bool cosign_payload_means(sv payload, const sha256 *manifest);
/** The config of a classic signature manifest: its layers are not compressed, so a digest is a diff_id. */
void cosign_config_write(const struct oci_desc *layer, size_t n, struct buf *out);
/** The statement that the bundle form signs. */
void cosign_statement_write(const sha256 *manifest, struct buf *out);

#endif
