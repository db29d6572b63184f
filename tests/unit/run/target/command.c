/* What a rank is started with, and the file of its variables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/target/container.h"
#include "../../unit.h"

struct fixture {
        struct arena arena;
        struct run_spec spec;
        struct run_record rec;
        struct run_ctx ctx;
        struct run_profile profile;
        struct run run;
        char dir[64];
};

static void set_up(struct fixture *f)
{
        char submit[80];

        *f = (struct fixture){ .dir = "/tmp/envbuild-command-XXXXXX" };
        assert_non_null(mkdtemp(f->dir));
        snprintf(submit, sizeof(submit), "%s/submit", f->dir);
        assert_int_equal(mkdir(submit, 0700), 0);
        run_job_init(&f->spec);
        f->spec.command = SV("echo $RANK");
        f->spec.grace_s = 30;
        f->rec = (struct run_record){ .dir = sv_from(f->dir),
                                      .id = SV("t-20260101-abcdef"),
                                      .spec = &f->spec,
                                      .attempt = 1,
                                      .image = SV("r/e@sha256:00"),
                                      .run_image = SV("localhost/x:1") };
        f->ctx.rank = "/lib/envbuild-rank";
        f->run = (struct run){ .ctx = &f->ctx, .arena = &f->arena, .rec = &f->rec, .profile = &f->profile };
}

static void tear_down(struct fixture *f)
{
        AUTO(err_done) struct err e = { 0 };

        fs_remove(f->dir, &e);
        arena_done(&f->arena);
}

/* Words joined by '|'. */
static const char *joined(struct arena *a, const char *const *v)
{
        struct buf b = BUF_INIT(65536);
        const char *ret;

        for (size_t i = 0; v[i]; i++)
                buf_fmt(&b, "%s%s", i ? "|" : "", v[i]);
        ret = arena_str(a, buf_sv(&b));
        buf_done(&b);
        return ret;
}

static const char *made(struct fixture *f, const struct run_place *p, int rank)
{
        AUTO(err_done) struct err e = { 0 };
        struct run_command c;

        assert_int_equal(run_command_make(&f->run, p, rank, &c, &e), 0);
        assert_null(c.argv[c.n]);
        return joined(&f->arena, c.argv);
}

static void command_text(void **state)
{
        const struct run_place p = { .rank = "/r", .dir = "/mnt/run", .cancel_every_ms = 250 };
        struct fixture f;

        (void)state;
        set_up(&f);
        assert_string_equal(made(&f, &p, 0),
                            "/r|--dir|/mnt/run|--attempt|1|--rank|0|--ranks|1|--per-node|1|--nodes|1|--run-id|"
                            "t-20260101-abcdef|--image|r/e@sha256:00|--grace|30|--cancel-every|250|--env-file|"
                            "/mnt/run/submit/rank.env|--|/bin/sh|-c|echo $RANK");
        tear_down(&f);
}

/* Words stay words, whatever is in them; `python` is the interpreter that was named. */
static void command_words(void **state)
{
        const struct run_place p = { .rank = "/r", .dir = "/d", .python = "/opt/py/bin/python3.9" };
        sv argv[] = { SV("python"), SV("a b"), SV("--"), SV("$(x)"), SV("") };
        struct run_output output[] = { { SV("model"), SV("uri_folder") },
                                       { SV("one"), SV("uri_file") },
                                       { SV("b"), SV("") } };
        struct fixture f;

        (void)state;
        set_up(&f);
        f.spec.argv = argv;
        f.spec.n_argv = ARRAY_LEN(argv);
        f.spec.output = output;
        f.spec.n_output = ARRAY_LEN(output);
        f.spec.timeout_s = 7;
        f.rec.attempt = 2;
        f.rec.image = (sv){ 0 };
        assert_string_equal(made(&f, &p, -1),
                            "/r|--dir|/d|--attempt|2|--ranks|1|--per-node|1|--nodes|1|--run-id|t-20260101-abcdef|"
                            "--timeout|7|--grace|30|--outputs|model,b|--env-file|/d/submit/rank.env|--path-first|"
                            "/opt/py/bin|--|/opt/py/bin/python3.9|a b|--|$(x)|");
        tear_down(&f);
}

static void command_distribution(void **state)
{
        const struct run_place p = { .rank = "/r", .dir = "/d" };
        struct fixture f;

        (void)state;
        set_up(&f);
        f.spec.dist = RUN_DIST_TENSORFLOW;
        f.spec.nodes = 2;
        f.spec.workers = 3;
        f.spec.servers = 1;
        assert_non_null(
                strstr(made(&f, &p, 3),
                       "|--rank|3|--ranks|4|--per-node|2|--nodes|2|--dist|tensorflow|--workers|3|--servers|1|"));
        f.spec.dist = RUN_DIST_PYTORCH;
        f.spec.per_node = 4;
        assert_non_null(strstr(made(&f, &p, 3), "|--ranks|8|--per-node|4|--nodes|2|--dist|pytorch|--run-id|"));
        tear_down(&f);
}

