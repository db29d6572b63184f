#include "base/diag_print.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void lines_and_carets(void **state)
{
        static const struct {
                const char *line; /* the file is this line, twenty times */
                uint32_t at, col, len;
                enum diag_level level;
                const char *hint, *shown;
        } rows[] = {
                { "      - PyJWT=<2", 9, 9, 8, DIAG_ERROR, "write 'PyJWT<2'",
                  "t.yml:9:9: error[EB131]: text\n  9 |       - PyJWT=<2\n    |         ^^^^^^^^ hint: write "
                  "'PyJWT<2'\n" },
                { "abc", 10, 1, 0, DIAG_WARNING, "", "t.yml:10:1: warning[EB131]: text\n  10 | abc\n     | ^\n" },
                { "abc", 1, 3, 99, DIAG_NOTE, "",
                  "t.yml:1:3: note[EB131]: text\n  1 | abc\n    |   ^\n" }, /* cut at the end */
                { "abc", 1, 4, 1, DIAG_ERROR, "",
                  "t.yml:1:4: error[EB131]: text\n  1 | abc\n    |    ^\n" }, /* behind it */
                { "abc", 1, 99, 1, DIAG_ERROR, "", "t.yml:1:99: error[EB131]: text\n  1 | abc\n    |    ^\n" },
                { "\ta\tb", 1, 4, 1, DIAG_ERROR, "", "t.yml:1:4: error[EB131]: text\n  1 | \ta\tb\n    | \t \t^\n" },
                { "\xc3\xbc\xc3\xbc b", 1, 6, 1, DIAG_ERROR, "",
                  "t.yml:1:6: error[EB131]: text\n  1 | \xc3\xbc\xc3\xbc b\n    |    ^\n" },
                { "a\x1b[31m", 1, 1, 1, DIAG_ERROR, "", "t.yml:1:1: error[EB131]: text\n  1 | a?[31m\n    | ^\n" },
                { "a\xc2\x9b"
                  "b",
                  1, 4, 1, DIAG_ERROR, "", "t.yml:1:4: error[EB131]: text\n  1 | a?b\n    |   ^\n" },
                { "u: https://me:pw@h/", 1, 4, 16, DIAG_ERROR, "",
                  "t.yml:1:4: error[EB131]: text\n  1 | u: https://*****@h/\n    |    ^^^^^^^^^^^^^^^^\n" },
                { "https://h/t/ab-1/c /t/x/ https://h/t/${T}/", 1, 1, 1, DIAG_ERROR, "",
                  "t.yml:1:1: error[EB131]: text\n  1 | https://h/t/****/c /t/x/ https://h/t/${T}/\n    | ^\n" },
                { "https://h/x/t/tqdm/ https://h/x/t/tk-1/", 1, 1, 1, DIAG_ERROR, "",
                  "t.yml:1:1: error[EB131]: text\n  1 | https://h/x/t/tqdm/ https://h/x/t/****/\n    | ^\n" },
                { "u: https://${U}:${P}@h/", 1, 1, 1, DIAG_ERROR, "",
                  "t.yml:1:1: error[EB131]: text\n  1 | u: https://${U}:${P}@h/\n    | ^\n" },
                { "\xb9\xb9\xb9z", 1, 2, 1, DIAG_ERROR, "",
                  "t.yml:1:2: error[EB131]: text\n  1 | ???z\n    | \n" }, /* no UTF-8 */
                { "", 3, 1, 1, DIAG_ERROR, "do it", "t.yml:3:1: error[EB131]: text\n  hint: do it\n" },
                { "abc", 0, 0, 0, DIAG_ERROR, "do it", "t.yml: error[EB131]: text\n  hint: do it\n" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(buf_done) struct buf file = BUF_INIT(10000), out = BUF_INIT(10000);
                size_t d;
                for (int k = 0; k < 20; k++)
                        buf_fmt(&file, "%s\n", rows[i].line);
                diag_source(&ds, SV("t.yml"), buf_sv(&file));
                d = diag_add(&ds, SV("t.yml"), rows[i].at, rows[i].col, "EB131", "text");
                ds.v[d].level = rows[i].level;
                diag_span(&ds, d, rows[i].len);
                if (rows[i].hint[0])
                        diag_hint(&ds, d, "%s", rows[i].hint);
                diag_write(&ds, false, &out);
                if (!sv_is(buf_sv(&out), rows[i].shown))
                        bad++, print_error("row %zu:\n%s", i, out.p);
        }
        assert_int_equal(bad, 0);
}

static void a_long_line_is_cut_around_the_fault(void **state)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf file = BUF_INIT(10000), out = BUF_INIT(10000);
        sv rest, line, carets;

        (void)state;
        for (int i = 0; i < 1000; i++)
                buf_fmt(&file, "%d.", i % 10);
        diag_source(&ds, SV("x"), buf_sv(&file));
        diag_span(&ds, diag_add(&ds, SV("x"), 1, 1001, "EB100", "t"), 3);
        diag_write(&ds, false, &out);
        rest = buf_sv(&out);
        sv_cut(&rest, '\n', &line);
        sv_cut(&rest, '\n', &line);
        sv_cut(&rest, '\n', &carets);
        assert_true(line.n < 200);
        assert_int_equal(sv_find(carets, '^'), carets.n - 3);
        assert_int_equal(line.p[sv_find(carets, '^')], '0'); /* byte 1000 of "0.1.2.…" */
}

static void colours(void **state)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(10000);

        (void)state;
        diag_source(&ds, SV("x"), SV("abc"));
        diag_add(&ds, SV("x"), 1, 1, "EB100", "t");
        diag_write(&ds, true, &out);
        assert_string_equal(out.p, "x:1:1: \033[1;31merror\033[0m[EB100]: t\n  1 | abc\n    | \033[1;31m^\033[0m\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_and_carets),
                cmocka_unit_test(a_long_line_is_cut_around_the_fault),
                cmocka_unit_test(colours),
        };
        return cmocka_run_group_tests_name("base diag_print", tests, NULL, NULL);
}
