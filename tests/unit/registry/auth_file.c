#include "registry/auth_file.h"

#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

/* base64: u:p YTpi is a:b, Yzpk c:d, ZTpm e:f, "u:p:w" dTpwOnc= */
static void looking_up(void **state)
{
        static const struct {
                const char *file, *registry, *repository;
                const char *user, *password, *token, *helper, *key; /* all NULL: nothing */
                bool flat;
        } rows[] = {
                { "{}", "h", "a/b" },
                { "", "h", "a/b" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}", "h", "a/b", "a", "b" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}", "h:5000", "a/b" },
                { "{\"auths\":{\"h:5000\":{\"auth\":\"dTpwOnc=\"}}}", "h:5000", "a/b", "u", "p:w" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"},\"h/a\":{\"auth\":\"Yzpk\"},\"h/a/b\":{\"auth\":\"ZTpm\"}}}",
                  "h", "a/b", "e", "f" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"},\"h/a\":{\"auth\":\"Yzpk\"}}}", "h", "a/c", "c", "d" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"},\"h/a\":{\"auth\":\"Yzpk\"}}}", "h", "ab/c", "a", "b" },
                { "{\"auths\":{\"https://h/v1/\":{\"auth\":\"YTpi\"}}}", "h", "a", "a", "b" },
                { "{\"auths\":{\"http://h\":{\"auth\":\"YTpi\"}}}", "h", "a", "a", "b" },
                { "{\"auths\":{\"h/v2\":{\"auth\":\"YTpi\"}}}", "h", "a" }, /* a folder of that name */
                { "{\"auths\":{\"h/v2\":{\"auth\":\"YTpi\"}}}", "h", "v2/a", "a", "b" },
                { "{\"auths\":{\"https://h/v1/\":{\"auth\":\"YTpi\"},\"h\":{\"auth\":\"Yzpk\"}}}", "h", "a", "c", "d" },
                { "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}}}", "docker.io", "library/x", "a",
                  "b" },
                { "{\"auths\":{\"docker.io\":{\"auth\":\"YTpi\"}}}", "docker.io", "library/x", "a", "b" },
                { "{\"auths\":{\"docker.io/me\":{\"auth\":\"YTpi\"}}}", "docker.io", "me/x", "a", "b" },
                { "{\"auths\":{\"h\":{\"username\":\"a\",\"password\":\"b\"}}}", "h", "a", "a", "b" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\",\"identitytoken\":\"T\"}}}", "h", "a", "a", "b", "T" },
                { "{\"auths\":{\"h\":{\"identitytoken\":\"T\"}}}", "h", "a", "", "", "T" },
                { "{\"auths\":{\"h\":{}},\"credsStore\":\"pass\"}", "h", "a", NULL, NULL, NULL, "pass", "h" },
                { "{\"credsStore\":\"pass\"}", "docker.io", "library/x", NULL, NULL, NULL, "pass",
                  "https://index.docker.io/v1/" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"credsStore\":\"pass\"}", "h", "a", "a", "b" },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"credHelpers\":{\"h\":\"one\"},\"credsStore\":\"pass\"}",
                  "h", "a", NULL, NULL, NULL, "one", "h" },
                { "{\"credHelpers\":{\"h/a\":\"one\",\"h\":\"two\"}}", "h", "a/b", NULL, NULL, NULL, "one", "h/a" },
                { "{\"credHelpers\":{\"h\":\"\"},\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}", "h", "a", "a", "b" },
                { "{\"https://h/v1/\":{\"auth\":\"YTpi\",\"email\":\"x\"}}", "h", "a", "a", "b", .flat = true },
                { "{\"auths\":{\"h\":{\"auth\":\"YTpiAAA=\"}}}", "h", "a", "a", "b" }, /* padded with NULs */
                { "{\"auths\":null,\"HttpHeaders\":{\"x\":\"y\"}}", "h", "a" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_wipe) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct reg_repo repo = { sv_from(rows[i].registry), sv_from(rows[i].repository) };
                struct auth_found got = { 0 };
                struct auth_file f;
                bool ok = auth_file_parse(&a, SV("f.json"), sv_from(rows[i].file), rows[i].flat, &f, &e) == 0 &&
                          auth_file_find(&a, &f, &repo, &got, &e) == 0;

                ok = ok && got.found == (rows[i].user != NULL) && sv_eq(got.helper, sv_from(rows[i].helper)) &&
                     (!got.helper.n || sv_eq(got.key, sv_from(rows[i].key))) &&
                     sv_eq(got.login.username, sv_from(rows[i].user)) &&
                     sv_eq(got.login.password, sv_from(rows[i].password)) &&
                     sv_eq(got.login.identity_token, sv_from(rows[i].token));
                if (!ok)
                        bad++, print_error("row %zu: %s '%.*s' '%.*s' helper '%.*s' '%.*s'\n", i,
                                           e.cause ? e.cause : "", SV_ARG(got.login.username),
                                           SV_ARG(got.login.password), SV_ARG(got.helper), SV_ARG(got.key));
        }
        assert_int_equal(bad, 0);
}

