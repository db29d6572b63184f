/* run/target/process.c - this machine without an image: the user's own interpreter, processes without namespaces, below a supervisor. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "run/supervise/supervise_priv.h"
#include "run/target/submit.h"

enum { PROBE_MS = 5000, CANCEL_EVERY_MS = 250 };

/* What an interpreter of this machine needs to be the one that the user knows, and nothing that may be secret. */
static const char *const allowed[] = {
        "PATH", "HOME",        "USER",    "LOGNAME",         "LANG",       "LC_*",    "TMPDIR",
        "TZ",   "VIRTUAL_ENV", "CONDA_*", "LD_LIBRARY_PATH", "SSL_CERT_*", "PYENV_*", NULL
};

static int probe(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret, struct err *e)
{
        static const char *const version[] = { "python3", "--version", NULL };
        AUTO(proc_result_done) struct proc_result said = { 0 };
        AUTO(err_done) struct err why = { 0 };

        (void)p;
        *ret = (struct run_probe){ .works = true };
        if (proc_run(&(struct proc){ .argv = version, .timeout_ms = PROBE_MS }, c->op, &said, &why) == 0)
                ret->version = arena_fmt(a, "%.*s", SV_ARG(sv_trim(buf_sv(&said.out))));
        else if (why.code == ERR_CANCELLED)
                return err_move(e, &why);
        else
                ret->hint = SV("no python3 on PATH: name the interpreter (python.interpreter_path)");
        return 0;
}

static int refuse(const struct run_spec *s, struct err *e)
{
        if (s->environment.kind != RUN_ENV_HOST) {
                err_set(e, ERR_USAGE, "the target 'process' runs this machine's own interpreter, not an image");
                err_hint(e, "environment: {python: {user_managed_dependencies: true}}, or --on local");
        } else if (s->nodes > 1) {
                err_set(e, ERR_USAGE, "the target 'process' is one machine, and the run asks for %u", s->nodes);
                err_hint(e, "--on slurm, or %u processes on one node", s->nodes * (s->per_node ? s->per_node : 1));
        } else if (s->n_docker_arg) {
                err_set(e, ERR_USAGE, "docker arguments ('%.*s') mean nothing to the target 'process'",
                        SV_ARG(s->docker_arg[0]));
        } else if (s->n_mount) {
                err_set(e, ERR_USAGE, "the target 'process' has no place to mount '%.*s' at", SV_ARG(s->mount[0].src));
                err_hint(e, "--on local");
        }
        return -(int)e->code;
}

static int find_interpreter(struct run *r, const char **ret, struct err *e)
{
        sv word = r->rec->spec->environment.text;
        AUTO(free_ptr) char *path = NULL;

        if (!word.n)
                word = SV("python");
        path = proc_which(arena_str(r->arena, word));
        if (!path && sv_is(word, "python"))
                path = proc_which("python3");
        if (!path) {
                err_set(e, ERR_USAGE, "there is no interpreter '%.*s' on this machine", SV_ARG(word));
                err_hint(e, "python.interpreter_path: an absolute path, or a name on PATH");
                return -(int)e->code;
        }
        *ret = arena_str(r->arena, sv_from(path));
        return 0;
}

/* `python train.py` of the command is the same interpreter. */
static void put_first(struct arena *a, const char **env, const char *python)
{
        sv dir = sv_dirname(sv_from(python)), path = SV("/usr/local/bin:/usr/bin:/bin");
        size_t i = 0;

        while (env[i] && strncmp(env[i], "PATH=", 5) != 0)
                i++;
        if (!env[i])
                return;
        path = sv_from(env[i] + 5);
        env[i] = arena_fmt(a, "PATH=%.*s:%.*s", SV_ARG(dir), SV_ARG(path)).p;
}

/* mpirun of this machine starts the ranks; each is told by it which one it is. */
static const char **with_mpirun(struct run *r, const struct run_command *c, struct err *e)
{
        const char **argv = arena_array(r->arena, const char *, c->n + 6);
        AUTO(free_ptr) char *mpirun = proc_which("mpirun");
        size_t n = 0;

        if (!mpirun) {
                err_set(e, ERR_USAGE, "distribution: mpi needs mpirun, which is not installed here");
                err_hint(e, "apt install openmpi-bin");
                return NULL;
        }
        argv[n++] = arena_str(r->arena, sv_from(mpirun));
        argv[n++] = "-n";
        argv[n++] = arena_fmt(r->arena, "%u", run_job_ranks(r->rec->spec)).p;
        for (size_t i = 0; i < c->n; i++)
                argv[n++] = c->argv[i];
        return argv;
}

static const char **environment(struct run *r, const char *python)
{
        static const char *const mpi[] = { "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                           "OMPI_MCA_rmaps_base_oversubscribe=1",
                                           "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe" };
        const char **host = run_env_allowed(r->arena, allowed, NULL, 0), **env;
        size_t n = 0;

        while (host[n])
                n++;
        env = arena_array(r->arena, const char *, n + ARRAY_LEN(mpi) + 1);
        for (size_t i = 0; i < n; i++)
                env[i] = host[i];
        for (size_t i = 0; r->rec->spec->dist == RUN_DIST_MPI && i < ARRAY_LEN(mpi); i++)
                env[n++] = mpi[i];
        put_first(r->arena, env, python);
        return env;
}

static int render(struct run *r, struct err *e)
{
        const struct run_spec *s = r->rec->spec;
        bool mpi = s->dist == RUN_DIST_MPI;
        size_t n = mpi ? 1 : run_job_ranks(s);
        struct run_launcher *v = arena_array(r->arena, struct run_launcher, n);
        struct run_launch l = { .v = v, .n = n, .signals = true };
        struct run_place place = { .rank = r->ctx->rank, .dir = r->rec->dir.p, .cancel_every_ms = CANCEL_EVERY_MS };
        const char **env;

        if (refuse(s, e) < 0 || find_interpreter(r, &place.python, e) < 0)
                return -(int)e->code;
        env = environment(r, place.python);
        for (size_t i = 0; i < n; i++) {
                struct run_command c = { 0 };
                if (run_command_make(r, &place, mpi ? -1 : (int)i, &c, e) < 0)
                        return -(int)e->code;
                v[i] = (struct run_launcher){ mpi ? -1 : (int)i, mpi ? with_mpirun(r, &c, e) : c.argv, env,
                                              r->rec->dir.p };
                if (!v[i].argv)
                        return -(int)e->code;
        }
        return run_rank_env_write(r, r->rec->dir.p, e) < 0 ? -(int)e->code : run_launch_write(r->rec, &l, e);
}

const struct run_target run_target_process = {
        .name = "process",
        .summary = "this machine, your own interpreter",
        .caps = RUN_CAP_SHARED_FS | RUN_CAP_HOST | RUN_CAP_RETRY,
        .probe = probe,
        .render = render,
        .submit = run_supervise_start,
        .find = run_supervise_find,
        .poll = run_supervise_poll,
        .cancel = run_supervise_cancel,
};
