#include "pkg/marker.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

static void eval_rows(void **state)
{
        static const struct {
                const char *marker;
                enum marker_result result;
        } rows[] = {
                { "python_version >= '3.10'", MARKER_TRUE }, /* not a comparison of texts */
                { "python_full_version < '3.13.5'", MARKER_FALSE },
                { "'3.9' < python_version", MARKER_TRUE },
                { "python_version in '3.12, 3.13'", MARKER_TRUE },
                { "python_version not in '2.7'", MARKER_TRUE },
                { "python_version == 'three'", MARKER_FALSE },
                { "python_version ~= 'three'", MARKER_ERROR },
                { "python_version > '3.8,3.9'", MARKER_FALSE }, /* no clause: texts have no order */
                { "sys_platform == 'linux' and platform_machine == 'x86_64'", MARKER_TRUE },
                { "sys_platform >= 'linux'", MARKER_TRUE },
                { "sys_platform > 'a'", MARKER_FALSE },
                { "sys_platform ~= 'linux'", MARKER_ERROR },
                { "os_name == 'posix' or sys_platform ~= 'linux'", MARKER_ERROR }, /* wherever it stands */
                { "os_name == 'nt' or os_name == 'posix' and os_name == 'nt'", MARKER_FALSE },
                { "os_name == 'posix' or os_name == 'nt' and os_name == 'nt'", MARKER_TRUE },
                { "(os_name == 'posix' or os_name == 'nt') and os_name == 'nt'", MARKER_FALSE },
                { "extra == 'Dev_Tools'", MARKER_TRUE },
                { "extra != 'dev-tools'", MARKER_FALSE },
                { "'a' in extras", MARKER_ERROR },
                { "'a' == 'b'", MARKER_ERROR },
                { "platform_release == ''", MARKER_TRUE },
        };
        struct arena a = { 0 };
        struct marker_env env;
        int bad = 0;

        (void)state;
        marker_env_linux(&a, SV("3.13.5"), SV("x86_64"), &env);
        env.value[MARKER_EXTRA] = SV("dev-tools");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct marker *m;
                sv why;
                size_t at;

                if (!marker_parse(&a, sv_from(rows[i].marker), &m, &why, &at) || marker_eval(m, &env) != rows[i].result)
                        bad++, print_error("row %zu: %s\n", i, rows[i].marker);
        }
        assert_int_equal(marker_eval(NULL, &env), MARKER_TRUE);
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void lock_extras_are_a_set(void **state)
{
        static const sv extras[] = { { "http2", 5 }, { "socks", 5 } };
        struct arena a = { 0 };
        struct marker_env env;
        const struct marker *m;
        sv why;
        size_t at;

        (void)state;
        marker_env_linux(&a, SV("3.13.5"), SV("x86_64"), &env);
        env.extras = extras;
        env.n_extras = ARRAY_LEN(extras);
        assert_true(marker_parse(&a, SV("'SOCKS' in extras and 'x' not in dependency_groups"), &m, &why, &at));
        assert_int_equal(marker_eval(m, &env), MARKER_TRUE);
        assert_false(marker_has_extra(m));
        assert_true(marker_parse(&a, SV("extras == 'socks'"), &m, &why, &at));
        assert_int_equal(marker_eval(m, &env), MARKER_ERROR); /* a set on the left */
        arena_done(&a);
}

static void written_as_packaging_writes(void **state)
{
        static const struct {
                const char *marker, *text;
        } rows[] = {
                { "os.name=='a' and(sys.platform in 'b')", "os_name == \"a\" and sys_platform in \"b\"" },
                { "((extra == 'A_b'))", "extra == \"a-b\"" },
                { "(os_name=='a' or os_name=='b') and python_implementation=='c'",
                  "(os_name == \"a\" or os_name == \"b\") and platform_python_implementation == \"c\"" },
                { "'say \"x\"' == os_name", "'say \"x\"' == os_name" },
                { "os_name not\tin '\\x41'", "os_name not in \"A\"" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct buf b = BUF_INIT(1000);
                const struct marker *m;
                sv why;
                size_t at;

                if (marker_parse(&a, sv_from(rows[i].marker), &m, &why, &at))
                        marker_write(m, &b);
                if (!sv_is(buf_sv(&b), rows[i].text))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(buf_sv(&b)));
                buf_done(&b);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refused_with_a_place(void **state)
{
        static const struct {
                const char *marker;
                size_t at;
        } rows[] = {
                { "", 0 },
                { "python_version", 14 },
                { "python_version >= ", 18 },
                { "python_version >= '3", 18 },
                { "python_versions >= '3'", 0 },
                { "os_name == 'a' os_name == 'b'", 15 },
                { "(os_name == 'a'", 15 },
                { "os_name == 'a')", 14 },
                { "os_name notin 'a'", 8 },
                { "os_name not 'a'", 12 },
                { "os_name == 'a'\n", 14 },
                { "os_name == 'C:\\'", 11 },
                { "os_name == 'a' and", 18 },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct marker *m;
                sv why = { 0 };
                size_t at = 99;

                if (marker_parse(&a, sv_from(rows[i].marker), &m, &why, &at) || !why.n || at != rows[i].at)
                        bad++, print_error("row %zu: %s at %zu: %.*s\n", i, rows[i].marker, at, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void deep_nesting_ends(void **state)
{
        struct arena a = { 0 };
        struct buf b = BUF_INIT(1 << 20);
        const struct marker *m;
        sv why;
        size_t at;

        (void)state;
        for (int i = 0; i < 100000; i++)
                buf_byte(&b, '(');
        assert_false(marker_parse(&a, buf_sv(&b), &m, &why, &at));
        assert_int_equal(at, 101);
        buf_done(&b);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(eval_rows),
                cmocka_unit_test(lock_extras_are_a_set),
                cmocka_unit_test(written_as_packaging_writes),
                cmocka_unit_test(refused_with_a_place),
                cmocka_unit_test(deep_nesting_ends),
        };
        return cmocka_run_group_tests_name("marker", tests, NULL, NULL);
}
