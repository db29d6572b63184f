/* The scripts: what a text may hold, what a site may say, what a shell makes of them. They run for real in tests/e2e/test_run_slurm.py. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "run/target/slurm_priv.h"

static struct slurm_script plain(void)
{
        static const char *argv[] = { "/opt/envbuild-rank", "--dir", "/runs/a", "--", "/bin/sh", "-c",
                                      "echo 'it''s' $RANK", NULL };

        return (struct slurm_script){ .mode = SLURM_NONE,
                                      .id = SV("a-1"),
                                      .token = SV("a-1.1"),
                                      .dir = SV("/runs/a"),
                                      .attempt = 1,
                                      .nodes = 2,
                                      .ranks = 4,
                                      .per_node = 2,
                                      .argv = argv };
}

static int batch(const struct slurm_script *s, struct buf *out, struct err *e)
{
        buf_clear(out);
        err_done(e);
        return slurm_batch_write(s, out, e);
}

static bool has(const struct buf *b, const char *text)
{
        return b->p && strstr(b->p, text);
}

/* A shell takes the script, as far as that can be seen without running it. */
static void check_shell(const struct buf *b)
{
        const char *const argv[] = { "sh", "-n", NULL };
        const struct proc p = { .argv = argv, .input = buf_sv(b) };
        AUTO(proc_result_done) struct proc_result r = { 0 };
        AUTO(err_done) struct err e = { 0 };

        assert_int_equal(proc_run(&p, NULL, &r, &e), 0);
        if (r.status)
                fail_msg("%.*s\n%.*s", SV_ARG(buf_sv(&r.err)), SV_ARG(buf_sv(b)));
}

static void test_directives(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        AUTO(err_done) struct err e = { 0 };
        struct slurm_script s = plain();

        (void)state;
        s.dir = SV("/runs of \"me\" \\ $HOME #1");
        s.minutes = 4;
        s.time = SV("1-00:00:00");
        s.memory = 1;
        s.gpus = 2;
        s.partition = SV("gpu");
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "#SBATCH --chdir=\"/runs of \\\"me\\\" \\\\ $HOME #1\"\n"));
        assert_true(has(&b, "#SBATCH --job-name=\"a-1.1\"\n#SBATCH --comment=\"envbuild:a-1.1\"\n"));
        assert_true(has(&b, "#SBATCH --no-requeue\n") && has(&b, "#SBATCH --export=NONE\n"));
        assert_true(has(&b, "#SBATCH --time=\"4\"\n") && !has(&b, "1-00:00:00"));
        assert_true(has(&b, "#SBATCH --mem=1M\n"));
        assert_true(has(&b, "#SBATCH --gpus-per-node=\"2\"\n"));
        assert_true(has(&b, "dir='/runs of \"me\" \\ $HOME #1'\n"));
        check_shell(&b);
        s.minutes = 0;
        s.gres = SV("gpu:a100:2");
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "#SBATCH --time=\"1-00:00:00\"\n"));
        assert_true(has(&b, "#SBATCH --gres=\"gpu:a100:2\"\n") && !has(&b, "gpus-per-node"));
        s.partition = SV("a\n#SBATCH --uid=0");
        assert_int_equal(batch(&s, &b, &e), -ERR_USAGE);
}

static void test_site_arguments(void **state)
{
        static const struct {
                const char *arg;
                bool fine;
        } v[] = {
                { "--reservation=mine", true },
                { "--exclusive", true },
                { "-C", true },
                { "--mem=4G", true },
                { "--wait-all-nodes=1", true },
                { "--signal=B:USR1@60", true },
                { "--mail-user=a b\"c", true },
                { "main", false },
                { "", false },
                { "-", false },
                { "--", false },
                { "--export=ALL", false },
                { "--exp=ALL", false }, /* getopt takes beginnings */
                { "--wrap=rm", false },
                { "--array=1-9", false },
                { "-a1-9", false },
                { "-o/etc/x", false },
                { "--output=/etc/x", false },
                { "--requeue", false },
                { "--time=5", false },
                { "-W", false },
                { "--exclusive\n#SBATCH --requeue", false },
                { "--x y=1", false },
        };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                struct slurm_script s = plain();
                sv arg = sv_from(v[i].arg);
                s.sbatch_arg = &arg;
                s.n_sbatch_arg = 1;
                if ((batch(&s, &b, &e) == 0) != v[i].fine)
                        fail_msg("'%s': %s", v[i].arg, e.cause ? e.cause : "taken");
        }
}

static void test_hosts(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        AUTO(err_done) struct err e = { 0 };
        struct slurm_script s = plain();

        (void)state;
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "ENVBUILD_RANK_MASTER") && !has(&b, "ENVBUILD_RANK_HOSTS"));
        s.want_hosts = true;
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "ENVBUILD_RANK_HOSTS"));
        s.nodes = 1;
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_false(has(&b, "ENVBUILD_RANK_MASTER"));
}

