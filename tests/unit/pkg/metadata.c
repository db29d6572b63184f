#include "pkg/metadata.h"

#include "tests/unit/unit.h"

static void fields_and_lists(void **state)
{
        static const char text[] = "Metadata-Version: 2.1\r\n"
                                   "Name: Foo.Bar\r\n"
                                   "Version: 1.0\r\n"
                                   "X-Unknown: a: b\r\n"
                                   "License: MIT\r\n"
                                   "  and more\r\n"
                                   "\tof it\r\n"
                                   "requires-dist: a>=1\r\n"
                                   "Requires-Dist: b ;\r\n"
                                   "        extra == 'x'\r\n"
                                   "Provides-Extra: x\r\n"
                                   "Dynamic: Requires-Dist\r\n"
                                   "Summary:\r\n"
                                   "Summary: second\r\n"
                                   "\r\n"
                                   "Requires-Dist: in the description\r\n";
        struct arena a = { 0 };
        struct err e = { 0 };
        struct metadata m;

        (void)state;
        assert_int_equal(metadata_parse(&a, sv_from(text), &m, &e), 0);
        assert_true(sv_is(m.name, "Foo.Bar") && sv_is(m.version, "1.0") && sv_is(m.metadata_version, "2.1"));
        assert_true(sv_is(m.license, "MIT and more of it"));
        assert_int_equal(m.n_requires_dist, 2);
        assert_true(sv_is(m.requires_dist[0], "a>=1") && sv_is(m.requires_dist[1], "b ; extra == 'x'"));
        assert_true(m.n_provides_extra == 1 && sv_is(m.provides_extra[0], "x"));
        assert_true(m.n_dynamic == 1 && sv_is(m.dynamic[0], "Requires-Dist"));
        assert_int_equal(m.summary.n, 0); /* the first counts, also when it is empty */
        arena_done(&a);
}

static void a_line_that_is_none_ends_the_headers(void **state)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        struct metadata m;

        (void)state;
        assert_int_equal(metadata_parse(&a, SV("Name: a\nVersion: 1\nnot a header\nRequires-Dist: b\n"), &m, &e), 0);
        assert_int_equal(m.n_requires_dist, 0);
        assert_int_equal(metadata_parse(&a, SV("Name: a\nnot a header\nVersion: 1\n"), &m, &e), -ERR_INTEGRITY);
        assert_string_equal(e.cause, "metadata line 2 is not a header: 'not a header'");
        err_done(&e);
        assert_int_equal(metadata_parse(&a, SV("Name: a\n"), &m, &e), -ERR_INTEGRITY);
        assert_string_equal(e.cause, "metadata has no Version");
        err_done(&e);
        assert_int_equal(metadata_parse(&a, SV(""), &m, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(metadata_parse(&a, SV("\xef\xbb\xbfName: a\nVersion: 1"), &m, &e), 0);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_and_lists),
                cmocka_unit_test(a_line_that_is_none_ends_the_headers),
        };
        return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
