/* run/target/kubernetes_priv.h - the target kubernetes inside: manifests, kubectl, and what its answers mean. Everything at the cluster goes through
 * the program kubectl, JSON in and out: logins, contexts and plugins are its business. */
#ifndef RUN_TARGET_KUBERNETES_PRIV_H
#define RUN_TARGET_KUBERNETES_PRIV_H

#include "base/proc.h"
#include "run/target/submit.h"

#define KUBE_RUN_DIR  "/mnt/run" /* the run's folder in a pod */
#define KUBE_SHIM     "/.envbuild/envbuild-rank"
#define KUBE_CODE     "/.envbuild/code"
#define KUBE_LABEL    "envbuild.dev/run-id"
#define KUBE_ATTEMPT  "envbuild.dev/attempt"
#define KUBE_ROLE     "envbuild.dev/role" /* of an operator's pods: which replicas they are */
#define KUBE_PORT     6105                /* rank 0 listens there; Azure ML's */
#define KUBE_JSON_MAX ((size_t)16 << 20)

/* What stands for the run at the cluster. */
enum kube_kind { KUBE_JOB, KUBE_INDEXED, KUBE_JOBSET, KUBE_PYTORCH, KUBE_TF, KUBE_MPI };
struct kube_form {
        const char *resource;   /* "job.batch": as kubectl and handles call it */
        const char *api, *kind; /* "batch/v1", "Job" */
        const char *container;  /* the operator looks for it by name */
};
extern const struct kube_form kube_forms[]; /* by enum kube_kind */

/* One run at its cluster. Texts live in r->arena. */
struct kube {
        struct run *r;
        enum kube_kind kind;
        sv name; /* of the objects: the run's id, of a further attempt ID-aN */
        sv context, ns, queue, pull_secret, pvc;
        unsigned ranks, nodes, per_node; /* nodes: pods that run ranks; per_node: ranks in each, at least 1 */
};
/** What profile and description come to; refuses what a pod cannot do (-ERR_USAGE). */
int kube_of(struct run *r, struct kube *ret, struct err *e);
/** Without the refusals: for a run that was submitted. */
void kube_again(struct run *r, struct kube *ret);

/* --- manifests (kubernetes_object.c, kubernetes_pod.c) */

/* Variables of the ranks: plain ones stand in the manifest, those of env_from_host in the Secret only. */
struct kube_env {
        struct run_pair *plain, *secret;
        size_t n_plain, n_secret;
};
struct js *kube_object(const struct kube *k, const struct kube_env *env, struct err *e); /* NULL: e says why */
struct js *kube_service(const struct kube *k);                                           /* NULL: needs none */
struct js *kube_secret(const struct kube *k, const struct kube_env *env, struct err *e); /* NULL: needs none, or e */
/** One pod's template; role: "" of a Job, else "master", "worker", "ps", "launcher"; base: its first rank. NULL: e says why. */
struct js *kube_pod_template(const struct kube *k, const struct kube_env *env, const char *role, unsigned base,
                             struct err *e);
void kube_put_labels(const struct kube *k, struct js *meta, const char *role);
/** Host of a rank's pod, as the others see it. */
sv kube_host(const struct kube *k, unsigned rank);
/** Kubernetes puts variables in for $(NAME) and halves $$: so that text arrives as it is. */
sv kube_literal(struct arena *a, sv text);
/** "2Gi", "1536Mi", "1000": exact. */
sv kube_quantity(struct arena *a, uint64_t bytes);
/** A pod that does nothing but hold the volume claim, so that `kubectl cp` can read it. */
struct js *kube_collector(const struct kube *k);

/* --- kubectl (kubernetes_kubectl.c) */

