/* Prefix replacement, as conda does it: rows, and every way to cut the input gives the same. */
#include <string.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"
#include "tests/unit/unit.h"

#define OLD "/old/placeholder"

static int replace(sv text, const char *prefix, enum conda_file_mode mode, size_t piece, struct buf *out, struct err *e)
{
        const struct conda_replace how = {
                .placeholder = SV(OLD), .prefix = sv_from(prefix), .mode = mode, .file = SV("a/file")
        };
        AUTO(conda_prefix_freep) struct conda_prefix *p = conda_prefix_new(&how);

        buf_clear(out);
        for (; text.n; text = sv_skip(text, piece))
                if (conda_prefix_add(p, sv_from_to(text, 0, piece), out, e) < 0)
                        return -(int)e->code;
        return conda_prefix_end(p, out, e);
}

struct row {
        const char *what;
        const char *prefix;
        enum conda_file_mode mode;
        sv from, to;
};
#define T(s) { "" s, sizeof(s) - 1 }
#define A120                                                                                                           \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
        "aaaaaaaaaaaa"
static const struct row rows[] = {
        { "all of them", "/p", CONDA_TEXT, T("x" OLD "y" OLD OLD "\nz" OLD), T("x/py/p/p\nz/p") },
        { "longer is fine in text", "/a/longer/one/than/before", CONDA_TEXT, T("x" OLD "y"),
          T("x/a/longer/one/than/beforey") },
        { "begins of it", "/p", CONDA_TEXT, T("/old/place/old/placeholde/ol" OLD "/ol"),
          T("/old/place/old/placeholde/ol/p/ol") },
        { "crlf", "/p", CONDA_TEXT, T(OLD "\r\n" OLD "\r\n"), T("/p\r\n/p\r\n") },
        { "nothing", "/p", CONDA_TEXT, T(""), T("") },
        { "utf-16", "/p", CONDA_TEXT, T("\xff\xfe/\0o\0l\0d\0/\0p\0l\0a\0c\0e\0h\0o\0l\0d\0e\0r\0!\0"),
          T("\xff\xfe/\0p\0!\0") },
        { "utf-16be", "/p", CONDA_TEXT, T("\0/\0o\0l\0d\0/\0p\0l\0a\0c\0e\0h\0o\0l\0d\0e\0r\0!"), T("\0/\0p\0!") },
        /* shebangs */
        { "shebang", "/p", CONDA_TEXT, T("#!" OLD "/bin/python -E\nx"), T("#!/p/bin/python -E\nx") },
        { "of 127 bytes", "/" A120, CONDA_TEXT, T("#!" OLD "/sh\nx"), T("#!/" A120 "/sh\nx") },
        { "of 128 bytes", "/" A120, CONDA_TEXT, T("#!" OLD "/sh x\n" OLD), T("#!/usr/bin/env sh x\n/" A120) },
        { "long without an end", "/" A120, CONDA_TEXT, T("#!" OLD "/bin/sh"), T("#!/usr/bin/env sh") },
        { "blank after #!", "/" A120, CONDA_TEXT, T("#!  " OLD "/bin/sh -e\n"), T("#!/usr/bin/env sh -e\n") },
        { "long, not ours", "/p", CONDA_TEXT, T("#!/" A120 "/bin/sh\t-x\r\n"), T("#!/usr/bin/env sh\t-x\r\n") },
        { "long, no path", "/p", CONDA_TEXT, T("#!sh " A120 A120 "\n"), T("#!sh " A120 A120 "\n") },
        { "not at the begin", "/" A120, CONDA_TEXT, T(" #!" OLD "/bin/sh\n"), T(" #!/" A120 "/bin/sh\n") },
        { "a blank in the prefix", "/my env", CONDA_TEXT, T("#!" OLD "/bin/sh -e\n" OLD),
          T("#!/usr/bin/env sh -e\n/my env") },
        { "a blank, no shebang", "/my env", CONDA_TEXT, T(OLD "/bin/sh\n"), T("/my env/bin/sh\n") },
        { "a blank, and conda does not know", "/my env", CONDA_TEXT, T("#! " OLD "/x\n"), T("#! /my env/x\n") },
        { "a blank, no line end", "/my env", CONDA_TEXT, T("#!" OLD "/x"), T("#!/my env/x") },
        { "only #", "/my env", CONDA_TEXT, T("#"), T("#") },
        { "only #!", "/my env", CONDA_TEXT, T("#!"), T("#!") },
        /* binary */
        { "padded", "/p", CONDA_BINARY, T("a" OLD "b\0c"), T("a/pb\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0c") },
        { "twice in a string", "/o", CONDA_BINARY, T(OLD ":" OLD "\0" OLD "\0z"),
          T("/o:/o\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0/o\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0z") },
        { "same length", "/new/placeholder", CONDA_BINARY, T("a" OLD "b\0c"), T("a/new/placeholderb\0c") },
        { "no end", "/p", CONDA_BINARY, T("a" OLD "b\n" OLD), T("a" OLD "b\n" OLD) },
        { "no end behind one", "/p", CONDA_BINARY, T(OLD "\0" OLD), T("/p\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" OLD) },
        { "no shebang rule", "/my env", CONDA_BINARY, T("#!" OLD "\nx\0"), T("#!/my env\nx\0\0\0\0\0\0\0\0\0\0") },
        { "utf-16 padded", "/p", CONDA_BINARY, T("/\0o\0l\0d\0/\0p\0l\0a\0c\0e\0h\0o\0l\0d\0e\0r\0!\0\0\0z"),
          T("/\0p\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0z") },
};

