#include "pkg/msgpack.h"

#include <string.h>

#include "base/attr.h"
#include "tests/unit/unit.h"

/* One item of each mark. */
static void items(void **state)
{
        static const struct {
                sv bytes;
                enum msgpack_type type;
                int64_t num;
                const char *text;
                uint32_t n;
        } rows[] = {
                { { "\x00", 1 }, MSGPACK_INT, 0, NULL, 0 },
                { { "\x7f", 1 }, MSGPACK_INT, 127, NULL, 0 },
                { { "\xff", 1 }, MSGPACK_INT, -1, NULL, 0 },
                { { "\xe0", 1 }, MSGPACK_INT, -32, NULL, 0 },
                { { "\xc0", 1 }, MSGPACK_NIL, 0, NULL, 0 },
                { { "\xc2", 1 }, MSGPACK_FALSE, 0, NULL, 0 },
                { { "\xc3", 1 }, MSGPACK_TRUE, 0, NULL, 0 },
                { { "\xcc\xff", 2 }, MSGPACK_INT, 255, NULL, 0 },
                { { "\xcd\x01\x00", 3 }, MSGPACK_INT, 256, NULL, 0 },
                { { "\xce\xff\xff\xff\xff", 5 }, MSGPACK_INT, UINT32_MAX, NULL, 0 },
                { { "\xcf\x00\x00\x01\x00\x00\x00\x00\x00", 9 }, MSGPACK_INT, (int64_t)1 << 40, NULL, 0 },
                { { "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9 }, MSGPACK_INT, INT64_MAX, NULL, 0 },
                { { "\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9 }, MSGPACK_REAL, INT64_MIN, NULL, 0 },
                { { "\xd0\x80", 2 }, MSGPACK_INT, -128, NULL, 0 },
                { { "\xd1\xff\x00", 3 }, MSGPACK_INT, -256, NULL, 0 },
                { { "\xd2\x80\x00\x00\x00", 5 }, MSGPACK_INT, INT32_MIN, NULL, 0 },
                { { "\xd3\xff\xff\xff\xff\xff\xff\xff\xfe", 9 }, MSGPACK_INT, -2, NULL, 0 },
                { { "\xca\x3f\x80\x00\x00", 5 }, MSGPACK_REAL, 0, NULL, 0 },
                { { "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 9 }, MSGPACK_REAL, 0, NULL, 0 },
                { { "\xa2hi", 3 }, MSGPACK_TEXT, 0, "hi", 0 },
                { { "\xd9\x02hi", 4 }, MSGPACK_TEXT, 0, "hi", 0 },
                { { "\xda\x00\x02hi", 5 }, MSGPACK_TEXT, 0, "hi", 0 },
                { { "\xdb\x00\x00\x00\x02hi", 7 }, MSGPACK_TEXT, 0, "hi", 0 },
                { { "\xc4\x02hi", 4 }, MSGPACK_BYTES, 0, "hi", 0 },
                { { "\xc5\x00\x02hi", 5 }, MSGPACK_BYTES, 0, "hi", 0 },
                { { "\xc6\x00\x00\x00\x02hi", 7 }, MSGPACK_BYTES, 0, "hi", 0 },
                { { "\xd5\x01hi", 4 }, MSGPACK_EXT, 0, "hi", 0 },
                { { "\xc7\x02\x01hi", 5 }, MSGPACK_EXT, 0, "hi", 0 },
                { { "\xc8\x00\x02\x01hi", 6 }, MSGPACK_EXT, 0, "hi", 0 },
                { { "\xc9\x00\x00\x00\x02\x01hi", 8 }, MSGPACK_EXT, 0, "hi", 0 },
                { { "\x92\x01\x02", 3 }, MSGPACK_ARRAY, 0, NULL, 2 },
                { { "\xdc\x00\x01\x01", 4 }, MSGPACK_ARRAY, 0, NULL, 1 },
                { { "\xdd\x00\x00\x00\x01\x01", 6 }, MSGPACK_ARRAY, 0, NULL, 1 },
                { { "\x81\x01\x92\x01\x02", 5 }, MSGPACK_MAP, 0, NULL, 1 },
                { { "\xde\x00\x01\x01\x02", 5 }, MSGPACK_MAP, 0, NULL, 1 },
                { { "\xdf\x00\x00\x00\x01\x01\x02", 7 }, MSGPACK_MAP, 0, NULL, 1 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct msgpack m = msgpack_begin(rows[i].bytes);
                struct msgpack_item item;

                if (!msgpack_next(&m, &item) || item.type != rows[i].type || item.n != rows[i].n ||
                    item.num != rows[i].num || (rows[i].text && !sv_is(item.text, rows[i].text)))
                        bad++, print_error("row %zu: type %d, %lld\n", i, item.type, (long long)item.num);
                m = msgpack_begin(rows[i].bytes);
                if (!msgpack_skip(&m) || m.p != m.end)
                        bad++, print_error("row %zu: not passed over\n", i);
                for (size_t n = 0; n < rows[i].bytes.n; n++) { /* cut off anywhere */
                        m = msgpack_begin(sv_from_to(rows[i].bytes, 0, n));
                        if (msgpack_skip(&m))
                                bad++, print_error("row %zu: %zu bytes are enough\n", i, n);
                }
        }
        assert_int_equal(bad, 0);
}

static void hostile(void **state)
{
        static const sv rows[] = { { "\xc1", 1 },
                                   { "\xdf\xff\xff\xff\xff", 5 },
                                   { "\xdd\xff\xff\xff\xff\x01", 6 },
                                   { "\xdb\xff\xff\xff\xff", 5 },
                                   { "\xc9\xff\xff\xff\xff\x01", 6 },
                                   { "\xde\x00\x02\x01\x02\x03", 6 } };
        static char deep[1 << 20];
        struct msgpack m;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                m = msgpack_begin(rows[i]);
                assert_false(msgpack_skip(&m));
        }
        memset(deep, 0x91, sizeof(deep)); /* a list in a list in a list… */
        m = msgpack_begin((sv){ deep, sizeof(deep) });
        assert_false(msgpack_skip(&m));
        deep[sizeof(deep) - 1] = 1;
        m = msgpack_begin((sv){ deep, sizeof(deep) });
        assert_true(msgpack_skip(&m));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(items),
                cmocka_unit_test(hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
