/* What the ranks' records make of a run. A row per ending. */
#include "tests/unit/run/record_place.h"

#define C       RUN_COMPLETED
#define F       RUN_FAILED
#define X       RUN_CANCELED
#define OK      .end_us = 20
#define EXIT(n) .end_us = 20, .exit_code = (n)
#define PEER    .end_us = 30, .exit_code = 143, .stopped = SV("peer")

static const struct judged {
        struct run_rank rank[4];
        unsigned n, want;
        const char *failed; /* status/1/failed */
        bool cancel, over;
        enum run_state state;
        enum run_reason reason;
        int code, signal, first;
} rows[] = {
        { { { OK } }, 1, 1, NULL, false, true, C, 0, 0, 0, -1 },
        { { { EXIT(7) } }, 1, 1, NULL, false, true, F, RUN_R_EXIT_CODE, 7, 0, 0 },
        { { { EXIT(137) } }, 1, 1, NULL, false, true, F, RUN_R_EXIT_CODE, 137, 0, 0 },
        { { { .end_us = 20, .signal = 11 } }, 1, 1, NULL, false, true, F, RUN_R_SIGNAL, 139, 11, 0 },
        { { { EXIT(127), .failed_start = true } }, 1, 1, NULL, false, true, F, RUN_R_LAUNCH_FAILED, 127, 0, 0 },
        { { { EXIT(143), .timed_out = true, .stopped = SV("timeout") } },
          1,
          1,
          NULL,
          false,
          true,
          F,
          RUN_R_TIMEOUT,
          143,
          0,
          0 },
        /* a checkpoint was saved in time and the script said 0: still it was the limit that ended it */
        { { { OK, .timed_out = true, .stopped = SV("timeout") } }, 1, 1, NULL, false, true, F, RUN_R_TIMEOUT, 0, 0, 0 },
        /* cancel: all 0 is done all the same; anything else is cancelled, with what the command said */
        { { { OK, .stopped = SV("cancel") } }, 1, 1, NULL, true, true, C, 0, 0, 0, -1 },
        { { { EXIT(143), .stopped = SV("cancel") } }, 1, 1, NULL, true, true, X, 0, 143, 0, 0 },
        { { { OK }, { .end_us = 20, .signal = 9, .stopped = SV("cancel") } }, 2, 2, NULL, true, true, X, 0, 137, 9, 1 },
        /* the first that failed by itself: as `failed` has it, else by its end, never one that a peer's failure ended */
        { { { PEER }, { EXIT(11) } }, 2, 2, NULL, false, true, F, RUN_R_EXIT_CODE, 11, 0, 1 },
        { { { .end_us = 10, .exit_code = 143, .stopped = SV("peer") }, { EXIT(11) } },
          2,
          2,
          NULL,
          false,
          true,
          F,
          RUN_R_EXIT_CODE,
          11,
          0,
          1 },
        { { { .end_us = 25, .exit_code = 3 }, { EXIT(5) } }, 2, 2, NULL, false, true, F, RUN_R_EXIT_CODE, 5, 0, 1 },
        { { { .end_us = 25, .exit_code = 3 }, { EXIT(5) } },
          2,
          2,
          "rank 0\n",
          false,
          true,
          F,
          RUN_R_EXIT_CODE,
          3,
          0,
          0 },
        { { { .end_us = 25, .exit_code = 3 }, { OK } }, 2, 2, "rank 1\n", false, true, F, RUN_R_EXIT_CODE, 3, 0, 0 },
        { { { .end_us = 25, .exit_code = 3 }, { EXIT(5) } },
          2,
          2,
          "garbage",
          false,
          true,
          F,
          RUN_R_EXIT_CODE,
          5,
          0,
          1 },
        { { { PEER }, { PEER } }, 2, 2, "rank 9\n", false, true, F, RUN_R_EXIT_CODE, 143, 0, 0 },
        { { { .end_us = 20, .exit_code = 143, .stopped = SV("signal") } },
          1,
          1,
          NULL,
          false,
          true,
          F,
          RUN_R_EXIT_CODE,
          143,
          0,
          0 },
        /* not over yet */
        { { { 0 } }, 1, 1, NULL, false, false, RUN_RUNNING, 0, -1, 0, -1 },
        { { { EXIT(7) }, { 0 } }, 2, 2, NULL, false, false, RUN_RUNNING, 0, -1, 0, -1 },
        { { { OK } }, 1, 2, NULL, false, false, RUN_RUNNING, 0, -1, 0, -1 },
        { { { 0 } }, 0, 1, NULL, true, false, RUN_QUEUED, 0, -1, 0, -1 },
        /* a rank too many is nobody's */
        { { { OK }, { EXIT(1) } }, 2, 1, NULL, false, true, C, 0, 0, 0, -1 },
};