static void command_none(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        const struct run_place p = { .rank = "/r", .dir = "/d" };
        struct run_command c;
        struct fixture f;

        (void)state;
        set_up(&f);
        f.spec.command = (sv){ 0 };
        assert_int_equal(run_command_make(&f.run, &p, 0, &c, &e), -ERR_USAGE);
        tear_down(&f);
}

static void variables(void **state)
{
        static const char want[] =
                "UNIT_TOKEN=secret\0A=1=2\0B=\0ENVBUILD_INPUT_C=0.8\0ENVBUILD_INPUT_data=/mnt/inputs/data\0"
                "ENVBUILD_INPUT_copy=/mnt/run/inputs/copy\0ENVBUILD_INPUT_far=azureml:x:1";
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(65536);
        struct run_pair env[] = { { SV("A"), SV("1=2") }, { SV("B"), SV("") } };
        struct run_input input[] = {
                { .name = SV("C"), .kind = RUN_INPUT_LITERAL, .value = SV("0.8") },
                { .name = SV("data"), .kind = RUN_INPUT_FOLDER, .value = SV("/home/d") },
                { .name = SV("copy"), .kind = RUN_INPUT_FILE, .value = SV("/home/f"), .download = true },
                { .name = SV("far"), .kind = RUN_INPUT_REMOTE, .value = SV("azureml:x:1") }
        };
        sv host[] = { SV("UNIT_TOKEN") };
        struct fixture f;
        const char *path;
        struct stat st;

        (void)state;
        set_up(&f);
        path = arena_fmt(&f.arena, "%s/submit/rank.env", f.dir).p;
        f.spec.env = env;
        f.spec.n_env = ARRAY_LEN(env);
        f.spec.input = input;
        f.spec.n_input = ARRAY_LEN(input);
        f.spec.host_env = host;
        f.spec.n_host_env = 1;
        unsetenv("UNIT_TOKEN");
        assert_int_equal(run_rank_env_write(&f.run, "/mnt/run", &e), -ERR_USAGE);
        assert_non_null(strstr(e.cause, "UNIT_TOKEN"));
        assert_false(fs_exists(path));
        err_done(&e);
        setenv("UNIT_TOKEN", "secret", 1);
        assert_int_equal(run_rank_env_write(&f.run, "/mnt/run", &e), 0);
        assert_int_equal(fs_read(path, &text, &e), 0);
        assert_int_equal(text.n, sizeof(want));
        assert_memory_equal(text.p, want, sizeof(want));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        /* without a container inputs are where they are */
        f.spec.environment.kind = RUN_ENV_HOST;
        buf_clear(&text);
        assert_int_equal(run_rank_env_write(&f.run, "/d", &e), 0);
        assert_int_equal(fs_read(path, &text, &e), 0);
        assert_non_null(memmem(text.p, text.n, "data=/home/d", sizeof("data=/home/d")));
        run_rank_env_drop(&f.rec);
        assert_false(fs_exists(path));
        tear_down(&f);
}

static void variables_that_cannot_be(void **state)
{
        struct run_pair rows[] = {
                { SV(""), SV("x") }, { SV("A=B"), SV("x") }, { SV("A\0B"), SV("x") }, { SV("A"), SV("x\0y") }
        };
        struct fixture f;

        (void)state;
        set_up(&f);
        f.spec.n_env = 1;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct err e = { 0 };

                f.spec.env = &rows[i];
                assert_int_equal(run_rank_env_write(&f.run, "/d", &e), -ERR_USAGE);
                err_done(&e);
        }
        tear_down(&f);
}

static void mounts(void **state)
{
        static const struct {
                const char *src, *want;
        } rows[] = {
                { "/a", "type=bind,src=/a,dst=/d" },
                { "/a b:c", "type=bind,src=/a b:c,dst=/d" },
                { "/a,b", "type=bind,\"src=/a,b\",dst=/d" },
                { "/a\"b", "type=bind,\"src=/a\"\"b\",dst=/d" },
        };
        struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_string_equal(container_mount(&a, sv_from(rows[i].src), SV("/d"), false).p, rows[i].want);
        assert_string_equal(container_mount(&a, SV("/a"), SV("/d"), true).p, "type=bind,src=/a,dst=/d,readonly");
        arena_done(&a);
}

static void states(void **state)
{
        static const char *const on[] = { "running", "Up 3 seconds", "paused", "restarting", "stopping" };
        static const char *const over[] = {
                "exited", "Exited (137) 3 seconds ago", "Created", "created", "configured", "stopped", "dead", ""
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(on); i++)
                assert_true(container_goes_on(sv_from(on[i])));
        for (size_t i = 0; i < ARRAY_LEN(over); i++)
                assert_false(container_goes_on(sv_from(over[i])));
}

