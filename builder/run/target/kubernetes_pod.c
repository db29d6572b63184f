/* A pod of a run: the image with the shim and the source in it, the run's folder at /mnt/run, one rank or the ranks of one node. */
#include <inttypes.h>
#include <string.h>

#include "run/target/kubernetes_priv.h"

/* --- text as Kubernetes takes it */

sv kube_literal(struct arena *a, sv text)
{
        char *out = arena_alloc(a, arena_mul(text.n, 2) + 1, 1);
        size_t n = 0;

        for (size_t i = 0; i < text.n;) {
                size_t dollars = 0;
                while (i + dollars < text.n && text.p[i + dollars] == '$')
                        dollars++;
                if (!dollars) {
                        out[n++] = text.p[i++];
                        continue;
                }
                i += dollars;
                if (dollars > 1 || (i < text.n && text.p[i] == '('))
                        dollars *= 2;
                memset(out + n, '$', dollars);
                n += dollars;
        }
        return (sv){ out, n };
}

sv kube_quantity(struct arena *a, uint64_t bytes)
{
        static const char *const unit[] = { "", "Ki", "Mi", "Gi", "Ti" };
        size_t u = 0;

        while (bytes && bytes % 1024 == 0 && u + 1 < sizeof(unit) / sizeof(*unit)) {
                bytes /= 1024;
                u++;
        }
        return arena_fmt(a, "%" PRIu64 "%s", bytes, unit[u]);
}

/* --- what it starts */

/* Several ranks in one pod: the shim of each, side by side; TERM goes to all; what they leave becomes the pod's termination message. */
static const char side_by_side[] =
        "shim=$1 base=$2 per=$3 ranks=$4 notes=$5; shift 5\n"
        "first=$((base + ${JOB_COMPLETION_INDEX:-0} * per)) n=0 rc=0 pids=\n"
        "trap 'kill -TERM $pids 2>/dev/null' TERM INT\n"
        "while [ $n -lt $per ] && [ $((first + n)) -lt $ranks ]; do\n"
        "  \"$shim\" --rank $((first + n)) \"$@\" & pids=\"$pids $!\" n=$((n + 1))\n"
        "done\n"
        "for p in $pids; do\n"
        "  while :; do wait $p; r=$?; kill -0 $p 2>/dev/null || break; done\n"
        "  [ $rc != 0 ] || rc=$r\n"
        "done\n"
        "while [ $n -gt 0 ]; do\n"
        "  n=$((n - 1)) line=; read -r line <\"$notes/rank-$((first + n)).json\"; printf '%s\\n' \"$line\"\n"
        "done >/dev/termination-log 2>/dev/null\n"
        "exit $rc\n";

/* The same with mpirun, which starts the ranks of one pod itself. */
static const char by_mpirun[] =
        "ranks=$1 notes=$2; shift 2\n"
        "trap 'kill -TERM $p 2>/dev/null' TERM INT\n"
        "\"$@\" & p=$! n=0\n"
        "while :; do wait $p; rc=$?; kill -0 $p 2>/dev/null || break; done\n"
        "while [ $n -lt $ranks ]; do\n"
        "  line=; read -r line <\"$notes/rank-$n.json\"; printf '%s\\n' \"$line\"; n=$((n + 1))\n"
        "done >/dev/termination-log 2>/dev/null\n"
        "exit $rc\n";

static void add(struct arena *a, struct js *arr, sv s)
{
        js_add(a, arr, js_new_str(a, kube_literal(a, s)));
}

static void add_fmt(struct arena *a, struct js *arr, const char *flag, sv value)
{
        js_add(a, arr, js_new_str(a, sv_from(flag)));
        add(a, arr, value);
}

