#include "image/origin.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void nothing_secret_is_kept(void **state)
{
        static const struct {
                const char *text, *kept;
        } rows[] = {
                { "dependencies: [numpy]\n", "dependencies: [numpy]\n" },
                { "", "" },
                { "--index-url https://me:pw@h/simple\nnumpy\n", "--index-url https://h/simple\nnumpy\n" },
                { "--index-url https://pw@h/simple", "--index-url https://h/simple" },
                { "- https://${USER}:${PASS}@h/x\n", "- https://${USER}:${PASS}@h/x\n" },
                { "- https://me:${PASS}@h/x\n", "- https://me:${PASS}@h/x\n" },
                { "[\"https://a:b@h/x\",\"https://c:d@i/y\"]", "[\"https://h/x\",\"https://i/y\"]" },
                { "https://a:b\"c,d@h/x https://e:f@i/", "https://h/x https://i/" },
                { "- https://conda.anaconda.org/t/tk-1/team\n", "- https://conda.anaconda.org/team\n" },
                { "- https://h/t/${TOKEN}/team\n", "- https://h/t/${TOKEN}/team\n" },
                { "p @ git+https://tok@h/p.git@v1\n", "p @ git+https://h/p.git@v1\n" },
                { "://", "://" },
                { "a://b@", "a://" },
                { "mail me@h\nhttps://h/@x", "mail me@h\nhttps://h/@x" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv got = origin_public_text(&a, sv_from(rows[i].text));

                if (!sv_is(got, rows[i].kept))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_secret_is_kept) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
