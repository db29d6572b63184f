/* The targets podman and docker. */
#include "run/target/container.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "run/supervise/supervise_priv.h"

enum { PROBE_MS = 10000, ASK_MS = 30000, REMOVE_MS = 120000, STOP_S = 5 };

static const struct container_engine engines[] = {
        { .name = "podman",
          .version = { "podman", "info", "--format", "{{.Version.Version}}" },
          .gpus = { "--device", "nvidia.com/gpu=all" },
          .package = "podman",
          .elsewhere = "CONTAINER_HOST",
          .broken_hint = "`podman info` says more" },
        { .name = "docker",
          .version = { "docker", "version", "--format", "{{.Server.Version}}" },
          .gpus = { "--gpus", "all" },
          .package = "docker.io",
          .elsewhere = "DOCKER_HOST",
          .broken_hint = "start dockerd and be in its group, or say where it is: DOCKER_HOST=unix://…",
          .daemon = true },
};

const struct container_engine *container_engine_find(sv name)
{
        for (size_t i = 0; i < ARRAY_LEN(engines); i++)
                if (sv_is(name, engines[i].name))
                        return &engines[i];
        return NULL;
}

static const struct container_engine *engine_of(const struct run *r)
{
        return container_engine_find(sv_from(r->profile->target->name));
}

static sv last_line(struct arena *a, const struct buf *text)
{
        sv said = sv_trim(buf_sv(text));

        return arena_sv(a, sv_skip(said, (size_t)(sv_rfind(said, '\n') + 1)));
}

/* --- probe */

static int probe_engine(const struct container_engine *g, struct run_ctx *c, struct arena *a, struct run_probe *ret,
                        struct err *e)
{
        AUTO(proc_result_done) struct proc_result said = { 0 };
        AUTO(err_done) struct err why = { 0 };
        const struct proc p = { .argv = g->version, .timeout_ms = PROBE_MS };

        *ret = (struct run_probe){ 0 };
        if (proc_run(&p, c->op, &said, &why) < 0) {
                if (why.code == ERR_CANCELLED)
                        return err_move(e, &why);
                ret->why = why.code == ERR_NOT_FOUND ? arena_fmt(a, "%s is not installed", g->name)
                                                     : arena_fmt(a, "%s does not answer: %s", g->name, why.cause);
                ret->hint = why.code == ERR_NOT_FOUND ? arena_fmt(a, "apt install %s", g->package)
                                                      : sv_from(g->broken_hint);
                return 0;
        }
        ret->works = said.status == 0;
        if (ret->works) {
                ret->version = arena_fmt(a, "%s %.*s", g->name, SV_ARG(sv_trim(buf_sv(&said.out))));
                return 0;
        }
        ret->why = arena_fmt(a, "%s does not work: %.*s", g->name, SV_ARG(last_line(a, &said.err)));
        ret->hint = sv_from(g->broken_hint);
        return 0;
}

static int probe_podman(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret,
                        struct err *e)
{
        (void)p;
        return probe_engine(container_engine_find(SV("podman")), c, a, ret, e);
}

static int probe_docker(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret,
                        struct err *e)
{
        (void)p;
        return probe_engine(container_engine_find(SV("docker")), c, a, ret, e);
}

/* --- render */

static int refuse(const struct container_engine *g, const struct run_spec *s, struct err *e)
{
        const char *where = getenv(g->elsewhere);

        if (s->environment.kind == RUN_ENV_HOST) {
                err_set(e, ERR_USAGE,
                        "the target '%s' runs an image; python.user_managed_dependencies asks for this machine's own "
                        "python",
                        g->name);
                err_hint(e, "--on process");
        } else if (s->nodes > 1) {
                err_set(e, ERR_USAGE, "the target '%s' is one machine, and the run asks for %u", g->name, s->nodes);
                err_hint(e, "--on slurm, or %u processes on one node", s->nodes * (s->per_node ? s->per_node : 1));
        } else if (where && *where && strncmp(where, "unix:", 5) != 0) {
                err_set(e, ERR_USAGE, "%s=%s is an engine of another machine: it does not see the run's folder",
                        g->elsewhere, where);
                err_hint(e, "run envbuild there, or unset %s", g->elsewhere);
        }
        return -(int)e->code;
}

