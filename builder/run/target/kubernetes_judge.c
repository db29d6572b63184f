/* What a run at a cluster has come to: the ranks' own records first, then what Kubernetes says of pods, then of the object. */
#include <inttypes.h>

#include "run/target/kubernetes_priv.h"

#define PULL_LIMIT_US (600LL * 1000000) /* how long a pod may fail to get its image or its container */

/* The engine's own words may be long; one line is for people. */
static sv one_line(struct arena *a, sv s)
{
        enum { MAX = 500 };
        sv line = { 0 };

        sv_line(&s, &line);
        return arena_sv(a, sv_from_to(sv_trim(line), 0, MAX));
}

static const struct kube_pod *find_pod(const struct kube_seen *s, const struct kube_facts *f,
                                       bool (*is)(const struct kube_pod *))
{
        for (size_t i = 0; i < s->n; i++)
                if (kube_pod_rank(f->kind, f->workers, f->per_node, &s->pod[i]) >= 0 && is(&s->pod[i]))
                        return &s->pod[i];
        return NULL;
}

static bool is_oom(const struct kube_pod *p)
{
        return sv_is(p->end_reason, "OOMKilled");
}

static bool is_taken(const struct kube_pod *p)
{
        return p->disruption.n || sv_is(p->reason, "Evicted") || sv_is(p->reason, "NodeLost") ||
               sv_is(p->reason, "NodeShutdown") || sv_is(p->reason, "Terminated") || sv_is(p->reason, "Shutdown") ||
               sv_is(p->reason, "Preempting");
}

static bool is_bad_start(const struct kube_pod *p)
{
        return p->ended && (sv_is(p->end_reason, "StartError") || sv_is(p->end_reason, "ContainerCannotRun") ||
                            sv_is(p->reason, "UnexpectedAdmissionError") || sv_starts(p->reason, SV("OutOf")));
}

static bool is_unschedulable(const struct kube_pod *p)
{
        return p->unschedulable;
}

static bool is_running(const struct kube_pod *p)
{
        return p->running;
}

static bool is_starting(const struct kube_pod *p)
{
        return !p->ended && (p->waiting.n || p->node.n);
}

static bool is_stuck(const struct kube_pod *p)
{
        static const char *const words[] = {
                "ErrImagePull",      "ImagePullBackOff",    "ErrImageNeverPull",          "InvalidImageName",
                "ImageInspectError", "RegistryUnavailable", "CreateContainerConfigError", "CreateContainerError",
                "RunContainerError"
        };

        for (size_t i = 0; !p->ended && i < sizeof(words) / sizeof(*words); i++)
                if (sv_is(p->waiting, words[i]))
                        return true;
        return false;
}

static bool is_failed(const struct kube_pod *p)
{
        return p->ended && p->exit_code != 0;
}

/* --- why it failed */

/* The first that failed and that nobody stopped; else the first that failed at all. */
static const struct run_rank *bad_rank(const struct kube_facts *f)
{
        const struct run_rank *best = NULL;

        for (int stopped = 0; !best && stopped < 2; stopped++)
                for (size_t i = 0; i < f->n_rank; i++) {
                        const struct run_rank *r = &f->rank[i];
                        if (!r->end_us || (r->exit_code == 0 && !r->signal) ||
                            (r->stopped.n && !r->timed_out && !stopped))
                                continue;
                        if (!best || r->end_us < best->end_us)
                                best = r;
                }
        return best;
}

static void fail(struct run_status *ret, enum run_reason why, int code, int sig, int rank, sv message)
{
        ret->state = RUN_FAILED;
        ret->reason = why;
        ret->exit_code = code;
        ret->term_signal = sig;
        ret->first_bad_rank = rank;
        ret->message = message;
}

static void by_record(struct arena *a, const struct run_rank *r, struct run_status *ret)
{
        enum { NOT_RUN = 125, SIGNAL = 128 };
        int code = r->signal ? SIGNAL + r->signal : r->exit_code;

        if (r->timed_out)
                fail(ret, RUN_R_TIMEOUT, code, r->signal, (int)r->rank, SV("it ran longer than it was allowed to"));
        else if (r->failed_start)
                fail(ret, RUN_R_LAUNCH_FAILED, r->exit_code, 0, (int)r->rank,
                     r->exit_code == NOT_RUN + 2 ? SV("the command was not found in the image")
                                                 : SV("the command could not be started in the image"));
        else if (r->signal)
                fail(ret, RUN_R_SIGNAL, code, r->signal, (int)r->rank,
                     arena_fmt(a, "rank %u was ended by signal %d", r->rank, r->signal));
        else
                fail(ret, RUN_R_EXIT_CODE, code, 0, (int)r->rank,
                     arena_fmt(a, "rank %u exited with %d", r->rank, code));
}

