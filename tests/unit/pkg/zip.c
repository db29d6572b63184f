#include "pkg/zip.h"

#include "tests/unit/unit.h"
#include "tests/unit/zip_make.h"

static const struct zip_file plain[] = {
        { .name = "a/", .data = "", .mode = 040755 },
        { .name = "a/one.py", .data = "print(1)\n", .method = 8 },
        { .name = "a/two", .data = "two", .mode = 0100755 },
        { .name = "empty", .data = "", .method = 8 },
};

/* Opens and checks the whole archive: 0, or the code with the cause in e. */
static int whole(struct arena *a, const struct buf *b, struct zip *ret, struct err *e)
{
        if (zip_open(a, buf_sv(b), b->n, ret, NULL, e) < 0 || zip_check(buf_sv(b), ret, e) < 0)
                return -(int)e->code;
        return 0;
}

static void reads_members_in_directory_order(void **state)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;
        sv data;

        (void)state;
        zip_make(&m, plain, ARRAY_LEN(plain), "a comment", 0);
        assert_int_equal(whole(&a, &m.buf, &z, &e), 0);
        assert_int_equal(z.n, 4);
        assert_int_equal(z.directory_at, m.dir_at);
        for (size_t i = 0; i < z.n; i++) {
                assert_true(sv_is(z.v[i].name, plain[i].name));
                assert_int_equal(z.v[i].size, strlen(plain[i].data));
                assert_int_equal(z.v[i].header_at, m.local_at[i]);
                assert_int_equal(z.v[i].method, plain[i].method);
        }
        assert_true(z.v[0].dir && !z.v[1].dir);
        assert_int_equal(z.v[1].mode, 0100644);
        assert_int_equal(z.v[2].mode, 0100755);
        assert_ptr_equal(zip_find(&z, SV("a/two")), &z.v[2]);
        assert_null(zip_find(&z, SV("a/TWO")));
        assert_int_equal(zip_data(buf_sv(&m.buf), &z.v[2], &data, &e), 0);
        assert_true(sv_is(data, "two"));
        assert_int_equal(z.v[2].crc, crc32_add(0, "two", 3));
        buf_done(&m.buf);
        arena_done(&a);
}

static void takes_what_writers_do(void **state)
{
        static const struct zip_file odd[] = {
                { .name = "d12", .data = "12", .after = 12 },
                { .name = "d16", .data = "16", .after = 16, .method = 8 },
                { .name = "d20", .data = "20", .after = 20 },
                { .name = "d24", .data = "24", .after = 24, .method = 8, .zip64 = true },
                { .name = "z64", .data = "64", .zip64 = true },
                { .name = "h\xc3\xa9", .data = "utf-8", .flags = 0x800 },
                { .name = "h\x82\xec\xff", .data = "cp437" },
                { .name = "lzma", .data = "x", .method = 14 }, /* kept for the caller's error */
        };
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;

        (void)state;
        for (int how = 0; how <= ZIP_MAKE_END64; how++) {
                zip_make(&m, odd, ARRAY_LEN(odd), how ? "" : "PK\5\6 in a comment is not an end record", how);
                assert_int_equal(whole(&a, &m.buf, &z, &e), 0);
                assert_int_equal(z.n, ARRAY_LEN(odd));
                assert_int_equal(z.v[4].size, 2);
                assert_int_equal(z.v[4].header_at, m.local_at[4]);
                assert_true(sv_is(z.v[5].name, "h\xc3\xa9"));
                assert_true(sv_is(z.v[6].name, "h\xc3\xa9\xe2\x88\x9e\xc2\xa0"));
                assert_int_equal(z.v[7].method, 14);
                buf_done(&m.buf);
        }
        zip_make(&m, odd, 0, "", 0);
        assert_int_equal(whole(&a, &m.buf, &z, &e), 0);
        assert_int_equal(z.n, 0);
        buf_done(&m.buf);
        arena_done(&a);
}

/* The flag says that a descriptor follows, and none does: fine as long as the local header told all. */
static void a_promised_descriptor_may_be_missing(void **state)
{
        static const struct zip_file f[] = { { .name = "x", .data = "1", .flags = 8 }, { .name = "y", .data = "" } };
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;

        (void)state;
        for (unsigned at = 0; at <= 22;
             at += at ? 4 : 14) { /* as it is; then with another checksum, packed size, size */
                zip_make(&m, f, ARRAY_LEN(f), "", 0);
                if (at)
                        zip_patch(&m, m.local_at[0] + at, 7, 4);
                assert_int_equal(whole(&a, &m.buf, &z, &e), at ? -ERR_INTEGRITY : 0);
                err_done(&e);
                buf_done(&m.buf);
        }
        arena_done(&a);
}

