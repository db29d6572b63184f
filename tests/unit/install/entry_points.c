#include <string.h>

#include "base/cleanup.h"
#include "install/wheel_priv.h"
#include "tests/unit/unit.h"

#define C "[console_scripts]\n"

/* "name=module:first:attr" of each script, in order. */
static const struct {
        const char *text, *want;
} good[] = {
        { "", "" },
        { C "a = x:main", "a=x:main:main;" },
        { C "b=x.y:c.d\na = x:main\r\n", "a=x:main:main;b=x.y:c:c.d;" },
        { C "  a  =  x:y [one, two-three]  ", "a=x:y:y;" },
        { C "a = x:y[e]", "a=x:y:y;" },
        { C "a = x:y and more", "a=x:y:y;" }, /* distlib looks no further */
        { C "A = x:y\na = x:z", "A=x:y:y;a=x:z:z;" },
        { C "a = x:y\na = x:z", "a=x:z:z;" },
        { C "a = x:y\n[gui_scripts]\na = x:gui\nb = x:b", "a=x:gui:gui;b=x:b:b;" },
        { C "# a = x:y\n\n \t\nb = \xc3\xa9:\xc3\xa9", "b=\xc3\xa9:\xc3\xa9:\xc3\xa9;" },
        { "a = before:any\n[other]\nb = not a reference at all\n" C "c = x:y", "c=x:y:y;" },
        { "[Console_Scripts]\na = x:y\n[console_scripts ]\nb = x:y", "" },
        { C "a b = x:y", "a b=x:y:y;" },
        { C "pip = p:m\npip3 = p:m\npip3.11 = p:m\npip-x = p:m", "pip=p:m:m;pip-x=p:m:m;pip3=p:m:m;pip3.13=p:m:m;" },
        { C "easy_install = e:m\neasy_install-2.7 = e:m\neasy_install-3 = e:m",
          "easy_install=e:m:m;easy_install-3=e:m:m;easy_install-3.13=e:m:m;" },
        { C "pip2 = p:m", "pip2=p:m:m;" },
};
static const struct {
        const char *text, *cause;
} bad_texts[] = {
        { C "this is none", "entry_points.txt:2: 'this is none' is not 'name = module:function'" },
        { "[any]\n\nnone", "entry_points.txt:3: 'none'" },
        { C "a = x", "names no function" },
        { C "a = x:", "names no function" },
        { C "a = x:y:z", "two colons" },
        { C "a =", "is not 'module:function'" },
        { C "= x:y", "its name is empty" },
        { C "[a = x:y", "has brackets" },
        { C "a = .x:y", "is not 'module:function'" },
        { C "a = x:y [z", "extras are malformed" },
        { C "a = x:y z]", "extras are malformed" },
        { C "a = x:y []", "extras are malformed" },
        { C "a = x:y [a] [b]", "extras are malformed" },
        { C "a = \xff:y", "is not UTF-8" },
};

static void good_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(good); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(buf_done) struct buf have = BUF_INIT(1000);
                AUTO(err_done) struct err e = { 0 };
                struct entry_points ep = { 0 };

                buf_add(&have, SV(""));
                entry_points_parse(&a, sv_from(good[i].text), SV("3.13"), &ep, &e);
                for (size_t k = 0; k < ep.n; k++)
                        buf_fmt(&have, "%.*s=%.*s:%.*s:%.*s;", SV_ARG(ep.v[k].name), SV_ARG(ep.v[k].module),
                                SV_ARG(ep.v[k].first), SV_ARG(ep.v[k].attr));
                if (e.code || !sv_is(buf_sv(&have), good[i].want))
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : have.p);
        }
        assert_int_equal(bad, 0);
}

static void bad_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad_texts); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct entry_points ep = { 0 };

                if (entry_points_parse(&a, sv_from(bad_texts[i].text), SV("3.13"), &ep, &e) != -ERR_FAILED ||
                    !strstr(e.cause, bad_texts[i].cause))
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "accepted");
        }
        assert_int_equal(bad, 0);
}

static void wrappers_of_setuptools(void **state)
{
        static const struct {
                const char *script;
                bool wraps;
        } rows[] = { { "a", true },     { "a.exe", true }, { "a-script.py", true }, { "A-SCRIPT.PY", false },
                     { "a.EXE", true }, { "a.pya", true }, { "pip3", true },        { "pip3.13", false },
                     { "b", false },    { ".exe", false }, { "a.exe.exe", false },  { "g.exe", true } };
        AUTO(arena_done) struct arena a = { 0 };
        struct err e = { 0 };
        struct entry_points ep = { 0 }, none = { 0 };
        int bad = 0;

        (void)state;
        assert_int_equal(entry_points_parse(&a, SV(C "pip = p:m\npip3 = p:m\na = x:y\n[gui_scripts]\ng = x:y"),
                                            SV("3.13"), &ep, &e),
                         0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (entry_points_wrap(&ep, sv_from(rows[i].script)) != rows[i].wraps)
                        bad++, print_error("row %zu: %s\n", i, rows[i].script);
        assert_int_equal(bad, 0);
        assert_false(entry_points_wrap(&none, SV("a")));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(good_rows), cmocka_unit_test(bad_rows),
                                            cmocka_unit_test(wrappers_of_setuptools) };
        return cmocka_run_group_tests_name("entry_points", tests, NULL, NULL);
}