static void by_taken(struct arena *a, const struct kube_pod *p, int rank, struct run_status *ret)
{
        bool node = sv_is(p->disruption, "DeletionByTaintManager") || sv_is(p->disruption, "DeletionByPodGC") ||
                    sv_is(p->reason, "NodeLost") || sv_is(p->reason, "NodeShutdown") || sv_is(p->reason, "Shutdown") ||
                    sv_is(p->reason, "Terminated");
        sv word = p->disruption.n ? p->disruption : p->reason;

        fail(ret, node ? RUN_R_NODE_FAIL : RUN_R_PREEMPTED, -1, 0, rank,
             arena_fmt(a, "pod %.*s was taken away (%.*s)%s%.*s", SV_ARG(p->name), SV_ARG(word),
                       p->message.n ? ": " : "", SV_ARG(one_line(a, p->message))));
}

static void by_exit(struct arena *a, const struct kube_pod *p, int rank, struct run_status *ret)
{
        enum { SIGNAL = 128, NOT_RUN = 125 };
        int sig = p->signal                                              ? p->signal
                  : p->exit_code > SIGNAL && p->exit_code <= SIGNAL + 64 ? p->exit_code - SIGNAL
                                                                         : 0;
        sv said = p->end_message.n && p->end_message.p[0] != '{' ? one_line(a, p->end_message) : (sv){ 0 };

        fail(ret,
             p->exit_code < 0          ? RUN_R_LOST
             : p->exit_code == NOT_RUN ? RUN_R_LAUNCH_FAILED
             : sig                     ? RUN_R_SIGNAL
                                       : RUN_R_EXIT_CODE,
             p->exit_code, sig, rank,
             p->exit_code < 0 ? arena_fmt(a, "pod %.*s failed without an exit code%s%.*s", SV_ARG(p->name),
                                          p->message.n ? ": " : "", SV_ARG(one_line(a, p->message)))
                              : arena_fmt(a, "pod %.*s exited with %d%s%.*s", SV_ARG(p->name), p->exit_code,
                                          said.n ? ": " : "", SV_ARG(said)));
}

/* Nothing is left of the pods, or they say nothing: the object's own words. */
static void by_object(struct arena *a, const struct kube_seen *s, struct run_status *ret)
{
        sv said = one_line(a, s->message);

        if (sv_is(s->reason, "DeadlineExceeded") && !ret->started_us)
                fail(ret, RUN_R_UNSCHEDULABLE, -1, 0, -1,
                     SV("no node could run it before its deadline (its time limit and a day)"));
        else if (sv_is(s->reason, "DeadlineExceeded"))
                fail(ret, RUN_R_TIMEOUT, -1, 0, -1, SV("the cluster ended it a day after its time limit"));
        else
                fail(ret, RUN_R_LOST, -1, 0, -1,
                     said.n ? arena_fmt(a, "its pods are gone without a word; the cluster says: %.*s", SV_ARG(said))
                            : SV("its pods are gone without a word: a lost node, or somebody deleted them"));
}

static const struct kube_pod *first_failed(const struct kube_seen *s, const struct kube_facts *f)
{
        const struct kube_pod *best = NULL;

        for (size_t i = 0; i < s->n; i++) {
                const struct kube_pod *p = &s->pod[i];
                if (is_failed(p) && kube_pod_rank(f->kind, f->workers, f->per_node, p) >= 0 &&
                    (!best || (p->ended_us && p->ended_us < best->ended_us)))
                        best = p;
        }
        return best;
}

static void judge_failed(struct arena *a, const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret)
{
        enum { KILLED = 137, KILL = 9 };
        const struct kube_pod *oom = find_pod(s, f, is_oom), *taken = find_pod(s, f, is_taken), *p;
        const struct run_rank *r = bad_rank(f);
#define RANK_OF(pod) kube_pod_rank(f->kind, f->workers, f->per_node, (pod))

        if (oom && (!r || r->signal == KILL || !r->end_us))
                fail(ret, RUN_R_OOM, KILLED, KILL, RANK_OF(oom),
                     arena_fmt(
                             a,
                             "pod %.*s used more memory than it may: ask for more (resources, x-envbuild: {memory: …})",
                             SV_ARG(oom->name)));
        else if (r && (!taken || !r->stopped.n))
                by_record(a, r, ret);
        else if (taken)
                by_taken(a, taken, RANK_OF(taken), ret);
        else if ((p = find_pod(s, f, is_bad_start)))
                fail(ret, RUN_R_LAUNCH_FAILED, p->exit_code, 0, RANK_OF(p),
                     one_line(a, p->end_message.n ? p->end_message : p->message));
        else if ((p = first_failed(s, f)))
                by_exit(a, p, RANK_OF(p), ret);
        else
                by_object(a, s, ret);
#undef RANK_OF
}

/* --- the states */

static bool all_well(const struct kube_facts *f)
{
        size_t good = 0;

        for (size_t i = 0; i < f->n_rank; i++)
                good += f->rank[i].end_us && f->rank[i].exit_code == 0 && !f->rank[i].signal;
        return good == f->ranks;
}

static void completed(struct run_status *ret)
{
        ret->state = RUN_COMPLETED;
        ret->reason = RUN_R_NONE;
        ret->exit_code = 0;
        ret->term_signal = 0;
        ret->first_bad_rank = -1;
        ret->message = (sv){ 0 };
}

