#include "pkg/control.h"

#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static const char packages[] =
        "\n\nPackage: a\nVersion: 1.0-1\nDescription: one\n two\n .\n three\n# a comment\nTag: x::y,\n z\n\n \t\n"
        "Package: b\r\nversion:  2 \r\n\nPackage: c";

static void paragraphs_and_fields(void **state)
{
        sv rest = sv_from(packages), p, name, value;
        int n = 0;

        (void)state;
        assert_true(control_next(&rest, &p));
        assert_true(sv_is(control_get(p, "package"), "a"));
        assert_true(sv_is(control_get(p, "Description"), "one\n two\n .\n three"));
        assert_true(sv_is(control_get(p, "TAG"), "x::y,\n z"));
        assert_int_equal(control_get(p, "two").n, 0);
        while (control_field(&p, &name, &value) == 1)
                n++;
        assert_int_equal(n, 4);
        assert_true(control_next(&rest, &p));
        assert_true(sv_is(control_get(p, "Version"), "2"));
        assert_true(control_next(&rest, &p));
        assert_true(sv_is(control_get(p, "Package"), "c"));
        assert_false(control_next(&rest, &p));
}

static const struct {
        const char *text, *cause; /* NULL: proper */
} check_rows[] = {
        { "Package: a\nDescription: x\n y\n", NULL },
        { "Package: a\n", NULL },
        { "", "a control file is not one paragraph" },
        { "Package: a\n\nPackage: b\n", "field 'Package' occurs twice" },
        { "Package: a\n\nSource: b\n", "a control file is not one paragraph" },
        { "Package: a\nPACKAGE: b\n", "field 'PACKAGE' occurs twice" },
        { " Package: a\n", "' Package: a' is not a field of a control file" },
        { "Package a\n", "'Package a' is not a field of a control file" },
        { ": a\n", "': a' is not a field of a control file" },
        { "-x: a\n", "'-x: a' is not a field of a control file" },
};

static void control_files_are_checked(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(check_rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                int r = control_check(sv_from(check_rows[i].text), &e);
                if ((check_rows[i].cause == NULL) != (r == 0) || (e.cause && strcmp(e.cause, check_rows[i].cause) != 0))
                        bad++, print_error("row %zu: %d %s\n", i, r, e.cause ? e.cause : "");
        }
        assert_int_equal(bad, 0);
}

/* Relations are written back as "a | b, c"; what does not hold on amd64 without profiles is gone. "!": refused. */
static const struct {
        const char *text, *back;
} dep_rows[] = {
        { "libc6 (>= 2.36)", "libc6 (>= 2.36)" },
        { "libc6(>=2.36) , zlib1g", "libc6 (>= 2.36), zlib1g" },
        { "a1 | b1 (<< 2) | c1:any,\n d1:amd64 (= 1:2-3)", "a1 | b1 (<< 2) | c1:any, d1:amd64 (= 1:2-3)" },
        { "aa [amd64], bb [arm64], cc [!arm64], dd [!amd64], ee [linux-any], ff [any-arm64 any-amd64]",
          "aa, cc, ee, ff" },
        { "aa [arm64] | bb", "bb" },
        { "aa <!nocheck>, bb <nocheck>, cc <stage1> <!cross>, dd <!cross nocheck>", "aa, cc" },
        { "aa (>> 1) [amd64] <!nodoc>", "aa (>> 1)" },
        { ",, aa ,", "aa" },
        { "", "" },
        { "libstdc++6 (> 1), g++", "libstdc++6 (>= 1), g++" },
        { "a", "!" },
        { "Foo", "!" },
        { "aa (>= )", "!" },
        { "aa (>= 1", "!" },
        { "aa:", "!" },
        { "aa:A", "!" },
        { "aa bb", "!" },
        { "aa (~> 1)", "!" },
        { "aa | | bb", "!" },
        { "-aa", "!" },
        { "${misc:Depends}", "!" },
};

static void write_back(const struct deb_rel *r, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < r[i].n; k++) {
                        buf_add(out, k ? SV(" | ") : i ? SV(", ") : SV(""));
                        control_dep_write(&r[i].alt[k], out);
                }
}

static void dependencies_are_read(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(dep_rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(buf_done) struct buf out = BUF_INIT(1000);
                struct deb_rel *r;
                size_t n;

                if (control_deps(&a, sv_from(dep_rows[i].text), SV("amd64"), &r, &n, &e) < 0)
                        buf_byte(&out, '!');
                else
                        write_back(r, n, &out);
                if (!sv_is(buf_sv(&out), dep_rows[i].back))
                        bad++, print_error("row %zu: '%s' gives '%s'\n", i, dep_rows[i].text, out.p ? out.p : "");
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paragraphs_and_fields),
                cmocka_unit_test(control_files_are_checked),
                cmocka_unit_test(dependencies_are_read),
        };
        return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
