/* registry/referrers_priv.h - the tag schema: an index under a tag that is made of the subject's digest, kept by clients (specs/oci.md §3.6). */
#ifndef REGISTRY_REFERRERS_PRIV_H
#define REGISTRY_REFERRERS_PRIV_H

#include "registry/referrers.h"

sv referrers_tag(struct arena *a, const sha256 *subject); /* "sha256-<hex>" */
/**
 * The index with one entry more, sorted by digest; what others wrote into it is kept as it is. Pure.
 *
 * @param text     empty: there is none yet
 * @param ret_had  it was there before, out is empty
 * @return 0 · -ERR_INTEGRITY: not an index
 */
int referrers_add(sv text, const struct oci_desc *entry, struct buf *out, bool *ret_had, struct err *e);
/** The index of the tag schema, as it is now; *ret_text is empty when there is none. -ERR_INTEGRITY: the tag means something else. */
int referrers_tagged(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject, struct arena *a,
                     sv *ret_text, struct err *e);
/** All pages of the API. *ret_has false: the server has none. */
int referrers_listed(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject, sv type, struct arena *a,
                     struct reg_referrer **ret, size_t *ret_n, bool *ret_has, struct err *e);
/** Make sure that a manifest is found from its subject, whatever the server can do. */
int referrers_note(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject,
                   const struct oci_desc *entry, struct err *e);

#endif
