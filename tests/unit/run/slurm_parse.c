/* What Slurm's programs print: answers of 22.05, recorded. */
#include "tests/unit/unit.h"

#include "run/target/slurm_priv.h"

static void assert_sv(sv s, const char *want)
{
        if (!sv_is(s, want))
                fail_msg("'%.*s' is not '%s'", SV_ARG(s), want);
}

static const char running[] =
        "JobId=12 JobName=train-20261124-ab12cd.1 UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901759 "
        "Nice=0 "
        "Account=(null) QOS=(null) JobState=RUNNING Reason=None Dependency=(null) Requeue=0 Restarts=0 BatchFlag=1 "
        "Reboot=0 "
        "ExitCode=0:0 RunTime=00:00:07 TimeLimit=UNLIMITED TimeMin=N/A SubmitTime=1795540699 EligibleTime=1795540699 "
        "StartTime=1795540702 EndTime=Unknown Deadline=N/A Scheduler=Main Partition=main NodeList=n[1-2] BatchHost=n1 "
        "NumNodes=2 "
        "CPUs/Task=1 ReqB:S:C:T=0:0:*:* Socks/Node=* NtasksPerN:B:S:C=0:0:*:* Command=/a b "
        "JobState=COMPLETED/job.sbatch "
        "WorkDir=/a b Comment=JobState=FAILED ExitCode=1:0 Power= \n";

static void test_job(void **state)
{
        struct slurm_job j;

        (void)state;
        assert_true(slurm_job_parse(sv_from(running), &j));
        assert_sv(j.id, "12");
        assert_sv(j.name, "train-20261124-ab12cd.1");
        assert_sv(j.state, "RUNNING"); /* not what the folder's name or the comment say */
        assert_sv(j.reason, "");
        assert_sv(j.nodes, "n[1-2]");
        assert_int_equal(j.exit_code, 0);
        assert_int_equal(j.signal, 0);
        assert_int_equal(j.submit_s, 1795540699);
        assert_int_equal(j.start_s, 1795540702);
        assert_int_equal(j.end_s, 0);
}

static void test_job_edges(void **state)
{
        struct slurm_job j;

        (void)state;
        assert_true(slurm_job_parse(SV("some plugin talks\nJobId=3 JobState=PENDING "
                                       "Reason=ReqNodeNotAvail, UnavailableNodes:n1 Dependency=(null) ExitCode=11:9"),
                                    &j));
        assert_sv(j.reason, "ReqNodeNotAvail, UnavailableNodes:n1");
        assert_int_equal(j.exit_code, 11);
        assert_int_equal(j.signal, 9);
        assert_true(slurm_job_parse(SV("JobId=3 JobState=CANCELLED by 1000 ExitCode=banana"), &j));
        assert_sv(j.state, "CANCELLED");
        assert_int_equal(j.exit_code, -1);
        assert_false(slurm_job_parse(SV("JobId=3 JobName=x"), &j));
        assert_false(slurm_job_parse(SV("JobId=3 XJobState=RUNNING"), &j));
        assert_false(slurm_job_parse(SV(""), &j));
        assert_false(slurm_job_parse(SV("slurm_load_jobs error: Invalid job id specified\n"), &j));
}

static void test_sacct(void **state)
{
        struct slurm_job j;

        (void)state;
        assert_true(slurm_sacct_parse(SV("77|CANCELLED by 0|0:15|None|1795540702|1795540709\n"), &j));
        assert_sv(j.id, "77");
        assert_sv(j.state, "CANCELLED");
        assert_sv(j.reason, "");
        assert_int_equal(j.signal, 15);
        assert_int_equal(j.end_s, 1795540709);
        assert_false(slurm_sacct_parse(SV("Slurm accounting storage is disabled\n"), &j));
        assert_false(slurm_sacct_parse(SV("1||0:0|x|1|2\n"), &j));
}

static void test_submitted(void **state)
{
        sv id, cluster;

        (void)state;
        assert_sv(slurm_submitted_parse(SV("1234\n")), "1234");
        assert_sv(slurm_submitted_parse(SV("a site says: welcome\n1234;west-1\n")), "1234;west-1");
        assert_sv(slurm_submitted_parse(SV("sbatch: error: 12 things\n")), "");
        assert_sv(slurm_submitted_parse(SV("0\n-1\n99999999999\n12;a b\n12;-x\n12 13\n")), "");
        assert_true(slurm_handle_parse(SV("12;west"), &id, &cluster));
        assert_sv(id, "12");
        assert_sv(cluster, "west");
        assert_false(slurm_handle_parse(SV("supervisor:vm:1:2"), &id, &cluster));
        assert_false(slurm_handle_parse(SV(""), &id, &cluster));
}

static void test_queue(void **state)
{
        const sv text = SV("7|train-20261124-aaaaaa.10\n8|train-20261124-aaaaaa.1\n9_[1-3]|x\n");

        (void)state;
        assert_sv(slurm_queue_parse(text, SV("train-20261124-aaaaaa.1")), "8");
        assert_sv(slurm_queue_parse(text, SV("train-20261124-aaaaaa")), "");
        assert_sv(slurm_queue_parse(text, SV("x")), "");
}

static void test_faults(void **state)
{
        static const struct {
                const char *text;
                enum slurm_fault want;
                const char *line;
        } v[] = {
                { "sbatch: error: Batch job submission failed: Invalid partition name specified\n", SLURM_REFUSED,
                  "Batch job submission failed: Invalid partition name specified" },
                { "sbatch: error: Memory specification can not be satisfied\n"
                  "sbatch: error: Batch job submission failed: Requested node configuration is not available\n",
                  SLURM_REFUSED, "Batch job submission failed: Requested node configuration is not available" },
                { "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n",
                  SLURM_UNKNOWN, "Batch job submission failed: Unable to contact slurm controller (connect failure)" },
                { "slurm_load_jobs error: Socket timed out on send/recv operation\n", SLURM_UNKNOWN,
                  "Socket timed out on send/recv operation" },
                { "slurm_load_jobs error: Invalid job id specified\n", SLURM_NO_SUCH_JOB, "Invalid job id specified" },
                { "sbatch: fatal: cannot open slurm.conf\n\n", SLURM_REFUSED, "cannot open slurm.conf" },
                { "", SLURM_REFUSED, "" },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                assert_int_equal(slurm_fault_of(sv_from(v[i].text)), v[i].want);
                assert_sv(slurm_fault_line(sv_from(v[i].text)), v[i].line);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_job),       cmocka_unit_test(test_job_edges), cmocka_unit_test(test_sacct),
                cmocka_unit_test(test_submitted), cmocka_unit_test(test_queue),     cmocka_unit_test(test_faults),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
