/* attest/bundle.h - a sigstore bundle (v0.3): a signed statement and what names the key, as one document. Pure. */
#ifndef ATTEST_BUNDLE_H
#define ATTEST_BUNDLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sv.h"

#define INTOTO_MEDIA_TYPE "application/vnd.in-toto+json"
#define BUNDLE_MEDIA_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"
/* annotations of its referrer: readers choose by them without fetching it */
#define BUNDLE_CONTENT   "dev.sigstore.bundle.content" /* "dsse-envelope" */
#define BUNDLE_PREDICATE "dev.sigstore.bundle.predicateType"

/**
 * @param statement   INTOTO_MEDIA_TYPE, the payload
 * @param signature   DER, over dsse_signed_bytes() of it
 * @param public_key  DER (SubjectPublicKeyInfo): the hint is its sha256, as cosign writes it
 */
void bundle_write(sv statement, sv signature, sv public_key, struct buf *out);
/** Is this a bundle of that very statement? Then *ret_signature is to be verified. False for anything else, malformed texts too. */
bool bundle_has(struct arena *a, sv text, sv statement, sv *ret_signature);

#endif
