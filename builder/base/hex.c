#include "base/hex.h"

#include <string.h>

void hex_write(const void *p, size_t n, char *ret)
{
        static const char digit[] = "0123456789abcdef";
        const uint8_t *b = p;

        for (size_t i = 0; i < n; i++) {
                ret[2 * i] = digit[b[i] >> 4];
                ret[2 * i + 1] = digit[b[i] & 15];
        }
        ret[2 * n] = '\0';
}

static int value(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(sv text, void *ret, size_t n)
{
        uint8_t *b = ret;

        if (text.n != 2 * n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (value(text.p[2 * i]) < 0 || value(text.p[2 * i + 1]) < 0)
                        return false;
        for (size_t i = 0; i < n; i++)
                b[i] = (uint8_t)(value(text.p[2 * i]) << 4 | value(text.p[2 * i + 1]));
        return true;
}

sha256_text sha256_hex(const sha256 *d)
{
        sha256_text t;
        hex_write(d->b, 32, t.s);
        return t;
}

bool sha256_read(sv text, sha256 *ret)
{
        if (sv_starts(text, SV("sha256:")))
                text = sv_skip(text, 7);
        return hex_read(text, ret->b, 32);
}

bool sha256_eq(const sha256 *a, const sha256 *b)
{
        return memcmp(a->b, b->b, 32) == 0;
}

bool sha256_is_zero(const sha256 *a)
{
        static const sha256 zero;
        return sha256_eq(a, &zero);
}

int sha256_cmp(const sha256 *a, const sha256 *b)
{
        return memcmp(a->b, b->b, 32);
}
