#include "ext/ed25519.h"

#include <limits.h>
#include <stdlib.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/alloc.h"

struct ed25519_key {
        EVP_PKEY *pkey;
};

#define DER_SIZE    44 /* SubjectPublicKeyInfo of an ed25519 key: 12 bytes that are always the same, then the key */
#define BASE64_SIZE 60

static BIO *bio_of(sv text)
{
        return text.n && text.n < INT_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
}

static EVP_PKEY *public_of_pem(sv text)
{
        BIO *bio = bio_of(text);
        EVP_PKEY *k = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

        BIO_free(bio);
        return k;
}

static EVP_PKEY *public_of_base64(sv text)
{
        uint8_t der[DER_SIZE + 4];
        const uint8_t *p = der;

        if (text.n != BASE64_SIZE || text.p[BASE64_SIZE - 1] != '=' || text.p[BASE64_SIZE - 2] == '=' ||
            EVP_DecodeBlock(der, (const unsigned char *)text.p, BASE64_SIZE) < DER_SIZE)
                return NULL;
        return d2i_PUBKEY(NULL, &p, DER_SIZE);
}

int ed25519_public_read(sv text, struct ed25519_public *ret, struct err *e)
{
        sv s = sv_trim(text);
        EVP_PKEY *k = sv_starts(s, SV("-----BEGIN")) ? public_of_pem(s) : public_of_base64(s);
        struct ed25519_public got;
        size_t n = sizeof(got.b);
        bool ok = k && EVP_PKEY_get_raw_public_key(k, got.b, &n) == 1 && n == sizeof(got.b) &&
                  EVP_PKEY_get_base_id(k) == EVP_PKEY_ED25519;

        EVP_PKEY_free(k);
        ERR_clear_error(); /* the thread's queue is not ours to fill */
        if (!ok) {
                err_set(e, ERR_USAGE, "this is not the public part of an ed25519 key");
                err_hint(e, "openssl pkey -in KEY.pem -pubout prints it: its line that begins with MCowBQYDK2VwAyEA");
                return -(int)e->code;
        }
        *ret = got;
        return 0;
}

/* Nobody is asked for a password: whoever builds is no terminal. */
static int no_password(char *p, int n, int writing, void *arg)
{
        (void)p, (void)n, (void)writing, (void)arg;
        return -1;
}

int ed25519_key_read(sv pem, struct ed25519_key **ret, struct err *e)
{
        BIO *bio = bio_of(pem);
        EVP_PKEY *k = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

        BIO_free(bio);
        ERR_clear_error();
        if (!k || EVP_PKEY_get_base_id(k) != EVP_PKEY_ED25519) {
                EVP_PKEY_free(k);
                err_set(e, ERR_USAGE, "this is not a private ed25519 key without a password");
                err_hint(e, "openssl genpkey -algorithm ed25519 -out KEY.pem makes one");
                return -(int)e->code;
        }
        *ret = xmalloc(sizeof(**ret));
        (*ret)->pkey = k;
        return 0;
}

void ed25519_key_free(struct ed25519_key *k)
{
        if (!k)
                return;
        EVP_PKEY_free(k->pkey);
        free(k);
}

int ed25519_sign(const struct ed25519_key *k, sv text, struct ed25519_signature *ret, struct err *e)
{
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        struct ed25519_signature s;
        size_t n = sizeof(s.b);
        bool ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, k->pkey) == 1 &&
                  EVP_DigestSign(c, s.b, &n, (const unsigned char *)text.p, text.n) == 1 && n == sizeof(s.b);

        EVP_MD_CTX_free(c);
        ERR_clear_error();
        if (!ok)
                return err_set(e, ERR_FAILED, "signing failed");
        *ret = s;
        return 0;
}

bool ed25519_verify(const struct ed25519_public *k, sv text, const struct ed25519_signature *s)
{
        EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->b, sizeof(k->b));
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool ok = pkey && c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, pkey) == 1 &&
                  EVP_DigestVerify(c, s->b, sizeof(s->b), (const unsigned char *)text.p, text.n) == 1;

        EVP_MD_CTX_free(c);
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return ok;
}
