#include "net/url.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static bool same(const char *what, sv got, const char *want)
{
        if (sv_is(got, want))
                return true;
        print_error("%s: '%.*s', not '%s'\n", what, SV_ARG(got), want);
        return false;
}

static void join_rows(void **state)
{
        static const struct {
                const char *base, *ref, *want;
        } rows[] = {
#define B "http://a/b/c/d;p?q"
                /* RFC 3986 §5.4 */
                { B, "g:h", "g:h" },
                { B, "g", "http://a/b/c/g" },
                { B, "./g", "http://a/b/c/g" },
                { B, "g/", "http://a/b/c/g/" },
                { B, "/g", "http://a/g" },
                { B, "//g", "http://g" },
                { B, "?y", "http://a/b/c/d;p?y" },
                { B, "g?y", "http://a/b/c/g?y" },
                { B, "#s", "http://a/b/c/d;p?q#s" },
                { B, "g#s", "http://a/b/c/g#s" },
                { B, ";x", "http://a/b/c/;x" },
                { B, "", "http://a/b/c/d;p?q" },
                { B, ".", "http://a/b/c/" },
                { B, "./", "http://a/b/c/" },
                { B, "..", "http://a/b/" },
                { B, "../", "http://a/b/" },
                { B, "../g", "http://a/b/g" },
                { B, "../..", "http://a/" },
                { B, "../../g", "http://a/g" },
                { B, "../../../g", "http://a/g" },
                { B, "/../g", "http://a/g" },
                { B, "g.", "http://a/b/c/g." },
                { B, "..g", "http://a/b/c/..g" },
                { B, "./g/.", "http://a/b/c/g/" },
                { B, "g/../h", "http://a/b/c/h" },
                { B, "g?y/../x", "http://a/b/c/g?y/../x" },
                { B, "g#s/../x", "http://a/b/c/g#s/../x" },
#undef B
                { "https://h", "x", "https://h/x" },
                { "https://u:p@h/simple/x/", "../../f/x.whl#sha256=1", "https://u:p@h/f/x.whl#sha256=1" },
                { "https://h/a//b", "c", "https://h/a//c" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                bad += !same(rows[i].ref, url_join(&a, sv_from(rows[i].base), sv_from(rows[i].ref)), rows[i].want);
        assert_int_equal(bad, 0);
}

static void parse_rows(void **state)
{
        static const struct {
                const char *text;
                bool ok;
                const char *user, *host, *port, *path;
        } rows[] = {
                { "https://h", true, "", "h", "", "" },
                { "https://u:p@h:8080/x?q#f", true, "u:p", "h", "8080", "/x" },
                { "https://u@x:p@h/", true, "u@x:p", "h", "", "/" },
                { "http://[::1]:80/", true, "", "[::1]", "80", "/" },
                { "http://[::1]/", true, "", "[::1]", "", "/" },
                { "file:///a/b", true, "", "", "", "/a/b" },
                { "https:///x", false, "", "", "", "" },
                { "/x", false, "", "", "", "" },
                { "h", false, "", "", "", "" },
                { "https://h:99999/", false, "", "", "", "" },
                { "https://h:x/", false, "", "", "", "" },
                { "https://h/a b", false, "", "", "", "" },
                { "https://h/\r\nX: y", false, "", "", "", "" },
                { "mailto:a", false, "", "", "", "" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct url u = { 0 };
                bool ok = url_parse(sv_from(rows[i].text), &u);

                if (ok != rows[i].ok)
                        bad++, print_error("%s: %d\n", rows[i].text, ok);
                else if (ok)
                        bad += !same("user", u.user, rows[i].user) + !same("host", u.host, rows[i].host) +
                               !same("port", u.port, rows[i].port) + !same("path", u.path, rows[i].path);
        }
        assert_int_equal(bad, 0);
}

static void secrets_rows(void **state)
{
        static const struct {
                const char *text, *public, *masked;
        } rows[] = {
                { "https://h/x", "https://h/x", "https://h/x" },
                { "https://u:p@h/x", "https://h/x", "https://u:****@h/x" },
                { "https://token@h/x@y", "https://h/x@y", "https://****@h/x@y" },
                { "https://u:p@q@h", "https://h", "https://u:****@h" },
                { "https://u:p @h/", "https://h/", "https://u:****@h/" }, /* not a URL, and masked all the same */
                { "//u:p@h/", "//h/", "//u:****@h/" },
                { "https://u:p@h/x?sig=s", "https://h/x?sig=s", "https://u:****@h/x?..." },
                { "https://h/t/to-12/c/x", "https://h/t/to-12/c/x", "https://h/t/****/c/x" }, /* conda's token */
                { "https://h/a/t/b", "https://h/a/t/b", "https://h/a/t/b" },
                { "https://h/t//b", "https://h/t//b", "https://h/t//b" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                bad += !same("public", url_public(&a, sv_from(rows[i].text)), rows[i].public) +
                       !same("masked", url_masked(&a, sv_from(rows[i].text)), rows[i].masked);
        assert_int_equal(bad, 0);
}

static void coding_rows(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        assert_true(same("decode", url_decode(&a, SV("a%2Bb%zz%4")), "a+b%zz%4"));
        assert_true(same("decode end", url_decode(&a, SV("%41")), "A"));
        assert_true(same("encode", url_encode(&a, SV("a+b/~c\xc3\xa9")), "a%2Bb%2F~c%C3%A9"));
}

static bool fake_env(void *arg, sv name, sv *ret)
{
        (void)arg;
        *ret = SV("s3");
        return sv_is(name, "TOKEN_1");
}

static void expand_rows(void **state)
{
        static const struct {
                const char *text, *want, *missing;
        } rows[] = {
                { "https://${TOKEN_1}@h/", "https://s3@h/", NULL },
                { "https://${TOKEN}@h/", NULL, "TOKEN" },
                { "${lower}$X${}", "${lower}$X${}", NULL }, /* pip leaves these alone */
                { "${TOKEN_1", "${TOKEN_1", NULL },
                { "$${TOKEN_1}", "$s3", NULL },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv got = { 0 }, missing = { 0 };

                if (url_expand(&a, sv_from(rows[i].text), fake_env, NULL, &got, &missing) != (rows[i].want != NULL))
                        bad++, print_error("%s\n", rows[i].text);
                else if (rows[i].want)
                        bad += !same(rows[i].text, got, rows[i].want);
                else
                        bad += !same(rows[i].text, missing, rows[i].missing);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(join_rows),   cmocka_unit_test(parse_rows),  cmocka_unit_test(secrets_rows),
                cmocka_unit_test(coding_rows), cmocka_unit_test(expand_rows),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