static void judged_rows(void **state)
{
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct judged *w = &rows[i];
                struct run_status s = RUN_STATUS_INIT;
                struct run_rank rank[4];
                struct run_record *r;
                bool over;

                p->spec.per_node = w->want;
                r = place_record(p);
                if (w->failed)
                        place_write(p, r, "status/1/failed", w->failed);
                for (unsigned k = 0; k < w->n; k++) {
                        rank[k] = w->rank[k];
                        rank[k].rank = k;
                        rank[k].start_us = 10 + k;
                }
                s.state = RUN_QUEUED;
                over = run_ranks_judge(r, rank, w->n, w->cancel, &s);
                if (over != w->over || s.state != w->state || s.reason != w->reason || s.exit_code != w->code ||
                    s.term_signal != w->signal || s.first_bad_rank != w->first || (w->n && s.started_us != 10))
                        bad++, print_error("row %zu: %d %s %s code %d signal %d first %d\n", i, over,
                                           run_state_name(s.state), run_reason_name(s.reason), s.exit_code,
                                           s.term_signal, s.first_bad_rank);
        }
        assert_int_equal(bad, 0);
}

static void files_are_read(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p);
        struct run_rank *v = NULL;
        struct err e = { 0 };
        size_t n = 0;

        place_write(p, r, "status/1/rank-10.json",
                    "{\"rank\":10,\"start_us\":1,\"end_us\":2,\"exit_code\":3,"
                    "\"signal\":0,\"host\":\"n1\",\"maxrss_kb\":77}");
        place_write(p, r, "status/1/rank-9.json",
                    "{\"rank\":9,\"start_us\":1,\"end_us\":null,\"exit_code\":null,"
                    "\"signal\":null,\"stopped\":null,\"timed_out\":false}");
        place_write(p, r, "status/1/rank-8.json", "{\"rank\":7}");  /* another's */
        place_write(p, r, "status/1/rank-7.json", "{\"rank\":7");   /* half of it */
        place_write(p, r, "status/1/rank-07.json", "{\"rank\":7}"); /* no name of ours */
        place_write(p, r, "status/1/rank-6.json.12.tmp", "{\"rank\":6}");
        must(run_ranks_read(&p->arena, r, &v, &n, &e), &e);
        assert_int_equal(n, 2);
        assert_true(v[0].rank == 9 && v[0].end_us == 0 && !v[0].stopped.n);
        assert_true(v[1].rank == 10 && v[1].exit_code == 3 && v[1].maxrss_kb == 77 && sv_is(v[1].host, "n1"));
}

static void logs_have_names(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p);

        assert_true(sv_ends(run_log_path(&p->arena, r, 0), SV("/user_logs/std_log.txt")));
        r->attempt = 2;
        assert_true(sv_ends(run_log_path(&p->arena, r, 0), SV("/user_logs/retry_001/std_log.txt")));
        p->spec.per_node = 2;
        assert_true(sv_ends(run_log_path(&p->arena, r, 1), SV("/user_logs/retry_001/std_log_process_1.txt")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(judged_rows, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(files_are_read, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(logs_have_names, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
