#include "ext/yaml.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

/* The tree as JSON-like text with places: what a row can show. */
static void show(const struct yaml *y, struct buf *out)
{
        if (y->type == YAML_SCALAR) {
                buf_fmt(out, y->plain ? "%.*s" : "'%.*s'", SV_ARG(y->text));
                return;
        }
        buf_byte(out, y->type == YAML_MAP ? '{' : '[');
        for (size_t i = 0; i < y->n; i++) {
                buf_fmt(out, "%s", i ? " " : "");
                if (y->v[i].key)
                        buf_fmt(out, "%.*s:", SV_ARG(y->v[i].key->text));
                show(y->v[i].value, out);
        }
        buf_byte(out, y->type == YAML_MAP ? '}' : ']');
}

static void trees(void **state)
{
        static const struct {
                const char *text, *tree;
        } rows[] = {
                { "", "" },
                { "# nothing\n", "" },
                { "---\nname: d\n...\n", "{name:d}" },
                { "\xef\xbb\xbfname: bom\n", "{name:bom}" },
                { "name: crlf\r\nlist:\r\n- a\r\n- 'b'\r\n", "{name:crlf list:[a 'b']}" },
                { "- 3.10\n- 1e3\n- yes\n- 0x1f\n", "[3.10 1e3 yes 0x1f]" }, /* texts, whatever they look like */
                { "a: &x [1, 2]\nb: *x\n", "{a:[1 2] b:[1 2]}" },
                { "a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n", "{a:{k:1 l:2} b:{k:3 l:2}}" },
                { "a: {<<: [{k: 1}, {k: 2, l: 3}]}\n", "{a:{k:1 l:3}}" },
                { "a: \"x\\ty\"\n", "{a:'x\ty'}" },
                { "a: !!str 1\n", "{a:'1'}" },
                { "a: |\n  b\n", "{a:'b\n'}" },
                { "a:\n- b\n-\n", "{a:[b ]}" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(buf_done) struct buf b = BUF_INIT(10000);
                AUTO(err_done) struct err e = { 0 };
                struct yaml *y = NULL;
                if (yaml_parse(&a, sv_from(rows[i].text), SV("x.yml"), &ds, &y, &e) == 0)
                        show(y, &b);
                if (!sv_is(buf_sv(&b), rows[i].tree) || ds.n)
                        bad++, print_error("row %zu: %s\n", i, b.p ? b.p : e.cause);
        }
        assert_int_equal(bad, 0);
}

static void faults(void **state)
{
        static const struct {
                const char *text, *code;
                uint32_t line, col;
        } rows[] = {
                { "a:\n\t- b\n", "EB100", 2, 1 },
                { "a: b: c\n", "EB100", 1, 5 },
                { "a: [b\n", "EB100", 2, 1 },
                { "a: @b\n", "EB100", 1, 4 },
                { "a: *b\n", "EB100", 1, 4 },
                { "a: &x [*x]\n", "EB100", 1, 8 },
                { "a: 1\n---\nb: 2\n", "EB100", 2, 1 },
                { "a: 1\nb: 2\n\xc3\xbc: 3\na: 4\n", "EB104", 4, 1 },
                { "\xc3\xbc: {k: 1, k: 2}\n", "EB104", 1, 12 }, /* bytes, not characters */
                { "? [a]\n: b\n", "EB100", 1, 3 },
                { "a: \x01\n", "EB100", 1, 4 },
                { "a: \xff\n", "EB100", 1, 4 },
                { "a: {<<: 1}\n", "EB100", 1, 9 },
                { "a: \"b\n", "EB100", 2, 1 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct yaml *y = NULL;
                int r = yaml_parse(&a, sv_from(rows[i].text), SV("x.yml"), &ds, &y, &e);
                if (r != -ERR_USAGE || ds.n != 1 || !sv_is(sv_from(ds.v[0].code), rows[i].code) ||
                    ds.v[0].line != rows[i].line || ds.v[0].col != rows[i].col)
                        bad++, print_error("row %zu: %d, %zu faults, %s %u:%u %.*s\n", i, r, ds.n,
                                           ds.n ? ds.v[0].code : "", ds.n ? ds.v[0].line : 0, ds.n ? ds.v[0].col : 0,
                                           ds.n ? (int)ds.v[0].text.n : 0, ds.n ? ds.v[0].text.p : "");
        }
        assert_int_equal(bad, 0);
}

static void several_faults_are_all_told(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct yaml *y;

        (void)state;
        assert_int_equal(yaml_parse(&a, SV("a: 1\na: 2\nb: {c: 1, c: 2}\nd: *no\n"), SV("x"), &ds, &y, &e), -ERR_USAGE);
        assert_int_equal(ds.n_errors, 3);
}

static void places(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct yaml *y, *list;

        (void)state;
        assert_int_equal(
                yaml_parse(&a, SV("a: \xc3\xbc\r\nlist:\r\n  - \"x\"\r\n  -   y # z\r\n"), SV("x"), &ds, &y, &e), 0);
        list = yaml_get(y, "list");
        assert_int_equal(list->line, 3);
        assert_int_equal(list->v[1].value->line, 4);
        assert_int_equal(list->v[1].value->col, 7);
        assert_false(list->v[0].value->plain);
        assert_null(yaml_get(y, "none"));
        assert_null(yaml_get(list, "a"));
}

/* Nine levels of ten aliases each would be a thousand million nodes. */
static void a_bomb_stays_small(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(10000);
        AUTO(err_done) struct err e = { 0 };
        struct yaml *y;

        (void)state;
        buf_add(&b, SV("a0: &a0 x\n"));
        for (int i = 1; i < 10; i++) {
                buf_fmt(&b, "a%d: &a%d [", i, i);
                for (int k = 0; k < 10; k++)
                        buf_fmt(&b, "*a%d,", i - 1);
                buf_add(&b, SV("]\n"));
        }
        assert_int_equal(yaml_parse(&a, buf_sv(&b), SV("x"), &ds, &y, &e), -ERR_USAGE);
        assert_int_equal(ds.n_errors, 1);
        assert_true(a.bytes < 1 << 20);
}

static void depth_is_bounded(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct yaml *y;

        (void)state;
        for (int i = 0; i < 100000; i++)
                buf_byte(&b, '[');
        assert_int_equal(yaml_parse(&a, buf_sv(&b), SV("x"), &ds, &y, &e), -ERR_USAGE);
}

/* Many keys go over to a hash: duplicates are still found, and it does not take forever. */
static void many_keys(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct yaml *y;

        (void)state;
        for (int i = 0; i < 50000; i++)
                buf_fmt(&b, "key%d: 1\n", i);
        buf_add(&b, SV("key77: 2\n"));
        assert_int_equal(yaml_parse(&a, buf_sv(&b), SV("x"), &ds, &y, &e), -ERR_USAGE);
        assert_int_equal(ds.n_errors, 1);
        assert_int_equal(ds.v[0].line, 50001);
}

static void nulls(void **state)
{
        static const struct {
                const char *text;
                bool is;
        } rows[] = { { "a:", true },     { "a: ~", true },     { "a: null", true }, { "a: NULL", true },
                     { "a: ''", false }, { "a: nULL", false }, { "a: []", false },  { "a: 'null'", false } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct yaml *y;
                assert_int_equal(yaml_parse(&a, sv_from(rows[i].text), SV("x"), &ds, &y, &e), 0);
                assert_int_equal(yaml_is_null(yaml_get(y, "a")), rows[i].is);
        }
}

static void scalars_come_back(void **state)
{
        static const struct {
                const char *text, *block, *flow;
        } rows[] = {
                { "plain", "plain", "plain" },
                { "two words", "two words", "two words" },
                { "sha256:0b", "sha256:0b", "sha256:0b" },
                { "https://pypi.org/simple", "https://pypi.org/simple", "https://pypi.org/simple" },
                { "1=x86_64", "1=x86_64", "1=x86_64" },
                { "3.13.5-2", "3.13.5-2", "3.13.5-2" },
                { "1:2.0-1", "1:2.0-1", "1:2.0-1" },
                { "a,b", "a,b", "\"a,b\"" },
                { "env.yml: x", "\"env.yml: x\"", "\"env.yml: x\"" },
                { "2.41", "\"2.41\"", "\"2.41\"" },
                { "0", "\"0\"", "\"0\"" },
                { "1e5", "\"1e5\"", "\"1e5\"" },
                { "0x1f", "\"0x1f\"", "\"0x1f\"" },
                { "1_000", "\"1_000\"", "\"1_000\"" },
                { "1000:1000", "\"1000:1000\"", "\"1000:1000\"" },
                { "1:2.0", "\"1:2.0\"", "\"1:2.0\"" },
                { "2026-11-21", "\"2026-11-21\"", "\"2026-11-21\"" },
                { "2026-11", "2026-11", "2026-11" },
                { "yes", "\"yes\"", "\"yes\"" },
                { "Null", "\"Null\"", "\"Null\"" },
                { "<<", "\"<<\"", "\"<<\"" },
                { "", "\"\"", "\"\"" },
                { "-", "\"-\"", "\"-\"" },
                { " a", "\" a\"", "\" a\"" },
                { "a ", "\"a \"", "\"a \"" },
                { "a:", "\"a:\"", "\"a:\"" },
                { "a #b", "\"a #b\"", "\"a #b\"" },
                { "a#b", "a#b", "a#b" },
                { "a\nb\t\"c\\", "\"a\\nb\\t\\\"c\\\\\"", "\"a\\nb\\t\\\"c\\\\\"" },
                { "\x01\x7f", "\"\\u0001\\u007f\"", "\"\\u0001\\u007f\"" },
                { "\xc3\xbc", "\"\xc3\xbc\"", "\"\xc3\xbc\"" },
                { "\xc2\x85\xe2\x80\xa8", "\"\\u0085\\u2028\"", "\"\\u0085\\u2028\"" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                AUTO(buf_done) struct buf b = BUF_INIT(1000), doc = BUF_INIT(1000);
                bool flow = i % 2;
                const char *text = rows[i / 2].text;
                struct yaml *y = NULL;
                yaml_write_scalar(sv_from(text), flow, &b);
                buf_fmt(&doc, flow ? "k: [%s, x]\n" : "k: %s\n", b.p);
                if (!sv_is(buf_sv(&b), flow ? rows[i / 2].flow : rows[i / 2].block) ||
                    yaml_parse(&a, buf_sv(&doc), SV("x"), &ds, &y, &e) < 0) {
                        bad++, print_error("row %zu: %s\n", i / 2, b.p);
                        continue;
                }
                y = yaml_get(y, "k");
                if (!sv_is(flow ? y->v[0].value->text : y->text, text))
                        bad++, print_error("row %zu does not come back: %s\n", i / 2, doc.p);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(trees),
                cmocka_unit_test(faults),
                cmocka_unit_test(several_faults_are_all_told),
                cmocka_unit_test(places),
                cmocka_unit_test(a_bomb_stays_small),
                cmocka_unit_test(depth_is_bounded),
                cmocka_unit_test(many_keys),
                cmocka_unit_test(nulls),
                cmocka_unit_test(scalars_come_back),
        };
        return cmocka_run_group_tests_name("ext yaml", tests, NULL, NULL);
}
