/* The target kubernetes: a Job (or an operator's object) made by kubectl. Its name is the run's id, so that a second submission finds the first. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "run/target/kubernetes_priv.h"

#define JOB_FILE     "submit/job.json"
#define SERVICE_FILE "submit/service.json"
#define SECRET_FILE  "submit/secret.json"
#define LOGS_LAST_US (120LL * 1000000) /* how long after the end logs are asked for */

static const struct run_key keys[] = {
        { "context", RUN_KEY_TEXT, NULL },
        { "namespace", RUN_KEY_TEXT, NULL },
        { "queue", RUN_KEY_TEXT, NULL },
        { "pull_secret", RUN_KEY_TEXT, NULL },
        { "outputs_pvc", RUN_KEY_TEXT, NULL },
        { "kind", RUN_KEY_TEXT, "job|pytorchjob|mpijob|tfjob|jobset" },
        { "node_selector", RUN_KEY_LIST, NULL },
        { "tolerations", RUN_KEY_LIST, NULL },
        { "image_repository", RUN_KEY_TEXT, NULL },
        { NULL, RUN_KEY_TEXT, NULL },
};

/* --- what profile and description come to */

/* An operator's kind is for descriptions with its distribution; whatever else comes is a Job. */
static enum kube_kind kind_of(const struct run *r)
{
        const struct run_spec *s = r->rec->spec;
        sv kind = run_profile_str(r->profile, "kind", SV("job"));

        if (sv_is(kind, "jobset"))
                return KUBE_JOBSET;
        if (sv_is(kind, "pytorchjob") && s->dist == RUN_DIST_PYTORCH)
                return KUBE_PYTORCH;
        if (sv_is(kind, "tfjob") && s->dist == RUN_DIST_TENSORFLOW && s->workers)
                return KUBE_TF;
        if (sv_is(kind, "mpijob") && s->dist == RUN_DIST_MPI && s->nodes > 1)
                return KUBE_MPI;
        return s->nodes > 1 ? KUBE_INDEXED : KUBE_JOB;
}

/* A run that was submitted stays what it was, whatever the profile says by now. */
static enum kube_kind kind_again(const struct run *r)
{
        sv rest = r->rec->handle, resource;

        if (!sv_cut(&rest, '/', &resource))
                return kind_of(r);
        if (sv_is(resource, kube_forms[KUBE_JOB].resource))
                return r->rec->spec->nodes > 1 ? KUBE_INDEXED : KUBE_JOB;
        for (int k = KUBE_JOBSET; k <= KUBE_MPI; k++)
                if (sv_is(resource, kube_forms[k].resource))
                        return (enum kube_kind)k;
        return kind_of(r);
}

void kube_again(struct run *r, struct kube *ret)
{
        const struct run_spec *s = r->rec->spec;
        struct kube k = { .r = r, .kind = kind_again(r) };

        k.context = run_profile_str(r->profile, "context", (sv){ 0 });
        k.ns = run_profile_str(r->profile, "namespace", (sv){ 0 });
        k.queue = run_profile_str(r->profile, "queue", (sv){ 0 });
        k.pull_secret = run_profile_str(r->profile, "pull_secret", (sv){ 0 });
        k.pvc = run_profile_str(r->profile, "outputs_pvc", (sv){ 0 });
        k.name =
                r->rec->attempt > 1 ? arena_fmt(r->arena, "%.*s-a%u", SV_ARG(r->rec->id), r->rec->attempt) : r->rec->id;
        k.ranks = run_job_ranks(s);
        k.nodes = s->nodes ? s->nodes : 1;
        k.per_node = s->per_node ? s->per_node : (k.ranks + k.nodes - 1) / k.nodes;
        if (k.kind == KUBE_TF) {
                k.nodes = k.ranks;
                k.per_node = 1;
        }
        *ret = k;
}

static int refuse(struct err *e, const char *what, const char *hint)
{
        err_set(e, ERR_USAGE, "Kubernetes: %s", what);
        err_hint(e, "%s", hint);
        return -(int)e->code;
}

static int check_inputs(const struct run_spec *s, struct err *e)
{
        for (size_t i = 0; i < s->n_input; i++)
                if (s->input[i].kind != RUN_INPUT_LITERAL) {
                        err_set(e, ERR_USAGE,
                                "Kubernetes: input '%.*s' is a file or an address, and a pod sees neither",
                                SV_ARG(s->input[i].name));
                        err_hint(e, "put small data into the source folder; large data has to be where the command can "
                                    "fetch it itself");
                        return -(int)e->code;
                }
        return 0;
}

