/* What `kubectl get -o json` says, as plain structs. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "run/target/kubernetes_priv.h"

static int64_t time_of(const struct js *obj, const char *key)
{
        int64_t t;

        return time_parse(js_get_str(obj, key), &t) ? t * 1000000 : 0;
}

/* A condition that holds; NULL: it does not. */
static const struct js *condition(const struct js *status, const char *type)
{
        const struct js *all = js_get(status, "conditions");

        for (size_t i = 0; all && all->type == JS_ARR && i < all->n; i++)
                if (sv_is(js_get_str(all->v[i].value, "type"), type) &&
                    sv_is(js_get_str(all->v[i].value, "status"), "True"))
                        return all->v[i].value;
        return NULL;
}

static const struct js *condition_false(const struct js *status, const char *type)
{
        const struct js *all = js_get(status, "conditions");

        for (size_t i = 0; all && all->type == JS_ARR && i < all->n; i++)
                if (sv_is(js_get_str(all->v[i].value, "type"), type) &&
                    sv_is(js_get_str(all->v[i].value, "status"), "False"))
                        return all->v[i].value;
        return NULL;
}

/* Every engine's words for the end: Job, JobSet, Kubeflow. */
static void read_end(const struct js *status, struct kube_seen *ret)
{
        static const char *const good[] = { "Complete", "Completed", "Succeeded" };
        const struct js *c = condition(status, "Failed");

        if (c) {
                ret->end = KUBE_OVER;
        } else {
                for (size_t i = 0; !c && i < sizeof(good) / sizeof(*good); i++)
                        c = condition(status, good[i]);
                if (c)
                        ret->end = KUBE_SUCCEEDED;
        }
        if (!c && (condition(status, "FailureTarget") || condition(status, "SuccessCriteriaMet")))
                ret->end = KUBE_FINISHING;
        if (c) {
                ret->reason = js_get_str(c, "reason");
                ret->message = js_get_str(c, "message");
                ret->ended_us = time_of(c, "lastTransitionTime");
        }
        ret->suspended = ret->end == KUBE_GOES && condition(status, "Suspended");
}

static void read_object(const struct js *j, struct kube_seen *ret)
{
        const struct js *meta = js_get(j, "metadata"), *spec = js_get(j, "spec");

        ret->there = true;
        ret->uid = js_get_str(meta, "uid");
        ret->deleting = js_get_str(meta, "deletionTimestamp").n > 0;
        read_end(js_get(j, "status"), ret);
        if (ret->end == KUBE_GOES &&
            (js_true(js_get(spec, "suspend")) || js_true(js_get(js_get(spec, "runPolicy"), "suspend"))))
                ret->suspended = true;
}

/* The container that is not an operator's own; ours is alone in its pod, or the first. */
static const struct js *container_status(const struct js *status)
{
        const struct js *all = js_get(status, "containerStatuses");

        return all && all->type == JS_ARR && all->n ? all->v[0].value : NULL;
}

static void read_init(const struct js *status, struct kube_pod *p)
{
        const struct js *all = js_get(status, "initContainerStatuses");

        for (size_t i = 0; all && all->type == JS_ARR && i < all->n && !p->waiting.n; i++) {
                const struct js *w = js_get(js_get(all->v[i].value, "state"), "waiting");
                sv why = js_get_str(w, "reason");
                if (why.n && !sv_is(why, "PodInitializing")) {
                        p->waiting = why;
                        p->waiting_why = js_get_str(w, "message");
                }
        }
}

static void read_container(const struct js *c, struct kube_pod *p)
{
        const struct js *state = js_get(c, "state"), *t = js_get(state, "terminated"), *w = js_get(state, "waiting");
        int64_t n;

        if (t) {
                p->ended = true;
                p->exit_code = js_int(js_get(t, "exitCode"), &n) && n >= 0 && n <= 255 ? (int)n : -1;
                p->signal = js_int(js_get(t, "signal"), &n) && n > 0 && n < 65 ? (int)n : 0;
                p->end_reason = js_get_str(t, "reason");
                p->end_message = js_get_str(t, "message");
                p->started_us = time_of(t, "startedAt");
                p->ended_us = time_of(t, "finishedAt");
        } else if (js_get(state, "running")) {
                p->running = true;
                p->started_us = time_of(js_get(state, "running"), "startedAt");
        } else if (w) {
                p->waiting = js_get_str(w, "reason");
                p->waiting_why = js_get_str(w, "message");
        }
}

static int64_t index_of(const struct js *meta)
{
        static const char *const keys[] = { "batch.kubernetes.io/job-completion-index",
                                            "training.kubeflow.org/replica-index" };
        uint64_t n;

        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
                sv s = js_get_str(js_get(meta, "labels"), keys[i]);
                if (!s.n)
                        s = js_get_str(js_get(meta, "annotations"), keys[i]);
                if (sv_u64(s, &n) && n < 1000000)
                        return (int64_t)n;
        }
        return -1;
}

