/* One status of what Slurm and the ranks say: a row for each row of the specs' table, and for every disagreement of the two. */
#include "tests/unit/unit.h"

#include "base/cleanup.h"
#include "run/target/slurm_priv.h"

enum ranks { NONE, ALL_WELL, RANK_11, RANK_KILLED, RANK_STOPPED, ALL_CANCELLED };
static void see(enum ranks r, bool cancel, struct slurm_seen *ret)
{
        *ret = (struct slurm_seen){
                .ranks = RUN_STATUS_INIT, .cancel_wanted = cancel, .judged = r != NONE, .stopped = r == RANK_STOPPED
        };
        ret->ranks.state = RUN_RUNNING;
        if (r == NONE)
                return;
        ret->ranks.state = r == ALL_WELL ? RUN_COMPLETED : r == ALL_CANCELLED ? RUN_CANCELED : RUN_FAILED;
        ret->ranks.exit_code = r == ALL_WELL ? 0 : r == RANK_11 ? 11 : r == RANK_KILLED ? 137 : 143;
        ret->ranks.term_signal = r == RANK_KILLED ? 9 : 0;
        ret->ranks.reason = r == RANK_11 || r == RANK_STOPPED ? RUN_R_EXIT_CODE
                            : r == RANK_KILLED                ? RUN_R_SIGNAL
                                                              : RUN_R_NONE;
        ret->ranks.first_bad_rank = r == ALL_WELL ? -1 : 1;
}

static const struct row {
        const char *word, *why;
        int exit_code, signal;
        enum ranks ranks;
        bool cancel;
        bool sure;
        enum run_state state;
        enum run_reason reason;
        int want_code;
} rows[] = {
        { "PENDING", "Priority", 0, 0, NONE, false, true, RUN_QUEUED, RUN_R_NONE, -1 },
        { "PENDING", "PartitionConfig", 0, 0, NONE, false, true, RUN_QUEUED, RUN_R_UNSCHEDULABLE, -1 },
        { "PENDING", "QOSMaxJobsPerUserLimit", 0, 0, NONE, false, true, RUN_QUEUED, RUN_R_UNSCHEDULABLE, -1 },
        { "CONFIGURING", "", 0, 0, NONE, false, true, RUN_STARTING, RUN_R_NONE, -1 },
        { "RUNNING", "", 0, 0, NONE, false, true, RUN_RUNNING, RUN_R_NONE, -1 },
        { "SUSPENDED", "", 0, 0, NONE, false, true, RUN_RUNNING, RUN_R_NONE, -1 },
        { "COMPLETING", "", 0, 0, NONE, false, true, RUN_FINALIZING, RUN_R_NONE, -1 },
        { "COMPLETED", "", 0, 0, ALL_WELL, false, true, RUN_COMPLETED, RUN_R_NONE, 0 },
        { "COMPLETED", "", 0, 0, NONE, false, false, 0, 0, 0 },
        { "COMPLETED", "", 0, 0, RANK_11, false, true, RUN_FAILED, RUN_R_EXIT_CODE, 11 },
        { "FAILED", "NonZeroExitCode", 143, 0, RANK_11, false, true, RUN_FAILED, RUN_R_EXIT_CODE,
          11 }, /* masked by Slurm */
        { "FAILED", "NonZeroExitCode", 7, 0, NONE, false, true, RUN_FAILED, RUN_R_EXIT_CODE, 7 },
        { "FAILED", "JobLaunchFailure", 0, 9, NONE, false, true, RUN_FAILED, RUN_R_SIGNAL, -1 },
        { "FAILED", "JobLaunchFailure", 0, 53, NONE, false, true, RUN_FAILED, RUN_R_LAUNCH_FAILED, -1 },
        { "FAILED", "NonZeroExitCode", 125, 0, NONE, false, true, RUN_FAILED, RUN_R_LAUNCH_FAILED, -1 },
        { "FAILED", "", 0, 0, NONE, false, true, RUN_FAILED, RUN_R_LOST, -1 },
        { "TIMEOUT", "TimeLimit", 0, 0, NONE, false, true, RUN_FAILED, RUN_R_TIMEOUT, -1 },
        { "TIMEOUT", "TimeLimit", 143, 0, RANK_STOPPED, false, true, RUN_FAILED, RUN_R_TIMEOUT, 143 },
        { "TIMEOUT", "TimeLimit", 0, 0, RANK_11, false, true, RUN_FAILED, RUN_R_EXIT_CODE, 11 },
        { "TIMEOUT", "TimeLimit", 0, 0, ALL_WELL, false, true, RUN_COMPLETED, RUN_R_NONE, 0 },
        { "OUT_OF_MEMORY", "OutOfMemory", 0, 125, RANK_KILLED, false, true, RUN_FAILED, RUN_R_OOM, 137 },
        { "FAILED", "NonZeroExitCode", 137, 0, RANK_KILLED, false, true, RUN_FAILED, RUN_R_SIGNAL, 137 },
        { "OUT_OF_MEMORY", "OutOfMemory", 0, 125, NONE, false, true, RUN_FAILED, RUN_R_OOM, -1 },
        { "NODE_FAIL", "NodeDown", 0, 0, NONE, false, true, RUN_FAILED, RUN_R_NODE_FAIL, -1 },
        { "PREEMPTED", "", 0, 0, RANK_STOPPED, false, true, RUN_FAILED, RUN_R_PREEMPTED, 143 },
        { "BOOT_FAIL", "", 0, 0, NONE, false, true, RUN_FAILED, RUN_R_LAUNCH_FAILED, -1 },
        { "CANCELLED", "", 0, 15, NONE, false, true, RUN_CANCELED, RUN_R_NONE, -1 },
        { "CANCELLED", "", 0, 15, RANK_STOPPED, false, true, RUN_CANCELED, RUN_R_NONE, 143 },
        { "CANCELLED", "", 0, 15, NONE, true, true, RUN_CANCELED, RUN_R_NONE, -1 },
        { "CANCELLED", "", 0, 15, ALL_WELL, true, true, RUN_COMPLETED, RUN_R_NONE, 0 },
        { "COMPLETED", "", 0, 0, NONE, true, true, RUN_CANCELED, RUN_R_NONE, -1 }, /* cancelled before its first rank */
        { "FAILED", "", 130, 0, ALL_CANCELLED, true, true, RUN_CANCELED, RUN_R_NONE, 143 },
        { "COMPLETING", "", 0, 0, RANK_STOPPED, false, true, RUN_FINALIZING, RUN_R_EXIT_CODE, 143 },
        { "RUNNING", "", 0, 0, RANK_KILLED, false, true, RUN_FINALIZING, RUN_R_SIGNAL, 137 },
        { "RUNNING", "", 0, 0, RANK_11, false, true, RUN_FAILED, RUN_R_EXIT_CODE, 11 },
        { "BANANA", "", 0, 0, NONE, false, true, RUN_UNKNOWN, RUN_R_NONE, -1 },
};

