#include "image/image_priv.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void conda_reads_what_was_asked_and_what_is_there(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct artifact v[] = {
                { .kind = ARTIFACT_DEB, .name = SV("libc6"), .version = SV("2.41") },
                { .kind = ARTIFACT_CONDA,
                  .name = SV("numpy"),
                  .version = SV("1.26.4"),
                  .build = SV("py311h_0"),
                  .url = SV("https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h_0.conda") },
                { .kind = ARTIFACT_CONDA,
                  .name = SV("six"),
                  .version = SV("1.16.0"),
                  .build = SV("py_0"),
                  .url = SV("http://127.0.0.1:8000/chan/noarch/six-1.16.0-py_0.tar.bz2") },
                { .kind = ARTIFACT_WHEEL, .name = SV("idna"), .version = SV("3") },
        };
        sv specs[] = { SV("numpy=1.26"), SV("six >=1,<2") }, env[] = { SV("A=1"), SV("B=\"x\"=y") };
        struct lock l = { .created = 1732441812, .conda_specs = specs, .n_conda_specs = 2 };
        struct lock_platform p = { .artifact = v, .n_artifact = 4 };

        (void)state;
        history_write(&l, &p, &b);
        assert_string_equal(b.p, "==> 2024-11-24 09:50:12 <==\n"
                                 "# update specs: [\"numpy=1.26\",\"six >=1,<2\"]\n"
                                 "+conda-forge/linux-64::numpy-1.26.4-py311h_0\n"
                                 "+http://127.0.0.1:8000/chan/noarch::six-1.16.0-py_0\n");
        buf_clear(&b);
        assert_false(state_write(&l, &b));
        l.config.env = env;
        l.config.n_env = 2;
        assert_true(state_write(&l, &b));
        assert_string_equal(b.p, "{\"env_vars\":{\"A\":\"1\",\"B\":\"\\\"x\\\"=y\"},\"version\":1}");
}

static void python_is_the_package(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct artifact v[] = {
                { .kind = ARTIFACT_CONDA, .name = SV("python"), .version = SV("3.13.1"), .build = SV("h_0_cp313t") },
                { .kind = ARTIFACT_CONDA, .name = SV("python_abi"), .version = SV("3.13"), .build = SV("8_cp313t") },
        };
        struct lock_platform p = { .artifact = v, .n_artifact = 2 };

        (void)state;
        conda_python(&p, &a);
        assert_true(p.has_python);
        assert_true(sv_is(p.python.path, "/opt/env/bin/python3.13"));
        assert_true(sv_is(p.python.abi, "cp313t"));
        assert_true(sv_is(p.python.site_packages, "lib/python3.13/site-packages"));
        assert_true(sv_is(p.python.from, "conda"));
        v[0].site_packages = SV("lib/python3.13t/site-packages");
        p.n_artifact = 1;
        conda_python(&p, &a);
        assert_true(sv_is(p.python.abi, "cp313"));
        assert_true(sv_is(p.python.site_packages, "lib/python3.13t/site-packages"));
        p.n_artifact = 0;
        conda_python(&p, &a);
        assert_false(p.has_python);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(conda_reads_what_was_asked_and_what_is_there),
                cmocka_unit_test(python_is_the_package),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
