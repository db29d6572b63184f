/* The order of writes: what an engine that does as it is told sees, and what is on disk, whatever goes wrong between two steps. */
#include <signal.h>
#include <sys/wait.h>

#include "base/pool.h"
#include "run/record/follow.h"
#include "tests/unit/run/record_place.h"

/* The engine: a folder with a file for each submission, named by its token. */
static struct engine {
        char dir[96];
        int submits, polls, cancels, cleanups, collects;
        enum err_code submit_fails, poll_fails, collect_fails, find_fails;
        bool loses_answer; /* it took it, but nobody hears so */
        struct run_status status;
} engine;

static int fake_probe(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret,
                      struct err *e)
{
        (void)c, (void)a, (void)p, (void)e;
        *ret = (struct run_probe){ .works = true };
        return 0;
}

static int fake_render(struct run *r, struct err *e)
{
        return fs_write(run_path(r->arena, r->rec, "submit/job").p, SV("job"), 0600, e);
}

static sv entry(struct run *r)
{
        return arena_fmt(r->arena, "%s/%.*s", engine.dir, SV_ARG(r->rec->token));
}

static int fake_submit(struct run *r, sv *ret_handle, struct err *e)
{
        struct run_record *disk;

        engine.submits++;
        must(run_record_open(r->arena, r->rec->dir, &disk, e), e);
        assert_int_equal(disk->status.state, RUN_STARTING); /* on disk before the engine is asked */
        assert_true(disk->token.n && sv_eq(disk->token, r->rec->token) && !disk->handle.n);
        if (engine.submit_fails)
                return err_set(e, engine.submit_fails, "the engine said no");
        assert_false(fs_exists(entry(r).p)); /* at most once for a token */
        must(fs_write(entry(r).p, SV("x"), 0600, e), e);
        if (engine.loses_answer)
                return err_set(e, ERR_NET, "no answer");
        *ret_handle = arena_fmt(r->arena, "h-%.*s", SV_ARG(r->rec->token));
        return 0;
}

static int fake_find(struct run *r, sv *ret_handle, struct err *e)
{
        if (engine.find_fails)
                return err_set(e, engine.find_fails, "no answer");
        *ret_handle = fs_exists(entry(r).p) ? arena_fmt(r->arena, "h-%.*s", SV_ARG(r->rec->token)) : (sv){ 0 };
        return 0;
}

static int fake_poll(struct run *r, struct run_status *ret, struct err *e)
{
        (void)r;
        engine.polls++;
        if (engine.poll_fails)
                return err_set(e, engine.poll_fails, "no answer");
        *ret = engine.status;
        return 0;
}

static int fake_cancel(struct run *r, struct err *e)
{
        (void)e;
        assert_true(run_cancel_wanted(r->rec));
        engine.cancels++;
        return 0;
}

static int fake_collect(struct run *r, struct err *e)
{
        (void)r;
        engine.collects++;
        return engine.collect_fails ? err_set(e, engine.collect_fails, "the disk is full") : 0;
}

static int fake_cleanup(struct run *r, struct err *e)
{
        (void)r, (void)e;
        engine.cleanups++;
        return 0;
}

static const struct run_target fake = { .name = "fake",
                                        .summary = "does as it is told",
                                        .caps = RUN_CAP_RETRY,
                                        .probe = fake_probe,
                                        .render = fake_render,
                                        .submit = fake_submit,
                                        .find = fake_find,
                                        .poll = fake_poll,
                                        .cancel = fake_cancel,
                                        .collect = fake_collect,
                                        .cleanup = fake_cleanup };
/* in place of target/table.c */
const struct run_target *const run_targets[] = { &fake, NULL };
const struct run_target *run_target_find(sv name)
{
        return sv_is(name, fake.name) ? &fake : NULL;
}

static const struct run_profile profile = { .target = &fake };

static int setup(void **state)
{
        struct place *p;
        int r = place_setup(state);

        p = *state;
        engine = (struct engine){ .status = RUN_STATUS_INIT };
        engine.status.state = RUN_RUNNING;
        snprintf(engine.dir, sizeof(engine.dir), "%s/engine", p->path);
        return r < 0 ? r : fs_mkdirs(engine.dir, 0700, &(struct err){ 0 });
}

static struct run in_hand(struct place *p)
{
        struct run_record *r = place_record(p);

        r->compute = SV("fake");
        return (struct run){ &p->ctx, &p->arena, r, &profile };
}

static void submitted(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p);
        struct run_record *disk;
        struct err e = { 0 };

        must(run_submit(&r, &e), &e);
        disk = place_read(p, r.rec);
        assert_int_equal(disk->status.state, RUN_STARTING);
        assert_true(sv_starts(disk->handle, SV("h-")) && sv_ends(disk->token, SV(".1")) && disk->status.submitted_us);
}

