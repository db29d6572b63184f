/* What kubectl says, and what a run has come to by it. Answers are shortened ones of a kube-apiserver 1.34 with its Job controller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/target/kubernetes_priv.h"

#define T0    "2026-11-24T10:00:00Z"
#define T0_US 1795514400000000LL
#define NOTE(r, code, stop)                                                                                            \
        "{\\\"rank\\\":" #r                                                                                            \
        ",\\\"attempt\\\":1,\\\"host\\\":\\\"n\\\",\\\"pid\\\":7,\\\"start_us\\\":5,\\\"end_us\\\":2" #r               \
        ",\\\"exit_code\\\":" #code                                                                                    \
        ",\\\"signal\\\":0,\\\"failed_start\\\":false,\\\"timed_out\\\":false,\\\"stopped\\\":\\\"" stop               \
        "\\\",\\\"maxrss_kb\\\":3}\\n"
#define JOB(status) "{\"kind\":\"Job\",\"metadata\":{\"name\":\"r\",\"uid\":\"u\"},\"spec\":{},\"status\":{" status "}}"
#define CONDITION(type, reason)                                                                                        \
        "\"conditions\":[{\"type\":\"" type "\",\"status\":\"True\",\"reason\":\"" reason                              \
        "\",\"lastTransitionTime\":\"" T0 "\",\"message\":\"m\"}]"
#define POD(index, phase, more)                                                                                        \
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"r-" index                                                          \
        "\",\"labels\":{\"batch.kubernetes.io/job-completion-index\":\"" index                                         \
        "\"}},\"spec\":{\"nodeName\":\"n1\"},\"status\":{\"phase\":\"" phase "\",\"startTime\":\"" T0 "\"" more "}}"
#define STATE(state) ",\"containerStatuses\":[{\"name\":\"main\",\"state\":{" state "}}]"
#define ENDED(code, reason, message)                                                                                   \
        STATE("\"terminated\":{\"exitCode\":" code ",\"reason\":\"" reason "\",\"message\":\"" message                 \
              "\",\"startedAt\":\"" T0 "\",\"finishedAt\":\"" T0 "\"}")
#define WAITING(reason) STATE("\"waiting\":{\"reason\":\"" reason "\",\"message\":\"why\"}")
#define LIST(items)     "{\"kind\":\"List\",\"items\":[" items "]}"

/* --- states */