static void test_srun(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        AUTO(err_done) struct err e = { 0 };
        struct slurm_script s = plain();
        struct slurm_mount m = { SV("/data"), SV("/mnt/inputs/d"), true };
        sv arg = SV("--cpu-bind=none; rm");

        (void)state;
        s.mpi = SV("pmix");
        s.cpus = 3;
        s.srun_arg = &arg;
        s.n_srun_arg = 1;
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(
                &b,
                " --mpi=pmix --cpus-per-task=3 '--cpu-bind=none; rm' \\\n        /bin/sh \"$dir/submit/rank.sh\" &\n"));
        assert_true(has(&b, "--kill-on-bad-exit=0"));
        s.mode = SLURM_PYXIS;
        s.rank = SV("/opt/envbuild-rank");
        s.image = SV("reg.example:5000/team/x@sha256:0123");
        s.mount = &m;
        s.n_mount = 1;
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "--container-image='reg.example:5000#team/x@sha256:0123'"));
        assert_true(has(&b, "--container-mounts=/runs/a:/mnt/run,/opt/envbuild-rank:/.envbuild/envbuild-rank:ro,/data:/"
                            "mnt/inputs/d:ro"));
        check_shell(&b);
        s.image = SV("team/x@sha256:0123");
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "--container-image=team/x@sha256:0123"));
        s.mode = SLURM_APPTAINER;
        assert_int_equal(batch(&s, &b, &e), 0);
        assert_true(has(&b, "sif=/runs/.sif/0123.sif\n"));
        check_shell(&b);
}

/* rank.sh is run: a rank that dies without a word says that it failed; one that ended with a record does not. */
static int run_rank(const char *dir, const char *command, const char *record)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        AUTO(free_ptr) char *status = fs_path("%s/status/1", dir), *path = fs_path("%s/rank-0.json", status);
        AUTO(err_done) struct err e = { 0 };
        AUTO(proc_result_done) struct proc_result r = { 0 };
        const char *words[] = { "/bin/sh", "-c", command, NULL };
        const char *const argv[] = { "env", "SLURM_PROCID=0", "sh", NULL };
        struct slurm_script s = plain();
        struct proc p = { .argv = argv };

        assert_int_equal(fs_remove(status, &e), 0);
        assert_int_equal(fs_mkdirs(status, 0755, &e), 0);
        assert_int_equal(fs_write(path, sv_from(record), 0644, &e), 0);
        s.dir = sv_from(dir);
        s.argv = words;
        s.argv_insert = 2;
        slurm_rank_write(&s, &b);
        check_shell(&b);
        p.input = buf_sv(&b);
        assert_int_equal(proc_run(&p, NULL, &r, &e), 0);
        return r.status;
}

static void test_rank(void **state)
{
        char dir[] = "/tmp/envbuild-slurm-XXXXXX";
        AUTO(free_ptr) char *failed = NULL;
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(100);

        (void)state;
        assert_non_null(mkdtemp(dir));
        failed = fs_path("%s/status/1/failed", dir);
        assert_int_equal(run_rank(dir, "exit 0", "{\"rank\":0}\n"), 0);
        assert_false(fs_exists(failed));
        assert_int_equal(run_rank(dir, "exit 7", "{\"rank\":0,\"end_us\":12,\"exit_code\":7}\n"), 7);
        assert_false(fs_exists(failed));
        assert_int_equal(run_rank(dir, "kill -9 $$", "{\"rank\":0,\"start_us\":12}"), 137);
        assert_int_equal(fs_read(failed, &text, &e), 0);
        assert_true(sv_is(buf_sv(&text), "rank 0\n"));
        assert_int_equal(run_rank(dir, "kill -9 $$", "{\"rank\":0,\"end_us\":0}\n"), 137);
        assert_true(fs_exists(failed));
        assert_int_equal(fs_remove(dir, &e), 0);
}

static void test_quote(void **state)
{
        static const struct {
                const char *word, *want;
        } v[] = { { "", "''" },     { "a b", "'a b'" }, { "it's", "'it'\\''s'" }, { "/a/b-c_1.2", "/a/b-c_1.2" },
                  { "$x", "'$x'" }, { "~", "'~'" } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                AUTO(buf_done) struct buf b = BUF_INIT(100);
                slurm_quote(sv_from(v[i].word), &b);
                assert_string_equal(b.p, v[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_directives), cmocka_unit_test(test_site_arguments), cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_srun),       cmocka_unit_test(test_rank),           cmocka_unit_test(test_quote),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
