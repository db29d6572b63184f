#include "version/pattern.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

static void glob_rows(void **state)
{
        static const struct {
                const char *glob, *text;
                bool fold, yes;
        } rows[] = {
                { "", "", false, true },
                { "", "a", false, false },
                { "*", "", false, true },
                { "*", "abc", false, true },
                { "a*", "abc", false, true },
                { "a*", "bc", false, false },
                { "*c", "abcc", false, true },
                { "a*c*e", "abcde", false, true },
                { "a*c*e", "abced", false, false },
                { "**a", "ba", false, true },
                { "a.c", "abc", false, false },
                { "mit*", "MIT-0", true, true },
                { "mit*", "MIT-0", false, false },
                { "*ab*ab", "ab", false, false },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (glob_has(sv_from(rows[i].glob), sv_from(rows[i].text), rows[i].fold) != rows[i].yes)
                        bad++, print_error("row %zu: %s against %s\n", i, rows[i].glob, rows[i].text);
        assert_int_equal(bad, 0);
}

/* Answers of Python's re.match(). */
static void regex_rows(void **state)
{
        static const struct {
                const char *regex, *text;
                bool yes;
        } rows[] = {
                { "^abc$", "abc", true },
                { "^abc$", "abcd", false },
                { "abc", "abcd", true }, /* anchored at the beginning only */
                { "bc", "abc", false },
                { "^a|b$", "ax", true }, /* (^a) or (b$) */
                { "^a|b$", "xb", false },
                { "^a.c$", "abc", true },
                { "^a.c$", "a\nc", false },
                { "^a\\.c$", "abc", false },
                { "^[a-c]+$", "abcabc", true },
                { "^[a-c]+$", "abd", false },
                { "^[^a-c]+$", "xyz", true },
                { "^[]a-]+$", "]-a", true },
                { "^[\\d.]+$", "1.2", true },
                { "^\\w+\\s\\D\\S\\W$", "a_1 xy-", true },
                { "^(ab)*$", "abab", true },
                { "^(ab)*$", "aba", false },
                { "^(a|bc)+?d$", "abcad", true },
                { "^(?:x|)y$", "y", true },
                { "^a{2}$", "aa", true },
                { "^a{2}$", "aaa", false },
                { "^a{2,}$", "aaaa", true },
                { "^a{2,}$", "a", false },
                { "^a{,2}$", "", true },
                { "^a{,2}$", "aaa", false },
                { "^(ab|c){1,2}$", "cab", true },
                { "^(ab|c){1,2}$", "cabc", false },
                { "^a{0}b$", "b", true },
                { "^a{0}b$", "ab", false },
                { "^a{x}$", "a{x}", true },
                { "^(a?){20}a{20}$", "aaaaaaaaaaaaaaaaaaaa", true },
                { "^(a*)*b$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false },
                { "^\xc3\xa9+$", "\xc3\xa9", true },
                { "", "x", true },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv why = { 0 };
                const struct pattern *p = pattern_parse(&a, sv_from(rows[i].regex), &why);

                if (!p || pattern_has(p, sv_from(rows[i].text), false) != rows[i].yes)
                        bad++, print_error("row %zu: %s against %s %.*s\n", i, rows[i].regex, rows[i].text,
                                           SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refused_rows(void **state)
{
        static const char *const rows[] = { "(",      "a)",    "[a",           "[",
                                            "*a",     "+",     "(?=a)",        "a\\",
                                            "\\1",    "\\bx",  "[b-a]",        "[\\d-z]",
                                            "a{3,2}", "a**",   "a*+",          "a{2}{3}",
                                            "(?i)a",  "[\xc3", "^a{1000}{3}$", "^(((a{40}){40}){40})$" };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv why = { 0 };

                if (pattern_parse(&a, sv_from(rows[i]), &why) || !why.n)
                        bad++, print_error("'%s' was taken, or refused without a reason\n", rows[i]);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(glob_rows),
                cmocka_unit_test(regex_rows),
                cmocka_unit_test(refused_rows),
        };
        return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