struct row {
        const char *name, *text;
        bool cancel;
        int64_t later_us; /* now, after T0 */
        enum run_state state;
        enum run_reason reason;
        int exit_code, rank;
        bool drop;
};
#define MIN_US (60LL * 1000000)
static const struct row rows[] = {
        { "no pods yet", LIST(JOB("")), false, 0, RUN_QUEUED, RUN_R_NONE, -1, -1, false },
        { "suspended", LIST(JOB(CONDITION("Suspended", "JobSuspended"))), false, 0, RUN_QUEUED, RUN_R_NONE, -1, -1,
          false },
        { "creating", LIST(JOB("\"active\":1") "," POD("0", "Pending", WAITING("ContainerCreating"))), false, 0,
          RUN_STARTING, RUN_R_NONE, -1, -1, false },
        { "running", LIST(JOB("\"active\":1") "," POD("0", "Running", STATE("\"running\":{\"startedAt\":\"" T0 "\"}"))),
          false, 0, RUN_RUNNING, RUN_R_NONE, -1, -1, false },
        { "complete",
          LIST(JOB(CONDITION("Complete", "CompletionsReached")) "," POD("0", "Succeeded",
                                                                        ENDED("0", "Completed", NOTE(0, 0, "")))),
          false, 0, RUN_COMPLETED, RUN_R_NONE, 0, -1, false },
        { "complete, pods gone", LIST(JOB(CONDITION("Complete", "CompletionsReached"))), false, 0, RUN_COMPLETED,
          RUN_R_NONE, 0, -1, false },
        { "exit code",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD("1", "Failed",
                                                                        ENDED("11", "Error", NOTE(1, 11, "")))),
          false, 0, RUN_FAILED, RUN_R_EXIT_CODE, 11, 1, false },
        { "first bad rank, not the one it took along",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD(
                  "0", "Failed",
                  ENDED("143", "Error", NOTE(0, 143, "peer"))) "," POD("1", "Failed",
                                                                       ENDED("11", "Error", NOTE(1, 11, "")))),
          false, 0, RUN_FAILED, RUN_R_EXIT_CODE, 11, 1, false },
        { "no record: the container's code",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD("0", "Failed", ENDED("7", "Error", ""))), false,
          0, RUN_FAILED, RUN_R_EXIT_CODE, 7, 0, false },
        { "no record: a signal",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD("0", "Failed", ENDED("139", "Error", ""))),
          false, 0, RUN_FAILED, RUN_R_SIGNAL, 139, 0, false },
        { "out of memory",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD("0", "Failed", ENDED("137", "OOMKilled", ""))),
          false, 0, RUN_FAILED, RUN_R_OOM, 137, 0, false },
        { "cannot be started",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD("0", "Failed",
                                                                        ENDED("128", "StartError", "no such file"))),
          false, 0, RUN_FAILED, RUN_R_LAUNCH_FAILED, 128, 0, false },
        { "evicted",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD(
                  "0", "Failed", ",\"reason\":\"Evicted\",\"message\":\"disk\"")),
          false, 0, RUN_FAILED, RUN_R_PREEMPTED, -1, 0, false },
        { "preempted",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD(
                  "0", "Failed",
                  "," CONDITION("DisruptionTarget", "PreemptionByScheduler")
                          ENDED("143", "Error", NOTE(0, 143, "signal")))),
          false, 0, RUN_FAILED, RUN_R_PREEMPTED, -1, 0, false },
        { "node lost",
          LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded")) "," POD(
                  "0", "Failed", "," CONDITION("DisruptionTarget", "DeletionByTaintManager"))),
          false, 0, RUN_FAILED, RUN_R_NODE_FAIL, -1, 0, false },
        { "pods gone without a word", LIST(JOB(CONDITION("Failed", "BackoffLimitExceeded"))), false, 0, RUN_FAILED,
          RUN_R_LOST, -1, -1, false },
        { "deleted by somebody", LIST(""), false, 0, RUN_FAILED, RUN_R_LOST, -1, -1, false },
        { "deleted by us", LIST(""), true, 0, RUN_CANCELED, RUN_R_NONE, -1, -1, false },
        { "being deleted by us", LIST(JOB("") "," POD("0", "Running", STATE("\"running\":{}"))), true, 0,
          RUN_CANCEL_REQUESTED, RUN_R_NONE, -1, -1, false },
        { "cancelled, but it was done",
          LIST(JOB(CONDITION("Complete", "CompletionsReached")) "," POD("0", "Succeeded",
                                                                        ENDED("0", "Completed", NOTE(0, 0, "")))),
          true, 0, RUN_COMPLETED, RUN_R_NONE, 0, -1, false },
        { "deadline, never ran", LIST(JOB(CONDITION("Failed", "DeadlineExceeded"))), false, 0, RUN_FAILED,
          RUN_R_UNSCHEDULABLE, -1, -1, false },
        { "image cannot be pulled, yet", LIST(JOB("") "," POD("0", "Pending", WAITING("ImagePullBackOff"))), false,
          9 * MIN_US, RUN_STARTING, RUN_R_NONE, -1, -1, false },
        { "image cannot be pulled", LIST(JOB("") "," POD("0", "Pending", WAITING("ImagePullBackOff"))), false,
          11 * MIN_US, RUN_FAILED, RUN_R_IMAGE_PULL, -1, -1, true },
        { "image's name is none", LIST(JOB("") "," POD("0", "Pending", WAITING("InvalidImageName"))), false, 0,
          RUN_FAILED, RUN_R_IMAGE_PULL, -1, -1, true },
        { "container cannot be made", LIST(JOB("") "," POD("0", "Pending", WAITING("CreateContainerConfigError"))),
          false, 11 * MIN_US, RUN_FAILED, RUN_R_LAUNCH_FAILED, -1, -1, true },
        { "no node takes it",
          LIST(JOB("") "," POD("0", "Pending",
                               ",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":"
                               "\"Unschedulable\",\"message\":\"0/3 nodes\"}]")),
          false, 99 * MIN_US, RUN_QUEUED, RUN_R_NONE, -1, -1, false },
        { "one has failed, the Job does not know yet",
          LIST(JOB("") "," POD("0", "Failed", ENDED("3", "Error", NOTE(0, 3, "")))), false, 0, RUN_FINALIZING,
          RUN_R_NONE, -1, -1, false },
};

static size_t notes_of(struct arena *a, const struct kube_seen *s, struct run_rank **ret)
{
        size_t n = 0, cap = 0;

        for (size_t i = 0; i < s->n; i++) {
                struct kube_note *note;
                size_t m = kube_notes_read(a, s->pod[i].end_message, &note);
                for (size_t j = 0; j < m; j++)
                        *arena_push(a, *ret, n, cap) = note[j].rank;
        }
        return n;
}