sv kube_host(const struct kube *k, unsigned rank)
{
        struct arena *a = k->r->arena;
        unsigned node = rank / k->per_node, workers = k->r->rec->spec->workers;

        switch (k->kind) {
        case KUBE_JOBSET:
                return arena_fmt(a, "%.*s-node-0-%u.%.*s", SV_ARG(k->name), node, SV_ARG(k->name));
        case KUBE_PYTORCH:
                return node ? arena_fmt(a, "%.*s-worker-%u", SV_ARG(k->name), node - 1)
                            : arena_fmt(a, "%.*s-master-0", SV_ARG(k->name));
        case KUBE_TF:
                return rank < workers ? arena_fmt(a, "%.*s-worker-%u", SV_ARG(k->name), rank)
                                      : arena_fmt(a, "%.*s-ps-%u", SV_ARG(k->name), rank - workers);
        case KUBE_MPI:
                return arena_fmt(a, "%.*s-worker-%u.%.*s", SV_ARG(k->name), node, SV_ARG(k->name));
        default:
                return k->nodes > 1 ? arena_fmt(a, "%.*s-%u.%.*s", SV_ARG(k->name), node, SV_ARG(k->name))
                                    : SV("127.0.0.1");
        }
}

/* What this target adds to the shim's own line (its last word wins): where the others are, the source, the log on stdout. */
static void add_options(const struct kube *k, bool note, struct js *out)
{
        struct arena *a = k->r->arena;

        if (k->r->rec->snapshot.digest.n)
                add_fmt(a, out, "--code-from", SV(KUBE_CODE));
        add(a, out, SV("--console"));
        if (note)
                add_fmt(a, out, "--termination-log", SV("/dev/termination-log"));
        if (k->nodes > 1 && k->kind != KUBE_MPI) {
                struct buf hosts = BUF_INIT((size_t)1 << 20);
                add_fmt(a, out, "--nodes", arena_fmt(a, "%u", k->nodes));
                add_fmt(a, out, "--per-node", arena_fmt(a, "%u", k->per_node));
                add_fmt(a, out, "--master", kube_host(k, 0));
                add_fmt(a, out, "--port", arena_fmt(a, "%d", KUBE_PORT));
                for (unsigned i = 0; k->r->rec->spec->dist == RUN_DIST_TENSORFLOW && i < k->ranks;
                     i += k->kind == KUBE_TF ? 1 : k->per_node)
                        buf_fmt(&hosts, "%s%.*s", i ? "," : "", SV_ARG(kube_host(k, i)));
                if (hosts.n)
                        add_fmt(a, out, "--hosts", arena_sv(a, buf_sv(&hosts)));
                buf_done(&hosts);
        }
}

/* The shim's line from its first option on (or from the shim itself), ours put in before "--". */
static int add_shim(const struct kube *k, bool whole, bool note, struct js *out, struct err *e)
{
        static const struct run_place place = { .rank = KUBE_SHIM, .dir = KUBE_RUN_DIR, .cancel_every_ms = 2000 };
        struct run_command cmd;
        bool added = false;

        if (run_command_make(k->r, &place, -1, &cmd, e) < 0)
                return -(int)e->code;
        for (size_t i = whole ? 0 : 1; i < cmd.n; i++) {
                if (!added && strcmp(cmd.argv[i], "--env-file") == 0) { /* the manifest has the variables */
                        i++;
                        continue;
                }
                if (!added && strcmp(cmd.argv[i], "--") == 0) {
                        add_options(k, note, out);
                        added = true;
                }
                add(k->r->arena, out, sv_from(cmd.argv[i]));
        }
        return 0;
}

static void add_script(struct arena *a, struct js *out, const char *script)
{
        add(a, out, SV("/bin/sh"));
        add(a, out, SV("-c"));
        add(a, out, sv_from(script));
        add(a, out, SV("sh"));
}

static void add_mpirun(const struct kube *k, const struct kube_env *env, struct js *out)
{
        struct arena *a = k->r->arena;

        add(a, out, SV("mpirun"));
        add(a, out, SV("--allow-run-as-root"));
        add_fmt(a, out, "-np", arena_fmt(a, "%u", k->ranks));
        if (k->kind != KUBE_MPI) {
                add(a, out, SV("--oversubscribe"));
                return;
        }
        add_fmt(a, out, "-x", SV("PATH")); /* what sshd starts has no variables of the image */
        for (size_t i = 0; i < env->n_plain; i++)
                add_fmt(a, out, "-x", env->plain[i].name);
        for (size_t i = 0; i < env->n_secret; i++)
                add_fmt(a, out, "-x", env->secret[i].name);
}