static void refuses_malformed_extra_fields(void **state)
{
        static const struct zip_file f[] = { { .name = "x", .data = "1", .zip64 = true }, { .name = "y", .data = "" } };
        static const struct {
                unsigned at, value;
                int code;
        } rows[] = {
                { 2, 25, -ERR_INTEGRITY }, /* longer than the extra field */
                { 2, 20, -ERR_INTEGRITY }, /* too short for the third value, and what is left is no field */
                { 0, 2, -ERR_INTEGRITY },  /* another field's: then the sizes really are 4 GiB */
                { 2, 24, 0 },
        };
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                zip_make(&m, f, ARRAY_LEN(f), "", 0);
                zip_patch(&m, m.central_at[0] + 46 + 1 + rows[i].at, rows[i].value, 2);
                assert_int_equal(whole(&a, &m.buf, &z, &e), rows[i].code);
                err_done(&e);
                buf_done(&m.buf);
        }
        arena_done(&a);
}

static void another_archive_than_was_opened(void **state)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;
        sv data;

        (void)state;
        zip_make(&m, plain, ARRAY_LEN(plain), "", 0);
        assert_int_equal(zip_open(&a, buf_sv(&m.buf), m.buf.n - 1, &z, NULL, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(zip_open(&a, buf_sv(&m.buf), m.buf.n, &z, NULL, &e), 0);
        assert_int_equal(zip_check(sv_from_to(buf_sv(&m.buf), 0, m.dir_at - 1), &z, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(zip_data(SV("short"), &z.v[3], &data, &e), -ERR_INTEGRITY);
        assert_non_null(strstr(e.cause, "member 'empty' is not there"));
        err_done(&e);
        buf_done(&m.buf);
        arena_done(&a);
}

static void asks_for_more_of_the_end(void **state)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;
        uint64_t need = 0;

        (void)state;
        for (int how = 0; how <= ZIP_MAKE_END64; how++) {
                size_t have = 1, rounds = 0;

                zip_make(&m, plain, ARRAY_LEN(plain), "", how);
                while (zip_open(&a, sv_skip(buf_sv(&m.buf), m.buf.n - have), m.buf.n, &z, &need, &e) < 0) {
                        assert_int_equal(e.code, ERR_LIMIT);
                        assert_true(need > have && need <= m.buf.n);
                        err_done(&e);
                        /* one byte more than was had, to visit every branch; at last what is asked for */
                        have = rounds++ < 100 ? have + 1 : need;
                }
                assert_int_equal(z.n, 4);
                assert_true(have >= m.buf.n - m.dir_at);
                buf_done(&m.buf);
        }
        arena_done(&a);
}

/* One change to a good archive, and what is said of it. `in`: where `at` counts from. */
enum place { LOCAL, CENTRAL, END };
static const struct {
        const char *story;
        enum place in;
        unsigned which, at, bytes;
        uint64_t value;
        const char *cause;
} broken[] = {
        { "no end record", END, 0, 0, 1, 'X', "not a zip archive" },
        { "end record: comment too long", END, 0, 20, 2, 5, "not a zip archive" },
        { "end record: another volume", END, 0, 4, 2, 1, "several volumes" },
        { "end record: one member more", END, 0, 8, 4, 0x00050005, "claims 5 members" },
        { "end record: one member less", END, 0, 8, 4, 0x00030003, "more than the 3 members" },
        { "end record: as many as a directory cannot hold", END, 0, 8, 4, 0xfffefffe, "claims 65534 members" },
        { "end record: directory elsewhere", END, 0, 16, 4, 1, "directory is not where" },
        { "end record: directory beyond the end", END, 0, 16, 4, 0x7fffffff, "directory is not where" },
        { "end record: directory longer", END, 0, 12, 4, 1000, "directory is not where" },
        { "directory: signature", CENTRAL, 2, 0, 1, 'X', "fewer members than it claims" },
        { "directory: encrypted", CENTRAL, 1, 8, 2, 1, "'a/one.py' is encrypted" },
        { "directory: masked", CENTRAL, 1, 8, 2, 1 << 13, "'a/one.py' is encrypted" },
        { "directory: packed size reaches the directory", CENTRAL, 3, 20, 4, 6, "'empty' reaches into the directory" },
        { "directory: packed size is huge", CENTRAL, 3, 20, 4, 0xfffffffe, "reaches into the directory" },
        { "directory: offset is huge", CENTRAL, 3, 42, 4, 0xfffffffe, "reaches into the directory" },
        { "directory: 2 GiB out of 14 bytes", CENTRAL, 1, 24, 4, 0x80000000, "which 14 packed bytes cannot hold" },
        { "directory: stored sizes differ", CENTRAL, 2, 24, 4, 4, "which 3 packed bytes cannot hold" },
        { "directory: same offset twice", CENTRAL, 2, 42, 4, 0, "overlap" },
        { "directory: packed size overlaps the next", CENTRAL, 1, 20, 4, 15, "overlap" },
        { "directory: a NUL in a name", CENTRAL, 1, 47, 1, 0, "a NUL in it" },
        { "directory: name too long", CENTRAL, 3, 28, 2, 200, "cut short" },
        { "directory: UTF-8 that is not", CENTRAL, 1, 46, 1, 0x80,
          NULL }, /* flag off: cp437, other than the local name */
        { "local: signature", LOCAL, 1, 0, 1, 'X', "'a/one.py' has no local header" },
        { "local: other method", LOCAL, 1, 8, 2, 0, "directory and the local header of member 'a/one.py' disagree" },
        { "local: other name", LOCAL, 1, 30, 1, 'b', "disagree" },
        { "local: shorter name", LOCAL, 1, 26, 2, 7, "disagree" },
        { "local: encrypted", LOCAL, 1, 6, 2, 1, "is encrypted" },
        { "local: extra field moves the data", LOCAL, 1, 28, 2, 1, "what follows member 'a/one.py'" },
        { "local: extra field moves the data out", LOCAL, 3, 28, 2, 0xffff, "is cut short" },
};

static size_t place_at(const struct zip_made *m, size_t i)
{
        switch (broken[i].in) {
        case LOCAL:
                return m->local_at[broken[i].which] + broken[i].at;
        case CENTRAL:
                return m->central_at[broken[i].which] + broken[i].at;
        default:
                return m->end_at + broken[i].at;
        }
}

static void refuses_what_is_broken(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
                struct arena a = { 0 };
                struct err e = { 0 };
                struct zip_made m;
                struct zip z;

                zip_make(&m, plain, ARRAY_LEN(plain), "", 0);
                zip_patch(&m, place_at(&m, i), broken[i].value, broken[i].bytes);
                if (whole(&a, &m.buf, &z, &e) != -ERR_INTEGRITY ||
                    (broken[i].cause && !strstr(e.cause, broken[i].cause)))
                        bad++, print_error("%s: %s\n", broken[i].story, e.cause ? e.cause : "accepted");
                err_done(&e);
                buf_done(&m.buf);
                arena_done(&a);
        }
        assert_int_equal(bad, 0);
}

static const struct {
        const char *story;
        unsigned at, bytes; /* from the zip64 end record */
        uint64_t value;
        const char *cause;
} broken64[] = {
        { "locator points before it", 56 + 8, 8, 0, "not where it should be" },
        { "locator points behind itself", 56 + 8, 8, 5000, "not where it should be" },
        { "locator: near 2^64", 56 + 8, 8, UINT64_MAX, "not where it should be" },
        { "record: length", 4, 8, 45, "not where it should be" },
        { "record: signature", 0, 1, 'X', "not where it should be" },
        { "record: volume", 16, 4, 1, "several volumes" },
        { "record: members near 2^64", 24, 8, UINT64_MAX, "several volumes" },
        { "record: directory size near 2^64", 40, 8, UINT64_MAX, "directory is not where" },
        { "record: directory near 2^64", 48, 8, UINT64_MAX - 10, "directory is not where" },
        { "end record: other count", 56 + 20 + 8, 4, 0x00070007, "two end records disagree" },
        { "end record: other place", 56 + 20 + 16, 4, 7, "two end records disagree" },
};

static void refuses_broken_zip64(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(broken64); i++) {
                struct arena a = { 0 };
                struct err e = { 0 };
                struct zip_made m;
                struct zip z;

                zip_make(&m, plain, ARRAY_LEN(plain), "", ZIP_MAKE_END64);
                zip_patch(&m, m.end64_at + broken64[i].at, broken64[i].value, broken64[i].bytes);
                if (whole(&a, &m.buf, &z, &e) != -ERR_INTEGRITY || !strstr(e.cause, broken64[i].cause))
                        bad++, print_error("%s: %s\n", broken64[i].story, e.cause ? e.cause : "accepted");
                err_done(&e);
                buf_done(&m.buf);
                arena_done(&a);
        }
        assert_int_equal(bad, 0);
}