enum kube_said {
        KUBE_OK,
        KUBE_EXISTS,  /* AlreadyExists */
        KUBE_ABSENT,  /* NotFound, or the cluster does not know the kind */
        KUBE_REFUSED, /* Invalid, Forbidden: the same again will fail again */
        KUBE_AUTH,    /* not logged in, or not allowed */
        KUBE_AWAY     /* nobody knows: no connection, 5xx, too many requests, anything else */
};
/** What kubectl's stderr means. Pure. */
enum kube_said kube_said_of(sv text);
/** The line of it that people need, in text. */
sv kube_said_line(sv text);
struct kube_call {
        const char *const *args; /* after the global ones; NULL-terminated */
        sv input;
        size_t max_out;     /* 0: KUBE_JSON_MAX */
        int64_t timeout_ms; /* 0: 25 s */
};
/** @return 0 with *ret (stderr in res->err) · -ERR_NOT_FOUND: no kubectl · -ERR_CANCELLED · -ERR_LIMIT */
int kube_run(const struct kube *k, const struct kube_call *c, struct proc_result *res, enum kube_said *ret,
             struct err *e);
/** err_set by what it said: -ERR_NET, -ERR_AUTH, -ERR_FAILED. what: "submitting the run". */
int kube_fail(enum kube_said said, const struct proc_result *res, const char *what, struct err *e);

/* --- answers (kubernetes_answer.c): pure */

struct kube_pod {
        sv name, phase, node;
        sv reason, message; /* of the pod: Evicted … */
        sv role;            /* "master", "worker", "ps", "launcher"; empty: of a Job */
        int64_t index;      /* -1: not said */
        bool terminating, unschedulable;
        sv unschedulable_why;
        sv disruption; /* why it was taken away; empty: it was not */
        sv waiting, waiting_why;
        bool running, ended;
        int exit_code, signal;
        sv end_reason, end_message; /* OOMKilled …; what the shim left */
        int64_t begun_us, started_us, ended_us;
};
struct kube_seen {
        bool there, deleting, suspended;
        enum { KUBE_GOES, KUBE_FINISHING, KUBE_SUCCEEDED, KUBE_OVER } end;
        sv uid, reason, message;
        int64_t ended_us;
        struct kube_pod *pod;
        size_t n;
};
/** `kubectl get KIND,pods -o json`: a List; name: of the object that is the run. -ERR_FAILED: not what kubectl says. */
int kube_seen_read(struct arena *a, sv text, sv name, struct kube_seen *ret, struct err *e);
/** Ranks' records in a termination message: JSON objects, one after the other. Stops at what is none. line: each as text. */
struct kube_note {
        struct run_rank rank;
        unsigned attempt;
        sv line;
};
size_t kube_notes_read(struct arena *a, sv message, struct kube_note **ret);
/** First rank of a pod; -1: none runs in it. */
int kube_pod_rank(enum kube_kind kind, unsigned workers, unsigned per_node, const struct kube_pod *p);

struct kube_facts {
        enum kube_kind kind;
        unsigned ranks, per_node, workers;
        bool cancel_wanted;
        int64_t now_us;
        const struct run_rank *rank; /* what is known of them, by now */
        size_t n_rank;
};
/**
 * What all that comes to. *ret comes in as the record has it; texts of it are in a.
 *
 * @param ret_drop  the run is over for us, but not for the cluster: delete it there
 */
void kube_judge(struct arena *a, const struct kube_seen *s, const struct kube_facts *f, struct run_status *ret,
                bool *ret_drop);

/* --- logs (kubernetes_logs.c) */

/* How far a pod's log was taken: lines before `stamp` are, and `same` lines of that very stamp. size: of the file then. */
struct kube_mark {
        sv stamp; /* RFC 3339 with nanoseconds, as kubectl gives it; empty: nothing yet */
        uint64_t same, size;
        bool whole; /* the pod had ended and all was read */
};
bool kube_mark_read(sv text, struct kube_mark *ret);
void kube_mark_write(const struct kube_mark *m, struct buf *out);
/**
 * Lines of `kubectl logs --timestamps` that are new, without their stamps, to out; moves *m on (m->stamp points into text). Pure.
 * ended: a last line without its end is taken, too.
 */
void kube_log_take(sv text, bool ended, struct kube_mark *m, struct buf *out);
/** Fetch what is new of every pod, for at most ms. *ret_all: nothing is left of those that ended. */
int kube_logs_fetch(const struct kube *k, const struct kube_seen *s, int64_t ms, bool *ret_all, struct err *e);

int kube_collect(struct run *r, struct err *e);

#endif
