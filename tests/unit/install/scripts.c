#include <string.h>

#include "install/wheel_priv.h"
#include "tests/unit/unit.h"

static void shebang_rows(void **state)
{
        struct arena a = { 0 };
        char longest[114], longer[115];

        (void)state;
        memset(longest, 'p', sizeof(longest));
        memset(longer, 'p', sizeof(longer));
        longest[0] = longer[0] = '/';
        longest[113] = longer[114] = 0;
        assert_true(sv_is(script_shebang(&a, SV("/opt/env")), "#!/opt/env/bin/python\n"));
        assert_true(sv_is(script_shebang(&a, SV("/my env")),
                          "#!/bin/sh\n'''exec' \"/my env/bin/python\" \"$0\" \"$@\"\n' '''\n"));
        /* 127 bytes with "#!" and the line's end are what the kernel reads */
        assert_int_equal(script_shebang(&a, sv_from(longest)).n, 127);
        assert_true(sv_starts(script_shebang(&a, sv_from(longest)), SV("#!/ppp")));
        assert_true(sv_starts(script_shebang(&a, sv_from(longer)), SV("#!/bin/sh\n'''exec' /ppp")));
        arena_done(&a);
}

static void rewrite_rows(void **state)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "#!python\nprint(1)\n", "#!P\nprint(1)\n" },
                { "#!pythonw -E -s\r\nprint(1)\r\n", "#!P\nprint(1)\r\n" },
                { "#!python", "#!P\n" },
                { "#!python\n", "#!P\n" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct buf b = BUF_INIT(100);

                script_rewrite(sv_from(rows[i].text), SV("#!P\n"), &b);
                if (!sv_is(buf_sv(&b), rows[i].want))
                        bad++, print_error("row %zu: %s\n", i, b.p);
                buf_done(&b);
        }
        assert_int_equal(bad, 0);
        assert_true(script_is_python(SV("#!python3")));
        assert_false(script_is_python(SV("#!pytho")));
        assert_false(script_is_python(SV("#!/usr/bin/python")));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(shebang_rows), cmocka_unit_test(rewrite_rows) };
        return cmocka_run_group_tests_name("scripts", tests, NULL, NULL);
}