static struct run_launcher launcher(struct run *r, const struct container_engine *g, int rank, const char **env)
{
        const char *name = container_name(r->arena, r->rec, rank < 0 ? 0 : (unsigned)rank);
        const char *const start[] = { g->name, "start", "--attach", name, NULL }, *const wait[] = { g->name, "wait",
                                                                                                    name, NULL };
        struct run_launcher l = { .rank = rank, .env = env, .dir = r->rec->dir.p };

        l.argv = memcpy(arena_alloc(r->arena, sizeof(start), _Alignof(char *)), start, sizeof(start));
        l.wait = memcpy(arena_alloc(r->arena, sizeof(wait), _Alignof(char *)), wait, sizeof(wait));
        return l;
}

/* `VERB… NAME…` of all containers of this attempt. */
static const char **of_all(struct run *r, const char *const *verb)
{
        size_t ranks = r->rec->spec->dist == RUN_DIST_MPI ? 1 : run_job_ranks(r->rec->spec), n = 0;
        const char **argv;

        while (verb[n])
                n++;
        argv = arena_array(r->arena, const char *, n + ranks + 1);
        memcpy(argv, verb, n * sizeof(*argv));
        for (size_t i = 0; i < ranks; i++)
                argv[n++] = container_name(r->arena, r->rec, (unsigned)i);
        return argv;
}

/* The grace is envbuild-rank's business; this is for one that does not do it. */
static const char **stop(struct run *r, const struct container_engine *g)
{
        const char *const verb[] = { g->name, "stop", "-t", arena_fmt(r->arena, "%d", STOP_S).p, NULL };

        return of_all(r, verb);
}

static int render(struct run *r, struct err *e)
{
        const struct container_engine *g = engine_of(r);
        bool mpi = r->rec->spec->dist == RUN_DIST_MPI;
        size_t n = mpi ? 1 : run_job_ranks(r->rec->spec), n_before = 0, cap = 0;
        struct run_launcher *v = arena_array(r->arena, struct run_launcher, n);
        struct run_launch l = { .v = v, .n = n, .n_before = n };
        const char **env = run_env_allowed(r->arena, run_env_ours, NULL, 0);

        if (refuse(g, r->rec->spec, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                const char **create;
                size_t n_create;

                if (container_create(r, g, mpi ? -1 : (int)i, &create, &n_create, e) < 0)
                        return -(int)e->code;
                for (size_t k = 0; k <= n_create; k++)
                        *arena_push(r->arena, l.before, n_before, cap) = create[k];
                v[i] = launcher(r, g, mpi ? -1 : (int)i, env);
        }
        l.stop = stop(r, g);
        return run_rank_env_write(r, CONTAINER_DIR, e) < 0 ? -(int)e->code : run_launch_write(r->rec, &l, e);
}

/* --- poll: a supervisor that was killed leaves the containers running; they say themselves how they end */

/* docker says "exited", podman 4 "Exited (137) 3 seconds ago", others "stopped". */
bool container_goes_on(sv state)
{
        static const char *const over[] = { "exited",  "created", "configured", "initialized",
                                            "stopped", "dead",    "removing" };
        sv word = { 0 };

        if (!sv_cut(&state, ' ', &word))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(over); i++)
                if (sv_eq_nocase(word, sv_from(over[i])))
                        return false;
        return true;
}

