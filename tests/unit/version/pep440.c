#include "version/pep440.h"

#include <string.h>

#include "base/attr.h"
#include "tests/unit/unit.h"

static void text_rows(void **state)
{
        static const struct {
                const char *text, *normal, *canonical; /* normal NULL: refused */
        } rows[] = {
                { "1.0", "1.0", "1" },
                { " v1.02.0-ALPHA\n", "1.2.0a0", "1.2a0" },
                { "1.0-1", "1.0.post1", "1.post1" },
                { "1!2.0.PRE3_rev.dev", "1!2.0rc3.post0.dev0", "1!2rc3.post0.dev0" },
                { "1.0a.", "1.0a0", "1a0" },
                { "1.0+Ubuntu-007_x", "1.0+ubuntu.7.x", "1+ubuntu.7.x" },
                { "0.0.0", "0.0.0", "0" },
                { "20231122093000123456789.1", "20231122093000123456789.1", "20231122093000123456789.1" },
                { "00000000000000000000000000000000000001", "1", "1" },
                { "\xc2\xa0"
                  "1.0"
                  "\xe2\x80\x89",
                  "1.0", "1" },
                { "", NULL, NULL },
                { "1.", NULL, NULL },
                { "1.0+", NULL, NULL },
                { "1.0+a_", NULL, NULL },
                { "1.0.dev1.post1", NULL, NULL },
                { "1.0 .dev1", NULL, NULL },
                { "0.03-alfa", NULL, NULL },
                { "3.7.0-1048-g2a4b085", NULL, NULL },
                { "1!", NULL, NULL },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct pep440 *v = pep440_parse(&a, sv_from(rows[i].text));

                if (!v != !rows[i].normal || (v && (!sv_is(pep440_text(v), rows[i].normal) ||
                                                    !sv_is(pep440_canonical(v, &a), rows[i].canonical))))
                        bad++, print_error("row %zu: '%s' is '%s'\n", i, rows[i].text,
                                           v ? pep440_text(v).p : "refused");
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void parts_of_one(void **state)
{
        struct arena a = { 0 };
        const struct pep440 *v = pep440_parse(&a, SV("2!1.18446744073709551616.3rc1.post2.dev3+loc.1"));
        uint64_t n[2];

        (void)state;
        assert_non_null(v);
        assert_true(sv_is(pep440_public(v, &a), "2!1.18446744073709551616.3rc1.post2.dev3"));
        assert_true(sv_is(pep440_base(v, &a), "2!1.18446744073709551616.3"));
        assert_true(sv_is(pep440_local(v), "loc.1"));
        assert_int_equal(pep440_epoch(v), 2);
        assert_int_equal(pep440_release(v, n, 2), 3); /* three, of which two fit */
        assert_int_equal(n[0], 1);
        assert_true(n[1] == UINT64_MAX); /* too large for the array: never a wrapped number */
        assert_true(pep440_is_prerelease(v) && pep440_is_postrelease(v) && pep440_is_dev(v));
        arena_done(&a);
}

static void ascending_order(void **state)
{
        static const char *const v[] = { "1.0.dev1",
                                         "1.0a1.dev1",
                                         "1.0a1",
                                         "1.0a1.post1.dev1",
                                         "1.0a1.post1",
                                         "1.0b1",
                                         "1.0rc1",
                                         "1.0",
                                         "1.0+a",
                                         "1.0+a.b",
                                         "1.0+1",
                                         "1.0+1.a",
                                         "1.0+1.1",
                                         "1.0.post1.dev1",
                                         "1.0.post1",
                                         "1.0.1",
                                         "1.18446744073709551615",
                                         "1.18446744073709551616",
                                         "1.18446744073709551617",
                                         "1!0.1" };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(v); i++)
                for (size_t k = 0; k < ARRAY_LEN(v); k++) {
                        int r = pep440_cmp(pep440_parse(&a, sv_from(v[i])), pep440_parse(&a, sv_from(v[k])));
                        if ((r > 0) - (r < 0) != (i > k) - (i < k))
                                bad++, print_error("%s against %s: %d\n", v[i], v[k], r);
                }
        assert_int_equal(pep440_cmp(pep440_parse(&a, SV("1.0")), pep440_parse(&a, SV("1.0.0.0"))), 0);
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void match_rows(void **state)
{
        static const struct {
                const char *spec, *version;
                bool match;
        } rows[] = {
                { "", "anything", true },
                { "<2", "2.0.0rc1", false }, /* '<' leaves out pre-releases of its bound */
                { "<2.0rc2", "2.0rc1", true },
                { "<1.0.post2", "1.0.post1", true },
                { "~=1.4.2", "1.5.0", false },
                { "~=1.4.2", "1.4.9.post1", true },
                { "~=2.2.post3", "2.9", true },
                { "~=2.2.post3", "2.2.post2", false },
                { "<=1.0", "1.0+x", true },
                { "<=1.0", "1.0.post1", false },
                { ">=1.0", "1.0+x", true },
                { ">1.0", "1.0+x", false },
                { ">1.0", "1.0.post1", false },
                { ">1.0.post1", "1.0.post2", true },
                { ">1.0.post1", "1.0.post1+x", false },
                { ">1.0a1", "1.0a1.post1", false },
                { ">1.0a1", "1.0a2.dev1", true },
                { ">1.0.dev1", "1.0.dev2", true },
                { "==1.0", "1.0.0+x", true },
                { "==1.0+x", "1.0", false },
                { "==1.0+x", "1.0.0+X", true },
                { "!=1.0", "1.0+x", false },
                { "==1.1.*", "1.1a1", true },
                { "==1.1.0.*", "1.1", true },
                { "!=1.1.*", "1.10", true },
                { "==1.*", "1!1.0", false },
                { "===1.0", "1.0.0", false },
                { "===1.0.DEV1", "1.0.dev1", true },
                { "===foobar", "FooBar", true },
                { "==1.0", "foobar", false },
                { ">=1,<2,!=1.5", "1.5.0", false },
        };
        struct arena a = { 0 };
        struct pep440_spec s;
        sv why;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv version = sv_from(rows[i].version);
                if (!pep440_spec_parse(&a, sv_from(rows[i].spec), &s, &why) ||
                    pep440_spec_has(&s, pep440_parse(&a, version), version) != rows[i].match)
                        bad++, print_error("row %zu: %s against %s\n", i, rows[i].spec, rows[i].version);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refusals_teach(void **state)
{
        static const struct {
                const char *spec, *why;
        } rows[] = {
                { ">=3.3.0<4", "missing comma before '<4'" },
                { ">=1.*", "'.*' can only be used with == and !=" },
                { "==1.0a1.*", "'.*' cannot follow a pre-release, post-release, dev or local part" },
                { ">=1.0+local", "a local version ('+...') can only be used with == and !=" },
                { "~=1", "'~=' needs at least two numbers, as in '~=1.4'" },
                { "=1.0", "'=' is not an operator: write '=='" },
                { "1.0", "'1.0' does not begin with one of == != <= >= < > ~= ===" },
                { ">=", "'>=' has no version after its operator" },
                { "!=3.0*", "'*' is not part of a version" },
        };
        struct arena a = { 0 };
        struct pep440_spec s;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv why = { 0 };
                if (pep440_spec_parse(&a, sv_from(rows[i].spec), &s, &why) || !sv_is(why, rows[i].why))
                        bad++, print_error("row %zu: %s: %.*s\n", i, rows[i].spec, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void written_sorted_and_once(void **state)
{
        static const struct {
                const char *spec, *text;
                bool opens, pins;
        } rows[] = {
                { " >= 1 , < 2, != 1.5", "!=1.5,<2,>=1", false, false },
                { "==1.0.0,==1.0,", "==1.0", false, true },
                { "~=1.0,~=1.0.0", "~=1.0,~=1.0.0", false, false },
                { ">=1.0-DEV1", ">=1.0-DEV1", true, false },
                { "!=1.0a1", "!=1.0a1", false, false },
                { "==1.*", "==1.*", false, false },
                { "===1.0rc1", "===1.0rc1", true, true },
                { "=== foo", "===foo", false, true },
                { ",", "", false, false },
        };
        struct arena a = { 0 };
        struct pep440_spec s;
        sv why;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct buf b = BUF_INIT(1000);

                if (!pep440_spec_parse(&a, sv_from(rows[i].spec), &s, &why)) {
                        bad++, print_error("row %zu was refused\n", i);
                        continue;
                }
                pep440_spec_write(&s, &b);
                if (!sv_is(buf_sv(&b), rows[i].text) || pep440_spec_opens_pre(&s) != rows[i].opens ||
                    pep440_spec_pins(&s) != rows[i].pins)
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(buf_sv(&b)));
                buf_done(&b);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void filter_rows(void **state)
{
        static const char *const versions[] = { "1.0", "foobar", "2.0a1", "2.0" };
        static const struct {
                const char *spec, *taken; /* a letter each: 0 1 2 3 */
                enum pep440_pre pre;
        } rows[] = {
                { "", "013", PEP440_PRE_DEFAULT },
                { "", "0123", PEP440_PRE_YES },
                { "<2", "0", PEP440_PRE_DEFAULT },
                { ">1,<2.0", "", PEP440_PRE_DEFAULT },
                { ">1,<2.0rc1", "2", PEP440_PRE_DEFAULT },
                { "==2.0a1", "2", PEP440_PRE_DEFAULT },
                { ">=2.0a1", "23", PEP440_PRE_DEFAULT },
                { ">=2.0a1", "3", PEP440_PRE_NO },
                { "===foobar", "1", PEP440_PRE_NO },
                { "!=1.0,!=2.0", "2", PEP440_PRE_DEFAULT }, /* nothing else is left */
        };
        struct arena a = { 0 };
        struct pep440_item item[ARRAY_LEN(versions)];
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(versions); i++)
                item[i] = (struct pep440_item){ pep440_parse(&a, sv_from(versions[i])), sv_from(versions[i]) };
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                size_t at[ARRAY_LEN(versions)], n;
                char got[8] = "";
                struct pep440_spec s;
                sv why;

                assert_true(pep440_spec_parse(&a, sv_from(rows[i].spec), &s, &why));
                n = pep440_spec_filter(&s, rows[i].pre, item, ARRAY_LEN(versions), at);
                for (size_t k = 0; k < n; k++)
                        got[k] = (char)('0' + at[k]);
                if (strcmp(got, rows[i].taken))
                        bad++, print_error("row %zu: %s takes %s\n", i, rows[i].spec, got);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_rows),       cmocka_unit_test(parts_of_one),
                cmocka_unit_test(ascending_order), cmocka_unit_test(match_rows),
                cmocka_unit_test(refusals_teach),  cmocka_unit_test(written_sorted_and_once),
                cmocka_unit_test(filter_rows),
        };
        return cmocka_run_group_tests_name("pep440", tests, NULL, NULL);
}
