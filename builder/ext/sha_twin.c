#include "ext/sha_twin.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SHA_TARGET __attribute__((target("sha,sse4.1")))

static const uint32_t round_constant[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The words of a state in the order that the instructions want them, from the highest lane: a b e f and c d g h. */
struct lanes {
        __m128i abef, cdgh;
};

SHA_TARGET static struct lanes lanes_load(const uint32_t *h)
{
        __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h), 0xb1);
        __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h + 4)), 0x1b);

        return (struct lanes){ _mm_alignr_epi8(badc, efgh, 8), _mm_blend_epi16(efgh, badc, 0xf0) };
}

SHA_TARGET static void lanes_store(uint32_t *h, struct lanes s)
{
        __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);

        _mm_storeu_si128((__m128i *)h, _mm_blend_epi16(feba, dchg, 0xf0));
        _mm_storeu_si128((__m128i *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

SHA_TARGET static void twin(uint32_t a[8], uint32_t b[8], const uint8_t *p, size_t n)
{
        const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
        struct lanes x = lanes_load(a), y = lanes_load(b);

        for (; n; n--, p += 64) {
                const struct lanes x0 = x, y0 = y;
                __m128i w[4]; /* the schedule's last 16 words */

                for (int i = 0; i < 4; i++)
                        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + i), big_endian);
#pragma GCC unroll 16
                for (int r = 0; r < 16; r++) { /* four rounds each */
                        __m128i k = _mm_loadu_si128((const __m128i *)round_constant + r), last = w[(r + 3) & 3], next;

                        k = _mm_add_epi32(k, w[r & 3]);
                        x.cdgh = _mm_sha256rnds2_epu32(x.cdgh, x.abef, k);
                        y.cdgh = _mm_sha256rnds2_epu32(y.cdgh, y.abef, k);
                        k = _mm_shuffle_epi32(k, 0x0e);
                        x.abef = _mm_sha256rnds2_epu32(x.abef, x.cdgh, k);
                        y.abef = _mm_sha256rnds2_epu32(y.abef, y.cdgh, k);
                        next = _mm_sha256msg1_epu32(w[r & 3], w[(r + 1) & 3]);
                        next = _mm_add_epi32(next, _mm_alignr_epi8(last, w[(r + 2) & 3], 4));
                        w[r & 3] = _mm_sha256msg2_epu32(next, last);
                }
                x = (struct lanes){ _mm_add_epi32(x.abef, x0.abef), _mm_add_epi32(x.cdgh, x0.cdgh) };
                y = (struct lanes){ _mm_add_epi32(y.abef, y0.abef), _mm_add_epi32(y.cdgh, y0.cdgh) };
        }
        lanes_store(a, x);
        lanes_store(b, y);
}

sha_twin_fn *sha_twin_here(void)
{
        unsigned a, b, c, d;
        bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;

        return sha && __builtin_cpu_supports("sse4.1") ? twin : NULL;
}
#else
sha_twin_fn *sha_twin_here(void)
{
        return NULL;
}
#endif
