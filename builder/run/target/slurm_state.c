/* Slurm's states as ours, and one status of what Slurm and the ranks say (specs: executors §3, §7). The ranks' records go first: Slurm masks the
 * code of the first failing rank, and forgets everything after MinJobAge. */
#include "run/target/slurm_priv.h"

static const struct word {
        const char *name;
        enum run_state state;
        enum run_reason reason;
} words[] = {
        { "PENDING", RUN_QUEUED, RUN_R_NONE },
        { "REQUEUED", RUN_QUEUED, RUN_R_NONE },
        { "REQUEUE_HOLD", RUN_QUEUED, RUN_R_NONE },
        { "REQUEUE_FED", RUN_QUEUED, RUN_R_NONE },
        { "RESV_DEL_HOLD", RUN_QUEUED, RUN_R_NONE },
        { "SPECIAL_EXIT", RUN_QUEUED, RUN_R_NONE },
        { "CONFIGURING", RUN_STARTING, RUN_R_NONE },
        { "POWER_UP_NODE", RUN_STARTING, RUN_R_NONE },
        { "RUNNING", RUN_RUNNING, RUN_R_NONE },
        { "SUSPENDED", RUN_RUNNING, RUN_R_NONE },
        { "SIGNALING", RUN_RUNNING, RUN_R_NONE },
        { "RESIZING", RUN_RUNNING, RUN_R_NONE },
        { "STOPPED", RUN_RUNNING, RUN_R_NONE },
        { "COMPLETING", RUN_FINALIZING, RUN_R_NONE },
        { "STAGE_OUT", RUN_FINALIZING, RUN_R_NONE },
        { "UPDATE_DB", RUN_FINALIZING, RUN_R_NONE },
        { "COMPLETED", RUN_COMPLETED, RUN_R_NONE },
        { "CANCELLED", RUN_CANCELED, RUN_R_NONE },
        { "FAILED", RUN_FAILED, RUN_R_EXIT_CODE },
        { "TIMEOUT", RUN_FAILED, RUN_R_TIMEOUT },
        { "DEADLINE", RUN_FAILED, RUN_R_TIMEOUT },
        { "OUT_OF_MEMORY", RUN_FAILED, RUN_R_OOM },
        { "NODE_FAIL", RUN_FAILED, RUN_R_NODE_FAIL },
        { "BOOT_FAIL", RUN_FAILED, RUN_R_LAUNCH_FAILED },
        { "LAUNCH_FAILED", RUN_FAILED, RUN_R_LAUNCH_FAILED },
        { "RECONFIG_FAIL", RUN_FAILED, RUN_R_LAUNCH_FAILED },
        { "PREEMPTED", RUN_FAILED, RUN_R_PREEMPTED },
        { "REVOKED", RUN_FAILED, RUN_R_PREEMPTED },
};

bool slurm_state_map(sv word, enum run_state *ret, enum run_reason *ret_reason)
{
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (sv_is(word, words[i].name)) {
                        *ret = words[i].state;
                        *ret_reason = words[i].reason;
                        return true;
                }
        return false;
}

const char *slurm_never_runs(sv reason)
{
        static const struct {
                const char *begins, *means;
        } v[] = {
                { "PartitionConfig", "it asks for more than the partition has (nodes, processors, memory)" },
                { "PartitionNodeLimit", "it asks for more nodes than the partition allows" },
                { "PartitionTimeLimit", "it asks for more time than the partition allows" },
                { "PartitionDown", "the partition is down" },
                { "PartitionInactive", "the partition takes no jobs" },
                { "BadConstraints", "no node has what `constraint` asks for" },
                { "AssocGrp", "a limit of the account is reached" },
                { "AssocMax", "a limit of the account is reached" },
                { "AccountNotAllowed", "the account may not use this partition" },
                { "InvalidAccount", "there is no such account" },
                { "InvalidQOS", "there is no such QOS" },
                { "QOS", "a limit of the QOS is reached" },
                { "JobHeld", "it is held: scontrol release" },
                { "ReqNodeNotAvail", "nodes that it needs are down or reserved" },
                { "DependencyNeverSatisfied", "a job that it depends on did not end as it should" },
                { "NodeDown", "nodes that it needs are down" },
        };

        for (size_t i = 0; i < ARRAY_LEN(v); i++)
                if (sv_starts(reason, sv_from(v[i].begins)))
                        return v[i].means;
        return NULL;
}

static int64_t us(int64_t seconds)
{
        return seconds * 1000000;
}

/* While it waits StartTime is a guess, and EndTime one until it is over. */
static void take_times(const struct slurm_job *j, struct run_status *s)
{
        if (j->submit_s && !s->submitted_us)
                s->submitted_us = us(j->submit_s);
        if (j->start_s && !s->started_us && s->state >= RUN_RUNNING && s->state <= RUN_FAILED)
                s->started_us = us(j->start_s);
        if (j->end_s && !s->ended_us && run_state_final(s->state))
                s->ended_us = us(j->end_s);
}

