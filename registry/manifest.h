/* registry/manifest.h - manifests, indexes and tags of a repository (distribution-spec "Pulling manifests", specs/oci.md §3.4, §3.5).
 * A manifest is its bytes; its digest is computed here, never believed. At most OCI_DOC_MAX bytes. */
#ifndef REGISTRY_MANIFEST_H
#define REGISTRY_MANIFEST_H

#include "oci/oci.h"
#include "registry/client.h"

struct reg_manifest {
        sv bytes;
        sv media_type; /* of the document, else of the answer's Content-Type */
        sha256 digest;
};
/** ref: a tag or "sha256:…". Mirrors are asked first. -ERR_NOT_FOUND · -ERR_INTEGRITY: other bytes than the digest says, mediaType other than
 *  the Content-Type, schema 1 (hint) · -ERR_AUTH … */
int reg_manifest_get(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a,
                     struct reg_manifest *ret, struct err *e);
/** HEAD (GET where a server sends no digest); asked of the registry itself. ret: media type, digest, size. */
int reg_manifest_head(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a, struct oci_desc *ret,
                      struct err *e);
/** ret_subject (may be NULL): the server took note of `subject`. A lost answer is looked into (HEAD) before it is sent again. */
int reg_manifest_put(struct reg_client *c, const struct reg_repo *repo, sv ref, const struct reg_manifest *m,
                     bool *ret_subject, struct err *e);
/** By digest or tag. -ERR_NOT_FOUND · -ERR_FAILED: the server does not delete (405, 400 UNSUPPORTED), hint. */
int reg_manifest_delete(struct reg_client *c, const struct reg_repo *repo, sv ref, struct err *e);
/** All tags, sorted; pages followed on the same host only. */
int reg_tags(struct reg_client *c, const struct reg_repo *repo, struct arena *a, sv **ret, size_t *ret_n,
             struct err *e);

#endif
