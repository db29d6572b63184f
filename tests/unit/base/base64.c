#include "base/base64.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void both_ways(void **state)
{
        static const struct {
                sv plain;
                const char *text;
        } rows[] = { /* RFC 4648 §10 */
                     { { "", 0 }, "" },
                     { { "f", 1 }, "Zg==" },
                     { { "fo", 2 }, "Zm8=" },
                     { { "foo", 3 }, "Zm9v" },
                     { { "foob", 4 }, "Zm9vYg==" },
                     { { "fooba", 5 }, "Zm9vYmE=" },
                     { { "foobar", 6 }, "Zm9vYmFy" },
                     { { "\xff\xfe\0\x80", 4 }, "//4AgA==" }
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf text = BUF_INIT(64), plain = BUF_INIT(64);
                sv bare = sv_from(rows[i].text);

                base64_write(rows[i].plain, &text);
                if (!sv_is(buf_sv(&text), rows[i].text) || !base64_read(bare, &plain) ||
                    !sv_eq(buf_sv(&plain), rows[i].plain))
                        bad++, print_error("row %zu: '%s'\n", i, text.p);
                buf_clear(&plain);
                while (bare.n && bare.p[bare.n - 1] == '=')
                        bare.n--;
                if (!base64_read(bare, &plain) || !sv_eq(buf_sv(&plain), rows[i].plain))
                        bad++, print_error("row %zu without padding\n", i);
        }
        assert_int_equal(bad, 0);
}

static void what_is_none(void **state)
{
        static const char *const rows[] = { "Z",     "Zg=",    "Zg===", "=",    "Zm9v=", "Zm9vY",
                                            "Zm 9v", "Zm9v\n", "Zh==",  "Zm9=", "Zm-_",  "Z=g=" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf plain = BUF_INIT(64);

                if (base64_read(sv_from(rows[i]), &plain))
                        fail_msg("'%s' was read", rows[i]);
        }
}

static void a_full_buffer(void **state)
{
        AUTO(buf_done) struct buf plain = BUF_INIT(3);

        (void)state;
        assert_false(base64_read(SV("Zm9vYg=="), &plain));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(both_ways), cmocka_unit_test(what_is_none),
                                            cmocka_unit_test(a_full_buffer) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