static void faults(void **state)
{
        static const struct {
                const char *file, *cause;
        } rows[] = {
                { "{\n  \"auths\": {\n", "f.json:" },
                { "[]", "f.json:1:1: an auth file is a JSON object" },
                { "{\"auths\":{\"h\":7}}", "f.json: the login of 'h' is not an object" },
                { "{\"auths\":{\"h\":{\"auth\":\"SECRET!\"}}}", "f.json: the login of 'h' holds an `auth`" },
                { "{\"auths\":{\"h\":{\"auth\":\"YWI=\"}}}", "f.json: the login of 'h' holds an `auth`" },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_wipe) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct reg_repo repo = { SV("h"), SV("a") };
                struct auth_found got;
                struct auth_file f;

                if (auth_file_parse(&a, SV("f.json"), sv_from(rows[i].file), false, &f, &e) == 0)
                        auth_file_find(&a, &f, &repo, &got, &e);
                assert_int_equal(e.code, ERR_USAGE);
                if (strncmp(e.cause, rows[i].cause, strlen(rows[i].cause)) != 0 || strstr(e.cause, "SECRET"))
                        fail_msg("row %zu: %s", i, e.cause);
                assert_true(e.hint || i == 1);
        }
}

static void changing(void **state)
{
        static const struct {
                const char *file, *registry;
                bool set, in_helper;
                const char *after;
                bool flat;
        } rows[] = {
                { "{}", "h", true, false, "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}" },
                { "{\"x\":1.5,\"auths\":{\"o\":{\"auth\":\"Yzpk\",\"email\":\"e\"}}}", "h", true, false,
                  "{\"auths\":{\"h\":{\"auth\":\"YTpi\"},\"o\":{\"auth\":\"Yzpk\",\"email\":\"e\"}},\"x\":1.5}" },
                { "{\"auths\":{\"https://h/v1/\":{\"auth\":\"Yzpk\"}}}", "h", true, false,
                  "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}" },
                { "{}", "docker.io", true, false, "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}}}" },
                { "{\"auths\":{\"docker.io\":{},\"index.docker.io\":{}}}", "docker.io", false, false,
                  "{\"auths\":{}}" },
                { "{\"credsStore\":\"p\"}", "h", true, true, "{\"auths\":{\"h\":{}},\"credsStore\":\"p\"}" },
                { "{\"auths\":{\"h/a\":{},\"h\":{}}}", "h", false, false, "{\"auths\":{\"h/a\":{}}}" },
                { "{\"h\":{},\"o\":{}}", "h", false, false, "{\"o\":{}}", true },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_wipe) struct arena a = { 0 };
                AUTO(buf_done) struct buf out = BUF_INIT(4096);
                AUTO(err_done) struct err e = { 0 };
                struct reg_login l = { .username = SV("a"), .password = SV("b") };
                struct auth_file f;

                assert_int_equal(auth_file_parse(&a, SV("f"), sv_from(rows[i].file), rows[i].flat, &f, &e), 0);
                assert_true(
                        auth_file_set(&a, &f, sv_from(rows[i].registry), rows[i].set ? &l : NULL, rows[i].in_helper));
                js_write(f.doc, &out);
                if (!sv_is(buf_sv(&out), rows[i].after))
                        fail_msg("row %zu: %s", i, out.p);
        }
}

static void what_it_lists(void **state)
{
        AUTO(arena_wipe) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct auth_file f;
        size_t n = 0, cap = 0;
        sv *v = NULL;

        (void)state;
        assert_int_equal(auth_file_parse(&a, SV("f"),
                                         SV("{\"auths\":{\"https://index.docker.io/v1/\":{},\"h\":{},\"https://h\":{},"
                                            "\"h/ns\":{},\"docker.io\":{}}}"),
                                         false, &f, &e),
                         0);
        auth_file_registries(&a, &f, &v, &n, &cap);
        assert_int_equal(n, 2);
        assert_true(sv_is(v[0], "docker.io") && sv_is(v[1], "h"));
        assert_false(auth_file_set(&a, &f, SV("other"), NULL, false));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(looking_up), cmocka_unit_test(faults),
                                            cmocka_unit_test(changing), cmocka_unit_test(what_it_lists) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
