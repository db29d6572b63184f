/* ext/x509.h - certificates by OpenSSL's libcrypto (the only includer of <openssl/x509.h>). */
#ifndef EXT_X509_H
#define EXT_X509_H

#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/sv.h"

struct x509_facts {
        uint32_t subject_hash; /* what `openssl x509 -subject_hash` prints: the name of a link in /etc/ssl/certs */
        sha256 fingerprint;
};
/** Of the first certificate of a PEM text. -ERR_INTEGRITY: there is none, or it is damaged. */
int x509_read(sv pem, struct x509_facts *ret, struct err *e);

#endif
