#include "tests/unit/unit.h"

#include "resolve/set.h"

#define W 130 /* three words, the last one partly used */

static set_id make(struct sets *s, uint32_t from, uint32_t step, uint32_t width)
{
        uint64_t w[3] = { 0 };

        for (uint32_t i = from; i < width; i += step)
                w[i / 64] |= UINT64_C(1) << (i % 64);
        return sets_add(s, w, width);
}

static void equal_sets_have_equal_ids(void **state)
{
        struct sets *s = sets_new();
        set_id even = make(s, 0, 2, W), odd = make(s, 1, 2, W);

        (void)state;
        assert_int_equal(even, make(s, 0, 2, W));
        assert_int_not_equal(even, odd);
        assert_int_equal(make(s, W, 1, W), SET_NONE);
        assert_int_equal(make(s, 0, 1, W), SET_ALL);
        assert_int_equal(make(s, 0, 1, 64), SET_ALL);
        assert_int_equal(sets_one(s, 0, 1), SET_ALL);
        assert_int_equal(sets_one(s, 5, 5), SET_NONE);
        assert_int_equal(sets_not(s, even, W), odd);
        assert_int_equal(sets_or(s, even, odd, W), SET_ALL);
        assert_int_equal(sets_and(s, even, odd, W), SET_NONE);
        assert_int_equal(sets_minus(s, SET_ALL, odd, W), even);
        sets_free(s);
}

static void widths_without_candidates(void **state)
{
        struct sets *s = sets_new();

        (void)state;
        assert_int_equal(sets_and(s, SET_ALL, SET_ALL, 0), SET_NONE);
        assert_int_equal(sets_or(s, SET_ALL, SET_NONE, 0), SET_NONE);
        assert_int_equal(sets_not(s, SET_NONE, 0), SET_NONE);
        assert_true(sets_disjoint(s, SET_ALL, SET_ALL, 0));
        assert_int_equal(sets_count(s, SET_ALL, 0), 0);
        assert_int_equal(sets_next(s, SET_ALL, 0, 0), 0);
        sets_free(s);
}

static void membership_order_and_count(void **state)
{
        struct sets *s = sets_new();
        set_id third = make(s, 1, 3, W), one = sets_one(s, 127, W);
        uint32_t n = 0;

        (void)state;
        for (uint32_t i = sets_next(s, third, 0, W); i < W; i = sets_next(s, third, i + 1, W), n++)
                assert_true(sets_has(s, third, i) && i % 3 == 1);
        assert_int_equal(n, sets_count(s, third, W));
        assert_int_equal(sets_next(s, one, 0, W), 127);
        assert_int_equal(sets_next(s, one, 128, W), W);
        assert_false(sets_has(s, one, 100000));
        assert_true(sets_subset(s, one, third, W));
        assert_false(sets_subset(s, third, one, W));
        assert_false(sets_disjoint(s, one, third, W));
        assert_true(sets_disjoint(s, one, make(s, 0, 3, W), W));
        sets_free(s);
}

/* All operations against a plain array of bits, over many sets, so that the table grows. */
static void algebra_rows(void **state)
{
        struct sets *s = sets_new();
        uint64_t seed = 1;
        int bad = 0;

        (void)state;
        for (int round = 0; round < 3000; round++) {
                uint64_t a[3], b[3];
                for (int i = 0; i < 3; i++) {
                        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
                        a[i] = seed ^ seed >> 17;
                        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
                        b[i] = seed ^ seed >> 13;
                }
                a[2] &= 3;
                b[2] &= 3;
                set_id x = sets_add(s, a, W), y = sets_add(s, b, W);
                set_id and = sets_and(s, x, y, W), or = sets_or(s, x, y, W), not = sets_not(s, x, W);
                for (uint32_t i = 0; i < W; i++) {
                        bool p = a[i / 64] >> (i % 64) & 1, q = b[i / 64] >> (i % 64) & 1;
                        bad += sets_has(s, and, i) != (p && q) || sets_has(s, or, i) != (p || q) ||
                               sets_has(s, not, i) == p;
                }
                bad += sets_disjoint(s, x, y, W) != (and == SET_NONE) || sets_subset(s, x, y, W) != (and == x);
        }
        assert_int_equal(bad, 0);
        sets_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equal_sets_have_equal_ids),
                cmocka_unit_test(widths_without_candidates),
                cmocka_unit_test(membership_order_and_count),
                cmocka_unit_test(algebra_rows),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