static void rows_in_every_cut(void **state)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 20);
        AUTO(err_done) struct err e = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                for (size_t piece = 1; piece <= rows[i].from.n + 1; piece++) {
                        assert_int_equal(replace(rows[i].from, rows[i].prefix, rows[i].mode, piece, &out, &e), 0);
                        if (!sv_eq(buf_sv(&out), rows[i].to))
                                bad++, print_error("%s in pieces of %zu: '%.*s'\n", rows[i].what, piece, (int)out.n,
                                                   out.p);
                }
        assert_int_equal(bad, 0);
}

static void characters_beyond_ascii(void **state)
{
        const struct conda_replace how = { .placeholder = SV("/\xf0\x9f\x90\x8d\xc3\xa9"),
                                           .prefix = SV("/\xe2\x82\xac"),
                                           .mode = CONDA_TEXT,
                                           .file = SV("f") };
        AUTO(conda_prefix_freep) struct conda_prefix *p = conda_prefix_new(&how);
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        AUTO(err_done) struct err e = { 0 };

        (void)state; /* utf-16, utf-32be */
        assert_int_equal(conda_prefix_add(p, (sv)T("/\0\x3d\xd8\x0d\xdc\xe9\0"), &out, &e), 0);
        assert_int_equal(conda_prefix_add(p, (sv)T("\0\0\0/\0\x01\xf4\x0d\0\0\0\xe9"), &out, &e), 0);
        assert_int_equal(conda_prefix_end(p, &out, &e), 0);
        assert_true(sv_eq(buf_sv(&out), (sv)T("/\0\xac\x20\0\0\0/\0\0\x20\xac")));
}

static void too_long_only_where_it_matters(void **state)
{
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        AUTO(err_done) struct err e = { 0 };
        const char *prefix = "/one/that/is/longer";

        (void)state;
        assert_int_equal(replace((sv)T("nothing\0of it " OLD), prefix, CONDA_BINARY, 100, &out, &e), 0);
        assert_int_equal(replace((sv)T("a" OLD "b\0"), prefix, CONDA_BINARY, 100, &out, &e), -ERR_FAILED);
        assert_string_equal(
                e.cause,
                "the prefix '/one/that/is/longer' has 19 bytes, but 'a/file' is a binary file with room for 16: it "
                "was built for '/old/placeholder'");
        assert_string_equal(e.hint, "use a prefix of at most 16 bytes");
}

static void limits(void **state)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20), big = BUF_INIT((size_t)32 << 20);
        AUTO(err_done) struct err e = { 0 }, e2 = { 0 };

        (void)state;
        buf_add(&big, SV(OLD));
        memset(buf_room(&big, CONDA_STRING_MAX), 'x', CONDA_STRING_MAX);
        big.n += CONDA_STRING_MAX;
        assert_int_equal(replace(buf_sv(&big), "/p", CONDA_BINARY, 65536, &out, &e), -ERR_LIMIT);
        assert_true(strstr(e.cause, "'a/file' holds the prefix in a string of more than 16777216 bytes") != NULL);
        assert_int_equal(replace(buf_sv(&big), "/p", CONDA_TEXT, 65536, &out, &e2), 0);
        assert_int_equal(out.n, CONDA_STRING_MAX + 2);
        memcpy(big.p, "#!", 2);
        assert_int_equal(replace(buf_sv(&big), "/p", CONDA_TEXT, 65536, &out, &e2), -ERR_LIMIT);
        assert_true(strstr(e2.cause, "the first line of 'a/file'") != NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_in_every_cut),
                cmocka_unit_test(characters_beyond_ascii),
                cmocka_unit_test(too_long_only_where_it_matters),
                cmocka_unit_test(limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