static bool row_holds(const struct row *r)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_status st = RUN_STATUS_INIT;
        struct run_rank *rank = NULL;
        struct kube_facts f = { .kind = KUBE_INDEXED,
                                .ranks = 1,
                                .per_node = 1,
                                .cancel_wanted = r->cancel,
                                .now_us = T0_US + r->later_us };
        struct kube_seen s;
        bool drop;

        if (kube_seen_read(&a, sv_from(r->text), SV("r"), &s, &e) < 0) {
                print_error("%s: %s\n", r->name, e.cause);
                return false;
        }
        f.n_rank = notes_of(&a, &s, &rank);
        f.rank = rank;
        st.submitted_us = T0_US;
        kube_judge(&a, &s, &f, &st, &drop);
        if (st.state == r->state && st.reason == r->reason && st.exit_code == r->exit_code &&
            st.first_bad_rank == r->rank && drop == r->drop && (!run_state_final(st.state) || st.ended_us))
                return true;
        print_error("%s: %s %s exit %d rank %d drop %d: %.*s\n", r->name, run_state_name(st.state),
                    run_reason_name(st.reason), st.exit_code, st.first_bad_rank, drop, SV_ARG(st.message));
        return false;
}

static void judge_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                bad += !row_holds(&rows[i]);
        assert_int_equal(bad, 0);
}

static void not_a_list(void **state)
{
        static const char *const texts[] = { "", "{}", "[]", "{\"items\":3}", "{\"items\":[", "Error from server" };
        AUTO(arena_done) struct arena a = { 0 };
        struct kube_seen s;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                AUTO(err_done) struct err e = { 0 };
                assert_int_equal(kube_seen_read(&a, sv_from(texts[i]), SV("r"), &s, &e), -ERR_FAILED);
        }
}

/* --- which rank a pod is */

static void pod_ranks(void **state)
{
        static const struct {
                enum kube_kind kind;
                const char *role;
                int64_t index;
                int rank;
        } r[] = {
                { KUBE_JOB, "", -1, 0 },     { KUBE_INDEXED, "", 3, 6 },       { KUBE_INDEXED, "", -1, -1 },
                { KUBE_JOBSET, "", 1, 2 },   { KUBE_PYTORCH, "master", 0, 0 }, { KUBE_PYTORCH, "worker", 0, 2 },
                { KUBE_PYTORCH, "", 0, -1 }, { KUBE_TF, "worker", 2, 2 },      { KUBE_TF, "ps", 1, 5 },
                { KUBE_TF, "ps", -1, -1 },   { KUBE_MPI, "launcher", 0, 0 },   { KUBE_MPI, "worker", 0, -1 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(r) / sizeof(*r); i++) {
                struct kube_pod p = { .role = sv_from(r[i].role), .index = r[i].index };
                assert_int_equal(kube_pod_rank(r[i].kind, 4, 2, &p), r[i].rank);
        }
}

static void notes(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct kube_note *n;

        (void)state;
        assert_int_equal(kube_notes_read(&a, SV(""), &n), 0);
        assert_int_equal(kube_notes_read(&a, SV("sh: 1: python: not found"), &n), 0);
        assert_int_equal(kube_notes_read(&a,
                                         SV("{\"rank\":1,\"attempt\":1,\"exit_code\":3,\"host\":\"}{\\\"\"}\n{\"rank\":"
                                            "2,\"attempt\":1,\"signal\":9} x"),
                                         &n),
                         2);
        assert_int_equal(n[0].rank.exit_code, 3);
        assert_true(sv_is(n[0].rank.host, "}{\""));
        assert_int_equal(n[1].rank.signal, 9);
        assert_int_equal(kube_notes_read(&a, SV("{\"rank\":1,\"attempt\":1,\"exit_code\":999}"), &n), 0);
        assert_int_equal(kube_notes_read(&a, SV("{\"rank\":-1,\"attempt\":1}"), &n), 0);
        assert_int_equal(kube_notes_read(&a, SV("{\"rank\":1"), &n), 0);
}

/* --- text */

static void literals(void **state)
{
        static const char *const r[][2] = {
                { "plain", "plain" }, { "$RANK", "$RANK" },   { "$(ls)", "$$(ls)" },       { "$$", "$$$$" },
                { "a$", "a$" },       { "$$(x)", "$$$$(x)" }, { "$((1+2))", "$$((1+2))" }, { "", "" },
        };
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(r) / sizeof(*r); i++)
                assert_true(sv_is(kube_literal(&a, sv_from(r[i][0])), r[i][1]));
        assert_true(sv_is(kube_quantity(&a, 2147483648), "2Gi"));
        assert_true(sv_is(kube_quantity(&a, 1610612736), "1536Mi"));
        assert_true(sv_is(kube_quantity(&a, 1000), "1000"));
        assert_true(sv_is(kube_quantity(&a, 0), "0"));
}