static struct js *command(const struct kube *k, const struct kube_env *env, unsigned base, struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *out = js_new_arr(a);
        sv notes = arena_fmt(a, "%s/status/%u", KUBE_RUN_DIR, k->r->rec->attempt);
        bool mpi = k->r->rec->spec->dist == RUN_DIST_MPI;
        int r;

        if (mpi) {
                if (k->kind != KUBE_MPI) {
                        add_script(a, out, by_mpirun);
                        add(a, out, arena_fmt(a, "%u", k->ranks));
                        add(a, out, notes);
                }
                add_mpirun(k, env, out);
                r = add_shim(k, true, false, out, e);
        } else if (k->per_node > 1 || base) {
                add_script(a, out, side_by_side);
                add(a, out, SV(KUBE_SHIM));
                add(a, out, arena_fmt(a, "%u", base));
                add(a, out, arena_fmt(a, "%u", k->per_node));
                add(a, out, arena_fmt(a, "%u", k->ranks));
                add(a, out, notes);
                r = add_shim(k, false, false, out, e);
        } else {
                r = add_shim(k, true, true, out, e);
        }
        return r < 0 ? NULL : out;
}

/* --- the container */

static struct js *variables(const struct kube *k, const struct kube_env *env, const char *role)
{
        struct arena *a = k->r->arena;
        struct js *all = js_new_arr(a);

        for (size_t i = 0; i < env->n_plain; i++) {
                struct js *v = js_new_obj(a);
                js_put_str(a, v, "name", env->plain[i].name);
                js_put_str(a, v, "value", kube_literal(a, env->plain[i].value));
                js_add(a, all, v);
        }
        for (size_t i = 0; i < env->n_secret; i++) {
                struct js *v = js_new_obj(a), *from = js_new_obj(a), *ref = js_new_obj(a);
                js_put_str(a, ref, "name", k->name);
                js_put_str(a, ref, "key", env->secret[i].name);
                js_put(a, from, SV("secretKeyRef"), ref);
                js_put_str(a, v, "name", env->secret[i].name);
                js_put(a, v, SV("valueFrom"), from);
                js_add(a, all, v);
        }
        if (*role && k->kind != KUBE_MPI) { /* Kubeflow says which replica it is in a label only */
                struct js *v = js_new_obj(a), *from = js_new_obj(a), *ref = js_new_obj(a);
                js_put_str(a, ref, "fieldPath", SV("metadata.labels['training.kubeflow.org/replica-index']"));
                js_put(a, from, SV("fieldRef"), ref);
                js_put_str(a, v, "name", SV("JOB_COMPLETION_INDEX"));
                js_put(a, v, SV("valueFrom"), from);
                js_add(a, all, v);
        }
        return all;
}

static struct js *resources(const struct kube *k)
{
        const struct run_spec *s = k->r->rec->spec;
        struct arena *a = k->r->arena;
        struct js *all = js_new_obj(a), *requests = js_new_obj(a), *limits = js_new_obj(a);

        if (s->cpus)
                js_put_str(a, requests, "cpu", arena_fmt(a, "%u", s->cpus));
        if (s->memory) {
                js_put_str(a, requests, "memory", kube_quantity(a, s->memory));
                js_put_str(a, limits, "memory", kube_quantity(a, s->memory));
        }
        if (s->gpus)
                js_put_str(a, limits, "nvidia.com/gpu", arena_fmt(a, "%u", s->gpus));
        if (requests->n)
                js_put(a, all, SV("requests"), requests);
        if (limits->n)
                js_put(a, all, SV("limits"), limits);
        return all->n ? all : NULL;
}

static void mount(struct arena *a, struct js *all, const char *volume, const char *path, sv sub)
{
        struct js *m = js_new_obj(a);

        js_put_str(a, m, "name", sv_from(volume));
        js_put_str(a, m, "mountPath", sv_from(path));
        if (sub.n)
                js_put_str(a, m, "subPath", sub);
        js_add(a, all, m);
}

/* The folder itself is the pod's own (its working copy must not be shared); what has to last is the claim's. */
static struct js *mounts(const struct kube *k)
{
        static const char *const kept[] = { "outputs", "logs", "status", "user_logs" };
        struct arena *a = k->r->arena;
        struct js *all = js_new_arr(a);

