#include "pkg/requirement.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

static void written_rows(void **state)
{
        static const struct {
                const char *text, *written; /* NULL: refused */
        } rows[] = {
                { "Flask_SQLAlchemy", "flask-sqlalchemy" },
                { " foo [Bar_x, baz,baz ] (>=1,<2) ; python_version<'3.9'",
                  "foo[bar-x,baz]<2,>=1; python_version < \"3.9\"" },
                { "foo >= 1,", "foo>=1" },
                { "foo[]", "foo" },
                { "foo@https://x/y.whl#sha256=1 ; os_name=='a'", "foo @ https://x/y.whl#sha256=1 ; os_name == \"a\"" },
                { "foo @ file:///a;b", "foo @ file:///a;b" },
                { "foo===1.0.weird", "foo===1.0.weird" },
                { "", NULL },
                { "-foo", NULL },
                { "foo @", NULL },
                { "foo @ https://x os_name=='a'", NULL },
                { "foo ;", NULL },
                { "foo >=1; os_name=='a' x", NULL },
                { "foo,>=1", NULL },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct buf b = BUF_INIT(1000);
                struct requirement r;
                sv why = { 0 };
                size_t at;
                bool ok = requirement_parse(&a, sv_from(rows[i].text), &r, &why, &at);

                if (ok)
                        requirement_write(&r, &b);
                if (ok != (rows[i].written != NULL) || (ok ? !sv_is(buf_sv(&b), rows[i].written) : !why.n))
                        bad++, print_error("row %zu: %s: %.*s %.*s\n", i, rows[i].text, SV_ARG(buf_sv(&b)),
                                           SV_ARG(why));
                buf_done(&b);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refusals_teach(void **state)
{
        static const struct {
                const char *text, *why;
                size_t at;
        } rows[] = {
                { "PyJWT=<2", "'=' is not an operator: write '=='", 5 },
                { "numpy 1.26", "a version needs an operator: '==1.26'", 6 },
                { "foo>=3.3.0<4", "missing comma before '<4'", 10 },
                { "foo>=1.*", "'.*' can only be used with == and !=", 6 },
                { "foo==1.0.dev1.*", "'.*' cannot follow a pre-release, post-release, dev or local part", 13 },
                { "foo[a b]", "a comma is missing between two extras", 6 },
                { "foo[a,]", "the name of an extra should follow the comma", 6 },
                { "foo[a", "a ']' is missing after the extras", 5 },
                { "foo (>=1", "a ')' is missing after the specifier", 8 },
                { "foo ~=2", "'~=2' is not a version specifier", 4 },
                { "foo#x", "a comment needs a space before its '#'", 3 },
                { "foo bar", "'bar' cannot follow the name", 4 },
                { "foo; python_version", "one of == != <= >= < > ~= === in 'not in' should stand here", 19 },
                { "foo @ ", "a URL should follow the '@'", 6 },
                { "foo @ x y", "only ' ; marker' can follow a URL", 8 },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct requirement r;
                sv why = { 0 };
                size_t at = 99;

                if (requirement_parse(&a, sv_from(rows[i].text), &r, &why, &at) || !sv_is(why, rows[i].why) ||
                    at != rows[i].at)
                        bad++, print_error("row %zu: %s at %zu: %.*s\n", i, rows[i].text, at, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void published_mistakes_are_repaired(void **state)
{
        static const struct {
                const char *text, *written; /* NULL: beyond repair */
        } rows[] = {
                { "elasticsearch-dsl (>=7.2.0<8.0.0)", "elasticsearch-dsl<8.0.0,>=7.2.0" },
                { "foo2 >=1.0 <2", "foo2<2,>=1.0" },
                { "jupyter-core (!=5.0.*,>=4.12.*)", "jupyter-core!=5.0.*,>=4.12" },
                { "foo (!=3.0*,!=3.1*)", "foo!=3.0.*,!=3.1.*" },
                { "foo>='1.0'; extra == 'x'", "foo>=1.0; extra == \"x\"" },
                { "foo (>=1.0.*); python_version == '3.*'", "foo>=1.0; python_version == \"3.*\"" },
                { "foo==1.*", "foo==1.*" },
                { "foo ==1.0<2", "foo<2,==1.0" },
                { "foo bar", NULL },
                { "foo; no marker", NULL },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct buf b = BUF_INIT(1000);
                struct requirement r;
                sv why = { 0 };
                bool ok = requirement_parse_lenient(&a, sv_from(rows[i].text), &r, &why);

                if (ok)
                        requirement_write(&r, &b);
                if (ok != (rows[i].written != NULL) || (ok ? !sv_is(buf_sv(&b), rows[i].written) : !why.n))
                        bad++, print_error("row %zu: %s: %.*s %.*s\n", i, rows[i].text, SV_ARG(buf_sv(&b)),
                                           SV_ARG(why));
                buf_done(&b);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(written_rows),
                cmocka_unit_test(refusals_teach),
                cmocka_unit_test(published_mistakes_are_repaired),
        };
        return cmocka_run_group_tests_name("requirement", tests, NULL, NULL);
}
