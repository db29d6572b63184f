/* Runs on the bare machine below a real supervisor: this program is started again as one, as the real one would be. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "run/supervise/supervise_priv.h"
#include "run/target/submit.h"
#include "tests/unit/unit.h"

#define LIMIT_MS 60000

struct world {
        char *path;
        struct arena arena;
        struct op op;
        struct diags diags;
        struct run_ctx ctx;
        char program[4096];
        struct run_spec spec;
        struct run_profile profile;
        struct run run;
};

static void fail_with(struct err *e)
{
        fail_msg("%s%s%s", e->cause ? e->cause : "?", e->trail ? " " : "", e->trail ? e->trail : "");
}

static int setup(void **state)
{
        struct world *w = calloc(1, sizeof(*w));
        const char *tmp = getenv("TMPDIR");
        struct err e = { 0 };
        ssize_t n;

        w->path = fs_path("%s/envbuild-run-XXXXXX", tmp ? tmp : "/tmp");
        n = readlink("/proc/self/exe", w->program, sizeof(w->program) - 1);
        if (!getenv("ENVBUILD_RANK") || !mkdtemp(w->path) || n <= 0)
                return -1;
        setenv("ENVBUILD_CACHE_DIR", w->path, 1);
        w->op.jobs = 1;
        w->ctx = (struct run_ctx){
                .op = &w->op, .diags = &w->diags, .program = w->program, .rank = getenv("ENVBUILD_RANK")
        };
        if (store_open(w->path, true, &w->op, &w->ctx.store, &e) < 0)
                return -1;
        run_job_init(&w->spec);
        w->spec.environment = (struct run_environment){ .kind = RUN_ENV_HOST, .text = SV("/bin/sh") };
        w->spec.experiment = SV("test");
        w->spec.compute = SV("process");
        w->spec.grace_s = 1;
        *state = w;
        return 0;
}

static int teardown(void **state)
{
        struct world *w = *state;
        struct err e = { 0 };

        store_close(w->ctx.store);
        fs_remove(w->path, &e);
        diags_done(&w->diags);
        arena_done(&w->arena);
        free(w->path);
        free(w);
        return e.code ? -1 : 0;
}

static void create(struct world *w, const char *script)
{
        AUTO(err_done) struct err e = { 0 };
        sv root = arena_fmt(&w->arena, "%s/runs", w->path);

        w->spec.command = sv_from(script);
        w->profile = (struct run_profile){ .name = SV("process"), .target = run_target_find(SV("process")) };
        w->run = (struct run){ .ctx = &w->ctx, .arena = &w->arena, .profile = &w->profile };
        if (run_record_create(&w->ctx, &w->arena, root, &w->spec, &w->run.rec, &e) < 0)
                fail_with(&e);
        w->run.rec->target = w->run.rec->compute = SV("process");
        if (run_record_write(w->run.rec, &e) < 0)
                fail_with(&e);
}

static void submit(struct world *w, const char *script)
{
        AUTO(err_done) struct err e = { 0 };

        create(w, script);
        if (run_submit(&w->run, &e) < 0)
                fail_with(&e);
        assert_true(w->run.rec->handle.n > 0);
}

static bool look(struct world *w, struct err *e)
{
        struct run_record *now;

        if (run_record_open(&w->arena, w->run.rec->dir, &now, e) < 0)
                fail_with(e);
        w->run.rec->status = now->status;
        w->run.rec->attempt = now->attempt;
        return run_state_final(now->status.state);
}

static void pause_ms(long ms)
{
        nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* As run_refresh does it: whoever holds the claim asks. */
static void finish(struct world *w)
{
        AUTO(err_done) struct err e = { 0 };
        int64_t until = clock_ms() + LIMIT_MS;
        sha256 key = run_record_key(w->run.rec);

        while (!look(w, &e)) {
                AUTO(store_claim_drop) struct store_claim claim = { 0 };
                struct run_status st = w->run.rec->status;
                assert_true(clock_ms() < until);
                if (store_claim_take(w->ctx.store, &key, &claim, &e) == 0 && !look(w, &e)) {
                        st = w->run.rec->status;
                        if (run_supervise_poll(&w->run, &st, &e) < 0 ||
                            run_record_take(w->run.rec, &st, "", NULL, &e) < 0)
                                fail_with(&e);
                }
                pause_ms(10);
        }
}

