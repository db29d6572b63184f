/* What is created: a Job, or an operator's object, and beside it a Service (the ranks' names) and a Secret. */
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "run/target/kubernetes_priv.h"

enum { DAY_S = 86400 };

const struct kube_form kube_forms[] = {
        [KUBE_JOB] = { "job.batch", "batch/v1", "Job", "main" },
        [KUBE_INDEXED] = { "job.batch", "batch/v1", "Job", "main" },
        [KUBE_JOBSET] = { "jobset.jobset.x-k8s.io", "jobset.x-k8s.io/v1alpha2", "JobSet", "main" },
        [KUBE_PYTORCH] = { "pytorchjob.kubeflow.org", "kubeflow.org/v1", "PyTorchJob", "pytorch" },
        [KUBE_TF] = { "tfjob.kubeflow.org", "kubeflow.org/v1", "TFJob", "tensorflow" },
        [KUBE_MPI] = { "mpijob.v2beta1.kubeflow.org", "kubeflow.org/v2beta1", "MPIJob", "launcher" },
};

/* --- metadata */

void kube_put_labels(const struct kube *k, struct js *meta, const char *role)
{
        struct arena *a = k->r->arena;
        struct js *l = js_new_obj(a);

        js_put_str(a, l, "app.kubernetes.io/managed-by", SV("envbuild"));
        js_put_str(a, l, KUBE_LABEL, k->r->rec->id);
        js_put_str(a, l, KUBE_ATTEMPT, arena_fmt(a, "%u", k->r->rec->attempt));
        if (*role)
                js_put_str(a, l, KUBE_ROLE, sv_from(role));
        js_put(a, meta, SV("labels"), l);
}

static void annotate(struct arena *a, struct js *notes, const char *key, sv value)
{
        if (value.n && sv_utf8(value))
                js_put_str(a, notes, key, value);
}

static struct js *meta_of(const struct kube *k, bool whole)
{
        struct arena *a = k->r->arena;
        const struct run_record *rec = k->r->rec;
        struct js *m = js_new_obj(a), *notes = js_new_obj(a), *tags = js_new_obj(a);
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)64 << 10);

        js_put_str(a, m, "name", k->name);
        if (k->ns.n)
                js_put_str(a, m, "namespace", k->ns);
        kube_put_labels(k, m, "");
        if (!whole)
                return m;
        if (k->queue.n)
                js_put(a, js_get(m, "labels"), SV("kueue.x-k8s.io/queue-name"), js_new_str(a, k->queue));
        annotate(a, notes, "envbuild.dev/environment", rec->image);
        annotate(a, notes, "envbuild.dev/lock-digest", rec->lock_digest);
        annotate(a, notes, "envbuild.dev/experiment", rec->spec->experiment);
        annotate(a, notes, "envbuild.dev/description", rec->spec->description);
        annotate(a, notes, "envbuild.dev/git-commit", rec->git.commit);
        annotate(a, notes, "envbuild.dev/git-repository", rec->git.repository);
        for (size_t i = 0; i < rec->spec->n_tag; i++)
                if (sv_utf8(rec->spec->tag[i].name) && sv_utf8(rec->spec->tag[i].value))
                        js_put(a, tags, rec->spec->tag[i].name, js_new_str(a, rec->spec->tag[i].value));
        if (tags->n) {
                js_write(tags, &text);
                annotate(a, notes, "envbuild.dev/tags", arena_sv(a, buf_sv(&text)));
        }
        if (notes->n)
                js_put(a, m, SV("annotations"), notes);
        return m;
}

/* --- kinds */

/* The limit counts from the start, with the time that pods wait for a node: the shim counts the seconds of the run, this is for when it cannot. */
static void put_deadline(const struct kube *k, struct js *o)
{
        uint64_t limit = k->r->rec->spec->timeout_s, most = INT32_MAX;

        if (limit)
                js_put_int(k->r->arena, o, "activeDeadlineSeconds",
                           (int64_t)(limit < most - DAY_S ? limit + DAY_S : most));
}

