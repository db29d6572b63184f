#include "layer/tar.h"
#include "tests/unit/layer/lib.h"

static sv field(const struct tar_head *h, size_t at, size_t n)
{
        const char *p = (const char *)h->b + h->main_at + at;

        return (sv){ p, strnlen(p, n) };
}

static struct entry file(sv path)
{
        return (struct entry){ .path = path, .type = ENTRY_FILE, .mode = 0644, .mtime = ENTRY_MTIME_FLOOR, .size = 5 };
}

static void plain_fields(void **state)
{
        struct entry en = file(SV("opt/env/a"));
        struct tar_head h;

        (void)state;
        tar_head(&en, &h);
        assert_int_equal(h.n, 512);
        assert_int_equal(h.main_at, 0);
        assert_memory_equal(h.b + 100,
                            "0000644\0000000000\0000000000\000"
                            "00000000005\000"
                            "02263523000\000",
                            48);
        assert_memory_equal(h.b + 154, "\0 ", 2);
        assert_memory_equal(h.b + 156, "0", 2);
        assert_memory_equal(h.b + 257, "ustar\00000", 8);
        assert_memory_equal(h.b + 329, "0000000\0000000000\000", 16);
}

/* Where a path of ASCII is cut: at the first '/' that leaves name <= 100 and prefix <= 155. */
static void paths_are_split_from_the_left(void **state)
{
        static const struct {
                size_t dir,
                        name; /* "d…d/" dir letters, "n…n" name letters; dir in two halves of one '/' when over 155 */
                bool pax;
        } rows[] = {
                { 20, 79, false }, /* 100 in all: whole */
                { 20, 80, false }, /* 101: split */
                { 155, 100, false }, { 155, 101, true }, { 156, 100, true }, { 20, 101, true },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char path[400];
                struct tar_head h;
                struct entry en;

                memset(path, 'd', rows[i].dir);
                path[rows[i].dir] = '/';
                memset(path + rows[i].dir + 1, 'n', rows[i].name);
                en = file((sv){ path, rows[i].dir + 1 + rows[i].name });
                tar_head(&en, &h);
                if ((h.main_at != 0) != rows[i].pax)
                        bad++, print_error("row %zu: PAX %d\n", i, h.main_at != 0);
                if (!rows[i].pax && en.path.n > 100 && field(&h, 345, 155).n != rows[i].dir)
                        bad++, print_error("row %zu: prefix of %zu\n", i, field(&h, 345, 155).n);
        }
        assert_int_equal(bad, 0);
}

static void pax_is(const struct entry *en, const char *want)
{
        struct tar_head h;

        tar_head(en, &h);
        assert_true(h.main_at >= 1024);
        assert_memory_equal(h.b + 156, "x", 1);
        assert_memory_equal(h.b + 512, want, strlen(want));
        assert_int_equal(h.b[512 + strlen(want)], 0);
        assert_int_equal(h.n, h.main_at + 512);
}

static void pax_has_only_what_is_needed(void **state)
{
        struct entry en = file(SV("d/caf\xc3\xa9"));
        struct tar_head h;
        char long_name[131];

        (void)state;
        pax_is(&en, "16 path=d/caf\xc3\xa9\n");
        tar_head(&en, &h);
        assert_true(sv_is((sv){ (char *)h.b, strlen((char *)h.b) }, "PaxHeaders/caf\xc3\xa9"));
        assert_memory_equal(h.b + 100,
                            "0000644\0000000000\0000000000\000"
                            "00000000020\000"
                            "00000000000\000",
                            48);
        en = file(SV("big"));
        en.size = 8589934592;
        pax_is(&en, "19 size=8589934592\n");
        en = file(SV("owned"));
        en.uid = 3000000;
        en.gid = 3000001;
        en.mtime = 8589934592;
        pax_is(&en, "15 uid=3000000\n15 gid=3000001\n20 mtime=8589934592\n");
        memset(long_name, 'n', 130);
        en = file((sv){ long_name, 130 });
        tar_head(&en, &h);
        assert_int_equal(strnlen((char *)h.b, 100), 100); /* "PaxHeaders/" and what fits */
        assert_int_equal(field(&h, 0, 100).n, 100);       /* the path's first 100 bytes */
        en = (struct entry){ .path = SV("l"), .type = ENTRY_SYMLINK, .mode = 0777, .target = { long_name, 101 } };
        long_name[101] = 0;
        tar_head(&en, &h);
        assert_memory_equal(h.b + 512, "115 linkpath=nnn", 16);
}

static void padding(void **state)
{
        (void)state;
        assert_int_equal(tar_pad(0), 0);
        assert_int_equal(tar_pad(1), 511);
        assert_int_equal(tar_pad(512), 0);
        assert_int_equal(tar_pad(513), 511);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain_fields),
                cmocka_unit_test(paths_are_split_from_the_left),
                cmocka_unit_test(pax_has_only_what_is_needed),
                cmocka_unit_test(padding),
        };
        return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
