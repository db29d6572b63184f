#include "base/attr.h"
#include "image/image_priv.h"
#include "tests/unit/unit.h"

struct row {
        const char *path;
        char type;
        uint32_t mode;
        const char *target, *content;
};

static void fill(struct arena *a, struct scan *s, const struct row *rows, size_t n)
{
        *s = (struct scan){ 0 };
        for (size_t i = 0; i < n; i++) {
                struct scan_file *f = arena_new(a, struct scan_file);
                *f = (struct scan_file){ .path = sv_from(rows[i].path),
                                         .type = (enum entry_type)rows[i].type,
                                         .mode = rows[i].mode,
                                         .target = sv_from(rows[i].target),
                                         .content = sv_from(rows[i].content) };
                *arena_push(a, s->v, s->n, s->cap) = f;
                map_put(&s->by_path, a, f->path, f);
        }
}

static const struct row debian[] = {
        { "bin", 'l', 0777, "usr/bin", NULL },
        { "etc/os-release", 'l', 0777, "../usr/lib/os-release", NULL },
        { "opt", 'd', 0755, NULL, NULL },
        { "root", 'd', 0700, NULL, NULL },
        { "tmp", 'd', 01777, NULL, NULL },
        { "usr/bin/python3", 'l', 0777, "python3.11", NULL },
        { "usr/bin/python3.11", 'f', 0755, NULL, NULL },
        { "usr/lib/os-release", 'f', 0644, NULL, "NAME=x\nID=debian\nVERSION_ID=\"12\"\n" },
        { "var/lib/dpkg/status", 'f', 0644, NULL,
          "Package: libc6\nVersion: 2.36-9+deb12u10\n\nPackage: python3.11-minimal\nStatus: x\nVersion: "
          "3.11.2-6+deb12u5\n" },
};

static void facts_of_debian(void **state)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        struct oci_config cfg = { 0 };
        struct lock_facts f;
        struct lock_python py;
        struct scan s;
        bool has = false;

        (void)state;
        fill(&a, &s, debian, ARRAY_LEN(debian));
        assert_int_equal(facts_read(&s, &a, &f, &e), 0);
        assert_true(sv_is(f.root, "opt") && f.usrmerged);
        assert_true(sv_is(f.libc_name, "glibc") && sv_is(f.libc_version, "2.36"));
        assert_true(sv_is(f.os_name, "debian") && sv_is(f.os_version, "12"));
        assert_int_equal(f.n_odd_dir, 2);
        assert_true(sv_is(f.odd_dir[0].path, "root") && f.odd_dir[1].mode == 01777);
        assert_int_equal(facts_python(&s, &cfg, &a, &has, &py, &e), 0);
        assert_true(has && sv_is(py.version, "3.11.2") && sv_is(py.path, "/usr/bin/python3.11"));
        assert_true(sv_is(py.abi, "cp311") && sv_is(py.site_packages, "lib/python3.11/site-packages"));
        arena_done(&a);
}

static void python_from_the_environment(void **state)
{
        static const struct row rows[] = {
                { "usr/local/bin/python3", 'l', 0777, "python3.12", NULL },
                { "usr/local/bin/python3.12", 'f', 0755, NULL, NULL },
                { "lib/apk/db/installed", 'f', 0644, NULL, "C:x\nP:busybox\nV:1.36\n\nC:y\nP:musl\nV:1.2.4-r2\n" },
        };
        sv env[] = { SV("PATH=/usr/local/bin:/usr/bin"), SV("PYTHON_VERSION=3.12.7") };
        struct oci_config cfg = { .env = env, .n_env = 2 };
        struct arena a = { 0 };
        struct err e = { 0 };
        struct lock_facts f;
        struct lock_python py;
        struct scan s;
        bool has = false;

        (void)state;
        fill(&a, &s, rows, ARRAY_LEN(rows));
        assert_int_equal(facts_read(&s, &a, &f, &e), 0);
        assert_true(sv_is(f.libc_name, "musl") && sv_is(f.libc_version, "1.2.4") && !f.usrmerged);
        assert_int_equal(facts_python(&s, &cfg, &a, &has, &py, &e), 0);
        assert_true(has && sv_is(py.version, "3.12.7") && sv_is(py.path, "/usr/local/bin/python3.12"));
        env[1] = SV("PYTHON_VERSION=3.11.7"); /* of another python: does not fit */
        assert_int_equal(facts_python(&s, &cfg, &a, &has, &py, &e), -ERR_USAGE);
        assert_non_null(e.hint);
        err_done(&e);
        arena_done(&a);
}

static void links_are_followed(void **state)
{
        static const struct row rows[] = {
                { "opt", 'l', 0777, "/srv/opt", NULL }, { "srv", 'd', 0755, NULL, NULL },
                { "srv/opt", 'd', 0755, NULL, NULL },   { "a", 'l', 0777, "b", NULL },
                { "b", 'l', 0777, "a", NULL },          { "up", 'l', 0777, "../../../srv", NULL },
        };
        struct arena a = { 0 };
        struct scan s;

        (void)state;
        fill(&a, &s, rows, ARRAY_LEN(rows));
        assert_true(sv_is(scan_real(&s, &a, SV("opt")), "srv/opt"));
        assert_true(sv_is(scan_real(&s, &a, SV("up/opt")), "srv/opt"));
        assert_int_equal(scan_real(&s, &a, SV("a")).n, 0);
        assert_int_equal(scan_real(&s, &a, SV("none")).n, 0);
        arena_done(&a);
}

static void something_at_the_prefix(void **state)
{
        static const struct row rows[] = { { "opt", 'd', 0755, NULL, NULL }, { "opt/env", 'd', 0755, NULL, NULL } };
        struct arena a = { 0 };
        struct err e = { 0 };
        struct lock_facts f;
        struct scan s;

        (void)state;
        fill(&a, &s, rows, ARRAY_LEN(rows));
        assert_int_equal(facts_read(&s, &a, &f, &e), -ERR_USAGE);
        assert_string_equal(e.cause, "the base already has something at /opt/env");
        err_done(&e);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(facts_of_debian),
                cmocka_unit_test(python_from_the_environment),
                cmocka_unit_test(links_are_followed),
                cmocka_unit_test(something_at_the_prefix),
        };
        return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
