#include "ext/json.h"

#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

/* What is read comes out in canonical form; what is no JSON says where. */
static void reads_or_says_where(void **state)
{
        static const struct {
                const char *text;
                size_t n; /* 0: its length */
                const char *want;
        } rows[] = {
                { "{\"b\": [1, true, null], \"a\": \"\\u00e9\"}", 0, "{\"a\":\"é\",\"b\":[1,true,null]}" },
                { " 7 ", 0, "7" },
                { "{\"a\": 1, \"a\": 2}", 0, NULL }, /* twice */
                { "[1,]", 0, NULL },
                { "[1] x", 0, NULL },
                { "", 0, NULL },
                { "[1\0]", 4, NULL }, /* jansson passes over it */
                { "\"\\u0000\"", 0, "\"\\u0000\"" },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(buf_done) struct buf b = BUF_INIT(4096);
                AUTO(err_done) struct err e = { 0 };
                sv text = { rows[i].text, rows[i].n ? rows[i].n : strlen(rows[i].text) };
                struct js *j;

                if (!rows[i].want) {
                        assert_int_equal(js_parse(&a, text, &j, &e), -ERR_FAILED);
                        assert_non_null(e.cause);
                        continue;
                }
                assert_int_equal(js_parse(&a, text, &j, &e), 0);
                js_write(j, &b);
                assert_string_equal(b.p, rows[i].want);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_or_says_where),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
