/* ext/hash.h - SHA-2 and MD5 by OpenSSL's EVP (SHA-NI where the machine has it), CRC-32 by libdeflate. The only includer of
 * <openssl/evp.h> besides sign.c. No call fails: OpenSSL only fails here when memory is out, which ends the process (base/alloc.h). */
#ifndef EXT_HASH_H
#define EXT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hex.h"
#include "base/sv.h"

struct hash; /* a running digest, heap */
enum hash_alg { HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_MD5, HASH_SHA1 };

struct hash *hash_new(enum hash_alg alg);
void hash_add(struct hash *h, const void *p, size_t n);
/** Writes the digest (32, 48, 64, 16, 20 bytes) and resets h for another message. */
void hash_end(struct hash *h, void *ret);
size_t hash_size(enum hash_alg alg);
/** "sha256", "sha384", "sha512", "md5", "sha1" → alg; false for another name. */
bool hash_by_name(sv name, enum hash_alg *ret);
void hash_free(struct hash *h); /* accepts NULL */
static inline void hash_freep(struct hash **h)
{
        hash_free(*h);
}

sha256 sha256_of(sv bytes);
/** CRC-32 as in zip and gzip, continuing from crc (0 at the start). */
uint32_t crc32_add(uint32_t crc, const void *p, size_t n);
/** crc of A followed by B, from crc(A), crc(B) and the length of B. */
uint32_t crc32_join(uint32_t a, uint32_t b, uint64_t n_b);

#endif