static void judge_end(struct arena *a, const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret)
{
        if (all_well(f) || (s->end == KUBE_SUCCEEDED && !bad_rank(f))) {
                completed(ret);
        } else if (f->cancel_wanted) {
                ret->state = RUN_CANCELED;
                ret->reason = RUN_R_NONE;
                ret->message = SV("cancelled");
        } else {
                judge_failed(a, s, f, ret);
        }
        ret->ended_us = s->ended_us;
        for (size_t i = 0; i < f->n_rank; i++)
                if (f->rank[i].end_us > ret->ended_us)
                        ret->ended_us = f->rank[i].end_us;
        if (!ret->ended_us)
                ret->ended_us = f->now_us;
}

static void judge_times(const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->pod[i].started_us && kube_pod_rank(f->kind, f->workers, f->per_node, &s->pod[i]) >= 0 &&
                    (!ret->started_us || s->pod[i].started_us < ret->started_us))
                        ret->started_us = s->pod[i].started_us;
}

/* A pod that waits for what does not come: the words of the kubelet, and after ten minutes the end. */
static bool judge_stuck(struct arena *a, const struct kube_pod *p, const struct kube_facts *f, struct run_status *ret)
{
        bool image = !sv_starts(p->waiting, SV("CreateContainer")) && !sv_is(p->waiting, "RunContainerError");
        bool never = sv_is(p->waiting, "InvalidImageName") || sv_is(p->waiting, "ErrImageNeverPull");
        int64_t since = p->begun_us > ret->submitted_us ? p->begun_us : ret->submitted_us;
        sv why = arena_fmt(a, "pod %.*s: %.*s: %.*s", SV_ARG(p->name), SV_ARG(p->waiting),
                           SV_ARG(one_line(a, p->waiting_why)));

        ret->message = why;
        ret->state = RUN_STARTING;
        if (!never && (!since || f->now_us - since < PULL_LIMIT_US))
                return false;
        fail(ret, image ? RUN_R_IMAGE_PULL : RUN_R_LAUNCH_FAILED, -1, 0, -1, why);
        ret->ended_us = f->now_us;
        return true;
}

static void judge_going(struct arena *a, const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret,
                        bool *ret_drop)
{
        const struct kube_pod *p;

        ret->message = (sv){ 0 };
        if (s->end == KUBE_FINISHING) {
                ret->state = RUN_FINALIZING;
        } else if ((p = find_pod(s, f, is_stuck))) {
                *ret_drop = judge_stuck(a, p, f, ret);
        } else if (find_pod(s, f, is_running)) {
                ret->state = RUN_RUNNING;
        } else if ((p = find_pod(s, f, is_unschedulable))) {
                ret->state = RUN_QUEUED;
                ret->message = arena_fmt(a, "no node can take pod %.*s yet: %.*s", SV_ARG(p->name),
                                         SV_ARG(one_line(a, p->unschedulable_why)));
        } else if (find_pod(s, f, is_starting)) {
                ret->state = RUN_STARTING;
        } else if (s->n && find_pod(s, f, is_failed)) {
                ret->state = RUN_FINALIZING;
        } else {
                ret->state = ret->started_us ? RUN_FINALIZING : RUN_QUEUED;
        }
}

static void judge_words(struct arena *a, const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret)
{
        const struct kube_pod *p = find_pod(s, f, is_failed);

        if (!p)
                p = find_pod(s, f, is_running);
        if (!p && s->n)
                p = &s->pod[0];
        if (!s->there)
                ret->engine_state = SV("gone");
        else if (s->end != KUBE_GOES && s->reason.n)
                ret->engine_state =
                        arena_fmt(a, "%s (%.*s)", s->end == KUBE_SUCCEEDED ? "Complete" : "Failed", SV_ARG(s->reason));
        else if (s->end == KUBE_SUCCEEDED || s->end == KUBE_OVER)
                ret->engine_state = s->end == KUBE_SUCCEEDED ? SV("Complete") : SV("Failed");
        else if (s->suspended)
                ret->engine_state = SV("Suspended");
        else if (p && p->waiting.n)
                ret->engine_state = arena_fmt(a, "%.*s (%.*s)", SV_ARG(p->phase), SV_ARG(p->waiting));
        else if (p)
                ret->engine_state =
                        arena_fmt(a, "%.*s%s", SV_ARG(p->phase), p->unschedulable ? " (Unschedulable)" : "");
        else
                ret->engine_state = SV("no pods yet");
}

void kube_judge(struct arena *a, const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret,
                bool *ret_drop)
{
        *ret_drop = false;
        judge_times(s, f, ret);
        judge_words(a, s, f, ret);
        if (!s->there || s->end == KUBE_SUCCEEDED || s->end == KUBE_OVER) {
                judge_end(a, s, f, ret);
                return;
        }
        judge_going(a, s, f, ret, ret_drop);
        if (s->suspended && !run_state_final(ret->state)) {
                ret->state = RUN_QUEUED;
                ret->message = SV("suspended: its queue has not let it in yet");
        }
        if ((f->cancel_wanted || s->deleting) && !run_state_final(ret->state))
                ret->state = f->cancel_wanted ? RUN_CANCEL_REQUESTED : RUN_FINALIZING;
}
