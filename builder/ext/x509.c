#include "ext/x509.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

int x509_read(sv pem, struct x509_facts *ret, struct err *e)
{
        BIO *bio = pem.n && pem.n < INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
        X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        unsigned n = 0;
        int ok = x && X509_digest(x, EVP_sha256(), ret->fingerprint.b, &n) && n == sizeof(ret->fingerprint.b);

        if (ok)
                ret->subject_hash = (uint32_t)X509_subject_name_hash(x);
        X509_free(x);
        BIO_free(bio);
        ERR_clear_error(); /* the thread's queue is not ours to fill */
        return ok ? 0 : err_set(e, ERR_INTEGRITY, "not a certificate in PEM form");
}