static void waiting(struct arena *a, const struct slurm_job *j, struct run_status *s)
{
        const char *means = slurm_never_runs(j->reason);

        if (!means)
                return;
        s->reason = RUN_R_UNSCHEDULABLE;
        s->message = arena_fmt(a, "Slurm will not start it as things are: %.*s: %s", SV_ARG(j->reason), means);
}

/* Slurm's own account of a failure, where the ranks have none. */
static void failed_by_slurm(struct arena *a, const struct slurm_job *j, enum run_reason why, struct run_status *s)
{
        enum { LAUNCH = 53, CANNOT_GO_ON = 125 };

        s->state = RUN_FAILED;
        s->reason = why;
        if (why == RUN_R_EXIT_CODE && (j->signal == LAUNCH || j->exit_code == CANNOT_GO_ON)) {
                s->reason = RUN_R_LAUNCH_FAILED;
                s->message = arena_fmt(a, j->signal == LAUNCH
                                                  ? "Slurm could not start the job: do its nodes see the run's folder?"
                                                  : "the command was not reached: system_logs/ says why");
        } else if (why == RUN_R_EXIT_CODE && j->signal > 0) {
                s->reason = RUN_R_SIGNAL;
                s->term_signal = j->signal;
        } else if (why == RUN_R_EXIT_CODE && j->exit_code > 0) {
                s->exit_code = j->exit_code;
        } else if (why == RUN_R_EXIT_CODE) {
                s->reason = RUN_R_LOST;
        }
        if (!s->message.n && why != RUN_R_EXIT_CODE)
                s->message = arena_fmt(a, "Slurm ended it: %.*s", SV_ARG(s->engine_state));
}

bool slurm_doubtful(const struct slurm_seen *seen)
{
        const struct run_status *r = &seen->ranks;

        return seen->judged && r->state == RUN_FAILED && r->reason != RUN_R_TIMEOUT &&
               (seen->stopped || r->term_signal);
}

/* All ranks have ended. What one did by itself is known better than Slurm knows it; of one that was ended from outside Slurm knows why. */
static void ended(struct arena *a, const struct slurm_job *j, const struct slurm_seen *seen, enum run_state state,
                  enum run_reason why, struct run_status *ret)
{
        sv word = ret->engine_state;

        *ret = seen->ranks;
        ret->engine_state = word;
        if (ret->state != RUN_FAILED)
                return;
        if (why == RUN_R_OOM && ret->term_signal) {
                ret->reason = RUN_R_OOM;
                ret->message = arena_fmt(a, "out of memory: Slurm's limit is that of `memory`, or the partition's");
        } else if (seen->stopped && state == RUN_FAILED && why != RUN_R_EXIT_CODE) {
                ret->reason = why;
                ret->message = arena_fmt(a, "Slurm ended it: %.*s", SV_ARG(j->state));
        } else if (seen->stopped && state == RUN_CANCELED) {
                ret->state = RUN_CANCELED;
                ret->reason = RUN_R_NONE;
                ret->message = arena_fmt(a, "cancelled in Slurm, not by envbuild");
        }
}

bool slurm_decide(struct arena *a, const struct slurm_job *j, const struct slurm_seen *seen, struct run_status *ret)
{
        struct run_status s = seen->ranks;
        enum run_reason why = RUN_R_NONE;
        enum run_state state;
        bool sure = true;

        s.engine_state =
                j->reason.n ? arena_fmt(a, "%.*s (%.*s)", SV_ARG(j->state), SV_ARG(j->reason)) : arena_sv(a, j->state);
        s.message = (sv){ 0 };
        if (!slurm_state_map(j->state, &state, &why)) {
                s.state = RUN_UNKNOWN;
        } else if (seen->judged && slurm_doubtful(seen) && !run_state_final(state)) {
                s.state = RUN_FINALIZING; /* COMPLETING hides what it will be */
        } else if (seen->judged) {
                ended(a, j, seen, state, why, &s);
        } else if (!run_state_final(state)) {
                s.state = state;
                s.reason = RUN_R_NONE;
                if (state == RUN_QUEUED)
                        waiting(a, j, &s);
        } else if (seen->cancel_wanted || state == RUN_CANCELED) {
                s.state = RUN_CANCELED;
                s.reason = RUN_R_NONE;
                if (!seen->cancel_wanted)
                        s.message = SV("cancelled in Slurm, not by envbuild");
        } else if (state == RUN_FAILED) {
                failed_by_slurm(a, j, why, &s);
        } else {
                sure = false;
        }
        if (sure) {
                take_times(j, &s);
                *ret = s;
        }
        return sure;
}
