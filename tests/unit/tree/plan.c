#include "tree/plan.h"

#include <stdlib.h>

#include "ext/hash.h"
#include "tests/unit/unit.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

static void parts(void **state)
{
        static const struct {
                uint64_t size;
                uint32_t parts;
        } rows[] = {
                { 0, 1 },         { 256 * MIB - 1, 1 }, { 256 * MIB, 2 },  { 512 * MIB - 1, 2 },
                { 512 * MIB, 4 }, { 858 * MIB, 4 },     { 1024 * MIB, 8 }, { UINT64_MAX, 8 },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_int_equal(plan_parts(rows[i].size), rows[i].parts);
}

static struct artifact package(struct arena *a, enum artifact_kind kind, unsigned no, uint64_t size)
{
        return (struct artifact){ .kind = kind, .name = arena_fmt(a, "p%03u", no), .size = size };
}

static uint32_t bucket_by_hand(const struct artifact *art, const char *kind, uint32_t mask)
{
        struct arena a = { 0 };
        sha256 d = sha256_of(arena_fmt(&a, "%s:%.*s", kind, SV_ARG(art->name)));

        arena_done(&a);
        return d.b[0] & mask;
}

static void big_ones_first_then_buckets(void **state)
{
        struct arena a = { 0 };
        struct artifact v[100];
        struct plan p = { 0 };
        struct err e = { 0 };
        size_t in_buckets = 0, i;

        (void)state;
        for (unsigned k = 0; k < 96; k++)
                v[k] = package(&a, k % 2 ? ARTIFACT_WHEEL : ARTIFACT_CONDA, k, 100 * KIB);
        v[96] = package(&a, ARTIFACT_WHEEL, 600, 512 * KIB);
        v[97] = package(&a, ARTIFACT_CONDA, 601, 512 * KIB); /* the same size: kind, then name */
        v[98] = package(&a, ARTIFACT_WHEEL, 602, 512 * KIB - 1);
        v[99] = package(&a, ARTIFACT_WHEEL, 603, 300 * MIB);
        assert_int_equal(plan_packages(&a, v, 100, 5, &p, &e), 0);
        assert_ptr_equal(p.v[0].member[0], &v[99]);
        assert_int_equal(p.v[0].part, 0);
        assert_ptr_equal(p.v[1].member[0], &v[99]);
        assert_int_equal(p.v[1].part, 1);
        assert_int_equal(p.v[1].parts, 2);
        assert_ptr_equal(p.v[2].member[0], &v[97]);
        assert_ptr_equal(p.v[3].member[0], &v[96]);
        for (i = 4; i < p.n; i++) {
                assert_true(p.v[i].bucket);
                assert_true(i == 4 || p.v[i].bucket_no > p.v[i - 1].bucket_no);
                for (size_t k = 0; k < p.v[i].n_member; k++) {
                        const struct artifact *art = p.v[i].member[k];

                        assert_int_equal(p.v[i].bucket_no,
                                         bucket_by_hand(art, art->kind == ARTIFACT_WHEEL ? "wheel" : "conda", 15));
                        assert_true(k == 0 || sv_cmp(p.v[i].member[k - 1]->name, art->name) < 0);
                }
                in_buckets += p.v[i].n_member;
        }
        assert_int_equal(in_buckets, 97);
        arena_done(&a);
}

static void few_small_ones_share_a_bucket(void **state)
{
        struct arena a = { 0 };
        struct artifact v[10];
        struct err e = { 0 };

        (void)state;
        for (uint64_t size = 100 * KIB; size <= 110 * KIB; size += 10 * KIB) {
                struct plan p = { 0 };

                for (unsigned k = 0; k < 10; k++)
                        v[k] = package(&a, ARTIFACT_WHEEL, k, size);
                assert_int_equal(plan_packages(&a, v, 10, 5, &p, &e), 0);
                if (size == 100 * KIB)
                        assert_int_equal(p.n, 1); /* 1,000 KiB together */
                else
                        assert_true(p.n > 1); /* 1,100 */
        }
        arena_done(&a);
}

static void budgets(void **state)
{
        struct arena a = { 0 };
        struct artifact *v = arena_array(&a, struct artifact, 200);
        struct plan p = { 0 }, none = { 0 };
        struct err e = { 0 };
        size_t alone = 0;

        (void)state;
        for (unsigned k = 0; k < 200; k++)
                v[k] = package(&a, ARTIFACT_WHEEL, k, MIB + k);
        assert_int_equal(plan_packages(&a, v, 200, 10, &p, &e), 0);
        assert_int_equal(p.n + 10, PLAN_BUDGET);
        while (alone < p.n && !p.v[alone].bucket)
                alone++;
        assert_int_equal(p.n - alone, 16);
        assert_ptr_equal(p.v[0].member[0], &v[199]);
        assert_int_equal(p.v[alone - 1].member[0]->size, MIB + 200 - alone); /* the smallest went to their buckets */
        assert_int_equal(plan_packages(&a, v, 200, 103, &none, &e), -ERR_LIMIT);
        assert_int_equal(none.n, 0);
        err_done(&e);
        assert_int_equal(plan_packages(&a, v, 0, 10, &none, &e), 0);
        assert_int_equal(none.n, 0);
        arena_done(&a);
}

static void debs(void **state)
{
        struct arena a = { 0 };
        struct artifact v[40];
        const struct artifact *pv[40];
        struct plan p = { 0 };

        (void)state;
        for (unsigned k = 0; k < 40; k++) {
                v[k] = package(&a, ARTIFACT_DEB, k, k == 7 ? 4 * MIB : k == 8 ? 4 * MIB - 1 : 10 * KIB);
                pv[k] = &v[k];
        }
        plan_debs(&a, pv, 40, &p);
        assert_int_equal(p.n, 5);
        assert_ptr_equal(p.v[0].member[0], &v[7]);
        for (size_t i = 1; i < 5; i++)
                for (size_t k = 0; k < p.v[i].n_member; k++)
                        assert_int_equal(p.v[i].bucket_no, bucket_by_hand(p.v[i].member[k], "deb", 3));
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(parts),
                cmocka_unit_test(big_ones_first_then_buckets),
                cmocka_unit_test(few_small_ones_share_a_bucket),
                cmocka_unit_test(budgets),
                cmocka_unit_test(debs),
        };
        return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