static int check_spec(const struct kube *k, struct err *e)
{
        const struct run_spec *s = k->r->rec->spec;

        if (s->azureml_first.n) {
                err_set(e, ERR_USAGE, "line %u: '%.*s' is Azure ML's alone", s->azureml_line, SV_ARG(s->azureml_first));
                err_hint(e, "take it out, or run on a profile of type azureml");
                return -(int)e->code;
        }
        if (s->environment.kind == RUN_ENV_HOST)
                return refuse(e, "a pod has no interpreter of yours",
                              "give the run an environment (environment: …, or an image)");
        if (s->n_docker_arg)
                return refuse(e, "docker arguments mean nothing to a pod",
                              "say shm_size, gpus, cpus and memory in the description instead");
        if (s->n_mount)
                return refuse(e, "a pod sees no folders of this machine (mounts)",
                              "leave them out, or run on a machine that has them");
        if (s->n_output && !k->pvc.n)
                return refuse(e, "the description has outputs, but nothing keeps them when the pod ends",
                              "name a PersistentVolumeClaim in the profile: outputs_pvc: NAME");
        if (s->dist == RUN_DIST_MPI && k->nodes > 1 && k->kind != KUBE_MPI)
                return refuse(e, "MPI on several nodes needs the MPI operator",
                              "write `kind: mpijob` into the profile");
        return check_inputs(s, e);
}

static int check_profile(const struct kube *k, struct err *e)
{
        sv *v;
        size_t n = run_profile_list_of(k->r->arena, k->r->profile, "node_selector", &v);

        for (size_t i = 0; i < n; i++)
                if (sv_find(v[i], '=') <= 0)
                        return refuse(e, "node_selector is a list of LABEL=VALUE",
                                      "for example: node_selector: [pool=gpu]");
        n = run_profile_list_of(k->r->arena, k->r->profile, "tolerations", &v);
        for (size_t i = 0; i < n; i++)
                if (!v[i].n || v[i].p[0] == '=' || v[i].p[0] == ':')
                        return refuse(e, "tolerations is a list of KEY[=VALUE][:EFFECT]",
                                      "for example: tolerations: [nvidia.com/gpu:NoSchedule]");
        return 0;
}

int kube_of(struct run *r, struct kube *ret, struct err *e)
{
        kube_again(r, ret);
        if (check_spec(ret, e) < 0 || check_profile(ret, e) < 0)
                return -(int)e->code;
        if (sv_find_sv(r->rec->run_image, SV("@sha256:")) < 0)
                return refuse(e, "there is no image in a registry that pods could be made of",
                              "write `image_repository: REGISTRY/TEAM/runs` into the profile: the environment with the "
                              "source is pushed there");
        return 0;
}

/* --- variables */

static bool from_host(const struct run_spec *s, sv name)
{
        for (size_t i = 0; i < s->n_host_env; i++)
                if (sv_eq(s->host_env[i], name))
                        return true;
        return false;
}

static bool is_name(sv s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
                if (!letter && !(i && c >= '0' && c <= '9'))
                        return false;
        }
        return s.n > 0;
}

/* The last word on a name wins, as in the shim; a plain one that is said again takes the secret's place. */
static int env_put(struct arena *a, const struct run_spec *s, struct kube_env *env, sv name, sv value,
                   size_t caps[static 2], struct err *e)
{
        struct run_pair pair = { arena_sv(a, name), arena_sv(a, value) };

        if (!is_name(name)) {
                err_set(e, ERR_USAGE, "Kubernetes: '%.*s' cannot be the name of a variable there", SV_ARG(name));
                err_hint(e, "letters, digits, '_', '-' and '.', none of which begins with a digit");
                return -(int)e->code;
        }
        if (from_host(s, name)) {
                *arena_push(a, env->secret, env->n_secret, caps[0]) = pair;
                return 0;
        }
        if (!sv_utf8(value))
                return err_set(e, ERR_USAGE, "Kubernetes: the value of '%.*s' is not UTF-8", SV_ARG(name));
        *arena_push(a, env->plain, env->n_plain, caps[1]) = pair;
        return 0;
}