static struct js *job_spec(const struct kube *k, const struct kube_env *env, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *s = js_new_obj(a), *t = kube_pod_template(k, env, "", 0, e);

        if (!t)
                return NULL;
        if (k->queue.n && k->kind != KUBE_JOBSET)
                js_put(a, s, SV("suspend"), js_new_bool(a, true));
        if (k->kind != KUBE_JOB)
                js_put_str(a, s, "completionMode", SV("Indexed"));
        js_put_int(a, s, "completions", k->nodes);
        js_put_int(a, s, "parallelism", k->nodes);
        js_put_int(a, s, "backoffLimit", 0);
        put_deadline(k, s);
        if (k->kind != KUBE_JOBSET)
                js_put_int(a, s, "ttlSecondsAfterFinished", DAY_S);
        js_put(a, s, SV("template"), t);
        return s;
}

static struct js *jobset_spec(const struct kube *k, const struct kube_env *env, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *s = js_new_obj(a), *failure = js_new_obj(a), *net = js_new_obj(a), *jobs = js_new_arr(a),
                  *one = js_new_obj(a);
        struct js *t = js_new_obj(a), *job = job_spec(k, env, e);

        if (!job)
                return NULL;
        if (k->queue.n)
                js_put(a, s, SV("suspend"), js_new_bool(a, true));
        js_put_int(a, failure, "maxRestarts", 0);
        js_put(a, s, SV("failurePolicy"), failure);
        js_put(a, net, SV("enableDNSHostnames"), js_new_bool(a, true));
        js_put(a, net, SV("publishNotReadyAddresses"), js_new_bool(a, true));
        js_put(a, s, SV("network"), net);
        js_put_int(a, s, "ttlSecondsAfterFinished", DAY_S);
        js_put(a, t, SV("spec"), job);
        js_put_str(a, one, "name", SV("node"));
        js_put_int(a, one, "replicas", 1);
        js_put(a, one, SV("template"), t);
        js_add(a, jobs, one);
        js_put(a, s, SV("replicatedJobs"), jobs);
        return s;
}

static struct js *policy(const struct kube *k, const char *clean)
{
        struct arena *a = k->r->arena;
        struct js *p = js_new_obj(a);

        js_put_str(a, p, "cleanPodPolicy", sv_from(clean));
        js_put_int(a, p, "backoffLimit", 0);
        put_deadline(k, p);
        js_put_int(a, p, "ttlSecondsAfterFinished", DAY_S);
        if (k->queue.n)
                js_put(a, p, SV("suspend"), js_new_bool(a, true));
        return p;
}

static int put_replicas(const struct kube *k, const struct kube_env *env, struct js *all, const char *word,
                        const char *role, unsigned n, unsigned base, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *r = js_new_obj(a), *t;

        if (!n)
                return 0;
        t = kube_pod_template(k, env, role, base, e);
        if (!t)
                return -(int)e->code;
        js_put_int(a, r, "replicas", n);
        js_put_str(a, r, "restartPolicy", SV("Never"));
        js_put(a, r, SV("template"), t);
        js_put(a, all, sv_from(word), r);
        return 0;
}

static struct js *pytorch_spec(const struct kube *k, const struct kube_env *env, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *s = js_new_obj(a), *all = js_new_obj(a);

        if (put_replicas(k, env, all, "Master", "master", 1, 0, e) < 0 ||
            put_replicas(k, env, all, "Worker", "worker", k->nodes - 1, k->per_node, e) < 0)
                return NULL;
        js_put(a, s, SV("runPolicy"), policy(k, "None"));
        js_put_str(a, s, "nprocPerNode", arena_fmt(a, "%u", k->per_node));
        js_put(a, s, SV("pytorchReplicaSpecs"), all);
        return s;
}

static struct js *tf_spec(const struct kube *k, const struct kube_env *env, struct err *e)
{
        const struct run_spec *spec = k->r->rec->spec;
        struct arena *a = k->r->arena;
        struct js *s = js_new_obj(a), *all = js_new_obj(a);

        if (put_replicas(k, env, all, "Worker", "worker", spec->workers, 0, e) < 0 ||
            put_replicas(k, env, all, "PS", "ps", spec->servers, spec->workers, e) < 0)
                return NULL;
        js_put(a, s, SV("runPolicy"), policy(k, "None"));
        js_put(a, s, SV("tfReplicaSpecs"), all);
        return s;
}

