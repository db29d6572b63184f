#include "registry/link.h"

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void next_rows(void **state)
{
        static const struct {
                const char *header, *want; /* NULL: there is none */
        } rows[] = {
                { "</v2/x/tags/list?n=9&last=b>; rel=\"next\"", "/v2/x/tags/list?n=9&last=b" },
                { "</a>; rel=next", "/a" },
                { "</a>;rel=\"prev next\"", "/a" },
                { "</a>; title=\"x, y; rel=next\", </b>; rel=next", "/b" },
                { "</a>; rel=prev, </b>; REL=Next", "/b" },
                { "</a>; rel=prev; rel=next", NULL }, /* the first one counts */
                { "<https://h/a,b;c>; rel=\"next\"; foo", "https://h/a,b;c" },
                { "  <a> ; rel = \"next\"", "a" },
                { "</a>", NULL },
                { "</a; rel=next", NULL },
                { "/a; rel=next", NULL },
                { "</a>; rel=\"next", "/a" },
                { "</a> x, </b>; rel=next", NULL },
                { "", NULL },
                { "<>; rel=next", "" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv got = { 0 };
                bool found = link_find(sv_from(rows[i].header), "next", &got);

                if (found != (rows[i].want != NULL) || (found && !sv_is(got, rows[i].want)))
                        bad++, print_error("row %zu: %d '%.*s'\n", i, found, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

static void the_next_page_is_on_the_same_host(void **state)
{
        static const struct {
                const char *header, *want; /* "": on another host */
        } rows[] = {
                { "<?last=b>; rel=next", "https://h/v2/x/tags/list?last=b" },
                { "</v2/x/tags/list?last=b>; rel=next", "https://h/v2/x/tags/list?last=b" },
                { "<https://H:443/v2/x>; rel=next", "https://H:443/v2/x" },
                { "<http://h/v2/x>; rel=next", "" },
                { "<https://h:444/v2/x>; rel=next", "" },
                { "<//evil/v2/x>; rel=next", "" },
                { "<https://u:p@h/v2/x>; rel=next", "https://u:p@h/v2/x" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv got = { 0 };

                if (!link_next(&a, SV("https://h/v2/x/tags/list?n=1000"), sv_from(rows[i].header), &got) ||
                    !sv_is(got, rows[i].want))
                        bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(next_rows),
                cmocka_unit_test(the_next_page_is_on_the_same_host),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
