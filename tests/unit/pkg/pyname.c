#include "pkg/pyname.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

static void name_rows(void **state)
{
        static const struct {
                const char *name, *normal;
                bool valid;
        } rows[] = {
                { "Zope.Interface", "zope-interface", true },
                { "a_-.b", "a-b", true },
                { "7", "7", true },
                { "_a", "-a", false },
                { "a.", "a-", false },
                { "", "", false },
                { "a b", "a b", false },
                { "f\xc3\xb6o", "f\xc3\xb6o", false },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (pyname_valid(sv_from(rows[i].name)) != rows[i].valid ||
                    !sv_is(pyname_normalise(&a, sv_from(rows[i].name)), rows[i].normal))
                        bad++, print_error("row %zu: %s\n", i, rows[i].name);
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void wheel_rows(void **state)
{
        static const struct {
                const char *file, *name, *version; /* NULL: refused */
                bool strict, build;
        } rows[] = {
                { "foo_bar-1.0-py2.py3-none-any.whl", "foo-bar", "1.0", true, false },
                { "foo-1.0-1build-py3-none-any.whl", "foo", "1.0", true, true },
                { "foo__bar-1.0-py3-none-any.whl", NULL, NULL, true, false },
                { "foo__bar-1.0-py3-none-any.whl", "foo-bar", "1.0", false, false },
                { "foo-1.0_1-py3-none-any.whl", NULL, NULL, true, false },
                { "foo-1.0_1-py3-none-any.whl", "foo", "1.0.post1", false, false },
                { "playlyfe-0.1.1-2.7.6-none-any.whl", NULL, NULL, true, false },
                { "playlyfe-0.1.1-2.7.6-none-any.whl", "playlyfe", "0.1.1", false, false },
                { "foo-1.0-b1-py3-none-any.whl", NULL, NULL, false, false },
                { "foo-1.0-py3-none-any.zip", NULL, NULL, false, false },
                { "foo-1.0-1-2-py3-none-any.whl", NULL, NULL, false, false },
                { "foo-1.0-py3-none.whl", NULL, NULL, false, false },
                { "-1.0-py3-none-any.whl", NULL, NULL, false, false },
                { "foo/../bar-1.0-py3-none-any.whl", NULL, NULL, false, false },
                { ".whl", NULL, NULL, false, false },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct wheel_name w;
                sv why = { 0 };
                bool ok = wheel_name_parse(&a, sv_from(rows[i].file), rows[i].strict, &w, &why);

                if (ok != (rows[i].name != NULL) ||
                    (ok ? !sv_is(w.name, rows[i].name) || !sv_is(pep440_text(w.v), rows[i].version) ||
                                     w.has_build != rows[i].build
                        : !why.n))
                        bad++, print_error("row %zu: %s: %.*s\n", i, rows[i].file, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void better_wheels_first(void **state)
{
        /* best first: version, rank, build tag as a number and its rest */
        static const struct {
                const char *file;
                int64_t rank;
        } rows[] = {
                { "f-2.0-py3-none-any.whl", 9 },    { "f-1.0+cu121-py3-none-any.whl", 9 },
                { "f-1.0-cp313-cp313-any.whl", 0 }, { "f-1.0-10-py3-none-any.whl", 9 },
                { "f-1.0-2b-py3-none-any.whl", 9 }, { "f-1.0-2a-py3-none-any.whl", 9 },
                { "f-1.0-py3-none-any.whl", 9 },
        };
        struct arena a = { 0 };
        struct wheel_name w[ARRAY_LEN(rows)];
        sv why;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_true(wheel_name_parse(&a, sv_from(rows[i].file), false, &w[i], &why));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
                        int r = wheel_name_cmp(&w[i], rows[i].rank, &w[k], rows[k].rank);
                        assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
                }
        arena_done(&a);
}

static void sdist_rows(void **state)
{
        static const struct {
                const char *file, *project, *name, *version;
        } rows[] = {
                { "a-b-c-1.0.tar.gz", "", "a-b-c", "1.0" },
                { "foo-1.0.tgz", "", NULL, NULL },
                { "foo-1.0.tgz", "foo", "foo", "1.0" },
                { "zope.interface-5.4.0.tar.bz2", "zope-interface", "zope-interface", "5.4.0" },
                { "foo-bar-1.0-1.zip", "foo-bar", "foo-bar", "1.0.post1" }, /* the last dash would split wrongly */
                { "foo-bar-1.0.zip", "foo", NULL, NULL },
                { "foo--1.0.zip", "foo", NULL, NULL },
                { "other-1.0.zip", "foo", NULL, NULL },
                { "-1.0.zip", "", NULL, NULL },
                { "foo.zip", "", NULL, NULL },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct sdist_name s;
                sv why = { 0 };
                bool ok = sdist_name_parse(&a, sv_from(rows[i].file), sv_from(rows[i].project), &s, &why);

                if (ok != (rows[i].name != NULL) ||
                    (ok ? !sv_is(s.name, rows[i].name) || !sv_is(pep440_text(s.v), rows[i].version) : !why.n))
                        bad++, print_error("row %zu: %s: %.*s\n", i, rows[i].file, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(name_rows),
                cmocka_unit_test(wheel_rows),
                cmocka_unit_test(better_wheels_first),
                cmocka_unit_test(sdist_rows),
        };
        return cmocka_run_group_tests_name("pyname", tests, NULL, NULL);
}
