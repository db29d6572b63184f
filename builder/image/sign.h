/* image/sign.h - signatures on an image in a registry, in the two forms that cosign reads (attest/cosign.h). */
#ifndef IMAGE_SIGN_H
#define IMAGE_SIGN_H

#include "ext/sign.h"
#include "image/image.h"
#include "registry/referrers.h"

/** The key in a file; its password, where it has one, is $ENVBUILD_KEY_PASSWORD or $COSIGN_PASSWORD. Errors of sign_key_read. */
int image_sign_key(const char *path, struct sign_key **ret, struct err *e);

struct image_sign {
        const struct sign_key *key;
        bool classic; /* the tag sha256-<hex>.sig, beside what others have signed there */
        bool bundle;  /* a referrer */
};
struct image_signed {
        size_t made, present; /* signatures: ours by this key were there already */
};
/** Sign what `image` names (a manifest or index of this repository). Signatures by other keys stay. Doing it twice changes nothing. */
int image_sign(struct reg_client *reg, const struct reg_repo *repo, const struct oci_desc *image,
               const struct image_sign *o, struct image_signed *ret, struct err *e);
/** A statement about `subject`, signed and hung on it as a bundle, unless this key has signed the very same already. */
int image_sign_statement(struct reg_client *reg, const struct reg_repo *repo, const struct oci_desc *subject,
                         const struct sign_key *key, sv statement, const char *predicate_type, struct image_signed *ret,
                         struct err *e);

#endif
