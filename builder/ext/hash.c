#include "ext/hash.h"

/* SHA256_Update and its kin are called by their names: their state can be told (hash_add_both), and small files cost less than by EVP. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <libdeflate.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "ext/sha_twin.h"

struct hash {
        EVP_MD_CTX *ctx; /* NULL: SHA-256 */
        SHA256_CTX sha;
        sha_twin_fn *twin; /* of this machine, once it was asked */
        bool asked;
};

static void must(int ok)
{
        if (ok)
                return;
        fputs("envbuild: libcrypto failed\n", stderr);
        _exit(1);
}

static const EVP_MD *md_of(enum hash_alg alg)
{
        switch (alg) {
        case HASH_SHA256:
                return EVP_sha256();
        case HASH_SHA384:
                return EVP_sha384();
        case HASH_SHA512:
                return EVP_sha512();
        case HASH_MD5:
                return EVP_md5();
        case HASH_SHA1:
                return EVP_sha1();
        }
        return NULL;
}

struct hash *hash_new(enum hash_alg alg)
{
        struct hash *h = xcalloc(1, sizeof(*h));

        if (alg == HASH_SHA256) {
                must(SHA256_Init(&h->sha));
        } else {
                h->ctx = EVP_MD_CTX_new();
                must(h->ctx && EVP_DigestInit_ex(h->ctx, md_of(alg), NULL));
        }
        return h;
}

void hash_add(struct hash *h, const void *p, size_t n)
{
        must(h->ctx ? EVP_DigestUpdate(h->ctx, p, n) : SHA256_Update(&h->sha, p, n));
}

static void count(SHA256_CTX *s, uint64_t bytes)
{
        uint64_t bits = ((uint64_t)s->Nh << 32 | s->Nl) + bytes * 8;

        s->Nl = (uint32_t)bits;
        s->Nh = (uint32_t)(bits >> 32);
}

static bool twin_fits(struct hash *a, const struct hash *b)
{
        if (a->ctx || b->ctx || a->sha.num || b->sha.num)
                return false;
        if (!a->asked)
                a->twin = sha_twin_here();
        a->asked = true;
        return a->twin != NULL;
}

void hash_add_both(struct hash *a, struct hash *b, const void *p, size_t n)
{
        size_t blocks = n / SHA256_CBLOCK, done = blocks * SHA256_CBLOCK;

        if (!blocks || !twin_fits(a, b))
                done = 0;
        if (done) {
                a->twin(a->sha.h, b->sha.h, p, blocks);
                count(&a->sha, done);
                count(&b->sha, done);
        }
        if (n > done) {
                hash_add(a, (const uint8_t *)p + done, n - done);
                hash_add(b, (const uint8_t *)p + done, n - done);
        }
}

void hash_end(struct hash *h, void *ret)
{
        if (!h->ctx) {
                must(SHA256_Final(ret, &h->sha) && SHA256_Init(&h->sha));
                return;
        }
        /* no algorithm: the one it has. Named again, OpenSSL looks it up again, which takes longer than a small file's digest. */
        must(EVP_DigestFinal_ex(h->ctx, ret, NULL) && EVP_DigestInit_ex(h->ctx, NULL, NULL));
}

size_t hash_size(enum hash_alg alg)
{
        return (size_t)EVP_MD_size(md_of(alg));
}

bool hash_by_name(sv name, enum hash_alg *ret)
{
        static const struct {
                const char *name;
                enum hash_alg alg;
        } v[] = { { "sha256", HASH_SHA256 },
                  { "sha384", HASH_SHA384 },
                  { "sha512", HASH_SHA512 },
                  { "md5", HASH_MD5 },
                  { "sha1", HASH_SHA1 } };

        for (size_t i = 0; i < ARRAY_LEN(v); i++)
                if (sv_is(name, v[i].name)) {
                        *ret = v[i].alg;
                        return true;
                }
        return false;
}

void hash_free(struct hash *h)
{
        if (h)
                EVP_MD_CTX_free(h->ctx);
        free(h);
}

sha256 sha256_of(sv bytes)
{
        SHA256_CTX s;
        sha256 d = { 0 };

        must(SHA256_Init(&s) && SHA256_Update(&s, bytes.p, bytes.n) && SHA256_Final(d.b, &s));
        return d;
}

uint32_t crc32_add(uint32_t crc, const void *p, size_t n)
{
        return libdeflate_crc32(crc, p, n);
}

uint32_t crc32_join(uint32_t a, uint32_t b, uint64_t n_b)
{
        return (uint32_t)crc32_combine(a, b, (z_off_t)n_b);
}
