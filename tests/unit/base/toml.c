#include "base/toml.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

/* What a document says, in short: texts in quotes, lists in brackets, tables in braces. */
static void show(const struct toml *t, struct buf *out)
{
        if (t->type == TOML_TABLE || t->type == TOML_ARR) {
                buf_byte(out, t->type == TOML_ARR ? '[' : '{');
                for (size_t i = 0; i < t->n; i++) {
                        buf_fmt(out, "%s%.*s%s", i ? " " : "", SV_ARG(t->v[i].key), t->type == TOML_TABLE ? "=" : "");
                        show(t->v[i].value, out);
                }
                buf_byte(out, t->type == TOML_ARR ? ']' : '}');
        } else if (t->type == TOML_STR) {
                buf_fmt(out, "'%.*s'", SV_ARG(t->str));
        } else if (t->type == TOML_BOOL) {
                buf_fmt(out, "%s", t->num ? "yes" : "no");
        } else if (t->type == TOML_INT) {
                buf_fmt(out, "%lld", (long long)t->num);
        } else {
                buf_fmt(out, "<%.*s>", SV_ARG(t->str));
        }
}

static void valid(void **state)
{
        static const struct {
                const char *text, *shown;
        } rows[] = {
                { "", "{}" },
                { "# nothing\r\n\n \t# else", "{}" },
                { "a = 1\n'b c' = \"x\\ty\"\n\"\" = true", "{a=1 b c='x\ty' =yes}" },
                { "a.b.c = 1\na.b.d = 2\n a . e=3", "{a={b={c=1 d=2} e=3}}" },
                { "[x.y]\na=1\n[x]\nb=2\n[x.z]", "{x={y={a=1} b=2 z={}}}" },
                { "[f]\na.c='r'\n[f.a.t]\ns=false", "{f={a={c='r' t={s=no}}}}" },
                { "[[p]]\nn=1\n[[p.v]]\nm=1\n[[p]]\n[p.w]", "{p=[{n=1 v=[{m=1}]} {w={}}]}" },
                { "a = [1, [2,],\n # c\n 'x' ]", "{a=[1 [2] 'x']}" },
                { "a = {b.c=1, b.d = {}, 'e'=[]}", "{a={b={c=1 d={}} e=[]}}" },
                { "a = 0x_1", NULL },
                { "a=[0xfF, 0o17, 0b11, -1_000, +0, 9223372036854775807, -9223372036854775808]",
                  "{a=[255 15 3 -1000 0 9223372036854775807 -9223372036854775808]}" },
                { "a=[1.5, -0.1e-3, 6E2, inf, -nan]", "{a=[<1.5> <-0.1e-3> <6E2> <inf> <-nan>]}" },
                { "a=[1979-05-27, 07:32:00.9, 2020-02-29T00:32:00-07:00, 1979-05-27 07:32:00Z]",
                  "{a=[<1979-05-27> <07:32:00.9> <2020-02-29T00:32:00-07:00> <1979-05-27 07:32:00Z>]}" },
                { "a = \"\"\"\r\nx\\\n   y\"\" \\\"\"\"\"\"", "{a='xy\"\" \"\"'}" },
                { "a = '''\nx\\''y'''''", "{a='x\\''y'''}" },
                { "a = \"\\u00e9\\U0001F600\\e\"", NULL },
                { "a = \"\\u00e9\\U0001F600\"", "{a='\xc3\xa9\xf0\x9f\x98\x80'}" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(buf_done) struct buf out = BUF_INIT(4096);
                struct toml_fault f;
                struct toml *t;
                bool ok = toml_parse(&a, sv_from(rows[i].text), &t, &f);

                if (ok)
                        show(t, &out);
                if (ok ? !rows[i].shown || !sv_is(buf_sv(&out), rows[i].shown) : rows[i].shown != NULL)
                        bad++, print_error("row %zu: %s %s\n", i, ok ? "is" : f.text, ok ? out.p : "");
        }
        assert_int_equal(bad, 0);
}

/* Where the fault is, and that it is one. */
static void faults(void **state)
{
        static const struct {
                const char *text;
                uint32_t line, col;
        } rows[] = {
                { "a = 1\na = 2", 2, 1 },
                { "a = 1\n b.c = 2\n[b]", 3, 2 },
                { "[a]\n[a]", 2, 2 },
                { "[a.b.c]\nz=9\n[a]\nb.c.t=1", 4, 3 },
                { "a=[{}]\n[[a]]", 2, 3 },
                { "[[a]]\n[a]", 2, 2 },
                { "a={b=1}\na.c=2", 2, 1 },
                { "a={b=1\n}", 1, 7 },
                { "a={b=1,}", 1, 8 },
                { "a = 'x", 1, 5 },
                { "a = 'x\ny'", 1, 7 },
                { "a = \"\\q\"", 1, 6 },
                { "a = \"\\ud800\"", 1, 8 },
                { "a = 01", 1, 5 },
                { "a = 1__0", 1, 5 },
                { "a = 9223372036854775808", 1, 5 },
                { "a = 2021-02-29", 1, 5 },
                { "a = 24:00:00", 1, 5 },
                { "a = .5", 1, 5 },
                { "a = 5.", 1, 5 },
                { "a = yes", 1, 5 },
                { "a =", 1, 4 },
                { "a", 1, 2 },
                { "= 1", 1, 1 },
                { "a = 1 b = 2", 1, 7 },
                { "a = 1\rb = 2", 1, 6 },
                { "a = \"\"\"x\\\n\r\"\"\"", 2, 1 },
                { "# \x01", 1, 3 },
                { "[a] x=1", 1, 5 },
                { "[[a]", 1, 4 },
                { "a.b = 1\na.b.c = 2", 2, 3 },
                { "x = 1\ny = '\xff'", 2, 6 },
                { "\xef\xbb\xbf"
                  "a=1",
                  1, 1 },
                { "\"\"\"a\"\"\" = 1", 1, 1 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct toml_fault f;
                struct toml *t;

                if (toml_parse(&a, sv_from(rows[i].text), &t, &f))
                        bad++, print_error("row %zu is taken\n", i);
                else if (f.line != rows[i].line || f.col != rows[i].col)
                        bad++, print_error("row %zu: %u:%u: %s\n", i, f.line, f.col, f.text);
        }
        assert_int_equal(bad, 0);
}

static void reading(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(65536);
        struct toml_fault f;
        struct toml *t;

        (void)state;
        for (int i = 0; i < 100; i++)
                buf_fmt(&text, "key%d = '%d'\n", i, i);
        buf_add(&text, SV("yes = true\n[t]\nn = 1\n"));
        assert_true(toml_parse(&a, buf_sv(&text), &t, &f));
        assert_true(sv_is(toml_get_str(t, "key77"), "77"));
        assert_true(toml_get_true(t, "yes"));
        assert_false(toml_get_true(t, "no"));
        assert_int_equal(toml_get(toml_get(t, "t"), "n")->num, 1);
        assert_int_equal(toml_get(toml_get(t, "t"), "n")->line, 103);
        assert_int_equal(toml_get(toml_get(t, "t"), "n")->col, 5);
        assert_null(toml_get(toml_get(t, "key1"), "n"));
        buf_clear(&text);
        for (int i = 0; i < 100; i++)
                buf_fmt(&text, "key%d = %d\n", i, i);
        buf_add(&text, SV("key50 = 1\n"));
        assert_false(toml_parse(&a, buf_sv(&text), &t, &f));
        assert_int_equal(f.line, 101);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(valid), cmocka_unit_test(faults),
                                            cmocka_unit_test(reading) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