/* What the shim would read from its file, taken from that file; it does not stay. */
static int env_read(const struct kube *k, struct kube_env *ret, struct err *e)
{
        struct run *r = k->r;
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)16 << 20);
        size_t caps[2] = { 0, 0 };
        sv rest, one, name;
        int code;

        if (run_rank_env_write(r, KUBE_RUN_DIR, e) < 0)
                return -(int)e->code;
        code = fs_read(run_path(r->arena, r->rec, "submit/rank.env").p, &text, e);
        run_rank_env_drop(r->rec);
        if (code < 0)
                return code;
        *ret = (struct kube_env){ 0 };
        rest = buf_sv(&text);
        while (sv_cut(&rest, '\0', &one))
                if (sv_cut(&one, '=', &name) && env_put(r->arena, r->rec->spec, ret, name, one, caps, e) < 0)
                        return -(int)e->code;
        return 0;
}

/* --- render */

static int write_object(const struct kube *k, const char *file, const struct js *o, mode_t mode, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)4 << 20);
        sv path = run_path(k->r->arena, k->r->rec, "%s", file);

        if (!o)
                return fs_remove(path.p, e); /* of an attempt before */
        js_write_pretty(o, &text);
        buf_byte(&text, '\n');
        if (buf_check(&text, e) < 0)
                return err_while(e, "writing '%s'", path.p);
        return fs_write(path.p, buf_sv(&text), mode, e);
}

static int kube_render(struct run *r, struct err *e)
{
        struct kube k;
        struct kube_env env;
        struct js *object, *secret;

        if (kube_of(r, &k, e) < 0 || env_read(&k, &env, e) < 0)
                return -(int)e->code;
        object = kube_object(&k, &env, e);
        if (!object)
                return -(int)e->code;
        secret = kube_secret(&k, &env, e);
        if (env.n_secret && !secret)
                return -(int)e->code;
        if (k.kind == KUBE_MPI)
                op_say(r->ctx->op, OP_NOTE,
                       "MPIJob: the image must hold mpirun and sshd (Debian: openmpi-bin, openssh-server)");
        if (!k.pvc.n)
                op_say(r->ctx->op, OP_WARN, "outputs/ and logs/ end with the pod: the profile names no outputs_pvc");
        if (write_object(&k, SECRET_FILE, secret, 0600, e) < 0 ||
            write_object(&k, SERVICE_FILE, kube_service(&k), 0644, e) < 0)
                return -(int)e->code;
        return write_object(&k, JOB_FILE, object, 0644, e);
}

/* --- submit, find */

static int create(const struct kube *k, const char *file, sv *ret_uid, enum kube_said *ret, struct err *e)
{
        static const char *const args[] = { "create", "-f", "-", "-o", "json", NULL };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)4 << 20);
        AUTO(err_done) struct err ignored = { 0 };
        sv path = run_path(k->r->arena, k->r->rec, "%s", file);
        struct js *j;

        *ret = KUBE_OK;
        if (!fs_exists(path.p))
                return 0;
        if (fs_read(path.p, &text, e) < 0)
                return -(int)e->code;
        if (kube_run(k, &(struct kube_call){ .args = args, .input = buf_sv(&text) }, &res, ret, e) < 0)
                return -(int)e->code;
        if (*ret != KUBE_OK && *ret != KUBE_EXISTS)
                return kube_fail(*ret, &res, "submitting the run to Kubernetes", e);
        if (ret_uid && *ret == KUBE_OK && js_parse(k->r->arena, buf_sv(&res.out), &j, &ignored) == 0)
                *ret_uid = arena_sv(k->r->arena, js_get_str(js_get(j, "metadata"), "uid"));
        return 0;
}

/* Secret and Service belong to the object: they go when it does. It is no harm when that cannot be said, cleanup deletes them. */
static void own(const struct kube *k, sv uid)
{
        struct arena *a = k->r->arena;
        sv patch = arena_fmt(a,
                             "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"name\":\"%.*"
                             "s\",\"uid\":\"%.*s\"}]}}",
                             kube_forms[k->kind].api, kube_forms[k->kind].kind, SV_ARG(k->name), SV_ARG(uid));
        bool secret = fs_exists(run_path(a, k->r->rec, SECRET_FILE).p),
             service = fs_exists(run_path(a, k->r->rec, SERVICE_FILE).p);
        const char *args[8] = { "patch", "--type=merge", "-p", patch.p };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        enum kube_said said;
        size_t n = 4;

        if (!uid.n || (!secret && !service))
                return;
        if (secret)
                args[n++] = arena_fmt(a, "secret/%.*s", SV_ARG(k->name)).p;
        if (service)
                args[n++] = arena_fmt(a, "service/%.*s", SV_ARG(k->name)).p;
        args[n] = NULL;
        kube_run(k, &(struct kube_call){ .args = args }, &res, &said, &ignored);
}

