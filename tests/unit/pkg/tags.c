#include "pkg/tags.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

static void rank_rows(void **state)
{
        static const struct tags_target glibc = { 3, 13, false, { "x86_64", 6 }, LIBC_GLIBC, 2, 36 },
                                        arm = { 3, 13, false, { "aarch64", 7 }, LIBC_GLIBC, 2, 36 },
                                        musl = { 3, 13, false, { "x86_64", 6 }, LIBC_MUSL, 1, 2 },
                                        nogil = { 3, 13, true, { "x86_64", 6 }, LIBC_GLIBC, 2, 36 },
                                        old = { 3, 7, false, { "x86_64", 6 }, LIBC_GLIBC, 2, 17 };
        static const struct {
                const struct tags_target *t;
                const char *python, *abi, *platform;
                bool supported;
        } rows[] = {
                { &glibc, "cp313", "cp313", "manylinux_2_36_x86_64", true },
                { &glibc, "cp313", "cp313", "manylinux_2_37_x86_64", false },
                { &glibc, "CP313", "cp313", "Manylinux2014_x86_64", true },
                { &glibc, "cp38", "abi3", "manylinux1_x86_64", true },
                { &glibc, "cp314", "abi3", "manylinux1_x86_64", false },
                { &glibc, "cp312", "cp312", "manylinux2014_x86_64", false },
                { &glibc, "py2.py3", "none", "any", true },
                { &glibc, "py2", "none", "any", false },
                { &glibc, "cp312", "none", "any", false },
                { &arm, "py3", "none", "manylinux_2_17_aarch64", true },
                { &arm, "py3", "none", "manylinux_2_16_aarch64", false },
                { &musl, "py3", "none", "manylinux_2_17_x86_64.musllinux_1_1_x86_64", true },
                { &musl, "py3", "none", "musllinux_1_3_x86_64", false },
                { &nogil, "cp313", "cp313t", "linux_x86_64", true },
                { &nogil, "cp313", "cp313", "linux_x86_64", false },
                { &nogil, "cp313", "abi3", "linux_x86_64", false },
                { &old, "cp37", "cp37m", "manylinux2014_x86_64", true },
                { &old, "", "", "", false },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct arena a = { 0 };
                struct tags t;

                tags_make(&a, rows[i].t, &t);
                if ((tags_rank(&t, sv_from(rows[i].python), sv_from(rows[i].abi), sv_from(rows[i].platform)) >= 0) !=
                    rows[i].supported)
                        bad++, print_error("row %zu\n", i);
                arena_done(&a);
        }
        assert_int_equal(bad, 0);
}

static void best_of_a_set(void **state)
{
        static const sv v[] = { { "cp313-cp313-linux_x86_64", 24 }, { "py3-none-any", 12 } };
        struct arena a = { 0 };
        struct tags t;

        (void)state;
        tags_from(&a, v, ARRAY_LEN(v), &t);
        assert_int_equal(tags_rank(&t, SV("py3.cp313"), SV("none.cp313"), SV("any.linux_x86_64")), 0);
        assert_int_equal(tags_rank(&t, SV("py3"), SV("none"), SV("any")), 1);
        arena_done(&a);
}

static void absurd_targets_end(void **state)
{
        const struct tags_target t = { 3, UINT32_MAX, false, SV("x86_64"), LIBC_MUSL, 1, UINT32_MAX };
        struct arena a = { 0 };
        sv *v;
        size_t n;

        (void)state;
        tags_platforms(&a, &t, &v, &n);
        assert_int_equal(n, 101);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rank_rows),
                cmocka_unit_test(best_of_a_set),
                cmocka_unit_test(absurd_targets_end),
        };
        return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
