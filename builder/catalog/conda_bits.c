#include <endian.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "catalog/conda_scan.h"

#define EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

/* One bit for each byte of x that is zero: the high bits of those bytes, gathered by a multiplication. */
static uint64_t zeros(uint64_t x)
{
        uint64_t y = ~(((x & EACH(0x7f)) + EACH(0x7f)) | x | EACH(0x7f));

        return ((y >> 7) * 0x0102040810204080u) >> 56;
}

void conda_bits_plain(const uint8_t *p, struct conda_bits *ret)
{
        *ret = (struct conda_bits){ 0 };
        for (unsigned i = 0; i < 64; i += 8) {
                uint64_t x, folded;

                memcpy(&x, p + i, 8);
                x = le64toh(x);
                folded = x | EACH(0x20); /* '[' and '{' are one bit apart, and so are ']' and '}' */
                ret->quote |= zeros(x ^ EACH('"')) << i;
                ret->slash |= zeros(x ^ EACH('\\')) << i;
                ret->open |= zeros(folded ^ EACH('{')) << i;
                ret->close |= zeros(folded ^ EACH('}')) << i;
                ret->n |= zeros(x ^ EACH('n')) << i;
        }
}

#ifdef __SSE2__
static uint64_t equal(__m128i x, char c)
{
        return (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(c)));
}

void conda_bits_fast(const uint8_t *p, struct conda_bits *ret)
{
        *ret = (struct conda_bits){ 0 };
        for (unsigned i = 0; i < 64; i += 16) {
                __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
                __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20));

                ret->quote |= equal(x, '"') << i;
                ret->slash |= equal(x, '\\') << i;
                ret->open |= equal(folded, '{') << i;
                ret->close |= equal(folded, '}') << i;
                ret->n |= equal(x, 'n') << i;
        }
}
#else
void conda_bits_fast(const uint8_t *p, struct conda_bits *ret)
{
        conda_bits_plain(p, ret);
}
#endif
