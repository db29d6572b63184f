/* Rows that git was asked for once; tests/e2e/test_ignore.py asks it thousands. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "run/code/ignore.h"

struct row {
        const char *patterns, *path;
        bool is_dir, ignored;
};
static const struct row rows[] = {
        { "*.pyc\n", "a/b.pyc", false, true },
        { "*.pyc\n", "a/b.py", false, false },
        { "/a\n", "a", false, true },
        { "/a\n", "b/a", false, false },
        { "a/b\n", "c/a/b", false, false }, /* a slash in the middle anchors */
        { "a/\n", "a", false, false },
        { "a/\n", "x/a", true, true },
        { "*\n!*.py\n", "a.py", false, false },
        { "!*.py\n*\n", "a.py", false, true }, /* the last one decides */
        { "**/a\n", "a", false, true },
        { "**/a\n", "x/y/a", false, true },
        { "a/**\n", "a", true, false },
        { "a/**\n", "a/b/c", false, true },
        { "a/**/b\n", "a/b", false, true },
        { "a/**/b\n", "a/x/y/b", false, true },
        { "a/**/b\n", "ab", false, false },
        { "a/*\n", "a/b/c", false, false },
        { "foo**/bar\n", "foo/x/bar", false, true }, /* git's own: the literal part is taken off first */
        { "x/a**b\n", "x/a/b", false, false },
        { "a?c\n", "a/c", false, false },
        { "x/a?c\n", "x/a/c", false, false },
        { "[a-c]x\n", "bx", false, true },
        { "[!a-c]x\n", "bx", false, false },
        { "[^a]x\n", "bx", false, true },
        { "[]-]x\n", "]x", false, true },
        { "[[:alpha:][:digit:]]x\n", "7x", false, true },
        { "[[:space:]]\n", "\v", false, false }, /* git's isspace */
        { "[[:nope:]]\n", "n", false, false },
        { "[a\n", "[a", false, false },
        { "\\[a\n", "[a", false, true },
        { "[a-\\z]\n", "m", false, true },
        { "a \n", "a", false, true },
        { "a\\ \n", "a ", false, true },
        { "a\\ \n", "a", false, false },
        { "\\#a\n", "#a", false, true },
        { "#a\n", "#a", false, false },
        { "\\!a\n", "!a", false, true },
        { "a\r\nb\r\n", "a", false, true },
        { "a", "a", false, true },
        { "a\\\n", "a\\", false, false },
        { "A\n", "a", false, false },
        { "\xef\xbb\xbf"
          "a\n",
          "a", false, true },
        { "\n\n", "a", false, false },
        { "/\n", "a", true, false },
        { "***\n", "a", false, true },
        { "z/**//\n", "z/a", true, false },
};

static void same_as_git(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct run_ignore *g = run_ignore_new(&a);
                run_ignore_add(g, SV(""), sv_from(rows[i].patterns));
                if (run_ignore_match(g, sv_from(rows[i].path), rows[i].is_dir) != rows[i].ignored) {
                        bad++;
                        print_error("row %zu: '%s' of '%s'\n", i, rows[i].path, rows[i].patterns);
                }
        }
        assert_int_equal(bad, 0);
}

static void inner_files_have_the_last_word(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_ignore *g = run_ignore_new(&a);

        (void)state;
        run_ignore_add(g, SV(""), SV("*.log\n"));
        run_ignore_add(g, SV("a"), SV("!keep.log\n/x\n"));
        assert_true(run_ignore_match(g, SV("keep.log"), false));
        assert_false(run_ignore_match(g, SV("a/b/keep.log"), false));
        assert_true(run_ignore_match(g, SV("ab/keep.log"), false));
        assert_true(run_ignore_match(g, SV("a/x"), false));
        assert_false(run_ignore_match(g, SV("a/b/x"), false));
        run_ignore_cut(g, 1);
        assert_true(run_ignore_match(g, SV("a/keep.log"), false));
        assert_int_equal(run_ignore_depth(g), 1);
}

/* Stars that would take a matcher with backtracking longer than the universe. */
static void no_pattern_is_slow(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_ignore *g = run_ignore_new(&a);
        AUTO(buf_done) struct buf pattern = BUF_INIT(8192), path = BUF_INIT(8192);

        (void)state;
        buf_add(&pattern, SV("x/"));
        buf_add(&path, SV("x/"));
        for (int i = 0; i < 300; i++) {
                buf_add(&pattern, SV("**/*a*"));
                buf_add(&path, SV("aaaa/"));
        }
        buf_add(&pattern, SV("b"));
        buf_add(&path, SV("c"));
        run_ignore_add(g, SV(""), buf_sv(&pattern));
        assert_false(run_ignore_match(g, buf_sv(&path), false));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(same_as_git),
                cmocka_unit_test(inner_files_have_the_last_word),
                cmocka_unit_test(no_pattern_is_slow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
