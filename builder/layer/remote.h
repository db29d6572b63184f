/* layer/remote.h - facts about layers in a repository of a registry: one tag a key, lk-<64 hex> (layer/fact_doc.h). Any thread. */
#ifndef LAYER_REMOTE_H
#define LAYER_REMOTE_H

#include "layer/fact_doc.h"
#include "registry/client.h"

/**
 * What the repository says of a key.
 *
 * @param trust  n_trust keys; with any, what none of them signed does not exist
 * @return 0 · -ERR_NOT_FOUND: nothing, or not signed · -ERR_INTEGRITY: hostile or damaged · -ERR_NET, -ERR_AUTH, -ERR_OFFLINE, -ERR_CANCELLED
 */
int layer_remote_get(struct reg_client *c, const struct reg_repo *repo, const sha256 *key,
                     const struct ed25519_public *trust, size_t n_trust, struct arena *a, struct fact_doc *ret,
                     struct err *e);
/** A path list into the store, checked by digest and size and read once, so that whoever opens it later finds a path list. 0 when it is there.
 *  -ERR_INTEGRITY: it is none. */
int layer_remote_paths(struct reg_client *c, const struct reg_repo *repo, const struct fact_blob *b, struct store *s,
                       struct err *e);
/** A text into the store. */
int layer_remote_text(struct reg_client *c, const struct reg_repo *repo, const struct fact_blob *b, struct store *s,
                      struct err *e);

struct layer_remote_put {
        const struct reg_repo *into;
        const struct reg_repo *from;        /* where the layer can be mounted from; NULL: nowhere */
        struct store *store;                /* has its path lists and texts, perhaps the layer */
        const struct ed25519_key *sign;     /* or NULL */
        const struct ed25519_public *trust; /* as above: what is there counts only when signed */
        size_t n_trust;
};
/**
 * Publish a fact: nothing when the repository says the same already; encodings that it knows besides are kept.
 *
 * @return 0 · -ERR_INTEGRITY: it says another diff_id, both are named · -ERR_NOT_FOUND: a blob is neither here nor there · -ERR_AUTH, -ERR_NET …
 */
int layer_remote_put(struct reg_client *c, const struct layer_remote_put *p, const struct fact_doc *d,
                     bool *ret_written, struct err *e);

#endif