static void complaints(void **state)
{
        static const struct {
                const char *text;
                enum kube_said said;
        } r[] = {
                { "Error from server (AlreadyExists): error when creating \"STDIN\": jobs.batch \"r\" already exists",
                  KUBE_EXISTS },
                { "Error from server (NotFound): jobs.batch \"r\" not found", KUBE_ABSENT },
                { "error: the server doesn't have a resource type \"pytorchjob\"", KUBE_ABSENT },
                { "error: resource mapping not found for name: \"r\" namespace: \"\" from \"STDIN\": no matches for "
                  "kind \"JobSet\" in version",
                  KUBE_ABSENT },
                { "The Job \"r\" is invalid: spec.template.spec.restartPolicy: Required value", KUBE_REFUSED },
                { "Error from server (Forbidden): pods is forbidden: exceeded quota: q", KUBE_REFUSED },
                { "Error from server (Forbidden): jobs.batch is forbidden: User \"u\" cannot create", KUBE_AUTH },
                { "error: You must be logged in to the server (Unauthorized)", KUBE_AUTH },
                { "Error from server (InternalError): an error on the server (\"\") has prevented the request from "
                  "succeeding",
                  KUBE_AWAY },
                { "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
                  KUBE_AWAY },
                { "Unable to connect to the server: dial tcp: lookup k: no such host", KUBE_AWAY },
                { "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
                  KUBE_AWAY },
                { "", KUBE_AWAY },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(r) / sizeof(*r); i++)
                assert_int_equal(kube_said_of(sv_from(r[i].text)), r[i].said);
        assert_true(sv_is(kube_said_line(SV("Warning: old\nError from server (NotFound): x\nmore\n")),
                          "Error from server (NotFound): x"));
        assert_true(sv_is(kube_said_line(SV("some\nwords\n")), "words"));
}

/* --- logs */

static sv taken(struct arena *a, const char *text, bool ended, struct kube_mark *m)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);

        kube_log_take(sv_from(text), ended, m, &b);
        return arena_sv(a, buf_sv(&b));
}

#define S(ns) "2026-11-24T10:00:00" ns "Z "
static void log_pieces(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct kube_mark m = { 0 };

        (void)state;
        assert_true(sv_is(taken(&a, S(".1") "one\n" S(".12") "two\n" S(".12") "two\n" S(".2") "half", false, &m),
                          "one\ntwo\ntwo\n"));
        assert_int_equal(m.same, 2);
        /* the same second again: what was taken stays taken, also of one stamp */
        assert_true(sv_is(
                taken(&a, S(".1") "one\n" S(".12") "two\n" S(".12") "two\n" S(".12") "three\n" S(".2") "half of it\n",
                      false, &m),
                "three\nhalf of it\n"));
        assert_true(sv_is(taken(&a, S(".2") "half of it\n" S(".200000001") "tail", false, &m), ""));
        assert_true(sv_is(taken(&a, S(".2") "half of it\n" S(".200000001") "tail", true, &m), "tail"));
        assert_true(sv_is(taken(&a, S(".200000001") "tail", true, &m), ""));
        assert_true(sv_is(taken(&a, "2026-11-24T10:00:01Z x\n", true, &m), "x\n"));
}

static void log_whole_seconds(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct kube_mark m = { 0 };

        (void)state;
        assert_true(sv_is(taken(&a, S("") "a\n" S(".5") "b\n", false, &m), "a\nb\n"));
        assert_true(sv_is(taken(&a, S("") "a\n" S(".5") "b\n" S(".50") "b again\n" S(".500000001") "c\n", false, &m),
                          "b again\nc\n"));
        assert_true(sv_is(taken(&a, "unable to retrieve container logs\n", false, &m),
                          "unable to retrieve container logs\n"));
}

static void marks(void **state)
{
        static const char *const bad[] = { "", "x", "- 1 2", "- 1 2 3", "yesterday 1 2 0", "- 1 2 1 4" };
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct kube_mark m = { .stamp = SV("2026-11-24T10:00:00.5Z"), .same = 2, .size = 77, .whole = true }, n;

        (void)state;
        kube_mark_write(&m, &b);
        assert_true(kube_mark_read(buf_sv(&b), &n));
        assert_true(sv_eq(m.stamp, n.stamp) && n.same == 2 && n.size == 77 && n.whole);
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_false(kube_mark_read(sv_from(bad[i]), &n));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(judge_rows), cmocka_unit_test(not_a_list),        cmocka_unit_test(pod_ranks),
                cmocka_unit_test(notes),      cmocka_unit_test(literals),          cmocka_unit_test(complaints),
                cmocka_unit_test(log_pieces), cmocka_unit_test(log_whole_seconds), cmocka_unit_test(marks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
