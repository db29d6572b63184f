/* States go forward; events tell of each step; times stay known. */
#include "tests/unit/run/record_place.h"

static struct run_status st(enum run_state s)
{
        struct run_status r = RUN_STATUS_INIT;

        r.state = s;
        return r;
}

static void forward_only(void **state)
{
        static const struct {
                enum run_state from, to, becomes;
        } rows[] = {
                { RUN_PREPARING, RUN_STARTING, RUN_STARTING },
                { RUN_STARTING, RUN_QUEUED, RUN_QUEUED }, /* submitted, and then the engine queues it */
                { RUN_QUEUED, RUN_STARTING, RUN_STARTING },
                { RUN_RUNNING, RUN_QUEUED, RUN_RUNNING },
                { RUN_FINALIZING, RUN_RUNNING, RUN_FINALIZING },
                { RUN_CANCEL_REQUESTED, RUN_RUNNING, RUN_CANCEL_REQUESTED },
                { RUN_CANCEL_REQUESTED, RUN_COMPLETED, RUN_COMPLETED },
                { RUN_RUNNING, RUN_NOT_RESPONDING, RUN_NOT_RESPONDING },
                { RUN_NOT_RESPONDING, RUN_QUEUED, RUN_QUEUED },
                { RUN_UNKNOWN, RUN_RUNNING, RUN_RUNNING },
                { RUN_COMPLETED, RUN_FAILED, RUN_COMPLETED },
                { RUN_FAILED, RUN_NOT_RESPONDING, RUN_FAILED },
                { RUN_CANCELED, RUN_RUNNING, RUN_CANCELED },
        };
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct run_record *r = place_record(p);
                struct run_status s = st(rows[i].to);
                struct err e = { 0 };
                bool changed = false;
                r->status.state = rows[i].from;
                must(run_record_take(r, &s, "why", &changed, &e), &e);
                if (r->status.state != rows[i].becomes || changed != (rows[i].from != rows[i].becomes))
                        bad++, print_error("row %zu: %s\n", i, run_state_name(r->status.state));
        }
        assert_int_equal(bad, 0);
}

static void events_and_times(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p), *back;
        struct run_status s = st(RUN_RUNNING);
        struct err e = { 0 };
        sv text, line;
        int64_t started;

        must(run_record_take(r, &s, "it\nbegan \"now\"", NULL, &e), &e);
        started = r->status.started_us;
        assert_true(started > 0);
        s.message = SV("still");
        must(run_record_take(r, &s, "no step", NULL, &e), &e); /* written, but no event */
        assert_true(sv_is(place_read(p, r)->status.message, "still"));
        s = st(RUN_FAILED);
        s.reason = RUN_R_EXIT_CODE;
        s.exit_code = 7;
        must(run_record_take(r, &s, "over", NULL, &e), &e);
        back = place_read(p, r);
        assert_true(back->status.started_us == started && back->status.ended_us >= started);
        assert_int_equal(back->status.exit_code, 7);
        text = place_text(p, r, "events.jsonl");
        assert_true(sv_line(&text, &line) && sv_find_sv(line, SV("\"from\":\"Preparing\"")) > 0);
        assert_true(sv_find_sv(line, SV("it\\nbegan \\\"now\\\"")) > 0);
        assert_true(sv_line(&text, &line) && sv_find_sv(line, SV("\"to\":\"Failed\"")) > 0);
        assert_false(sv_line(&text, &line));
}

static void what_did_not_change_is_not_written(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p);
        struct run_status s = st(RUN_QUEUED);
        struct err e = { 0 };

        must(run_record_take(r, &s, "", NULL, &e), &e);
        must(fs_remove(run_path(&p->arena, r, "run.json").p, &e), &e);
        must(run_record_take(r, &s, "", NULL, &e), &e);
        assert_false(fs_exists(run_path(&p->arena, r, "run.json").p));
}

static void a_wish_outlives_silence(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p);
        struct run_status s = st(RUN_RUNNING);
        struct err e = { 0 };

        assert_false(run_cancel_wanted(r));
        must(run_cancel_write(r, &e), &e);
        must(run_cancel_write(r, &e), &e);
        assert_true(run_cancel_wanted(r));
        r->status.state = RUN_NOT_RESPONDING;
        must(run_record_take(r, &s, "", NULL, &e), &e);
        assert_int_equal(r->status.state, RUN_CANCEL_REQUESTED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(forward_only, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(events_and_times, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(what_did_not_change_is_not_written, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(a_wish_outlives_silence, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
