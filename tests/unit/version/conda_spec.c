#include <string.h>

#include "base/attr.h"
#include "tests/unit/unit.h"
#include "version/conda.h"

static void match_rows(void **state)
{
        static const struct {
                const char *spec, *version;
                bool yes;
        } rows[] = {
                { "*", "1.0", true },
                { "1.7", "1.7.0", true },
                { "1.7", "1.7.1", false },
                { "==1.7", "1.7.0", true },
                { "==1.7.*", "1.7.0", true }, /* '.*' after '==' is dropped */
                { "==1.7.*", "1.7.1", false },
                { "=1.7", "1.7.9", true },
                { "=1.7.*", "1.7.9", true },
                { "1.7.*", "1.7a", true },
                { "1.7*", "1.7.9", true },
                { "1.7*", "1.70", false },
                { "!=1.7", "1.7.0", false },
                { "!=1.7", "1.7.1", true },
                { "!=1.7.*", "1.7.1", false },
                { "!=1.7.*", "1.8", true },
                { ">1.7", "1.7.0", false },
                { ">1.7.*", "1.7.1", true },
                { ">=1.7", "1.7.0", true },
                { "<2.0", "2.0rc1", true }, /* no rule for pre-releases */
                { "<2.0a0", "2.0rc1", false },
                { "<=2", "2.0.0", true },
                { "~=1.4.2", "1.4.9", true },
                { "~=1.4.2", "1.4.1", false },
                { "~=1.4.2", "1.5", false },
                { "~=1.4", "1.9", true },
                { ">=1.7,<1.8", "1.7.5", true },
                { ">=1.7,<1.8", "1.8", false },
                { ">=1.7, <1.8 ", "1.7.5", true },
                { "1.5|>=1.7,<1.8", "1.5", true },
                { "1.5|>=1.7,<1.8", "1.6", false },
                { "(1.5|>=1.7),<1.8", "1.7", true },
                { "(1.5|>=1.7),<1.8", "1.9", false },
                { "((1.5))", "1.5", true },
                { "1.*.3", "1.22.3", true },
                { "1.*.3", "1.3", false },
                { "1.0.*.*", "1.0.1", false }, /* a glob: two dots after 1.0 must be there */
                { "*.*", "1", false },
                { "1.*.RC1", "1.0.RC1", true }, /* globs see the text as it is written */
                { "^1\\.7\\.[0-9]+$", "1.7.10", true },
                { "^1\\.7\\.[0-9]+$", "1.7.x", false },
                { "^1.(5|6)$|2.*", "1.6", true },
                { "^1.(5|6)$|2.*", "2.1", true },
                { "1@2", "1.2", false },
                { "1!1.*", "1!1.7", true },
                { "1!1.*", "1.7", false },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct conda_version *v = conda_version_parse(&a, sv_from(rows[i].version), NULL);
                const struct conda_spec *s = conda_spec_parse(&a, sv_from(rows[i].spec), NULL, NULL);

                if (!v || !s || conda_spec_has(s, v) != rows[i].yes)
                        bad++, print_error("row %zu: %s against %s\n", i, rows[i].spec, rows[i].version);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refused_rows(void **state)
{
        static const struct {
                const char *spec, *why;
                size_t at;
        } rows[] = {
                { "", "a version is missing", 0 },
                { ">=", "'>=' has no version after its operator", 0 },
                { ">= 1.7", "'>= 1.7' has a blank inside: write '>=1.7'", 0 },
                { "1.0,=>1", "there is no operator '=>'", 4 },
                { "!1", "'!1' begins with no operator of conda: write = == != < <= > >= or ~=", 0 },
                { "1.5||1.6", "a version is missing before '|'", 4 },
                { "1.5,", "a version is missing", 4 },
                { "(1.5", "'(' has no ')'", 4 },
                { "1.5)", "')' has no '('", 3 },
                { "()", "a version is missing before ')'", 1 },
                { "1.5(1.6)", "a ',' or '|' is missing before '('", 3 },
                { "(1.5)1.6", "a ',' or '|' is missing", 5 },
                { "~=1", "'~=1' needs at least two numbers, as in '~=1.4'", 0 },
                { "~=1.2.*", "'~=1.2.*': '~=' takes no '.*'", 0 },
                { ">=3.8<3.9", "a comma is missing before '<3.9'", 0 },
                { "1..2", "'1..2' is not a version: a part between two separators is empty", 0 },
                { "^1.5", "a regular expression begins with '^' and ends with '$'", 0 },
                { "^(?=1).*$", "'^(?=1).*$' cannot be used: '(?' is not judged here", 0 },
                { "^[1$", "'^[1$' cannot be used: '[' has no ']'", 0 },
                { "1.*.[0-9]", "'[' has no place in '1.*.[0-9]'", 0 },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv why = { 0 };
                size_t at = 99;

                if (conda_spec_parse(&a, sv_from(rows[i].spec), &why, &at) || !sv_is(why, rows[i].why) ||
                    at != rows[i].at)
                        bad++, print_error("row %zu: '%s' at %zu: %.*s\n", i, rows[i].spec, at, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void text_rows(void **state)
{
        static const struct {
                const char *spec, *text;
        } rows[] = {
                { " 1.7 ", "1.7" },       { "==1.7", "==1.7" },     { "1.7*", "1.7.*" },    { "=1.7", "=1.7" },
                { "!=1.7", "!=1.7" },     { ">=1 , <2", ">=1,<2" }, { "(1|2)|3", "1|2|3" }, { "1|(2,3)", "1|2,3" },
                { "(1|2),3", "(1|2),3" }, { "(((1.5)))", "1.5" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct conda_spec *s = conda_spec_parse(&a, sv_from(rows[i].spec), NULL, NULL);

                assert_non_null(s);
                if (!sv_is(conda_spec_text(s), rows[i].text))
                        bad++, print_error("row %zu: '%s' is '%.*s'\n", i, rows[i].spec, SV_ARG(conda_spec_text(s)));
        }
        assert_true(conda_spec_any(conda_spec_parse(&a, SV("*"), NULL, NULL)));
        assert_false(conda_spec_any(conda_spec_parse(&a, SV("1.*"), NULL, NULL)));
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void starts_rows(void **state)
{
        static const struct {
                const char *prefix, *version;
                bool yes;
        } rows[] = {
                { "1.0.2", "1.0.2h", true },    { "1.0.2", "1.0.2", true },      { "1.0.2", "1.0.2.5", true },
                { "1.0.2", "1.0.20", false },   { "1.2", "1.20", false },        { "1.0", "1.0a1", true },
                { "1.0", "1.0rc1", true },      { "1.0", "1.0.dev1", true },     { "1.0", "1", true },
                { "1.0", "1.dev", true },       { "2.0.0", "2", true },          { "2.0.0", "2.0.0.post1", true },
                { "2.0.0", "2.0.1", false },    { "1", "1!1", false },           { "1!1", "1!1.7", true },
                { "1.0a", "1.0alpha3", true },  { "1.0a", "1.0a.4", true },      { "1.0a", "1.0b", false },
                { "1.0a", "1.0", false },       { "1.0a1", "1.0a10", false },    { "1.0d", "1.0dev1", false },
                { "1.0pos", "1.0post", false }, { "1.0post", "1.0post1", true }, { "1.0post", "1.0.post1", false },
                { "1.2+5", "1.2+5.1", true },   { "1.2+5", "1.2.0+5", true },    { "1.2+5", "1.2.1+5", false },
                { "1.2+5", "1.2", false },      { "1.2+0", "1.2", true },        { "1.2", "1.2+local", true },
                { "1.0_", "1.0_", true },       { "1.0_", "1.0a", false },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv text = arena_fmt(&a, "%s.*", rows[i].prefix);
                const struct conda_spec *s = conda_spec_parse(&a, text, NULL, NULL);
                const struct conda_version *v = conda_version_parse(&a, sv_from(rows[i].version), NULL);

                if (conda_spec_has(s, v) != rows[i].yes)
                        bad++, print_error("row %zu: %s.* and %s\n", i, rows[i].prefix, rows[i].version);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(match_rows),
                cmocka_unit_test(starts_rows),
                cmocka_unit_test(refused_rows),
                cmocka_unit_test(text_rows),
        };
        return cmocka_run_group_tests_name("conda_spec", tests, NULL, NULL);
}