/* The cluster has it now: the record keeps the names only. */
static int mask_secret(const struct kube *k, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)4 << 20);
        sv path = run_path(k->r->arena, k->r->rec, SECRET_FILE);
        struct js *j, *data;

        if (!fs_exists(path.p))
                return 0;
        if (fs_read(path.p, &text, e) < 0 || js_parse(k->r->arena, buf_sv(&text), &j, e) < 0)
                return -(int)e->code;
        data = js_get(j, "data");
        for (size_t i = 0; data && i < data->n; i++)
                data->v[i].value = js_new_str(k->r->arena, SV("***"));
        return write_object(k, SECRET_FILE, j, 0600, e);
}

static int delete_all(const struct kube *k, bool object, struct err *e)
{
        struct arena *a = k->r->arena;
        AUTO(proc_result_done) struct proc_result res = { 0 };
        sv name = arena_fmt(a, "%s/%.*s", kube_forms[k->kind].resource, SV_ARG(k->name));
        const char *args[12] = { "delete", "--ignore-not-found", "--cascade=foreground", "--wait=false" };
        enum kube_said said;
        size_t n = 4;

        if (object)
                args[n++] = name.p;
        else {
                args[n++] = arena_fmt(a, "secret/%.*s", SV_ARG(k->name)).p;
                args[n++] = arena_fmt(a, "service/%.*s", SV_ARG(k->name)).p;
                args[n++] = arena_fmt(a, "pod/%.*s-collect", SV_ARG(k->name)).p;
        }
        args[n] = NULL;
        if (kube_run(k, &(struct kube_call){ .args = args }, &res, &said, e) < 0)
                return -(int)e->code;
        return said == KUBE_OK || said == KUBE_ABSENT ? 0 : kube_fail(said, &res, "deleting the run at Kubernetes", e);
}

static sv handle_of(const struct kube *k)
{
        return arena_fmt(k->r->arena, "%s/%.*s", kube_forms[k->kind].resource, SV_ARG(k->name));
}

/* The object last: when it is there, all it needs is. */
static int kube_submit(struct run *r, sv *ret_handle, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct kube k;
        enum kube_said said;
        sv uid = { 0 };

        kube_again(r, &k);
        if (create(&k, SECRET_FILE, NULL, &said, e) < 0 || create(&k, SERVICE_FILE, NULL, &said, e) < 0 ||
            create(&k, JOB_FILE, &uid, &said, e) < 0) {
                if (e->code != ERR_NET && e->code != ERR_CANCELLED)
                        delete_all(&k, false, &ignored);
                return -(int)e->code;
        }
        own(&k, uid);
        if (mask_secret(&k, e) < 0)
                return -(int)e->code;
        *ret_handle = handle_of(&k);
        return 0;
}

