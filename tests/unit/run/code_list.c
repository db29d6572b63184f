/* The list of a snapshot, links that leave, the index, names of secrets. */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "run/code/code_priv.h"

#define HASH      "0000000000000000000000000000000000000000000000000000000000000001"
#define HEAD      "envbuild snapshot 1\0"
#define TEXT(lit) ((sv){ "" lit, sizeof(lit) - 1 })

static void written_as_read(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        sv text = TEXT(HEAD "x " HASH " 12 a\nb\0l c/l\0../a\nb\0d d\0f " HASH " 0 z z\0");
        struct run_snapshot s;

        (void)state;
        assert_int_equal(run_list_parse(&a, text, &s, &e), 0);
        assert_int_equal(s.n, 4);
        assert_int_equal(s.files, 3);
        assert_int_equal(s.bytes, 12);
        assert_true(s.v[0].executable && s.v[1].kind == RUN_FILE_LINK && sv_is(s.v[1].target, "../a\nb"));
        assert_true(run_list_find(&s, SV("z z")) == &s.v[3] && !run_list_find(&s, SV("c")));
        run_list_write(&s, &out);
        assert_true(sv_eq(buf_sv(&out), text));
}

static void damaged_lists(void **state)
{
        static const sv bad[] = {
                TEXT(""),
                TEXT("envbuild snapshot 2\0"),
                TEXT(HEAD "d a"), /* cut off */
                TEXT(HEAD "d a\0d a\0"),
                TEXT(HEAD "d b\0d a\0"),
                TEXT(HEAD "d /a\0"),
                TEXT(HEAD "d a/\0"),
                TEXT(HEAD "d a//b\0"),
                TEXT(HEAD "d a/../b\0"),
                TEXT(HEAD "d .\0"),
                TEXT(HEAD "d outputs/x\0"),
                TEXT(HEAD "d logs\0"),
                TEXT(HEAD "l a\0b\0f " HASH " 1 a/x\0"), /* below a link */
                TEXT(HEAD "d a\0d a-\0d a/b\0"),         /* an empty folder with something in it */
                TEXT(HEAD "l a\0\0"),
                TEXT(HEAD "l a\0"),
                TEXT(HEAD "f " HASH " 01 a\0"),
                TEXT(HEAD "f " HASH " -1 a\0"),
                TEXT(HEAD "f " HASH " 18446744073709551615 a\0f " HASH " 1 b\0"),
                TEXT(HEAD "f 12 1 a\0"),
                TEXT(HEAD "q a\0"),
        };
        int passed = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct run_snapshot s;
                if (run_list_parse(&a, bad[i], &s, &e) != -ERR_INTEGRITY) {
                        passed++;
                        print_error("row %zu was read\n", i);
                }
        }
        assert_int_equal(passed, 0);
}

static void links_that_leave(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv text = TEXT(HEAD "l a\0/etc\0l b\0..\0l c\0d/e/../x\0l d/e\0..\0l f\0f\0l g\0nowhere/../x\0l h/i\0../j\0l "
                            "h/k\0../../h\0l l\0d/e/.././h\0");
        static const char *const want[] = { "a", "b", "c", "h/k", "l" };
        const struct run_file *f;
        struct run_snapshot s;
        size_t at = 0, n = 0;

        (void)state;
        assert_int_equal(run_list_parse(&a, text, &s, &e), 0);
        while ((f = run_link_leaves(&s, &at))) {
                assert_true(n < 5 && sv_is(f->path, want[n]));
                n++;
        }
        assert_int_equal(n, 5);
}

static void index_knows_what_looks_the_same(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct store_mark mark = { 7, 8, 9 };
        int64_t now = 2000000000000000000, old = now - 3000000000;
        struct run_seen same = { 10, 20, old, old }, young = { 10, 20, old, now - 1000 }, other = same;
        sha256 d = sha256_of(SV("x")), got;
        struct run_index x;

        (void)state;
        run_index_begin(&b, now, &mark);
        run_index_add(&b, SV("a"), &same, &d);
        run_index_add(&b, SV("b"), &young, &d);
        run_index_add(&b, SV("c"), &same, &d);
        run_index_add(&b, SV("e"), &same, &d);
        run_index_end(&b);
        assert_true(run_index_open(buf_sv(&b), &x));
        assert_true(x.mark.inode == 7 && x.mark.mtime_ns == 8 && x.mark.taken == 9);
        assert_true(run_index_find(&x, SV("a"), &same, &got) && sha256_eq(&got, &d));
        assert_false(run_index_find(&x, SV("b"), &young, &got)); /* written when the index was */
        other.ctime++;
        assert_false(run_index_find(&x, SV("c"), &other, &got));
        assert_false(run_index_find(&x, SV("d"), &same, &got));
        assert_true(run_index_find(&x, SV("e"), &same, &got));
        assert_false(run_index_find(&x, SV("f"), &same, &got));
        b.p[20] ^= 1;
        assert_false(run_index_open(buf_sv(&b), &x));
        assert_false(run_index_open(SV("envtree1"), &x));
}

static void secrets(void **state)
{
        static const char *const yes[] = { ".env",
                                           "a/.env",
                                           ".env.local",
                                           "x/key.pem",
                                           "tls.key",
                                           "id_rsa",
                                           "id_ed25519",
                                           "home/.netrc",
                                           "credentials.json",
                                           ".kube/config",
                                           "a/.docker/config.json",
                                           "kubeconfig",
                                           NULL };
        static const char *const no[] = {
                "env",    ".environment",   ".env.example",       "id_rsa.pub", "keys.py", "credentials.py",
                "config", "my.kube/config", "docker/config.json", "pem",        NULL
        };

        (void)state;
        for (size_t i = 0; yes[i]; i++)
                if (!run_path_is_secret(sv_from(yes[i])))
                        fail_msg("%s is one", yes[i]);
        for (size_t i = 0; no[i]; i++)
                if (run_path_is_secret(sv_from(no[i])))
                        fail_msg("%s is none", no[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(written_as_read),  cmocka_unit_test(damaged_lists),
                cmocka_unit_test(links_that_leave), cmocka_unit_test(index_knows_what_looks_the_same),
                cmocka_unit_test(secrets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
