/* Where data of the program is looked for: what the variable names first, then beside the program, then where it was installed. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/data_dirs.h"
#include "base/fs.h"
#include "tests/unit/unit.h"

static void the_variable_comes_first(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv *v;
        size_t n;

        (void)state;
        setenv("ENVBUILD_TEST_DIRS", "/one::two", 1);
        data_dirs(&a, "ENVBUILD_TEST_DIRS", "no-such-folder", "/usr/share/x", &v, &n);
        assert_int_equal(n, 3);
        assert_true(sv_is(v[0], "/one") && sv_is(v[1], "two") && sv_is(v[2], "/usr/share/x"));
        assert_int_equal(v[0].p[v[0].n], 0);
}

static void beside_the_program(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv *v;
        size_t n;

        (void)state;
        unsetenv("ENVBUILD_TEST_DIRS");
        /* build/tests/unit/base/x: the folder "unit" is two above it */
        data_dirs(&a, "ENVBUILD_TEST_DIRS", "base", "/usr/share/x", &v, &n);
        assert_int_equal(n, 2);
        assert_true(sv_ends(v[0], SV("/unit/base")) && fs_is_dir(v[0].p));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_variable_comes_first),
                cmocka_unit_test(beside_the_program),
        };
        return cmocka_run_group_tests_name("data_dirs", tests, NULL, NULL);
}
