#include "ext/sign.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define MAKE_HINT "openssl ecparam -name prime256v1 -genkey -noout -out key.pem makes one"

struct sign_key {
        EVP_PKEY *key;
        bool private_;
};

/* What OpenSSL asks for a password with: it must never ask the terminal on its own. */
struct asked {
        const char *password;
        bool was;
};

static int give_password(char *buf, int size, int writing, void *arg)
{
        struct asked *q = arg;
        size_t n = q->password ? strlen(q->password) : 0;

        (void)writing;
        q->was = true;
        if (!q->password || n > (size_t)size)
                return -1;
        memcpy(buf, q->password, n);
        return (int)n;
}

static bool is_p256(EVP_PKEY *key)
{
        char group[64];

        return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
               (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
}

static BIO *open_text(sv pem)
{
        return pem.n && pem.n <= SIGN_KEY_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

/* Why a text gave no private key. */
static int no_key(sv pem, const struct asked *q, const char *what, struct err *e)
{
        if (sv_find_sv(pem, SV("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----")) >= 0 ||
            sv_find_sv(pem, SV("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----")) >= 0) {
                err_set(e, ERR_USAGE, "'%s' is a key in cosign's own encrypted form, which only cosign reads", what);
                err_hint(e, MAKE_HINT "; cosign takes it too: cosign import-key-pair --key key.pem");
        } else if (q->was && !q->password) {
                err_set(e, ERR_USAGE, "the key '%s' is encrypted and no password was given", what);
                err_hint(e, "put it into the variable ENVBUILD_KEY_PASSWORD");
        } else if (q->was) {
                err_set(e, ERR_AUTH, "the password does not open the key '%s'", what);
                err_hint(e, "it was taken from ENVBUILD_KEY_PASSWORD or COSIGN_PASSWORD");
        } else if (sv_find_sv(pem, SV("-----BEGIN PUBLIC KEY-----")) >= 0) {
                err_set(e, ERR_USAGE, "'%s' is a public key: signing needs the private one", what);
        } else {
                err_set(e, ERR_USAGE, "'%s' is not a private key in PEM form", what);
                err_hint(e, MAKE_HINT);
        }
        return -(int)e->code;
}

static int keep(EVP_PKEY *key, bool private_, const char *what, struct sign_key **ret, struct err *e)
{
        struct sign_key *k;

        if (!is_p256(key)) {
                const char *kind = EVP_PKEY_get0_type_name(key);
                err_set(e, ERR_USAGE, "the key '%s' is not an ECDSA key on the curve P-256 but %s", what,
                        kind && strcmp(kind, "EC") == 0 ? "on another curve"
                        : kind                          ? kind
                                                        : "something else");
                err_hint(e, MAKE_HINT);
                EVP_PKEY_free(key);
                return -(int)e->code;
        }
        k = xcalloc(1, sizeof(*k));
        k->key = key;
        k->private_ = private_;
        *ret = k;
        return 0;
}

int sign_key_read(sv pem, const char *password, const char *what, struct sign_key **ret, struct err *e)
{
        struct asked q = { password, false };
        BIO *bio = open_text(pem);
        EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, &q) : NULL;

        BIO_free(bio);
        ERR_clear_error(); /* the thread's queue is not ours to fill */
        return key ? keep(key, true, what, ret, e) : no_key(pem, &q, what, e);
}

int sign_key_read_public(sv pem, const char *what, struct sign_key **ret, struct err *e)
{
        BIO *bio = open_text(pem);
        EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

        BIO_free(bio);
        ERR_clear_error();
        if (key)
                return keep(key, false, what, ret, e);
        return err_set(e, ERR_USAGE, "'%s' is not a public key in PEM form", what);
}

void sign_key_free(struct sign_key *k)
{
        if (!k)
                return;
        EVP_PKEY_free(k->key);
        free(k);
}

int sign_make(const struct sign_key *k, sv bytes, struct arena *a, sv *ret, struct err *e)
{
        EVP_MD_CTX *ctx = k->private_ ? EVP_MD_CTX_new() : NULL;
        size_t n = 0;
        uint8_t *p = NULL;
        bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->key) == 1 &&
                  EVP_DigestSign(ctx, NULL, &n, (const uint8_t *)bytes.p, bytes.n) == 1;

        if (ok) {
                p = arena_array(a, uint8_t, n);
                ok = EVP_DigestSign(ctx, p, &n, (const uint8_t *)bytes.p, bytes.n) == 1;
        }
        EVP_MD_CTX_free(ctx);
        ERR_clear_error();
        if (!ok)
                return err_set(e, ERR_FAILED, "signing failed%s", k->private_ ? "" : ": this is a public key");
        *ret = (sv){ (const char *)p, n };
        return 0;
}

bool sign_is_valid(const struct sign_key *k, sv bytes, sv signature)
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->key) == 1 &&
                  EVP_DigestVerify(ctx, (const uint8_t *)signature.p, signature.n, (const uint8_t *)bytes.p, bytes.n) ==
                          1;

        EVP_MD_CTX_free(ctx);
        ERR_clear_error();
        return ok;
}

sv sign_key_public(const struct sign_key *k, struct arena *a)
{
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(k->key, &der);
        sv text = { 0 };

        if (n > 0)
                text = arena_sv(a, (sv){ (const char *)der, (size_t)n });
        OPENSSL_free(der);
        ERR_clear_error();
        return text;
}