static void nobody_is_left(struct world *w)
{
        struct run_procs left;
        int64_t until = clock_ms() + 5000;

        do {
                run_procs_of(w->run.rec->id, 0, &left);
                if (left.all)
                        pause_ms(10);
        } while (left.all && clock_ms() < until);
        assert_int_equal(left.all, 0);
}

static sv text_of(struct world *w, const char *name)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        struct err e = { 0 };
        sv ret;

        if (fs_read(run_path(&w->arena, w->run.rec, "%s", name).p, &b, &e) < 0)
                fail_with(&e);
        ret = arena_sv(&w->arena, buf_sv(&b));
        buf_done(&b);
        return ret;
}

static void expect(struct world *w, enum run_state state, enum run_reason reason, int code)
{
        const struct run_status *s = &w->run.rec->status;

        finish(w);
        if (s->state != state || s->reason != reason || run_status_exit(s) != code)
                fail_msg("%s %s %d (%.*s)", run_state_name(s->state), run_reason_name(s->reason), run_status_exit(s),
                         SV_ARG(s->message));
        nobody_is_left(w);
        assert_false(fs_exists(run_path(&w->arena, w->run.rec, "submit/rank.env").p));
}

static void wait_for(struct world *w, const char *name)
{
        int64_t until = clock_ms() + LIMIT_MS;

        while (!fs_exists(run_path(&w->arena, w->run.rec, "%s", name).p)) {
                assert_true(clock_ms() < until);
                pause_ms(5);
        }
}

static void cancel(struct world *w)
{
        AUTO(err_done) struct err e = { 0 };

        if (run_cancel(&w->run, &e) < 0)
                fail_with(&e);
}

static pid_t supervisor(struct world *w)
{
        AUTO(err_done) struct err e = { 0 };
        struct run_identity id;

        if (run_identity_read(&w->arena, w->run.rec, &id, &e) < 0)
                fail_with(&e);
        return id.pid;
}

static void exit_codes_are_the_commands(void **state)
{
        static const struct {
                const char *script;
                enum run_state state;
                enum run_reason reason;
                int code;
        } rows[] = {
                { "echo out; echo err >&2; echo made > outputs/x", RUN_COMPLETED, RUN_R_NONE, 0 },
                { "exit 7", RUN_FAILED, RUN_R_EXIT_CODE, 7 },
                { "exit 125", RUN_FAILED, RUN_R_EXIT_CODE, 125 },
                { "exit 255", RUN_FAILED, RUN_R_EXIT_CODE, 255 },
                { "kill -SEGV $$", RUN_FAILED, RUN_R_SIGNAL, 139 },
                { "kill -KILL $$", RUN_FAILED, RUN_R_SIGNAL, 137 },
        };
        struct world *w = *state;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                submit(w, rows[i].script);
                expect(w, rows[i].state, rows[i].reason, rows[i].code);
                if (i == 0) {
                        assert_true(sv_is(text_of(w, "user_logs/std_log.txt"), "out\nerr\n"));
                        assert_true(sv_is(text_of(w, "outputs/x"), "made\n"));
                }
        }
}

static void the_first_that_fails_is_named(void **state)
{
        struct world *w = *state;

        w->spec.dist = RUN_DIST_PYTORCH;
        w->spec.per_node = 2;
        submit(w, "echo rank $RANK of $WORLD_SIZE; [ $RANK = 1 ] && exit 11; exec sleep 600");
        pause_ms(200);
        cancel(w); /* the other one would have half a minute */
        finish(w);
        assert_int_equal(w->run.rec->status.first_bad_rank, 1);
        assert_true(sv_is(text_of(w, "user_logs/std_log_process_1.txt"), "rank 1 of 2\n"));
        nobody_is_left(w);
}

static void a_timeout_ends_it(void **state)
{
        struct world *w = *state;

        w->spec.timeout_s = 1;
        submit(w, "exec sleep 600");
        expect(w, RUN_FAILED, RUN_R_TIMEOUT, 124);
}