static const char *created(struct fixture *f, const char *engine, int rank)
{
        AUTO(err_done) struct err e = { 0 };
        const char **argv;
        size_t n;

        assert_int_equal(container_create(&f->run, container_engine_find(sv_from(engine)), rank, &argv, &n, &e), 0);
        assert_null(argv[n]);
        return joined(&f->arena, argv);
}

static void create(void **state)
{
        sv docker_arg[] = { SV("--ipc"), SV("host") };
        struct run_mount mount[] = { { SV("/data"), SV("/d"), true } };
        struct run_input input[] = { { .name = SV("x"), .kind = RUN_INPUT_FOLDER, .value = SV("/in") } };
        struct fixture f;
        const char *all;

        (void)state;
        set_up(&f);
        f.spec.gpus = 2;
        f.spec.cpus = 4;
        f.spec.memory = 1 << 20;
        f.spec.shm_size = 4096;
        f.spec.docker_arg = docker_arg;
        f.spec.n_docker_arg = 2;
        f.spec.mount = mount;
        f.spec.n_mount = 1;
        f.spec.input = input;
        f.spec.n_input = 1;
        all = created(&f, "podman", 0);
        assert_ptr_equal(
                strstr(all,
                       "podman|create|--name|envbuild-t-20260101-abcdef-1-0|--label|envbuild.run=t-20260101-abcdef|"),
                all);
        assert_non_null(strstr(all, "|--pull|never|--network|host|"));
        assert_non_null(strstr(all, "|type=bind,src=/lib/envbuild-rank,dst=/.envbuild/envbuild-rank,readonly|"));
        assert_non_null(strstr(
                all, "|type=bind,src=/data,dst=/d,readonly|--mount|type=bind,src=/in,dst=/mnt/inputs/x,readonly|"));
        assert_non_null(
                strstr(all, "|--shm-size|4096b|--memory|1048576b|--cpus|4|--device|nvidia.com/gpu=all|--entrypoint|"
                            "/.envbuild/envbuild-rank|--ipc|host|localhost/x:1|--dir|/mnt/run|--attempt|1|--rank|0|"));
        assert_non_null(strstr(all, "|--|/bin/sh|-c|echo $RANK"));
        /* an image of a registry is pulled, by its digest */
        f.rec.run_image = (sv){ 0 };
        assert_non_null(strstr(created(&f, "docker", 0), "|--pull|missing|"));
        assert_non_null(strstr(created(&f, "docker", 0), "|--gpus|all|"));
        assert_non_null(strstr(created(&f, "docker", 0), "|r/e@sha256:00|--dir|"));
        tear_down(&f);
}

static void create_mpi(void **state)
{
        struct fixture f;
        const char *all;

        (void)state;
        set_up(&f);
        f.spec.dist = RUN_DIST_MPI;
        f.spec.per_node = 3;
        all = created(&f, "podman", -1);
        assert_non_null(strstr(all, "|--entrypoint|mpirun|localhost/x:1|-n|3|/.envbuild/envbuild-rank|--dir|/mnt/"
                                    "run|--attempt|1|--ranks|3|"));
        tear_down(&f);
}

/* What an image is started with stays around the command. */
static void create_entrypoint(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        sv entry[] = { SV("/opt/env/activate"), SV("--") };
        struct oci_desc layer = { .media_type = SV("application/vnd.oci.image.layer.v1.tar"), .size = 1 };
        sha256 diff = { 0 };
        struct run_rootfs r = { .name = SV("x@sha256:00"),
                                .layer = &layer,
                                .diff_id = &diff,
                                .n = 1,
                                .entrypoint = entry,
                                .n_entrypoint = 2 };
        struct fixture f;

        (void)state;
        set_up(&f);
        assert_int_equal(run_rootfs_write(&f.rec, &r, &e), 0);
        assert_non_null(strstr(created(&f, "podman", 0), "|--|/opt/env/activate|--|/bin/sh|-c|echo $RANK"));
        tear_down(&f);
}

static void rank_program(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        char path[128];
        const char *found;
        struct fixture f;
        FILE *file;

        (void)state;
        set_up(&f);
        setenv("ENVBUILD_LIBDIR", f.dir, 1);
        snprintf(path, sizeof(path), "%s/envbuild-rank", f.dir);
        file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(run_rank_program(&f.arena, &found, &e), 0);
        assert_string_equal(found, path);
        tear_down(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(command_text),
                cmocka_unit_test(command_words),
                cmocka_unit_test(command_distribution),
                cmocka_unit_test(command_none),
                cmocka_unit_test(variables),
                cmocka_unit_test(variables_that_cannot_be),
                cmocka_unit_test(mounts),
                cmocka_unit_test(states),
                cmocka_unit_test(create),
                cmocka_unit_test(create_mpi),
                cmocka_unit_test(create_entrypoint),
                cmocka_unit_test(rank_program),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
