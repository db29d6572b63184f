/* ext/ed25519.h - ed25519 signatures by OpenSSL's libcrypto: keys as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write
 * them. */
#ifndef EXT_ED25519_H
#define EXT_ED25519_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

struct ed25519_public {
        uint8_t b[32];
};
struct ed25519_signature {
        uint8_t b[64];
};
struct ed25519_key; /* private */

/** The PEM text of a public key, or the one line of base64 that stands in it. -ERR_USAGE, with what makes one as a hint. */
int ed25519_public_read(sv text, struct ed25519_public *ret, struct err *e);
/** The PEM text of a private key, without a password. -ERR_USAGE. */
int ed25519_key_read(sv pem, struct ed25519_key **ret, struct err *e);
void ed25519_key_free(struct ed25519_key *k); /* accepts NULL */
static inline void ed25519_key_freep(struct ed25519_key **k)
{
        ed25519_key_free(*k);
}
/** The same text and key give the same signature. -ERR_FAILED: libcrypto cannot. */
int ed25519_sign(const struct ed25519_key *k, sv text, struct ed25519_signature *ret, struct err *e);
bool ed25519_verify(const struct ed25519_public *k, sv text, const struct ed25519_signature *s);

#endif
