/* Our lock in other tools' formats: to the letter, and read back where we read the format. */
#include "lock/export.h"

#include <string.h>

#include "base/cleanup.h"
#include "lock/import.h"
#include "tests/unit/lock/example.h"
#include "tests/unit/unit.h"

static struct lock *example(struct arena *a)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct lock *l = NULL;

        assert_int_equal(lock_parse(a, sv_from(example_resolution), SV("train.lock"), &ds, &l, &e), 0);
        return l;
}

#define HEAD                                                                                                           \
        "# train, locked by envbuild for linux/amd64\n"                                                                \
        "# Not here: 1 Debian package.\n"

static void explicit_list(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct lock *l = example(&a);

        (void)state;
        assert_int_equal(lock_export_explicit(l, &l->platform[0], &b, &e), 0);
        assert_string_equal(b.p, HEAD "# platform: linux-64\n@EXPLICIT\n"
                                      "https://conda.example/noarch/tzdata-2026b-h1_0.conda#sha256:" HB "\n"
                                      "https://conda.example/linux-64/python-3.13.5-h1_0_cp313.conda#sha256:" HA "\n"
                                      "https://conda.example/linux-64/numpy-2.1.0-py313_0.conda"
                                      "#0123456789abcdef0123456789abcdef\n"
                                      "# pip idna @ https://x.example/idna-3.20-py3-none-any.whl --hash=sha256:" H1 "\n"
                                      "# pip pyjwt @ https://files.pythonhosted.org/packages/"
                                      "PyJWT-1.7.1-py2.py3-none-any.whl --hash=sha256:" HB "\n"
                                      "# pip requests @ https://x.example/requests-2.34.2-py3-none-any.whl "
                                      "--hash=sha256:" HA "\n");
}

static void environment(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct lock *l = example(&a);

        (void)state;
        lock_export_environment(l, &l->platform[0], &b);
        assert_string_equal(b.p, HEAD "name: train\n"
                                      "channels:\n"
                                      "- conda-forge\n"
                                      "- file:///srv/channel\n"
                                      "- nodefaults\n"
                                      "dependencies:\n"
                                      "- numpy=2.1.0=py313_0\n"
                                      "- python=3.13.5=h1_0_cp313\n"
                                      "- tzdata=2026b=h1_0\n"
                                      "- pip:\n"
                                      "  - idna @ https://x.example/idna-3.20-py3-none-any.whl\n"
                                      "  - pyjwt==1.7.1\n"
                                      "  - requests==2.34.2\n"
                                      "variables:\n"
                                      "  STAGE: dev\n"
                                      "  NOTE: a, b\n");
}

static void requirements(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct lock *l = example(&a);

        (void)state;
        lock_export_requirements(l, &l->platform[0], &b);
        assert_string_equal(b.p, HEAD "# Not here: 3 conda packages.\n"
                                      "--extra-index-url https://pypi.org/simple\n"
                                      "--index-url https://${TOKEN}@wheels.example/simple\n"
                                      "--find-links wheels\n"
                                      "idna @ https://x.example/idna-3.20-py3-none-any.whl --hash=sha256:" H1 "\n"
                                      "pyjwt==1.7.1 --hash=sha256:" HB "\n"
                                      "requests==2.34.2 --hash=sha256:" HA "\n");
}

/* What conda-lock would read is what we read: the same packages, hashes and needs. */
static void conda_lock_and_back(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct lock_import_opts o = { .host = SV("linux/amd64") };
        struct lock *l = example(&a), *back;
        size_t n = 0;

        (void)state;
        assert_int_equal(lock_export_conda_lock(l, NULL, &b, &e), 0);
        assert_non_null(strstr(b.p, "    python: \">=3.13,<3.14\"\n"));
        assert_int_equal(lock_import(&a, buf_sv(&b), SV("conda-lock.yml"),
                                     spec_form_of(SV("conda-lock.yml"), buf_sv(&b)), &o, &ds, &back, &e),
                         0);
        assert_int_equal(back->n_channels, 2);
        assert_int_equal(back->n_platform, 2);
        for (size_t i = 0; i < l->platform[0].n_artifact; i++) {
                const struct artifact *x = &l->platform[0].artifact[i], *y;
                if (x->kind == ARTIFACT_DEB)
                        continue;
                n++;
                y = lock_find(&back->platform[0], x->kind, x->name);
                assert_non_null(y);
                assert_true(sv_eq(x->version, y->version) && sv_eq(x->build, y->build) && sv_eq(x->url, y->url));
                assert_true(sha256_eq(&x->sha256, &y->sha256) && sv_eq(x->md5, y->md5) && x->n_needs == y->n_needs);
        }
        assert_int_equal(back->platform[0].n_artifact, n);
}

/* conda says things of one name apart; a mapping has each name once. */
static void needs_of_one_name_are_joined(void **state)
{
        sv needs[] = { SV("python >=3.8"), SV("x"), SV("python<4"), SV("x 1.0 h1_0"), SV("y *"), SV("x >=1") };
        struct artifact art = { .kind = ARTIFACT_CONDA,
                                .name = SV("a"),
                                .version = SV("1"),
                                .build = SV("0"),
                                .url = SV("https://h/linux-64/a-1-0.conda"),
                                .needs = needs,
                                .n_needs = ARRAY_LEN(needs) };
        struct lock_platform p = { .platform = SV("linux/amd64"), .artifact = &art, .n_artifact = 1 };
        struct lock l = { .name = SV("x"), .platform = &p, .n_platform = 1 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        assert_int_equal(lock_export_conda_lock(&l, &p, &b, &e), 0);
        assert_non_null(
                strstr(b.p, "  dependencies:\n    python: \">=3.8,<4\"\n    x: 1.0 h1_0\n    \"y\": \"*\"\n  url"));
        p.platform = SV("plan9/amd64");
        assert_int_equal(lock_export_conda_lock(&l, &p, &b, &e), -ERR_USAGE);
}

/* Rings come out once each, whoever is asked first. */
static void rings_are_broken(void **state)
{
        sv a_needs[] = { SV("b") }, b_needs[] = { SV("c >1"), SV("a") }, c_needs[] = { SV("a"), SV("c") };
        struct artifact v[] = {
                { .kind = ARTIFACT_CONDA, .name = SV("a"), .url = SV("u/a"), .needs = a_needs, .n_needs = 1 },
                { .kind = ARTIFACT_CONDA, .name = SV("b"), .url = SV("u/b"), .needs = b_needs, .n_needs = 2 },
                { .kind = ARTIFACT_CONDA, .name = SV("c"), .url = SV("u/c"), .needs = c_needs, .n_needs = 2 },
        };
        struct lock_platform p = { .platform = SV("linux/arm64"), .artifact = v, .n_artifact = ARRAY_LEN(v) };
        struct lock l = { .name = SV("x"), .platform = &p, .n_platform = 1 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        assert_int_equal(lock_export_explicit(&l, &p, &b, &e), 0);
        assert_non_null(strstr(b.p, "# platform: linux-aarch64\n@EXPLICIT\nu/c\nu/b\nu/a\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(explicit_list),
                cmocka_unit_test(environment),
                cmocka_unit_test(requirements),
                cmocka_unit_test(conda_lock_and_back),
                cmocka_unit_test(needs_of_one_name_are_joined),
                cmocka_unit_test(rings_are_broken),
        };
        return cmocka_run_group_tests_name("lock export", tests, NULL, NULL);
}