static void expect_corrupt(const struct zip_file *f, size_t n, const char *cause)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;

        zip_make(&m, f, n, "", 0);
        assert_int_equal(whole(&a, &m.buf, &z, &e), -ERR_INTEGRITY);
        assert_non_null(strstr(e.cause, cause));
        err_done(&e);
        buf_done(&m.buf);
        arena_done(&a);
}

static void refuses_bad_members(void **state)
{
        static const struct zip_file twice[] = { { .name = "x", .data = "1" },
                                                 { .name = "y", .data = "" },
                                                 { .name = "x", .data = "2" } };
        static const struct zip_file unnamed[] = { { .name = "", .data = "1" } };
        static const struct zip_file latin[] = { { .name = "\xe9", .data = "1", .flags = 0x800 } };
        /* the same name, once as UTF-8 and once in code page 437 */
        static const struct zip_file alias[] = { { .name = "\xc3\xa9", .data = "1", .flags = 0x800 },
                                                 { .name = "\x82", .data = "2" } };

        (void)state;
        expect_corrupt(twice, 3, "two members 'x'");
        expect_corrupt(unnamed, 1, "empty or has a NUL");
        expect_corrupt(latin, 1, "claims to be UTF-8");
        expect_corrupt(alias, 2, "two members");
}

static void refuses_bytes_between_members(void **state)
{
        static const struct zip_file two[] = { { .name = "x", .data = "1", .after = 16 },
                                               { .name = "y", .data = "2" } };
        struct arena a = { 0 };
        struct err e = { 0 };
        struct zip_made m;
        struct zip z;

        (void)state;
        /* a descriptor that lies about the CRC, then one without its signature */
        for (unsigned at = 0; at <= 4; at += 4) {
                zip_make(&m, two, 2, "", 0);
                zip_patch(&m, m.local_at[1] - 16 + at, 0x12345678, 4);
                assert_int_equal(whole(&a, &m.buf, &z, &e), -ERR_INTEGRITY);
                assert_non_null(strstr(e.cause, "what follows member 'x'"));
                err_done(&e);
                buf_done(&m.buf);
        }
        /* bytes before the first member: the directory says so, and all offsets fit */
        zip_make(&m, two, 2, "", 0);
        zip_patch(&m, m.central_at[0] + 20, 0, 4); /* nothing is left that could overlap */
        zip_patch(&m, m.central_at[0] + 24, 0, 4);
        zip_patch(&m, m.central_at[0] + 42, 1, 4);
        assert_int_equal(whole(&a, &m.buf, &z, &e), -ERR_INTEGRITY);
        assert_non_null(strstr(e.cause, "1 bytes stand before its first member"));
        err_done(&e);
        buf_done(&m.buf);
        arena_done(&a);
}

