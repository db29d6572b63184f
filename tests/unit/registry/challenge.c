#include "registry/challenge.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void what_is_asked_for(void **state)
{
        static const struct {
                const char *header[3];
                enum reg_scheme kind;
                const char *realm, *service, *scope, *error;
        } rows[] = {
                { { 0 }, REG_UNASKED, "", "", "", "" },
                { { "" }, REG_UNASKED, "", "", "", "" },
                { { "Basic realm=\"a registry\"" }, REG_BASIC, "a registry", "", "", "" },
                { { "Bearer realm=\"https://h/t\",service=\"s\",scope=\"repository:a/b:pull,push\"" },
                  REG_BEARER,
                  "https://h/t",
                  "s",
                  "repository:a/b:pull,push",
                  "" },
                { { "bEARER  Realm = \"https://h/t\" , SERVICE = s , error=\"insufficient_scope\" , x=\"y, z\"" },
                  REG_BEARER,
                  "https://h/t",
                  "s",
                  "",
                  "insufficient_scope" },
                { { "Basic realm=\"b\", Bearer realm=\"https://h/t\"" }, REG_BEARER, "https://h/t", "", "", "" },
                { { "Bearer realm=\"https://h/t\", Basic realm=\"b\"" }, REG_BEARER, "https://h/t", "", "", "" },
                { { "Negotiate", "Basic realm=\"b\"" }, REG_BASIC, "b", "", "", "" },
                { { "Negotiate YII+/a==, Bearer realm=\"https://h/t\"" }, REG_BEARER, "https://h/t", "", "", "" },
                { { "Basic realm=\"b\"", "Bearer realm=\"https://h/t\"" }, REG_BEARER, "https://h/t", "", "", "" },
                { { "Bearer realm=https://h/t?x=1, service=s" }, REG_BEARER, "https://h/t?x=1", "s", "", "" },
                { { "NTLM" }, REG_OTHER, "", "", "", "" },
                { { "Bearer service=\"s\"" }, REG_OTHER, "", "s", "", "" }, /* without a realm it leads nowhere */
                { { "Basic" }, REG_BASIC, "", "", "", "" },
                { { "Bearer realm=\"a \\\"quoted\\\" \\\\ one\"" }, REG_BEARER, "a \"quoted\" \\ one", "", "", "" },
                { { "Bearer realm=\"no end" }, REG_BEARER, "no end", "", "", "" },
                { { "Bearer realm=\"one\",realm=\"two\"" }, REG_BEARER, "one", "", "", "" },
                { { ",, ,Basic realm=x,," }, REG_BASIC, "x", "", "", "" },
                { { "=", "\"", "Bearer realm=" }, REG_OTHER, "", "", "", "" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct net_header h[4] = { { SV("content-type"), SV("Bearer realm=\"https://no\"") } };
                struct net_answer ans = { .header = h, .n_header = 1 };
                struct reg_challenge c;

                for (size_t k = 0; k < 3 && rows[i].header[k]; k++)
                        h[ans.n_header++] = (struct net_header){ SV("www-authenticate"), sv_from(rows[i].header[k]) };
                c = reg_challenge_of(&a, &ans);
                if (c.kind != rows[i].kind || !sv_is(c.realm, rows[i].realm) || !sv_is(c.service, rows[i].service) ||
                    !sv_is(c.scope, rows[i].scope) || !sv_is(c.error, rows[i].error))
                        bad++, print_error("row %zu: %d '%.*s' '%.*s' '%.*s' '%.*s'\n", i, c.kind, SV_ARG(c.realm),
                                           SV_ARG(c.service), SV_ARG(c.scope), SV_ARG(c.error));
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_asked_for) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