static void refused(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p);
        struct run_record *disk;
        struct err e = { 0 };

        engine.submit_fails = ERR_FAILED;
        assert_int_equal(run_submit(&r, &e), -ERR_FAILED);
        disk = place_read(p, r.rec);
        assert_int_equal(disk->status.state, RUN_FAILED);
        assert_int_equal(disk->status.reason, RUN_R_LAUNCH_FAILED);
        assert_true(sv_is(disk->status.message, "the engine said no"));
        assert_int_equal(run_status_exit(&disk->status), 125);
        err_done(&e);
}

static void an_answer_that_is_lost(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p), other;
        struct err e = { 0 };

        engine.loses_answer = true;
        must(run_submit(&r, &e), &e); /* found at once */
        assert_true(r.rec->handle.n);
        engine.find_fails = ERR_NET; /* and when nobody says: later */
        other = in_hand(p);
        assert_int_equal(run_submit(&other, &e), -ERR_NET);
        assert_non_null(strstr(e.hint, "runs wait"));
        err_done(&e);
        assert_int_equal(place_read(p, other.rec)->status.state, RUN_STARTING);
        engine.find_fails = 0;
        must(run_refresh(&p->ctx, &p->arena, other.rec, &e), &e);
        assert_true(other.rec->handle.n);
        assert_int_equal(engine.submits, 2);
}

/* Killed at each place; then somebody looks at the run. Submitted once, and known by its handle. */
static void killed_anywhere(void **state)
{
        static const struct {
                const char *where;
                bool asked; /* the engine had it when the kill came */
                enum run_state after;
        } rows[] = {
                { "before-token", false, RUN_FAILED }, { "before-submit", false, RUN_RUNNING },
                { "after-submit", true, RUN_RUNNING }, { "before-record", true, RUN_RUNNING },
                { "after-record", true, RUN_RUNNING },
        };
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct run_record *r = NULL;
                char dir[256] = "";
                int pipes[2], status;
                struct err e = { 0 };
                pid_t pid;

                assert_int_equal(pipe(pipes), 0);
                pid = fork();
                if (pid == 0) {
                        struct run run = in_hand(p); /* made here: its maker is who is killed */
                        (void)!write(pipes[1], run.rec->dir.p, run.rec->dir.n);
                        setenv("ENVBUILD_FAULT", rows[i].where, 1);
                        run_submit(&run, &e);
                        _exit(1);
                }
                waitpid(pid, &status, 0);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
                assert_true(read(pipes[0], dir, sizeof(dir) - 1) > 0);
                close(pipes[0]);
                close(pipes[1]);
                must(run_record_open(&p->arena, sv_from(dir), &r, &e), &e);
                engine.submits = 0;
                for (int k = 0; k < 2; k++)
                        must(run_refresh(&p->ctx, &p->arena, r, &e), &e);
                if (r->status.state != rows[i].after ||
                    engine.submits != (!rows[i].asked && rows[i].after == RUN_RUNNING) ||
                    (rows[i].after == RUN_RUNNING && !r->handle.n))
                        bad++, print_error("%s: %s, %d submits\n", rows[i].where, run_state_name(r->status.state),
                                           engine.submits);
        }
        assert_int_equal(bad, 0);
}

static void a_slow_submission_is_left_alone(void **state)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        struct place *p = *state;
        struct run r = in_hand(p);
        sha256 key = run_submit_key(r.rec);
        struct err e = { 0 };

        r.rec->token = SV("t.1");
        r.rec->status.state = RUN_STARTING;
        must(run_record_write(r.rec, &e), &e);
        assert_int_equal(store_claim_take(p->ctx.store, &key, &claim, &e), 0);
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(engine.submits, 0);
        store_claim_drop(&claim);
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(engine.submits, 1);
}

static void a_supervisor_is_not_written_over(void **state)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        struct place *p = *state;
        struct run r = in_hand(p);
        sha256 key = run_record_key(r.rec);
        struct err e = { 0 };

        must(run_submit(&r, &e), &e);
        assert_int_equal(store_claim_take(p->ctx.store, &key, &claim, &e), 0);
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(engine.polls, 0);
        must(run_cancel(&r, &e), &e); /* he sees the file; the target is told */
        assert_int_equal(place_read(p, r.rec)->status.state, RUN_STARTING);
        assert_int_equal(engine.cancels, 1);
}

static void silence(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p);
        struct err e = { 0 };

        must(run_submit(&r, &e), &e);
        engine.poll_fails = ERR_NET;
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_STARTING); /* not yet */
        assert_true(place_read(p, r.rec)->unanswered_us > 0);
        r.rec->unanswered_us -= (int64_t)301 * 1000000;
        must(run_record_write(r.rec, &e), &e);
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_NOT_RESPONDING);
        engine.poll_fails = 0;
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_RUNNING);
        assert_int_equal(place_read(p, r.rec)->unanswered_us, 0);
}

static void the_end(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p);
        struct err e = { 0 };

        must(run_submit(&r, &e), &e);
        engine.status.state = RUN_COMPLETED;
        engine.status.exit_code = 0;
        engine.collect_fails = ERR_NET; /* comes again */
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_FINALIZING);
        engine.collect_fails = ERR_IO; /* it ended well, but what it made is not here */
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_FAILED);
        assert_int_equal(r.rec->status.reason, RUN_R_OUTPUTS);
        assert_int_equal(engine.cleanups, 1);
        engine.polls = 0;
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(engine.polls, 0); /* what is final is not asked for */
}

