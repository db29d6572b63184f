#include "ext/hash.h"

#include <libdeflate.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/attr.h"

struct hash {
        EVP_MD_CTX *ctx;
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
        struct hash *h = xmalloc(sizeof(*h));

        h->ctx = EVP_MD_CTX_new();
        must(h->ctx && EVP_DigestInit_ex(h->ctx, md_of(alg), NULL));
        return h;
}

void hash_add(struct hash *h, const void *p, size_t n)
{
        must(EVP_DigestUpdate(h->ctx, p, n));
}

void hash_end(struct hash *h, void *ret)
{
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
        sha256 d;

        must(EVP_Digest(bytes.n ? bytes.p : "", bytes.n, d.b, NULL, EVP_sha256(), NULL));
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