        mount(a, all, "run", KUBE_RUN_DIR, (sv){ 0 });
        for (size_t i = 0; k->pvc.n && i < sizeof(kept) / sizeof(*kept); i++)
                mount(a, all, "outputs", arena_fmt(a, "%s/%s", KUBE_RUN_DIR, kept[i]).p,
                      arena_fmt(a, "runs/%.*s/%s", SV_ARG(k->r->rec->id), kept[i]));
        mount(a, all, "shm", "/dev/shm", (sv){ 0 });
        return all;
}

static struct js *volumes(const struct kube *k)
{
        struct arena *a = k->r->arena;
        struct js *all = js_new_arr(a), *run = js_new_obj(a), *shm = js_new_obj(a), *memory = js_new_obj(a);

        js_put_str(a, run, "name", SV("run"));
        js_put(a, run, SV("emptyDir"), js_new_obj(a));
        js_add(a, all, run);
        if (k->pvc.n) {
                struct js *v = js_new_obj(a), *claim = js_new_obj(a);
                js_put_str(a, claim, "claimName", k->pvc);
                js_put_str(a, v, "name", SV("outputs"));
                js_put(a, v, SV("persistentVolumeClaim"), claim);
                js_add(a, all, v);
        }
        js_put_str(a, memory, "medium", SV("Memory"));
        js_put_str(a, memory, "sizeLimit", kube_quantity(a, k->r->rec->spec->shm_size));
        js_put_str(a, shm, "name", SV("shm"));
        js_put(a, shm, SV("emptyDir"), memory);
        js_add(a, all, shm);
        return all;
}

static struct js *container(const struct kube *k, const struct kube_env *env, const char *role, unsigned base,
                            struct err *e)
{
        struct arena *a = k->r->arena;
        struct js *c = js_new_obj(a), *argv = NULL, *port = js_new_obj(a), *ports = js_new_arr(a);
        bool sshd = k->kind == KUBE_MPI && sv_is(sv_from(role), "worker");

        js_put_str(a, c, "name", sv_from(k->kind == KUBE_MPI ? role : kube_forms[k->kind].container));
        js_put_str(a, c, "image", k->r->rec->run_image);
        js_put_str(a, c, "imagePullPolicy", SV("IfNotPresent"));
        if (!sshd) { /* a worker of MPI without a command runs sshd */
                argv = command(k, env, base, e);
                if (!argv)
                        return NULL;
                js_put(a, c, SV("command"), argv);
        }
        js_put(a, c, SV("env"), variables(k, env, role));
        if (k->nodes > 1 && !base && k->kind != KUBE_MPI) {
                js_put_int(a, port, "containerPort", KUBE_PORT);
                js_add(a, ports, port);
                js_put(a, c, SV("ports"), ports);
        }
        js_put(a, c, SV("resources"), sv_is(sv_from(role), "launcher") ? NULL : resources(k));
        js_put(a, c, SV("volumeMounts"), mounts(k));
        js_put_str(a, c, "terminationMessagePolicy", SV("FallbackToLogsOnError"));
        return c;
}

/* --- the pod */

static void put_places(const struct kube *k, struct js *spec)
{
        struct arena *a = k->r->arena;
        struct js *select = js_new_obj(a), *tolerate = js_new_arr(a);
        sv *v, key, value;
        size_t n = run_profile_list_of(a, k->r->profile, "node_selector", &v);

        for (size_t i = 0; i < n; i++) {
                value = v[i];
                if (sv_cut(&value, '=', &key))
                        js_put(a, select, key, js_new_str(a, value));
        }
        if (k->r->rec->spec->instance_type.n)
                js_put_str(a, select, "node.kubernetes.io/instance-type", k->r->rec->spec->instance_type);
        n = run_profile_list_of(a, k->r->profile, "tolerations", &v);
        for (size_t i = 0; i < n; i++) { /* KEY[=VALUE][:EFFECT], as in a taint */
                struct js *t = js_new_obj(a);
                ptrdiff_t colon = sv_rfind(v[i], ':');
                value = colon < 0 ? v[i] : sv_from_to(v[i], 0, (size_t)colon);
                bool equal = sv_find(value, '=') >= 0;
                sv_cut(&value, '=', &key);
                js_put_str(a, t, "key", key);
                js_put_str(a, t, "operator", equal ? SV("Equal") : SV("Exists"));
                if (equal)
                        js_put_str(a, t, "value", value);
                if (colon >= 0)
                        js_put_str(a, t, "effect", sv_skip(v[i], (size_t)colon + 1));
                js_add(a, tolerate, t);
        }
        if (select->n)
                js_put(a, spec, SV("nodeSelector"), select);
        if (tolerate->n)
                js_put(a, spec, SV("tolerations"), tolerate);
}

