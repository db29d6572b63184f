/* run/target/local.c - this machine: each rank in a sandbox of its own (bubblewrap) over the image's unpacked layers, below a supervisor. */
#include <string.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "run/supervise/rootfs.h"
#include "run/supervise/supervise_priv.h"
#include "run/target/submit.h"

enum { PROBE_MS = 5000 };

static int probe(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret, struct err *e)
{
        static const char *const version[] = { "bwrap", "--version", NULL };
        static const char *const space[] = { "bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true",
                                             NULL };
        AUTO(proc_result_done) struct proc_result said = { 0 }, made = { 0 };
        AUTO(err_done) struct err why = { 0 };

        (void)p;
        *ret = (struct run_probe){ 0 };
        if (proc_run(&(struct proc){ .argv = version, .timeout_ms = PROBE_MS }, c->op, &said, &why) < 0) {
                if (why.code == ERR_CANCELLED)
                        return err_move(e, &why);
                ret->why = SV("bubblewrap (bwrap) is not installed");
                ret->hint = SV("apt install bubblewrap");
                return 0;
        }
        ret->version = arena_sv(a, sv_trim(buf_sv(&said.out)));
        if (proc_run(&(struct proc){ .argv = space, .timeout_ms = PROBE_MS }, c->op, &made, &why) < 0 &&
            why.code == ERR_CANCELLED)
                return err_move(e, &why);
        ret->works = !why.code && made.status == 0;
        if (ret->works)
                return 0;
        ret->why = arena_fmt(a, "bubblewrap cannot make a namespace: %.*s", SV_ARG(sv_trim(buf_sv(&made.err))));
        ret->hint = SV("sysctl user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0 (those "
                       "that exist)");
        return 0;
}

static int refuse(const struct run_spec *s, struct err *e)
{
        if (s->environment.kind == RUN_ENV_HOST) {
                err_set(e, ERR_USAGE,
                        "the target 'local' runs an image; python.user_managed_dependencies asks for this machine's "
                        "own python");
                err_hint(e, "--on process");
        } else if (s->nodes > 1) {
                err_set(e, ERR_USAGE, "the target 'local' is one machine, and the run asks for %u", s->nodes);
                err_hint(e, "--on slurm, or %u processes on one node", s->nodes * (s->per_node ? s->per_node : 1));
        } else if (s->n_docker_arg) {
                err_set(e, ERR_USAGE, "docker arguments ('%.*s') mean nothing to the target 'local'",
                        SV_ARG(s->docker_arg[0]));
                err_hint(e, "--on podman or --on docker");
        } else if (s->gpus) {
                err_set(e, ERR_USAGE, "the target 'local' gives a sandbox no GPUs");
                err_hint(e, "--on podman, --on docker or --on process");
        }
        return -(int)e->code;
}

static int render(struct run *r, struct err *e)
{
        const struct run_spec *s = r->rec->spec;
        bool mpi = s->dist == RUN_DIST_MPI;
        size_t n = mpi ? 1 : run_job_ranks(s);
        struct run_launcher *v = arena_array(r->arena, struct run_launcher, n);
        const char **env = run_env_allowed(r->arena, run_env_ours, NULL, 0);
        struct run_launch l = { .v = v, .n = n, .signals = true };
        struct run_rootfs f;

        if (refuse(s, e) < 0 || run_rootfs_read(r->arena, r->rec, &f, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                const char **argv = arena_array(r->arena, const char *, 5);
                argv[0] = r->ctx->program;
                argv[1] = RUN_RANK_MAIN;
                argv[2] = r->rec->dir.p;
                argv[3] = mpi ? "-" : arena_fmt(r->arena, "%zu", i).p;
                v[i] = (struct run_launcher){ mpi ? -1 : (int)i, argv, env, r->rec->dir.p };
        }
        return run_rank_env_write(r, "/mnt/run", e) < 0 ? -(int)e->code : run_launch_write(r->rec, &l, e);
}

const struct run_target run_target_local = {
        .name = "local",
        .summary = "this machine, in a sandbox (bubblewrap)",
        .caps = RUN_CAP_SHARED_FS | RUN_CAP_ROOTFS | RUN_CAP_RETRY,
        .probe = probe,
        .render = render,
        .submit = run_supervise_start,
        .find = run_supervise_find,
        .poll = run_supervise_poll,
        .cancel = run_supervise_cancel,
};