static void test_rows(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                const struct row *r = &rows[i];
                const struct slurm_job j = { .state = sv_from(r->word),
                                             .reason = sv_from(r->why),
                                             .exit_code = r->exit_code,
                                             .signal = r->signal };
                struct run_status s = RUN_STATUS_INIT;
                struct slurm_seen seen;
                bool sure;

                see(r->ranks, r->cancel, &seen);
                sure = slurm_decide(&a, &j, &seen, &s);
                if (sure != r->sure ||
                    (sure && (s.state != r->state || s.reason != r->reason || s.exit_code != r->want_code)))
                        fail_msg("row %zu, %s: sure %d, %s, '%s', %d", i, r->word, sure, run_state_name(s.state),
                                 run_reason_name(s.reason), s.exit_code);
                if (sure && !sv_starts(s.engine_state, j.state))
                        fail_msg("row %zu: engine's word '%.*s'", i, SV_ARG(s.engine_state));
        }
}

static void test_words(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct slurm_job j = { .state = SV("PENDING"), .reason = SV("PartitionConfig"), .start_s = 99, .submit_s = 5 };
        struct slurm_seen seen = { .ranks = RUN_STATUS_INIT };
        struct run_status s;

        (void)state;
        assert_true(slurm_decide(&a, &j, &seen, &s));
        assert_true(sv_is(s.engine_state, "PENDING (PartitionConfig)"));
        assert_true(sv_find_sv(s.message, SV("PartitionConfig")) >= 0);
        assert_int_equal(s.submitted_us, 5000000);
        assert_int_equal(s.started_us, 0); /* a guess of Slurm's */
        seen.ranks = s;
        j = (struct slurm_job){ .state = SV("RUNNING"), .start_s = 100, .end_s = 200 };
        assert_true(slurm_decide(&a, &j, &seen, &s));
        assert_int_equal(s.message.n, 0);
        assert_int_equal(s.reason, RUN_R_NONE);
        assert_int_equal(s.started_us, 100000000);
        assert_int_equal(s.ended_us, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_words) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
