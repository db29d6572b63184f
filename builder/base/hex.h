/* base/hex.h - sha256 values as 32 bytes, and hexadecimal text (lower case only, as OCI requires). */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

typedef struct {
        uint8_t b[32];
} sha256;

/** Writes 2 * n digits and a NUL. */
void hex_write(const void *p, size_t n, char *ret);
/** Exactly 2 * n lower-case digits; false otherwise. */
bool hex_read(sv text, void *ret, size_t n);

typedef struct {
        char s[65];
} sha256_text;
sha256_text sha256_hex(const sha256 *d);
bool sha256_read(sv text, sha256 *ret); /* 64 digits, or "sha256:" and 64 digits */
bool sha256_eq(const sha256 *a, const sha256 *b);
bool sha256_is_zero(const sha256 *a); /* "not known" in structs that hold one */
int sha256_cmp(const sha256 *a, const sha256 *b);

#endif