static int kube_find(struct run *r, sv *ret_handle, struct err *e)
{
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct kube k;
        enum kube_said said;

        kube_again(r, &k);
        const char *args[] = { "get", handle_of(&k).p, "--ignore-not-found", "-o", "name", NULL };
        if (kube_run(&k, &(struct kube_call){ .args = args }, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != KUBE_OK && said != KUBE_ABSENT)
                return kube_fail(said == KUBE_REFUSED ? KUBE_AWAY : said, &res, "looking for the run at Kubernetes", e);
        *ret_handle = said == KUBE_OK && sv_trim(buf_sv(&res.out)).n ? handle_of(&k) : (sv){ 0 };
        if (ret_handle->n)
                mask_secret(&k, &ignored);
        return 0;
}

/* --- poll */

static int see(const struct kube *k, struct arena *a, struct kube_seen *ret, struct err *e)
{
        struct arena *mine = k->r->arena;
        AUTO(proc_result_done) struct proc_result res = { 0 };
        sv kinds = arena_fmt(mine, "%s,pods", kube_forms[k->kind].resource);
        sv which = arena_fmt(mine, KUBE_LABEL "=%.*s," KUBE_ATTEMPT "=%u", SV_ARG(k->r->rec->id), k->r->rec->attempt);
        const char *args[] = { "get", kinds.p, "-l", which.p, "-o", "json", NULL };
        enum kube_said said;
        sv text;

        if (kube_run(k, &(struct kube_call){ .args = args }, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != KUBE_OK) /* whatever it is, it says nothing about the run */
                return err_set(e, ERR_NET, "asking Kubernetes: kubectl says: %.*s",
                               SV_ARG(kube_said_line(buf_sv(&res.err))));
        text = arena_sv(a, buf_sv(&res.out));
        if (kube_seen_read(a, text, k->name, ret, e) < 0) {
                AUTO(err_done) struct err bad = { 0 };
                err_move(&bad, e);
                return err_set(e, ERR_NET, "asking Kubernetes: %s", bad.cause);
        }
        return 0;
}

/* What the shims left in their pods, as long as those are there. */
static int keep_notes(const struct kube *k, struct arena *a, const struct kube_seen *s, struct err *e)
{
        const struct run_record *rec = k->r->rec;

        for (size_t i = 0; i < s->n; i++) {
                struct kube_note *note;
                size_t n = s->pod[i].ended ? kube_notes_read(a, s->pod[i].end_message, &note) : 0;
                for (size_t j = 0; j < n; j++) {
                        sv dir = run_path(a, rec, "status/%u", note[j].attempt);
                        sv path = arena_fmt(a, "%s/rank-%u.json", dir.p, note[j].rank.rank);
                        if (note[j].attempt != rec->attempt || note[j].rank.rank >= k->ranks || !note[j].rank.end_us ||
                            fs_exists(path.p))
                                continue;
                        if (fs_mkdirs(dir.p, 0755, e) < 0 ||
                            fs_write(path.p, arena_fmt(a, "%.*s\n", SV_ARG(note[j].line)), 0644, e) < 0)
                                return -(int)e->code;
                }
        }
        return 0;
}

static sv keep_text(struct arena *to, sv now, sv before)
{
        return sv_eq(now, before) ? before : arena_sv(to, now);
}

static int look(const struct kube *k, struct arena *a, struct kube_seen *s, bool *ret_logs, struct err *e)
{
        enum { LOGS_MS = 15000 };

        if (see(k, a, s, e) < 0 || keep_notes(k, a, s, e) < 0)
                return -(int)e->code;
        return kube_logs_fetch(k, s, LOGS_MS, ret_logs, e);
}

static int kube_poll(struct run *r, struct run_status *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct run_status now = *ret;
        struct kube_facts f = { .now_us = clock_unix() * 1000000 };
        struct run_rank *rank = NULL;
        struct kube_seen s;
        struct kube k;
        bool drop, logs = false;

        kube_again(r, &k);
        if (look(&k, &a, &s, &logs, e) < 0 || run_ranks_read(&a, r->rec, &rank, &f.n_rank, e) < 0)
                return -(int)e->code;
        f.rank = rank;
        f.kind = k.kind;
        f.ranks = k.ranks;
        f.per_node = k.per_node;
        f.workers = r->rec->spec->workers;
        f.cancel_wanted = run_cancel_wanted(r->rec);
        kube_judge(&a, &s, &f, &now, &drop);
        if (drop)
                delete_all(&k, true, &ignored);
        if (run_state_final(now.state) && s.there && !logs &&
            !drop) { /* the next look fetches the rest, unless the node is gone */
                if (f.now_us - now.ended_us < LOGS_LAST_US)
                        now.state = RUN_FINALIZING;
                else
                        op_say(r->ctx->op, OP_WARN, "%.*s: the end of its log could not be fetched",
                               SV_ARG(r->rec->id));
        }
        now.engine_state = keep_text(r->arena, now.engine_state, ret->engine_state);
        now.message = keep_text(r->arena, now.message, ret->message);
        *ret = now;
        return 0;
}

/* --- the end */

static bool find_going(const struct kube_seen *s)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->pod[i].running)
                        return true;
        return false;
}

