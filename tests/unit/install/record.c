#include <string.h>

#include "install/wheel_priv.h"
#include "tests/unit/unit.h"

static void path_rows(void **state)
{
        static const struct {
                const char *path, *want;
        } rows[] = {
                { "lib/python3.13/site-packages/x/y.py", "x/y.py" },
                { "lib/python3.13/site-packages.py", "../site-packages.py" },
                { "lib/python3.13/site-packages", "../site-packages" },
                { "lib/x", "../../x" },
                { "bin/x", "../../../bin/x" },
                { "x", "../../../x" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv have = record_path(&a, sv_from(rows[i].path), SV("lib/python3.13/site-packages"));
                if (!sv_is(have, rows[i].want))
                        bad++, print_error("%s: %.*s\n", rows[i].path, SV_ARG(have));
        }
        assert_int_equal(bad, 0);
        arena_done(&a);
}

static void row_rows(void **state)
{
        static const struct {
                const char *path, *want; /* rows as Python's csv and base64 modules write them */
        } rows[] = {
                { "a b", "a b,sha256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,7\r\n" },
                { "a,b", "\"a,b\",sha256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,7\r\n" },
                { "a\"b", "\"a\"\"b\",sha256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,7\r\n" },
                { "a\nb", "\"a\nb\",sha256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,7\r\n" },
        };
        struct buf b = BUF_INIT(1000);
        sha256 hash;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(hash.b); i++)
                hash.b[i] = (uint8_t)i;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                buf_clear(&b);
                record_row(sv_from(rows[i].path), &hash, 7, &b);
                if (!sv_is(buf_sv(&b), rows[i].want))
                        bad++, print_error("row %zu: %s\n", i, b.p);
        }
        assert_int_equal(bad, 0);
        memset(hash.b, 0xff, sizeof(hash.b));
        buf_clear(&b);
        record_row(SV("x"), &hash, UINT64_MAX, &b);
        assert_string_equal(b.p, "x,sha256=__________________________________________8,18446744073709551615\r\n");
        buf_clear(&b);
        record_self(SV("x-1.dist-info/RECORD"), &b);
        assert_string_equal(b.p, "x-1.dist-info/RECORD,,\r\n");
        buf_done(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(path_rows), cmocka_unit_test(row_rows) };
        return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
