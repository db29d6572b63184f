/* What is written to submit/ for the supervisor and the ranks is read back as it was; what is not such a text is refused. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/json.h"
#include "run/supervise/supervise_priv.h"
#include "tests/unit/unit.h"

struct place {
        char path[64];
        struct run_record rec;
        struct arena arena;
};

static int setup(void **state)
{
        struct place *p = calloc(1, sizeof(*p));
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char *submit = NULL;

        strcpy(p->path, "/tmp/envbuild-launch-XXXXXX");
        if (!mkdtemp(p->path))
                return -1;
        p->rec.dir = sv_from(p->path);
        p->rec.attempt = 1;
        submit = fs_path("%s/submit", p->path);
        *state = p;
        return fs_mkdirs(submit, 0755, &e);
}

static int teardown(void **state)
{
        struct place *p = *state;
        AUTO(err_done) struct err e = { 0 };

        arena_done(&p->arena);
        fs_remove(p->path, &e);
        free(p);
        return 0;
}

static void a_launch_comes_back(void **state)
{
        const char *argv[] = { "envbuild-rank", "--", "a b", "ü\n\"", NULL }, *env[] = { "A=1", "B=", NULL };
        const char *before[] = { "podman", "create", NULL, "true", NULL }, *stop[] = { "podman", "stop", NULL };
        struct run_launcher v[] = { { 0, argv, env, "/x" }, { -1, argv, env, "/" } };
        const struct run_launch l = { v, 2, before, 2, stop, true };
        struct place *p = *state;
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char *path = fs_path("%s/submit/launch.json", p->path);
        struct run_launch got = { 0 };
        struct stat st;

        assert_int_equal(run_launch_write(&p->rec, &l, &e), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(run_launch_read(&p->arena, &p->rec, &got, &e), 0);
        assert_int_equal(got.n, 2);
        assert_int_equal(got.v[1].rank, -1);
        assert_string_equal(got.v[0].argv[3], "ü\n\"");
        assert_null(got.v[0].argv[4]);
        assert_string_equal(got.v[0].env[1], "B=");
        assert_string_equal(got.v[0].dir, "/x");
        assert_int_equal(got.n_before, 2);
        assert_string_equal(got.before[1], "create");
        assert_null(got.before[2]);
        assert_string_equal(got.before[3], "true");
        assert_string_equal(got.stop[1], "stop");
        assert_true(got.signals);
}

static void what_is_not_utf8_is_refused(void **state)
{
        const char *argv[] = { "a", "\xff", NULL }, *env[] = { NULL };
        struct run_launcher v[] = { { 0, argv, env, "/" } };
        struct place *p = *state;
        AUTO(err_done) struct err e = { 0 };

        assert_int_equal(run_launch_write(&p->rec, &(struct run_launch){ .v = v, .n = 1 }, &e), -ERR_USAGE);
}

static void an_image_comes_back(void **state)
{
        struct oci_desc layer[] = { { .media_type = SV(OCI_LAYER_GZIP), .digest = { { 1 } }, .size = 7 },
                                    { .media_type = SV(OCI_LAYER_ZSTD), .digest = { { 2 } }, .size = 9 } };
        sha256 diff_id[] = { { { 3 } }, { { 4 } } };
        sv env[] = { SV("PATH=/bin") }, entry[] = { SV("/entry") };
        const struct run_rootfs f = { .name = SV("x@sha256:1"),
                                      .layer = layer,
                                      .diff_id = diff_id,
                                      .n = 2,
                                      .env = env,
                                      .n_env = 1,
                                      .user = SV("1000"),
                                      .workdir = SV("/w"),
                                      .entrypoint = entry,
                                      .n_entrypoint = 1 };
        struct place *p = *state;
        AUTO(err_done) struct err e = { 0 };
        struct run_rootfs got = { 0 };

        assert_int_equal(run_rootfs_write(&p->rec, &f, &e), 0);
        assert_int_equal(run_rootfs_read(&p->arena, &p->rec, &got, &e), 0);
        assert_int_equal(got.n, 2);
        assert_true(sha256_eq(&got.diff_id[1], &diff_id[1]) && sha256_eq(&got.layer[0].digest, &layer[0].digest));
        assert_int_equal(got.layer[1].size, 9);
        assert_true(sv_is(got.layer[1].media_type, OCI_LAYER_ZSTD));
        assert_true(sv_is(got.env[0], "PATH=/bin") && sv_is(got.user, "1000") && sv_is(got.entrypoint[0], "/entry"));
        assert_int_equal(got.pycache.n, 0);
}

static void damage_is_said(void **state)
{
        static const char *const bad[] = {
                "",
                "[]",
                "{}",
                "{\"launchers\":[],\"before\":[]}",
                "{\"launchers\":[{\"rank\":0,\"argv\":[],\"env\":[],\"dir\":\"/\"}],\"before\":[]}",
                "{\"launchers\":[{\"rank\":0,\"argv\":[\"a\"],\"env\":[],\"dir\":\"x\"}],\"before\":[]}",
                "{\"launchers\":[{\"rank\":-2,\"argv\":[\"a\"],\"env\":[],\"dir\":\"/\"}],\"before\":[]}",
                "{\"launchers\":[{\"rank\":0,\"argv\":[\"a\\u0000b\"],\"env\":[],\"dir\":\"/\"}],\"before\":[]}",
                "{\"launchers\":[{\"rank\":0,\"argv\":[\"a\"],\"env\":[],\"dir\":\"/\"}],\"before\":[[]]}"
        };
        struct place *p = *state;
        AUTO(free_ptr) char *path = fs_path("%s/submit/launch.json", p->path);

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct run_launch got;
                assert_int_equal(fs_write(path, sv_from(bad[i]), 0600, &e), 0);
                assert_int_equal(run_launch_read(&p->arena, &p->rec, &got, &e), -ERR_INTEGRITY);
                assert_non_null(strstr(e.cause, "launch.json"));
        }
}

static void an_attempt_has_one_supervisor(void **state)
{
        struct place *p = *state;
        AUTO(err_done) struct err e = { 0 }, none = { 0 };
        struct run_identity us, other, got;

        assert_int_equal(run_identity_read(&p->arena, &p->rec, &got, &none), -ERR_NOT_FOUND);
        run_identity_self(&p->arena, &us);
        assert_int_equal(run_identity_write(&p->rec, &us, &e), 0);
        other = us;
        other.pid++;
        assert_int_equal(run_identity_write(&p->rec, &other, &e), 1);
        assert_int_equal(run_identity_read(&p->arena, &p->rec, &got, &e), 0);
        assert_int_equal(got.pid, us.pid);
        assert_true(run_identity_alive(&got));
        got.start++; /* a stranger with the same pid */
        assert_false(run_identity_alive(&got));
        got.start--;
        got.boot = SV("another boot");
        assert_false(run_identity_alive(&got));
}

#define at_place(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = { at_place(a_launch_comes_back), at_place(what_is_not_utf8_is_refused),
                                            at_place(an_image_comes_back), at_place(damage_is_said),
                                            at_place(an_attempt_has_one_supervisor) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