static void survives_any_cut(void **state)
{
        struct zip_made m;

        (void)state;
        zip_make(&m, plain, ARRAY_LEN(plain), "", ZIP_MAKE_END64);
        for (size_t n = 0; n < m.buf.n; n++) {
                struct arena a = { 0 };
                struct err e = { 0 };
                struct zip z;

                assert_int_equal(zip_open(&a, sv_from_to(buf_sv(&m.buf), 0, n), n, &z, NULL, &e), -ERR_INTEGRITY);
                err_done(&e);
                arena_done(&a);
        }
        buf_done(&m.buf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_members_in_directory_order),
                cmocka_unit_test(takes_what_writers_do),
                cmocka_unit_test(asks_for_more_of_the_end),
                cmocka_unit_test(refuses_what_is_broken),
                cmocka_unit_test(refuses_broken_zip64),
                cmocka_unit_test(refuses_bad_members),
                cmocka_unit_test(refuses_bytes_between_members),
                cmocka_unit_test(survives_any_cut),
                cmocka_unit_test(a_promised_descriptor_may_be_missing),
                cmocka_unit_test(refuses_malformed_extra_fields),
                cmocka_unit_test(another_archive_than_was_opened),
        };
        return cmocka_run_group_tests_name("zip", tests, NULL, NULL);
}
