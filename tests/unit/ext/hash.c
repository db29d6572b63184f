#include "ext/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void digests_of_the_standards(void **state)
{
        static const struct {
                enum hash_alg alg;
                const char *text, *hex;
        } rows[] = {
                { HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                { HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
                { HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
                { HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
                { HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct hash *h = hash_new(rows[i].alg);

                for (int again = 0; again < 2; again++) {
                        uint8_t d[64];
                        char hex[129];

                        hash_add(h, rows[i].text, strlen(rows[i].text));
                        hash_end(h, d);
                        for (size_t k = 0; k < hash_size(rows[i].alg); k++)
                                snprintf(hex + 2 * k, 3, "%02x", d[k]);
                        assert_string_equal(hex, rows[i].hex);
                }
                hash_free(h);
        }
}

/* A file within a tar, as layer/pipe.c digests them: what comes before, both, what follows. */
static void check_both(const uint8_t *p, size_t before, size_t n, size_t piece, size_t after)
{
        struct hash *all = hash_new(HASH_SHA256), *part = hash_new(HASH_SHA256);
        sha256 got, want;

        hash_add(all, p, before);
        for (size_t at = 0; at < n; at += piece)
                hash_add_both(all, part, p + before + at, n - at < piece ? n - at : piece);
        hash_add(all, p + before + n, after);
        hash_end(part, got.b);
        want = sha256_of((sv){ (const char *)p + before, n });
        assert_true(sha256_eq(&got, &want));
        hash_end(all, got.b);
        want = sha256_of((sv){ (const char *)p, before + n + after });
        assert_true(sha256_eq(&got, &want));
        hash_free(all);
        hash_free(part);
}

static void two_at_once_are_as_one_by_one(void **state)
{
        static const size_t piece[] = { 1, 63, 64, 65, 128, 1000, 4096, 70000 };
        size_t room = 200000;
        AUTO(free_ptr) uint8_t *p = xmalloc(room);
        uint32_t x = 1;

        (void)state;
        for (size_t i = 0; i < room; i++) {
                x = x * 1664525 + 1013904223;
                p[i] = (uint8_t)(x >> 24);
        }
        for (size_t i = 0; i < 400; i++) {
                x = x * 1664525 + 1013904223;
                check_both(p + i % 7, i % 3 ? 512 * (x >> 8 & 7) : x >> 8 & 1023, x >> 12 & 4095, piece[i % 8],
                           x >> 16 & 1023);
        }
        check_both(p, 512, 150000, 131072, 512);
        check_both(p, 0, 0, 1, 0);
}

static void sizes_beyond_32_bits_count(void **state)
{
        size_t n = (size_t)1 << 20;
        AUTO(free_ptr) uint8_t *zeros = xcalloc(1, n);
        struct hash *a = hash_new(HASH_SHA256), *b = hash_new(HASH_SHA256), *c = hash_new(HASH_SHA256);
        sha256 x, y, z;

        (void)state;
        for (unsigned i = 0; i < 520; i++) { /* 2^32 bits are 512 MiB */
                hash_add_both(a, b, zeros, n);
                hash_add(c, zeros, n);
        }
        hash_end(a, x.b);
        hash_end(b, y.b);
        hash_end(c, z.b);
        assert_true(sha256_eq(&x, &z) && sha256_eq(&y, &z));
        hash_free(a);
        hash_free(b);
        hash_free(c);
}

/* Another algorithm, or another place: as two calls. */
static void both_take_any_two(void **state)
{
        struct hash *a = hash_new(HASH_SHA512), *b = hash_new(HASH_SHA256);
        uint8_t d[64], e[64], text[200] = { 0 };
        sha256 want = sha256_of((sv){ (const char *)text, sizeof(text) }), got;

        (void)state;
        hash_add_both(a, b, text, sizeof(text));
        hash_end(a, d);
        hash_end(b, got.b);
        hash_add(a, text, sizeof(text));
        hash_end(a, e);
        assert_memory_equal(d, e, sizeof(d));
        assert_true(sha256_eq(&got, &want));
        hash_free(a);
        hash_free(b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(digests_of_the_standards),
                cmocka_unit_test(two_at_once_are_as_one_by_one),
                cmocka_unit_test(sizes_beyond_32_bits_count),
                cmocka_unit_test(both_take_any_two),
        };
        return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