static void a_cancelled_one_may_clean_up(void **state)
{
        struct world *w = *state;

        w->spec.grace_s = 20;
        submit(w, "trap 'sleep 0.5; echo saved > outputs/state; exit 3' TERM; echo > outputs/ready; while :; do sleep "
                  "0.05; done");
        wait_for(w, "outputs/ready");
        cancel(w);
        cancel(w);
        expect(w, RUN_CANCELED, RUN_R_NONE, 130);
        assert_true(sv_is(text_of(w, "outputs/state"), "saved\n"));
        cancel(w);
        assert_int_equal(w->run.rec->status.state, RUN_CANCELED);
}

static void one_that_does_not_listen_is_killed(void **state)
{
        struct world *w = *state;

        submit(w, "trap '' TERM; echo > outputs/ready; (setsid sh -c 'trap \"\" TERM; sleep 600' &); while :; do sleep "
                  "0.05; done");
        wait_for(w, "outputs/ready");
        cancel(w);
        expect(w, RUN_CANCELED, RUN_R_NONE, 130);
}

static void cancelled_before_it_starts_it_does_not(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        struct world *w = *state;

        create(w, "echo > outputs/ran");
        assert_int_equal(run_cancel_write(w->run.rec, &e), 0);
        assert_int_equal(run_submit(&w->run, &e), 0);
        finish(w);
        assert_int_equal(w->run.rec->status.state, RUN_CANCELED);
        assert_false(fs_exists(run_path(&w->arena, w->run.rec, "outputs/ran").p));
}

static void leftovers_are_ended(void **state)
{
        struct world *w = *state;

        submit(w, "(setsid sleep 600 &); (sh -c 'sleep 600 & exec sleep 600' &); i=0; while [ $i -lt 50 ]; do sleep "
                  "600 & i=$((i+1)); done; exit 5");
        expect(w, RUN_FAILED, RUN_R_EXIT_CODE, 5);
}

static void a_stopped_shim_is_ended(void **state)
{
        struct world *w = *state;

        submit(w, "kill -STOP $PPID; echo > outputs/ready; exec sleep 600");
        wait_for(w, "outputs/ready");
        cancel(w);
        expect(w, RUN_CANCELED, RUN_R_NONE, 130); /* after grace + 10 s */
}

static void a_killed_shim_is_lost_and_said(void **state)
{
        struct world *w = *state;

        submit(w, "kill -KILL $PPID; exec sleep 600");
        finish(w);
        assert_int_equal(w->run.rec->status.state, RUN_FAILED);
        assert_int_equal(w->run.rec->status.reason, RUN_R_LOST);
        assert_true(sv_find_sv(w->run.rec->status.message, SV("killed by signal 9")) >= 0);
        nobody_is_left(w);
}

static void the_next_attempt_comes_by_itself(void **state)
{
        static const sv on[] = { { "exit-code", 9 } };
        struct world *w = *state;

        w->spec.retries = 2;
        w->spec.retry_on = (sv *)on;
        w->spec.n_retry_on = 1;
        submit(w, "echo x >> outputs/tries; [ $ENVBUILD_ATTEMPT = 3 ] || exit 9");
        expect(w, RUN_COMPLETED, RUN_R_NONE, 0);
        assert_int_equal(w->run.rec->attempt, 3);
        assert_true(sv_is(text_of(w, "outputs/tries"), "x\nx\nx\n"));
}

static void without_a_supervisor_ranks_go_on(void **state)
{
        struct world *w = *state;

        submit(w, "echo > outputs/ready; while [ ! -e outputs/go ]; do sleep 0.02; done; exit 9");
        wait_for(w, "outputs/ready");
        kill(supervisor(w), SIGKILL);
        for (int i = 0; i < 10; i++) {
                AUTO(err_done) struct err e = { 0 };
                struct run_status st = w->run.rec->status;
                assert_int_equal(run_supervise_poll(&w->run, &st, &e), 0);
                assert_false(run_state_final(st.state));
                pause_ms(5);
        }
        assert_int_equal(fs_write(run_path(&w->arena, w->run.rec, "outputs/go").p, SV(""), 0666, &(struct err){ 0 }),
                         0);
        expect(w, RUN_FAILED, RUN_R_EXIT_CODE, 9);
}