static struct js *mpi_spec(const struct kube *k, const struct kube_env *env, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *s = js_new_obj(a), *all = js_new_obj(a);

        if (put_replicas(k, env, all, "Launcher", "launcher", 1, 0, e) < 0 ||
            put_replicas(k, env, all, "Worker", "worker", k->nodes, 0, e) < 0)
                return NULL;
        js_put_int(a, s, "slotsPerWorker", k->per_node);
        js_put_str(a, s, "mpiImplementation", SV("OpenMPI"));
        js_put_str(a, s, "launcherCreationPolicy", SV("WaitForWorkersReady"));
        js_put(a, s, SV("runPolicy"), policy(k, "Running"));
        js_put(a, s, SV("mpiReplicaSpecs"), all);
        return s;
}

struct js *kube_object(const struct kube *k, const struct kube_env *env, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *o = js_new_obj(a), *spec;

        switch (k->kind) {
        case KUBE_JOBSET:
                spec = jobset_spec(k, env, e);
                break;
        case KUBE_PYTORCH:
                spec = pytorch_spec(k, env, e);
                break;
        case KUBE_TF:
                spec = tf_spec(k, env, e);
                break;
        case KUBE_MPI:
                spec = mpi_spec(k, env, e);
                break;
        default:
                spec = job_spec(k, env, e);
                break;
        }
        if (!spec)
                return NULL;
        js_put_str(a, o, "apiVersion", sv_from(kube_forms[k->kind].api));
        js_put_str(a, o, "kind", sv_from(kube_forms[k->kind].kind));
        js_put(a, o, SV("metadata"), meta_of(k, true));
        js_put(a, o, SV("spec"), spec);
        return o;
}

/* --- beside it */

struct js *kube_service(const struct kube *k)
{
        struct arena *a = k->r->arena;
        struct js *o, *spec, *select;

        if (k->kind != KUBE_INDEXED)
                return NULL;
        o = js_new_obj(a);
        spec = js_new_obj(a);
        select = js_new_obj(a);
        js_put_str(a, select, KUBE_LABEL, k->r->rec->id);
        js_put_str(a, select, KUBE_ATTEMPT, arena_fmt(a, "%u", k->r->rec->attempt));
        js_put_str(a, spec, "clusterIP", SV("None"));
        js_put(a, spec, SV("publishNotReadyAddresses"),
               js_new_bool(a, true)); /* ranks look for each other before all run */
        js_put(a, spec, SV("selector"), select);
        js_put_str(a, o, "apiVersion", SV("v1"));
        js_put_str(a, o, "kind", SV("Service"));
        js_put(a, o, SV("metadata"), meta_of(k, false));
        js_put(a, o, SV("spec"), spec);
        return o;
}

struct js *kube_secret(const struct kube *k, const struct kube_env *env, struct err *e)
{
        enum { MOST = 900 << 10 }; /* an object of the API server is at most 1 MiB */
        struct arena *a = k->r->arena;
        struct js *o, *data;
        size_t bytes = 0;

        if (!env->n_secret)
                return NULL;
        o = js_new_obj(a);
        data = js_new_obj(a);
        for (size_t i = 0; i < env->n_secret; i++) {
                AUTO(buf_done) struct buf b = BUF_INIT((size_t)2 << 20);
                base64_write(env->secret[i].value, &b);
                bytes += b.n;
                if (buf_check(&b, e) < 0 || bytes > MOST) {
                        err_set(e, ERR_LIMIT,
                                "the variables of env_from_host are too large for a Secret of Kubernetes (900 KiB)");
                        return NULL;
                }
                js_put(a, data, env->secret[i].name, js_new_str(a, arena_sv(a, buf_sv(&b))));
        }
        js_put_str(a, o, "apiVersion", SV("v1"));
        js_put_str(a, o, "kind", SV("Secret"));
        js_put(a, o, SV("metadata"), meta_of(k, false));
        js_put_str(a, o, "type", SV("Opaque"));
        js_put(a, o, SV("immutable"), js_new_bool(a, true));
        js_put(a, o, SV("data"), data);
        return o;
}
