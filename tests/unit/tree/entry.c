#include "tree/entry.h"

#include <string.h>

#include "base/attr.h"
#include "tests/unit/unit.h"

static void safe_paths(void **state)
{
        static const struct {
                const char *path;
                bool package, layer;
        } rows[] = {
                { "a", true, true },
                { "opt/env/lib/x.py", true, true },
                { "...", true, true },
                { "a/..b", true, true },
                { "a b/\xc3\xa9", true, true },
                { "", false, false },
                { "/a", false, false },
                { "a/", false, false },
                { "a//b", false, false },
                { ".", false, false },
                { "..", false, false },
                { "a/../b", false, false },
                { "a/./b", false, false },
                { "a/..", false, false },
                { "\xff", false, false },
                { "a/.wh.b", false, true }, /* a whiteout: only layers of ours have them */
                { ".wh..wh..opq", false, true },
        };
        char nul[] = { 'a', 0, 'b' }, longest[4097];
        const char *why;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv p = sv_from(rows[i].path);

                if (entry_path_safe(p, &why) != rows[i].package || entry_path_layer(p, &why) != rows[i].layer)
                        bad++, print_error("row %zu: '%s'\n", i, rows[i].path);
                if (!entry_path_safe(p, &why) && !why)
                        bad++, print_error("row %zu: '%s' without a reason\n", i, rows[i].path);
        }
        assert_int_equal(bad, 0);
        assert_false(entry_path_safe((sv){ nul, 3 }, &why));
        memset(longest, 'x', sizeof(longest));
        assert_true(entry_path_safe((sv){ longest, 4095 }, &why));
        assert_false(entry_path_safe((sv){ longest, 4096 }, &why));
}

static void parents(void **state)
{
        (void)state;
        assert_true(sv_is(entry_parent(SV("a/b/c")), "a/b"));
        assert_true(sv_is(entry_parent(SV("a")), ""));
        assert_true(sv_is(entry_parent(SV("")), ""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(safe_paths),
                cmocka_unit_test(parents),
        };
        return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