static void without_a_supervisor_cancel_still_works(void **state)
{
        struct world *w = *state;

        submit(w, "echo > outputs/ready; exec sleep 600");
        wait_for(w, "outputs/ready");
        kill(supervisor(w), SIGKILL);
        cancel(w);
        expect(w, RUN_CANCELED, RUN_R_NONE, 130);
}

static void with_everybody_killed_it_is_lost(void **state)
{
        struct run_procs n;
        struct world *w = *state;

        submit(w, "(setsid sleep 600 &); echo > outputs/ready; exec sleep 600");
        wait_for(w, "outputs/ready");
        kill(supervisor(w), SIGKILL);
        run_procs_of(w->run.rec->id, SIGKILL, &n);
        assert_int_equal(n.ranks, 1);
        expect(w, RUN_FAILED, RUN_R_LOST, 125);
}

/* Quick ones, killed at any moment: the folder can always be read, nobody stays, and who has written his code keeps it. */
static void a_supervisor_may_die_at_any_moment(void **state)
{
        enum { TIMES = 100, LONGEST_US = 60000 };
        struct world *w = *state;
        unsigned seed = 1, lost = 0;

        w->spec.dist = RUN_DIST_PYTORCH;
        w->spec.per_node = 2;
        for (int i = 0; i < TIMES; i++) {
                submit(w, "sleep 0.02; exit 9");
                nanosleep(&(struct timespec){ .tv_nsec = (long)(rand_r(&seed) % LONGEST_US) * 1000 }, NULL);
                kill(supervisor(w), SIGKILL);
                finish(w);
                nobody_is_left(w);
                assert_int_equal(w->run.rec->status.state, RUN_FAILED);
                if (w->run.rec->status.reason == RUN_R_LOST)
                        lost++; /* before its ranks were started */
                else
                        assert_int_equal(run_status_exit(&w->run.rec->status), 9);
        }
        print_message("%u of %d were killed before their ranks began\n", lost, TIMES);
        assert_true(lost < TIMES);
}

static void nobody_starts_an_attempt_twice(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        struct world *w = *state;
        sv first, second;

        submit(w, "echo x >> outputs/tries; while [ ! -e outputs/go ]; do sleep 0.02; done");
        first = arena_sv(&w->arena, w->run.rec->handle);
        assert_int_equal(run_supervise_find(&w->run, &second, &e), 0);
        assert_true(sv_eq(first, second));
        assert_int_equal(fs_write(run_path(&w->arena, w->run.rec, "outputs/go").p, SV(""), 0666, &e), 0);
        finish(w);
        assert_true(run_supervise_start(&w->run, &second, &e) < 0); /* it is over */
        assert_true(sv_is(text_of(w, "outputs/tries"), "x\n"));
}

static int supervise(const char *dir)
{
        AUTO(err_done) struct err e = { 0 };
        struct op op = { .jobs = 1 };
        struct diags diags = { 0 };
        struct run_ctx c = { .op = &op, .diags = &diags, .program = "/proc/self/exe", .rank = getenv("ENVBUILD_RANK") };
        int r = store_open(getenv("ENVBUILD_CACHE_DIR"), true, &op, &c.store, &e);

        if (r == 0)
                r = run_supervise_main(&c, dir, &e);
        if (r < 0)
                fprintf(stderr, "%s\n", e.cause);
        store_close(c.store);
        return r < 0;
}

#define in_world(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                in_world(exit_codes_are_the_commands),
                in_world(the_first_that_fails_is_named),
                in_world(a_timeout_ends_it),
                in_world(a_cancelled_one_may_clean_up),
                in_world(one_that_does_not_listen_is_killed),
                in_world(cancelled_before_it_starts_it_does_not),
                in_world(leftovers_are_ended),
                in_world(a_stopped_shim_is_ended),
                in_world(a_killed_shim_is_lost_and_said),
                in_world(the_next_attempt_comes_by_itself),
                in_world(without_a_supervisor_ranks_go_on),
                in_world(without_a_supervisor_cancel_still_works),
                in_world(with_everybody_killed_it_is_lost),
                in_world(a_supervisor_may_die_at_any_moment),
                in_world(nobody_starts_an_attempt_twice),
        };

        if (argc == 3 && strcmp(argv[1], RUN_SUPERVISE_MAIN) == 0)
                return supervise(argv[2]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
