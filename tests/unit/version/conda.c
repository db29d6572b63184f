#include "version/conda.h"

#include <string.h>

#include "base/attr.h"
#include "tests/unit/unit.h"
#include "version/conda_priv.h"

static void text_rows(void **state)
{
        static const struct {
                const char *text, *is; /* is NULL: refused */
        } rows[] = {
                { " 1.0RC1\n", "1.0rc1" },
                { "1-2-3", "1-2-3" },
                { "1_", "1_" },
                { "1__", "1__" },
                { "_", "_" },
                { "1!2.0+a_b", "1!2.0+a_b" },
                { "1*", "1*" },
                { "0000000000000000000000000000000000000000000000000000001",
                  "0000000000000000000000000000000000000000000000000000001" },
                { "", NULL },
                { " ", NULL },
                { "1.", NULL },
                { ".1", NULL },
                { "1..2", NULL },
                { "1___", NULL },
                { "1-2_3", NULL },
                { "1 2", NULL },
                { "1/2", NULL },
                { "1!", NULL },
                { "!1", NULL },
                { "a!1", NULL },
                { "1!2!3", NULL },
                { "+1", NULL },
                { "1!+1", NULL },
                { "1+", NULL },
                { "1+a+b", NULL },
                { "1+a_", NULL },
                { "1\xc3\xa9", NULL },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const char *why = NULL;
                const struct conda_version *v = conda_version_parse(&a, sv_from(rows[i].text), &why);

                if (!v != !rows[i].is || !v != (why != NULL) || (v && !sv_is(conda_version_text(v), rows[i].is)))
                        bad++, print_error("row %zu: '%s': %s\n", i, rows[i].text, why ? why : "taken");
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

/* Each line is a place in the order; what stands beside it on the line is the same version. */
static void order_rows(void **state)
{
        static const char *const rows[][4] = {
                { "*" },
                { "dev", "0DEV" },
                { "_" },
                { "a", "0a", "A" },
                { "devalpha" },
                { "0.dev" },
                { "0", "0.0", "0!0.0.0" },
                { "0.post" },
                { "0.0post1" },
                { "0.4.1.rc", "0.4.1.RC" },
                { "0.4.1", "0.4.1.0" },
                { "0.5a1" },
                { "0.5", "00.05" },
                { "0.9.6" },
                { "0.127" },
                { "0.128", "0.0128" },
                { "0.960923" },
                { "0.18446744073709551615" },
                { "0.18446744073709551616", "0.018446744073709551616" },
                { "0.100000000000000000000" },
                { "0post" },
                { "1.0.0.0a" },
                { "1.0.0.0.dev1" },
                { "1.0+dev" },
                { "1.0+x" },
                { "1.0+x.1" },
                { "1", "1.0", "1.0+0.0" },
                { "1.0.0.0+post" },
                { "1.0+1" },
                { "1.0.post1" },
                { "1.0.1_" },
                { "1.0.1a" },
                { "1.0.1" },
                { "1.0post1" },
                { "1.1" },
                { "1.1.post1" },
                { "1.1post1" },
                { "1996.07.12" },
                { "1!0.1" },
        };
        struct arena a = { 0 };
        const struct conda_version *all[ARRAY_LEN(rows) * 4];
        size_t place[ARRAY_LEN(rows) * 4], n = 0;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                for (size_t k = 0; k < 4 && rows[i][k]; k++) {
                        place[n] = i;
                        all[n] = conda_version_parse(&a, sv_from(rows[i][k]), NULL);
                        assert_non_null(all[n]);
                        n++;
                }
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n; k++) {
                        int want = (place[i] > place[k]) - (place[i] < place[k]);

                        if (conda_version_cmp(all[i], all[k]) != want)
                                bad++, print_error("%s against %s is not %d\n", conda_version_text(all[i]).p,
                                                   conda_version_text(all[k]).p, want);
                }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

/* The longest version of every kind of run fits the buffers, and is still told from its neighbour. */
static void longest(void **state)
{
        static const char *const units[] = { "a", "a*", "a.", "1.", "9", "1a", "1.a", "a1.", "_" };
        struct arena a = { 0 };
        char text[CONDA_VERSION_MAX + 2];

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(units); i++) {
                size_t n = strlen(units[i]);
                const struct conda_version *v, *w;

                for (size_t k = 0; k < CONDA_VERSION_MAX; k++)
                        text[k] = units[i][k % n];
                text[CONDA_VERSION_MAX - 1] = '7';
                v = conda_version_parse(&a, (sv){ text, CONDA_VERSION_MAX }, NULL);
                text[CONDA_VERSION_MAX - 1] = '8';
                w = conda_version_parse(&a, (sv){ text, CONDA_VERSION_MAX }, NULL);
                assert_true(!v == !w);
                assert_true(v || units[i][0] == '_'); /* empty parts */
                assert_true(!v || conda_version_cmp(v, w) == -1);
                text[CONDA_VERSION_MAX] = '1';
                assert_null(conda_version_parse(&a, (sv){ text, CONDA_VERSION_MAX + 1 }, NULL));
        }
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_rows),
                cmocka_unit_test(order_rows),
                cmocka_unit_test(longest),
        };
        return cmocka_run_group_tests_name("conda", tests, NULL, NULL);
}