static void ranks_have_the_last_word(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p);
        struct err e = { 0 };

        must(run_submit(&r, &e), &e);
        place_write(p, r.rec, "status/1/rank-0.json", "{\"rank\":0,\"start_us\":5,\"end_us\":9,\"exit_code\":7}");
        engine.status.state = RUN_COMPLETED; /* engines have been seen to think so */
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_FAILED);
        assert_int_equal(r.rec->status.exit_code, 7);
}

static void tried_again(void **state)
{
        struct place *p = *state;
        struct run r;
        struct err e = { 0 };

        p->spec.retries = 1;
        r = in_hand(p);
        must(run_submit(&r, &e), &e);
        engine.status.state = RUN_FAILED;
        engine.status.reason = RUN_R_NODE_FAIL;
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->attempt, 2);
        assert_int_equal(r.rec->status.state, RUN_STARTING);
        assert_true(sv_ends(r.rec->token, SV(".2")) && sv_ends(r.rec->handle, SV(".2")));
        assert_true(fs_is_dir(run_path(&p->arena, r.rec, "status/2").p));
        assert_int_equal(place_read(p, r.rec)->attempt, 2);
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e); /* once is what was asked for */
        assert_int_equal(r.rec->status.state, RUN_FAILED);
        assert_int_equal(engine.submits, 2);
}

static void not_every_end_is_tried_again(void **state)
{
        static const sv on[] = { { "exit-code", 9 } };
        struct place *p = *state;
        struct run_status s = { .state = RUN_FAILED, .reason = RUN_R_EXIT_CODE };
        struct run r;
        struct err e = { 0 };

        p->spec.retries = 2;
        r = in_hand(p);
        assert_false(run_retry_wanted(&r, &s));
        s.reason = RUN_R_PREEMPTED;
        assert_true(run_retry_wanted(&r, &s));
        p->spec.retry_on = (sv *)on;
        p->spec.n_retry_on = 1;
        assert_false(run_retry_wanted(&r, &s));
        s.reason = RUN_R_EXIT_CODE;
        assert_true(run_retry_wanted(&r, &s));
        r.rec->attempt = 3;
        assert_false(run_retry_wanted(&r, &s));
        r.rec->attempt = 1;
        must(run_cancel_write(r.rec, &e), &e);
        assert_false(run_retry_wanted(&r, &s));
}

static void cancelled(void **state)
{
        struct place *p = *state;
        struct run r = in_hand(p), before = in_hand(p), between = in_hand(p);
        struct err e = { 0 };

        must(run_submit(&r, &e), &e);
        must(run_cancel(&r, &e), &e);
        must(run_cancel(&r, &e), &e);
        assert_int_equal(place_read(p, r.rec)->status.state, RUN_CANCEL_REQUESTED);
        engine.status.state = RUN_CANCELED;
        must(run_refresh(&p->ctx, &p->arena, r.rec, &e), &e);
        assert_int_equal(r.rec->status.state, RUN_CANCELED);
        engine.cancels = 0;
        must(run_cancel(&r, &e), &e); /* it is over */
        assert_int_equal(engine.cancels, 0);

        engine.submits = 0;
        must(run_cancel_write(before.rec, &e), &e);
        must(run_submit(&before, &e), &e); /* asked for while the image was built */
        assert_int_equal(engine.submits, 0);
        assert_int_equal(place_read(p, before.rec)->status.state, RUN_CANCELED);

        between.rec->token = SV("between.1"); /* killed there, and never submitted */
        between.rec->status.state = RUN_STARTING;
        must(run_record_write(between.rec, &e), &e);
        must(run_cancel(&between, &e), &e);
        assert_int_equal(engine.submits, 0);
        assert_int_equal(place_read(p, between.rec)->status.state, RUN_CANCELED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(submitted, setup, place_teardown),
                cmocka_unit_test_setup_teardown(refused, setup, place_teardown),
                cmocka_unit_test_setup_teardown(an_answer_that_is_lost, setup, place_teardown),
                cmocka_unit_test_setup_teardown(killed_anywhere, setup, place_teardown),
                cmocka_unit_test_setup_teardown(a_slow_submission_is_left_alone, setup, place_teardown),
                cmocka_unit_test_setup_teardown(a_supervisor_is_not_written_over, setup, place_teardown),
                cmocka_unit_test_setup_teardown(silence, setup, place_teardown),
                cmocka_unit_test_setup_teardown(the_end, setup, place_teardown),
                cmocka_unit_test_setup_teardown(ranks_have_the_last_word, setup, place_teardown),
                cmocka_unit_test_setup_teardown(tried_again, setup, place_teardown),
                cmocka_unit_test_setup_teardown(not_every_end_is_tried_again, setup, place_teardown),
                cmocka_unit_test_setup_teardown(cancelled, setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
