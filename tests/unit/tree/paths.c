#include "tree/paths.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define FILE_LINE(path)                                                                                                \
        "{\"mode\":420,\"mtime\":315532800,\"path\":\"" path "\",\"sha256\":\"" ZERO "\",\"size\":1,\"type\":\"f\"}\n"

static void lists_are_written_in_one_way(void **state)
{
        struct arena a = { 0 };
        struct paths p = { 0 }, got = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4096), again = BUF_INIT(4096);
        struct err e = { 0 };

        (void)state;
        paths_add(&a, &p,
                  &(struct entry){ .path = SV("b/q\"\\\n\x01\xc3\xa9"),
                                   .type = ENTRY_FILE,
                                   .mode = 0644,
                                   .mtime = 315532800,
                                   .size = 1 });
        paths_add(&a, &p,
                  &(struct entry){ .path = SV("b"), .type = ENTRY_DIR, .mode = 01777, .mtime = 5, .uid = 1, .gid = 2 });
        paths_add(&a, &p,
                  &(struct entry){ .path = SV("a"), .type = ENTRY_SYMLINK, .mode = 0777, .target = SV("../x") });
        paths_add(&a, &p,
                  &(struct entry){ .path = SV("c"), .type = ENTRY_HARDLINK, .mode = 0644, .target = SV("b/q") });
        paths_sort(&p);
        paths_write(&p, &b);
        assert_string_equal(b.p,
                            "{\"mode\":511,\"mtime\":0,\"path\":\"a\",\"target\":\"../x\",\"type\":\"l\"}\n"
                            "{\"gid\":2,\"mode\":1023,\"mtime\":5,\"path\":\"b\",\"type\":\"d\",\"uid\":1}\n" FILE_LINE(
                                    "b/q\\\"\\\\\\n\\u0001\xc3\xa9") "{\"mode\":420,\"mtime\":0,\"path\":\"c\","
                                                                     "\"target\":\"b/q\",\"type\":\"h\"}\n");
        assert_int_equal(paths_parse(&a, buf_sv(&b), &got, &e), 0);
        assert_int_equal(got.n, 4);
        paths_write(&got, &again);
        assert_string_equal(again.p, b.p);
        assert_true(sv_is(paths_find(&got, SV("c"))->target, "b/q"));
        assert_null(paths_find(&got, SV("d")));
        assert_null(paths_find(&(struct paths){ 0 }, SV("d")));
        assert_int_equal(paths_parse(&a, SV(""), &got, &e), 0);
        assert_int_equal(got.n, 0);
        arena_done(&a);
}

static void other_texts_are_refused(void **state)
{
        static const char *const bad[] = {
                "\n",
                "{}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"d\"}",    /* no end of line */
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"d\"} \n", /* a blank */
                "{\"mode\": 420,\"mtime\":0,\"path\":\"a\",\"type\":\"d\"}\n",
                "{\"mode\":0420,\"mtime\":0,\"path\":\"a\",\"type\":\"d\"}\n", /* a leading zero */
                "{\"mode\":4096,\"mtime\":0,\"path\":\"a\",\"type\":\"d\"}\n", /* not permission bits */
                "{\"mode\":420,\"mtime\":-1,\"path\":\"a\",\"type\":\"d\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"../a\",\"type\":\"d\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"\\u0041\",\"type\":\"d\"}\n", /* an escape that isn't needed */
                "{\"mode\":420,\"mtime\":0,\"path\":\"\\u000a\",\"type\":\"d\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\\/b\",\"type\":\"d\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"x\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"f\"}\n", /* a file without a hash */
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"sha256\":\"" ZERO "\",\"size\":1,\"type\":\"d\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"l\"}\n",
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"target\":\"/b\",\"type\":\"h\"}\n", /* hard links stay in the layer */
                "{\"gid\":0,\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"d\"}\n", /* 0 is not written */
                "{\"mode\":420,\"mtime\":0,\"path\":\"a\",\"type\":\"d\",\"uid\":4294967296}\n",
                FILE_LINE("b") FILE_LINE("a"),
                FILE_LINE("a") FILE_LINE("a"),
        };
        int wrong = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                struct arena a = { 0 };
                struct paths p = { 0 };
                struct err e = { 0 };

                if (paths_parse(&a, sv_from(bad[i]), &p, &e) != -ERR_INTEGRITY ||
                    !sv_starts(sv_from(e.cause), SV("path list, line ")))
                        wrong++, print_error("row %zu: %s\n", i, bad[i]);
                err_done(&e);
                arena_done(&a);
        }
        assert_int_equal(wrong, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_are_written_in_one_way),
                cmocka_unit_test(other_texts_are_refused),
        };
        return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
