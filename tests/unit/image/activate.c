#include "image/activate.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static sv base_env(void *arg, sv name)
{
        (void)arg;
        return sv_is(name, "HOME") ? SV("/root") : (sv){ 0 };
}

/* "K=V;K=V", or "no" when the script is not understood. */
static void gives(const char *script, const char *want)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct activate x = { .prefix = SV("/opt/env"), .env = base_env };

        if (!activate_read(&x, &a, sv_from(script))) {
                assert_int_equal(x.n_set, 0);
                buf_add(&b, SV("no"));
        }
        for (size_t i = 0; i < x.n_set; i++)
                buf_fmt(&b, "%s%.*s=%.*s", i ? ";" : "", SV_ARG(x.set[i].key), SV_ARG(x.set[i].value));
        assert_string_equal(b.p ? b.p : "", want);
}

static void variables_are_taken(void **state)
{
        (void)state;
        gives("", "");
        gives("#!/bin/sh\n# nothing\n\n", "");
        gives("export A=1", "A=1");
        gives("export A=1\r\n", "A=1");
        gives("export A=1 # why\nexport B=2; export C=3\n", "A=1;B=2;C=3");
        gives("export A='a $b \"c\"'", "A=a $b \"c\"");
        gives("export A=\"$CONDA_PREFIX/share/proj\"", "A=/opt/env/share/proj");
        gives("export A=${CONDA_PREFIX}/lib", "A=/opt/env/lib");
        gives("export A=x\nexport B=$A/y", "A=x;B=x/y");
        gives("export OLD=\"${JAVA_HOME:-}\"\nexport JAVA_HOME=\"${CONDA_PREFIX}/lib/jvm\"",
              "OLD=;JAVA_HOME=/opt/env/lib/jvm");
        gives("export A=${NOT_THERE:-word}", "A=word");
        gives("export A=${HOME-word}", "A=/root");
        gives("export A=", "A=");
}

static void everything_else_is_refused_whole(void **state)
{
        (void)state;
        gives("export A=1\nif [ -n \"$A\" ]; then\nexport B=2\nfi", "no");
        gives("A=1", "no");
        gives("export A", "no");
        gives("export A=$(date)", "no");
        gives("export A=`date`", "no");
        gives("export A=\"$(date)\"", "no");
        gives("export A=1 && rm x", "no");
        gives("export A=1;; export B=2", "no");
        gives("export A=~/x", "no");
        gives("export A=*", "no");
        gives("export A=a\\ b", "no");
        gives("export A='open", "no");
        gives("export A=${B%x}", "no");
        gives("export A=${B:-$C}", "no");
        gives("export A=${", "no");
        gives("export A=$", "no");
        gives("export A=$1", "no");
        gives("export 1A=x", "no");
        gives("export A=x B=y", "no");
        gives(". other.sh", "no");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(variables_are_taken),
                cmocka_unit_test(everything_else_is_refused_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