static void put_pull_secret(const struct kube *k, struct js *spec)
{
        struct arena *a = k->r->arena;
        struct js *list = js_new_arr(a), *one = js_new_obj(a);

        if (!k->pull_secret.n)
                return;
        js_put_str(a, one, "name", k->pull_secret);
        js_add(a, list, one);
        js_put(a, spec, SV("imagePullSecrets"), list);
}

struct js *kube_pod_template(const struct kube *k, const struct kube_env *env, const char *role, unsigned base,
                             struct err *e)
{
        enum { MORE_S = 10 }; /* the shim kills after its grace; then it still has to write its record */
        struct arena *a = k->r->arena;
        struct js *t = js_new_obj(a), *meta = js_new_obj(a), *spec = js_new_obj(a), *all = js_new_arr(a);
        struct js *c = container(k, env, role, base, e);

        if (!c)
                return NULL;
        js_add(a, all, c);
        kube_put_labels(k, meta, role);
        js_put(a, t, SV("metadata"), meta);
        if (k->kind == KUBE_INDEXED)
                js_put_str(a, spec, "subdomain", k->name);
        js_put_str(a, spec, "restartPolicy", SV("Never"));
        js_put(a, spec, SV("automountServiceAccountToken"), js_new_bool(a, false));
        js_put(a, spec, SV("enableServiceLinks"), js_new_bool(a, false));
        js_put_int(a, spec, "terminationGracePeriodSeconds", (int64_t)k->r->rec->spec->grace_s + MORE_S);
        put_pull_secret(k, spec);
        put_places(k, spec);
        js_put(a, spec, SV("containers"), all);
        js_put(a, spec, SV("volumes"), volumes(k));
        js_put(a, t, SV("spec"), spec);
        return t;
}

struct js *kube_collector(const struct kube *k)
{
        enum { HOUR = 3600 };
        struct arena *a = k->r->arena;
        struct js *o = js_new_obj(a), *meta = js_new_obj(a), *spec = js_new_obj(a), *c = js_new_obj(a),
                  *all = js_new_arr(a);
        struct js *argv = js_new_arr(a), *m = js_new_arr(a);

        js_put_str(a, o, "apiVersion", SV("v1"));
        js_put_str(a, o, "kind", SV("Pod"));
        js_put_str(a, meta, "name", arena_fmt(a, "%.*s-collect", SV_ARG(k->name)));
        js_put(a, o, SV("metadata"), meta);
        add(a, argv, SV("/bin/sh"));
        add(a, argv, SV("-c"));
        add(a, argv, SV("exec sleep 3600"));
        mount(a, m, "outputs", KUBE_RUN_DIR, arena_fmt(a, "runs/%.*s", SV_ARG(k->r->rec->id)));
        js_put_str(a, c, "name", SV("main"));
        js_put_str(a, c, "image", k->r->rec->run_image);
        js_put(a, c, SV("command"), argv);
        js_put(a, c, SV("volumeMounts"), m);
        js_add(a, all, c);
        js_put_str(a, spec, "restartPolicy", SV("Never"));
        js_put_int(a, spec, "activeDeadlineSeconds", HOUR);
        js_put_int(a, spec, "terminationGracePeriodSeconds", 1);
        js_put(a, spec, SV("automountServiceAccountToken"), js_new_bool(a, false));
        js_put(a, spec, SV("enableServiceLinks"), js_new_bool(a, false));
        put_pull_secret(k, spec);
        put_places(k, spec);
        js_put(a, spec, SV("containers"), all);
        js_put(a, spec, SV("volumes"), volumes(k));
        js_put(a, o, SV("spec"), spec);
        return o;
}