/* From TERM to their end pods still speak and leave their records, and then they are gone: we stay and listen, as long as it is worth it. */
static void hear_out(const struct kube *k)
{
        enum { MORE_S = 3, MOST_S = 20, STEP_MS = 300 };
        unsigned grace = k->r->rec->spec->grace_s;
        int64_t until = clock_ms() + 1000LL * (grace < MOST_S - MORE_S ? grace + MORE_S : MOST_S);
        bool there = true;

        while (there && clock_ms() < until) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct kube_seen s = { 0 };
                bool logs;
                if (op_check(k->r->ctx->op, &e) < 0 || look(k, &a, &s, &logs, &e) < 0)
                        return;
                there = find_going(&s);
                if (there)
                        poll(NULL, 0, STEP_MS);
        }
}

/* What was said so far is fetched first: with the object the pods go, and their logs. */
static int kube_cancel(struct run *r, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct kube_seen s = { 0 };
        struct kube k;
        bool logs;

        kube_again(r, &k);
        if (look(&k, &a, &s, &logs, &ignored) < 0 && ignored.code == ERR_CANCELLED)
                return err_move(e, &ignored);
        if (delete_all(&k, true, e) < 0)
                return -(int)e->code;
        if (find_going(&s))
                hear_out(&k);
        return 0;
}

static int kube_cleanup(struct run *r, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct kube k;

        kube_again(r, &k);
        mask_secret(&k, &ignored);
        return delete_all(&k, true, e) < 0 || delete_all(&k, false, e) < 0 ? -(int)e->code : 0;
}

/* --- doctor */

static int kube_probe(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret,
                      struct err *e)
{
        enum { PROBE_MS = 8000 };
        static const char *const version[] = { "version", "-o", "json", "--request-timeout=5s", NULL };
        static const char *const may[] = { "auth", "can-i", "create", "jobs.batch", "--request-timeout=5s", NULL };
        struct run r = { .ctx = c, .arena = a, .profile = p };
        struct kube k = { .r = &r,
                          .context = run_profile_str(p, "context", (sv){ 0 }),
                          .ns = run_profile_str(p, "namespace", (sv){ 0 }) };
        AUTO(proc_result_done) struct proc_result v = { 0 }, m = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(free_ptr) char *path = proc_which("kubectl");
        struct js *j = NULL;
        enum kube_said said;

        if (!path) {
                ret->why = SV("there is no kubectl on PATH");
                ret->hint = SV("install kubectl, the client of Kubernetes");
                return 0;
        }
        if (kube_run(&k, &(struct kube_call){ .args = version, .timeout_ms = PROBE_MS }, &v, &said, e) < 0)
                return -(int)e->code;
        js_parse(a, buf_sv(&v.out), &j, &ignored);
        sv client = js_get_str(js_get(j, "clientVersion"), "gitVersion"),
           server = js_get_str(js_get(j, "serverVersion"), "gitVersion");
        ret->version = server.n ? arena_fmt(a, "kubectl %.*s, cluster %.*s", SV_ARG(client), SV_ARG(server))
                                : arena_fmt(a, "kubectl %.*s", SV_ARG(client));
        if (!server.n || said != KUBE_OK) {
                sv line = kube_said_line(buf_sv(&v.err));
                ret->why = arena_fmt(a, "the cluster does not answer: %.*s", SV_ARG(line));
                ret->hint = SV("see `kubectl config get-contexts`; a profile chooses with `context:`");
                return 0;
        }
        if (kube_run(&k, &(struct kube_call){ .args = may, .timeout_ms = PROBE_MS }, &m, &said, e) < 0)
                return -(int)e->code;
        ret->works = said == KUBE_OK;
        if (!ret->works) {
                ret->why = SV("you may not create Jobs in this namespace");
                ret->hint = SV("choose another `namespace` in the profile, or ask for the role `edit` there");
        }
        return 0;
}

const struct run_target run_target_kubernetes = {
        .name = "kubernetes",
        .summary = "pods of a cluster, through kubectl",
        .caps = RUN_CAP_MULTI_NODE | RUN_CAP_IMAGE | RUN_CAP_CODE_LAYER | RUN_CAP_RETRY,
        .key = keys,
        .probe = kube_probe,
        .render = kube_render,
        .submit = kube_submit,
        .find = kube_find,
        .poll = kube_poll,
        .cancel = kube_cancel,
        .collect = kube_collect,
        .cleanup = kube_cleanup,
};
