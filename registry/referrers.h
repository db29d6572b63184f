/* registry/referrers.h - what hangs on an image: SBOMs, locks, signatures (distribution-spec "Listing Referrers", specs/oci.md §3.6), by the
 * API where the server has it, else by the tag schema (sha256-<hex>). */
#ifndef REGISTRY_REFERRERS_H
#define REGISTRY_REFERRERS_H

#include "registry/push.h"

struct reg_referrer {
        struct oci_desc desc; /* of the manifest */
        sv artifact_type;
};
/** artifact_type empty: all. Sorted by digest. None is no error. */
int reg_referrers(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject, sv artifact_type,
                  struct arena *a, struct reg_referrer **ret, size_t *ret_n, struct err *e);

struct reg_artifact { /* written as specs/oci.md §4.3 says: empty config, layers, subject */
        sv type;
        const struct oci_desc *subject; /* NULL: a manifest of its own (a layer's fact) */
        const struct reg_push_blob *layer;
        size_t n_layer;
        const struct oci_pair *annotation; /* sorted by key */
        size_t n_annotation;
        sv tag; /* empty: by digest only */
};
/** Its manifest, canonical JSON: same input, same digest. Pure. */
void reg_artifact_write(const struct reg_artifact *x, struct buf *out);
/** Push it: layers, the empty config, the manifest, and the tag schema's index where the server takes no note of the subject. Doing it twice changes
 *  nothing. */
int reg_artifact_push(struct reg_client *c, const struct reg_repo *repo, const struct reg_artifact *x,
                      struct oci_desc *ret, struct err *e);

#endif