/* How many of this attempt's containers run. */
static int running(struct run *r, const struct container_engine *g, unsigned *ret, struct err *e)
{
        const char *const argv[] = { g->name,
                                     "ps",
                                     "--all",
                                     "--filter",
                                     arena_fmt(r->arena, "label=envbuild.run=%.*s", SV_ARG(r->rec->id)).p,
                                     "--filter",
                                     arena_fmt(r->arena, "label=envbuild.attempt=%u", r->rec->attempt).p,
                                     "--format",
                                     "{{.State}}",
                                     NULL };
        const struct proc p = { .argv = argv, .timeout_ms = ASK_MS };
        AUTO(proc_result_done) struct proc_result said = { 0 };
        AUTO(err_done) struct err why = { 0 };
        sv rest, line;

        if (proc_run(&p, r->ctx->op, &said, &why) < 0)
                return why.code == ERR_CANCELLED ? err_move(e, &why)
                                                 : err_set(e, ERR_NET, "%s does not answer: %s", g->name, why.cause);
        if (said.status)
                return err_set(e, ERR_NET, "%s ps ended with %d: %.*s", g->name, said.status,
                               SV_ARG(last_line(r->arena, &said.err)));
        rest = buf_sv(&said.out);
        *ret = 0;
        while (sv_line(&rest, &line))
                *ret += container_goes_on(line);
        return 0;
}

/* Nobody else is there to end what does not end itself. */
static void end_overdue(struct run *r, const struct container_engine *g)
{
        enum { EXTRA_S = 20 };
        const struct proc p = { .argv = stop(r, g), .timeout_ms = ASK_MS };
        AUTO(proc_result_done) struct proc_result said = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct stat st;

        if (stat(run_path(r->arena, r->rec, "status/cancel").p, &st) == 0 &&
            (int64_t)st.st_mtim.tv_sec + r->rec->spec->grace_s + EXTRA_S < run_now_us() / 1000000)
                proc_run(&p, r->ctx->op, &said, &ignored);
}

static int poll_containers(struct run *r, struct run_status *ret, struct err *e)
{
        const struct container_engine *g = engine_of(r);
        AUTO(err_done) struct err none = { 0 };
        struct run_identity id;
        struct run_rank *rank;
        struct run_status now = *ret;
        unsigned left = 0;
        size_t n;

        if (run_identity_read(r->arena, r->rec, &id, &none) < 0 || run_identity_alive(&id) || !run_identity_here(&id))
                return run_supervise_poll(r, ret, e);
        if (running(r, g, &left, e) < 0 || run_ranks_read(r->arena, r->rec, &rank, &n, e) < 0)
                return -(int)e->code;
        if (left == 0 || run_ranks_judge(r->rec, rank, n, run_cancel_wanted(r->rec), &now))
                return run_supervise_poll(r, ret, e);
        end_overdue(r, g);
        *ret = now;
        ret->message = SV("its supervisor is gone; the containers go on and say themselves how they end");
        return 0;
}

static int cleanup(struct run *r, struct err *e)
{
        const struct container_engine *g = engine_of(r);
        const char *const verb[] = { g->name, "rm", "--force", "--volumes", NULL };
        const struct proc p = { .argv = of_all(r, verb), .timeout_ms = REMOVE_MS };
        AUTO(proc_result_done) struct proc_result said = { 0 };

        /* those that are not there are what we want */
        return proc_run(&p, r->ctx->op, &said, e) < 0
                       ? err_while(e, "removing the containers of '%.*s'", SV_ARG(r->rec->id))
                       : 0;
}

static const struct run_key keys[] = {
        { "runtime_args", RUN_KEY_LIST, NULL }, /* more options of create */
        { "network", RUN_KEY_TEXT, NULL },
        { "user", RUN_KEY_TEXT, NULL },
        { 0 },
};

#define CAPS (RUN_CAP_SHARED_FS | RUN_CAP_IMAGE | RUN_CAP_LOCAL_STORE | RUN_CAP_RETRY)
const struct run_target run_target_podman = {
        .name = "podman",
        .summary = "this machine, a container for each rank",
        .caps = CAPS,
        .key = keys,
        .probe = probe_podman,
        .render = render,
        .submit = run_supervise_start,
        .find = run_supervise_find,
        .poll = poll_containers,
        .cancel = run_supervise_cancel,
        .cleanup = cleanup,
};
const struct run_target run_target_docker = {
        .name = "docker",
        .summary = "this machine, a container for each rank, by dockerd",
        .caps = CAPS,
        .key = keys,
        .probe = probe_docker,
        .render = render,
        .submit = run_supervise_start,
        .find = run_supervise_find,
        .poll = poll_containers,
        .cancel = run_supervise_cancel,
        .cleanup = cleanup,
};