static void read_pod(const struct js *j, struct kube_pod *p)
{
        const struct js *meta = js_get(j, "metadata"), *status = js_get(j, "status"), *c;

        p->name = js_get_str(meta, "name");
        p->index = index_of(meta);
        p->role = js_get_str(js_get(meta, "labels"), KUBE_ROLE);
        p->terminating = js_get_str(meta, "deletionTimestamp").n > 0;
        p->node = js_get_str(js_get(j, "spec"), "nodeName");
        p->phase = js_get_str(status, "phase");
        p->reason = js_get_str(status, "reason");
        p->message = js_get_str(status, "message");
        p->begun_us = time_of(status, "startTime");
        p->exit_code = -1;
        c = condition_false(status, "PodScheduled");
        p->unschedulable = c && sv_is(js_get_str(c, "reason"), "Unschedulable");
        p->unschedulable_why = p->unschedulable ? js_get_str(c, "message") : (sv){ 0 };
        c = condition(status, "DisruptionTarget");
        p->disruption = c ? js_get_str(c, "reason") : (sv){ 0 };
        if (c && !p->disruption.n)
                p->disruption = SV("DisruptionTarget");
        read_container(container_status(status), p);
        if (!p->ended && !p->running)
                read_init(status, p);
        if (!p->ended && (sv_is(p->phase, "Failed") || sv_is(p->phase, "Succeeded"))) { /* evicted before it ran */
                p->ended = true;
                p->running = false;
                p->exit_code = sv_is(p->phase, "Succeeded") ? 0 : -1;
        }
}

int kube_seen_read(struct arena *a, sv text, sv name, struct kube_seen *ret, struct err *e)
{
        struct kube_seen s = { 0 };
        struct js *doc, *items;
        size_t cap = 0;

        if (js_parse(a, text, &doc, e) < 0)
                return err_while(e, "reading the answer of kubectl");
        items = js_get(doc, "items");
        if (!items || items->type != JS_ARR)
                return err_set(e, ERR_FAILED, "the answer of kubectl is not a list of objects");
        for (size_t i = 0; i < items->n; i++) {
                const struct js *j = items->v[i].value;
                if (sv_is(js_get_str(j, "kind"), "Pod")) {
                        struct kube_pod *p = arena_push(a, s.pod, s.n, cap);
                        *p = (struct kube_pod){ 0 };
                        read_pod(j, p);
                } else if (sv_eq(js_get_str(js_get(j, "metadata"), "name"), name)) {
                        read_object(j, &s);
                }
        }
        *ret = s;
        return 0;
}

int kube_pod_rank(enum kube_kind kind, unsigned workers, unsigned per_node, const struct kube_pod *p)
{
        bool worker = sv_is(p->role, "worker");

        switch (kind) {
        case KUBE_JOB:
                return 0;
        case KUBE_INDEXED:
        case KUBE_JOBSET:
                return p->index < 0 ? -1 : (int)(p->index * per_node);
        case KUBE_PYTORCH:
                if (sv_is(p->role, "master"))
                        return 0;
                return worker && p->index >= 0 ? (int)((p->index + 1) * per_node) : -1;
        case KUBE_TF:
                if (p->index < 0)
                        return -1;
                return worker ? (int)p->index : sv_is(p->role, "ps") ? (int)(workers + p->index) : -1;
        case KUBE_MPI:
                return sv_is(p->role, "launcher") ? 0 : -1;
        }
        return -1;
}

/* --- what the shim leaves in a termination message */

/* End of the JSON object that begins at p[0] == '{'; 0: it does not end. */
static size_t object_end(sv s)
{
        size_t depth = 0;
        bool quoted = false;

        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (quoted && c == '\\')
                        i++;
                else if (c == '"')
                        quoted = !quoted;
                else if (!quoted && c == '{')
                        depth++;
                else if (!quoted && c == '}' && --depth == 0)
                        return i + 1;
        }
        return 0;
}

static int64_t number(const struct js *j, const char *key, int64_t otherwise)
{
        int64_t n;

        return js_int(js_get(j, key), &n) ? n : otherwise;
}

static bool note_of(struct arena *a, sv line, struct kube_note *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct kube_note n = { .line = line };
        struct js *j;
        int64_t rank, attempt, code, sig, kb;

        if (js_parse(a, line, &j, &ignored) < 0)
                return false;
        rank = number(j, "rank", -1);
        attempt = number(j, "attempt", -1);
        code = number(j, "exit_code", -1);
        sig = number(j, "signal", 0);
        kb = number(j, "maxrss_kb", 0);
        if (rank < 0 || rank > 1000000 || attempt < 1 || attempt > 1000000 || code < -1 || code > 255 || sig < 0 ||
            sig > 64)
                return false;
        n.attempt = (unsigned)attempt;
        n.rank = (struct run_rank){ .rank = (unsigned)rank,
                                    .host = js_get_str(j, "host"),
                                    .pid = number(j, "pid", 0),
                                    .start_us = number(j, "start_us", 0),
                                    .end_us = number(j, "end_us", 0),
                                    .exit_code = (int)code,
                                    .signal = (int)sig,
                                    .failed_start = js_true(js_get(j, "failed_start")),
                                    .timed_out = js_true(js_get(j, "timed_out")),
                                    .stopped = js_get_str(j, "stopped"),
                                    .maxrss_kb = kb > 0 ? (uint64_t)kb : 0 };
        *ret = n;
        return true;
}

size_t kube_notes_read(struct arena *a, sv message, struct kube_note **ret)
{
        size_t n = 0, cap = 0;

        *ret = NULL;
        for (;;) {
                struct kube_note note;
                size_t end;
                message = sv_trim(message);
                if (!message.n || message.p[0] != '{')
                        return n;
                end = object_end(message);
                if (!end || !note_of(a, sv_from_to(message, 0, end), &note))
                        return n;
                *arena_push(a, *ret, n, cap) = note;
                message = sv_skip(message, end);
        }
}
