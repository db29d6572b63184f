#include <string.h>

#include "base/cleanup.h"
#include "registry/client_priv.h"
#include "tests/unit/unit.h"

static void what_servers_say(void **state)
{
        static const struct {
                const char *body, *text;
        } rows[] = {
                { "", "" },
                { "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\",\"detail\":{\"x\":1}}]}", "DENIED: no" },
                { "{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"},{},{\"code\":\"NO\"}]}", "A; b" },
                { "{\"errors\":[]}", "" },
                { "{\"error\":\"invalid_grant\"}", "invalid_grant" },
                { "{\"details\":\"incorrect username or password\"}", "incorrect username or password" },
                { "{\"errors\":[{\"code\":\"X\",\"message\":\"a\\u001b[31m\\nb\\u009bc\\u0000\"}]}", "X: a [31m b c" },
                { "404 page not found\n", "404 page not found" },
                { " two\r\n\tlines ", "two lines" },
                { "bad \xff byte", "bad ? byte" },
                { "<!DOCTYPE html><html><head><TITLE lang=en>502 Bad Gateway</title></head>", "502 Bad Gateway" },
                { "<html><body>nothing", "" },
                { "{\"errors\":", "" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct net_answer ans = { .status = 404, .body = sv_from(rows[i].body) };
                sv got = reg_answer_text(&a, &ans);

                if (!sv_is(got, rows[i].text))
                        bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

static void long_ones_are_cut(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct net_answer ans = { .status = 500 };
        char body[70000];

        (void)state;
        memset(body, 'x', sizeof(body));
        ans.body = (sv){ body, sizeof(body) };
        assert_in_range(reg_answer_text(&a, &ans).n, 100, 400);
}

static void as_errors(void **state)
{
        static const struct {
                long status;
                enum err_code code;
        } rows[] = { { 401, ERR_AUTH }, { 403, ERR_AUTH }, { 404, ERR_NOT_FOUND }, { 400, ERR_NET }, { 500, ERR_NET } };
        struct reg_client c = { 0 };
        struct reg_request r = { .repo = { SV("reg.example.com"), SV("t/x") } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct net_answer ans = { .status = rows[i].status,
                                          .url = SV("https://u:p@reg.example.com/v2/t/x/blobs/uploads/1?_state=SECRET"),
                                          .body = SV("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}") };

                assert_int_equal(reg_status_err(&c, &r, &ans, "pushing", &e), -(int)rows[i].code);
                assert_non_null(strstr(e.cause, "pushing: 'https://reg.example.com/v2/t/x/blobs/uploads/1' answered"));
                assert_non_null(strstr(e.cause, "DENIED: no"));
                assert_null(strstr(e.cause, "SECRET"));
                assert_null(strstr(e.cause, "u:p"));
                assert_true((e.hint && strstr(e.hint, "envbuild login reg.example.com")) == (rows[i].code == ERR_AUTH));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(what_servers_say), cmocka_unit_test(long_ones_are_cut),
                                            cmocka_unit_test(as_errors) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
