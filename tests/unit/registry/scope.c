#include "base/cleanup.h"
#include "registry/client_priv.h"
#include "tests/unit/unit.h"

static void texts(void **state)
{
        static const struct {
                unsigned actions;
                const char *text;
        } rows[] = { { REG_PULL, "repository:a/b:pull" },
                     { REG_PUSH, "repository:a/b:pull,push" },
                     { REG_PULL | REG_PUSH, "repository:a/b:pull,push" },
                     { REG_DELETE, "repository:a/b:delete" },
                     { REG_PULL | REG_DELETE, "repository:a/b:pull,delete" },
                     { REG_PUSH | REG_DELETE, "repository:a/b:pull,push,delete" } };
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_repo repo = { SV("h"), SV("a/b") }, none = { SV("h"), { 0 } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_true(sv_is(reg_scope_text(&a, &repo, rows[i].actions), rows[i].text));
        assert_int_equal(reg_scope_text(&a, &none, REG_PULL).n, 0);
}

static void what_is_missing(void **state)
{
        static const struct {
                const char *wanted, *have, *missing;
        } rows[] = {
                { "repository:a/b:pull", "repository:a/b:pull,push", "" },
                { "repository:a/b:push,pull", "repository:a/b:pull,push", "" },
                { "repository:a/b:pull,delete", "repository:a/b:pull,push", "repository:a/b:pull,delete" },
                { "repository:p/a/b:pull repository:a/b:pull", "repository:a/b:pull", "repository:p/a/b:pull" },
                { "repository:h:5/a:pull", "repository:h:5/a:pull", "" },
                { "registry:catalog:*", "repository:a/b:pull", "registry:catalog:*" },
                { "odd", "repository:a/b:pull", "odd" },
                { "", "repository:a/b:pull", "" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                sv have = sv_from(rows[i].have), got = reg_scope_missing(&a, sv_from(rows[i].wanted), &have, 1);

                if (!sv_is(got, rows[i].missing))
                        bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(what_is_missing) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
