#include "base/cleanup.h"
#include "registry/client_priv.h"
#include "tests/unit/unit.h"

#define NOW 1700000000 /* 2023-11-14T22:13:20Z */

static void documents(void **state)
{
        static const struct {
                const char *text, *token; /* token NULL: none */
                int64_t life, age;
        } rows[] = {
                { "{\"token\":\"t\"}", "t", 60, 0 },
                { "{\"access_token\":\"t\",\"expires_in\":300}", "t", 300, 0 },
                { "{\"token\":\"t\",\"access_token\":\"u\"}", "t", 60, 0 },
                { "{\"token\":\"\",\"access_token\":\"u\"}", "u", 60, 0 },
                { "{\"token\":\"t\",\"expires_in\":5}", "t", 60, 0 },
                { "{\"token\":\"t\",\"expires_in\":-5}", "t", 60, 0 },
                { "{\"token\":\"t\",\"expires_in\":9223372036854775807}", "t", 365 * 24 * 3600, 0 },
                { "{\"token\":\"t\",\"expires_in\":\"300\"}", "t", 60, 0 },
                { "{\"token\":\"t\",\"expires_in\":300,\"issued_at\":\"2023-11-14T22:11:20Z\"}", "t", 300, 120 },
                { "{\"token\":\"t\",\"expires_in\":300,\"issued_at\":\"2023-11-14T22:00:00Z\"}", "t", 300, 0 },
                { "{\"token\":\"t\",\"expires_in\":300,\"issued_at\":\"2023-11-14T23:00:00Z\"}", "t", 300, 0 },
                { "{\"token\":\"t\",\"issued_at\":\"yesterday\"}", "t", 60, 0 },
                { "{\"token\":\"a\\r\\nX-Evil: 1\"}", NULL, 0, 0 },
                { "{\"token\":\"a b\"}", NULL, 0, 0 },
                { "{\"token\":\"\\u00e9\"}", NULL, 0, 0 },
                { "{\"token\":7}", NULL, 0, 0 },
                { "{}", NULL, 0, 0 },
                { "[]", NULL, 0, 0 },
                { "hello", NULL, 0, 0 },
                { "", NULL, 0, 0 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct reg_token_answer got = { 0 };
                int r = reg_token_read(&a, sv_from(rows[i].text), NOW, &got, &e);

                if (rows[i].token ? r < 0 || !sv_is(got.token, rows[i].token) || got.life_s != rows[i].life ||
                                            got.age_s != rows[i].age
                                  : r != -ERR_NET)
                        bad++, print_error("row %zu: %d '%.*s' %lld %lld\n", i, r, SV_ARG(got.token),
                                           (long long)got.life_s, (long long)got.age_s);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(documents) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
