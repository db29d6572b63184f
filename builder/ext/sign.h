/* ext/sign.h - ECDSA P-256 signatures over SHA-256 by OpenSSL's EVP: what cosign, sigstore and `openssl dgst -sha256 -sign` make. Keys are PEM
 * (SEC 1 or PKCS #8, encrypted or not). No secret is in an error; a key's memory is OpenSSL's and wiped by it. */
#ifndef EXT_SIGN_H
#define EXT_SIGN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

#define SIGN_KEY_MAX ((size_t)64 << 10) /* bytes of a key's file */

struct sign_key;

/**
 * A private key.
 *
 * @param pem       the file's bytes
 * @param password  NULL: none is known
 * @param what      names the file in errors
 * @return 0 · -ERR_USAGE: no key, a public key, one of another kind, an encrypted one without a password, cosign's own form (hint) ·
 *         -ERR_AUTH: the password is wrong
 */
int sign_key_read(sv pem, const char *password, const char *what, struct sign_key **ret, struct err *e);
/** A public key ("PUBLIC KEY"): it only verifies. -ERR_USAGE. */
int sign_key_read_public(sv pem, const char *what, struct sign_key **ret, struct err *e);
void sign_key_free(struct sign_key *k);
static inline void sign_key_freep(struct sign_key **k)
{
        sign_key_free(*k);
}

/** A signature in DER form; every call gives another one, as ECDSA does. -ERR_FAILED: a public key, no memory. */
int sign_make(const struct sign_key *k, sv bytes, struct arena *a, sv *ret, struct err *e);
bool sign_is_valid(const struct sign_key *k, sv bytes, sv signature);
/** Its public half as DER (SubjectPublicKeyInfo): what names a key. */
sv sign_key_public(const struct sign_key *k, struct arena *a);

#endif
