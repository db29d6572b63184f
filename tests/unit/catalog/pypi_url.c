#include "base/attr.h"
#include "catalog/pypi_priv.h"
#include "tests/unit/unit.h"

static void urls_that_are_one(void **state)
{
        static const struct {
                const char *a, *b;
                bool same;
        } rows[] = {
                { "https://h/a-1-py3-none-any.whl", "https://h/a-1-py3-none-any.whl#egg=a", true },
                { "https://h/a.whl#egg=a&subdirectory=x", "https://h/a.whl#subdirectory=x&egg=b", true },
                { "https://h/a.whl?b=2&a=1", "https://h/a.whl?a=1&b=2", true },
                { "https://h/a.whl?egg=x", "https://h/a.whl", false },
                { "https://h/a.whl#sha256=00", "https://h/a.whl", false },
                { "https://h/a.whl#subdirectory=x", "https://h/a.whl#subdirectory=y", false },
                { "https://h/a.whl?a=1", "https://h/a.whl#a=1", false },
                { "https://h/a.whl?a=1#b=2", "https://h/a.whl#b=2?a=1", false },
                { "https://h/a.whl", "https://i/a.whl", false },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (sv_eq(pypi_url_identity(&a, sv_from(rows[i].a)), pypi_url_identity(&a, sv_from(rows[i].b))) !=
                    rows[i].same)
                        bad++, print_error("row %zu: %s, %s\n", i, rows[i].a, rows[i].b);
        arena_done(&a);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(urls_that_are_one) };

        return cmocka_run_group_tests_name("pypi_url", tests, NULL, NULL);
}
