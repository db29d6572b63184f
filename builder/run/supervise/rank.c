/* run/supervise/rank.c - a rank in the sandbox: on this machine below the supervisor, on a cluster's node below srun. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/supervise/supervise_priv.h"
#include "sandbox/sandbox.h"

#define DIR_INSIDE     "/mnt/run"
#define INPUTS_INSIDE  "/mnt/inputs"
#define SHIM_INSIDE    "/.envbuild/envbuild-rank"
#define PYCACHE_INSIDE "/run/envbuild-pycache"

enum { LOOK_HERE_MS = 250, LOOK_FAR_MS = 2000 };

extern char **environ;

struct list {
        const char **v;
        size_t n, cap;
};

static void add(struct arena *a, struct list *l, const char *text)
{
        *arena_push(a, l->v, l->n, l->cap) = text;
}

static void add_pair(struct arena *a, struct list *l, const char *from, const char *to)
{
        add(a, l, from);
        add(a, l, to);
}

/* Who starts the ranks says by variables which one this is. */
static void add_place(struct arena *a, struct list *env)
{
        static const char *const kept[] = {
                "SLURM_", "PMIX_", "PMI_", "OMPI_", "PRTE_", "MASTER_ADDR=", "MASTER_PORT="
        };

        for (char **v = environ; *v; v++)
                for (size_t i = 0; i < ARRAY_LEN(kept); i++)
                        if (strncmp(*v, kept[i], strlen(kept[i])) == 0)
                                add(a, env, *v);
}

/* One mpirun, all its ranks in one sandbox. As variables: other MPIs' mpirun do not know Open MPI's options. */
static void add_mpi(struct arena *a, struct list *env)
{
        static const char *const says[] = { "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                            "OMPI_MCA_rmaps_base_oversubscribe=1",
                                            "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe",
                                            "OMPI_MCA_btl_vader_single_copy_mechanism=none" };

        for (size_t i = 0; i < ARRAY_LEN(says); i++)
                add(a, env, says[i]);
}

static const char **environment(struct arena *a, const struct run_rootfs *f, int n, bool mpi)
{
        struct list env = { 0 };

        for (size_t i = 0; i < f->n_env; i++)
                add(a, &env, arena_str(a, f->env[i]));
        if (f->pycache.n)
                add(a, &env, "PYTHONPYCACHEPREFIX=" PYCACHE_INSIDE);
        if (mpi)
                add_mpi(a, &env);
        else if (n < 0)
                add_place(a, &env);
        add(a, &env, NULL);
        return env.v;
}

static void bind_all(struct run *r, const struct run_rootfs *f, struct sandbox_run *ret)
{
        const struct run_spec *s = r->rec->spec;
        struct list rw = { 0 }, ro = { 0 };
        struct arena *a = r->arena;

        add_pair(a, &rw, r->rec->dir.p, DIR_INSIDE);
        if (f->pycache.n)
                add_pair(a, &rw, arena_str(a, f->pycache), PYCACHE_INSIDE);
        add_pair(a, &ro, r->ctx->rank, SHIM_INSIDE);
        for (size_t i = 0; i < s->n_mount; i++)
                add_pair(a, s->mount[i].ro ? &ro : &rw, arena_str(a, s->mount[i].src), arena_str(a, s->mount[i].dst));
        for (size_t i = 0; i < s->n_input; i++) {
                const struct run_input *in = &s->input[i];
                if (!in->download && (in->kind == RUN_INPUT_FILE || in->kind == RUN_INPUT_FOLDER))
                        add_pair(a, &ro, arena_str(a, in->value),
                                 arena_fmt(a, INPUTS_INSIDE "/%.*s", SV_ARG(in->name)).p);
        }
        add(a, &rw, NULL);
        add(a, &ro, NULL);
        ret->bind = rw.v;
        ret->bind_ro = ro.v;
}

/* What only the job knows, and that srun has signalled every process itself (target/slurm_script.c). */
static void add_job(struct arena *a, struct list *argv)
{
        static const char *const says[][2] = { { "--master", "ENVBUILD_RANK_MASTER" },
                                               { "--hosts", "ENVBUILD_RANK_HOSTS" } };

        for (size_t i = 0; i < ARRAY_LEN(says); i++) {
                const char *value = getenv(says[i][1]);
                if (value && *value)
                        add_pair(a, argv, says[i][0], value);
        }
        add(a, argv, "--own-group-only");
}

/* The image's entrypoint comes before the command: what makes an environment of it. */
static const char **command(struct run *r, const struct run_rootfs *f, int n, bool mpi, struct err *e)
{
        bool here = sv_is(r->rec->target, "local");
        struct run_place place = { .rank = SHIM_INSIDE,
                                   .dir = DIR_INSIDE,
                                   .cancel_every_ms = here ? LOOK_HERE_MS : LOOK_FAR_MS };
        struct run_command c = { 0 };
        struct list argv = { 0 };
        size_t i = 0;

        if (run_command_make(r, &place, n, &c, e) < 0)
                return NULL;
        if (mpi) {
                add_pair(r->arena, &argv, "mpirun", "-n");
                add(r->arena, &argv, arena_fmt(r->arena, "%u", run_job_ranks(r->rec->spec)).p);
        }
        while (i < c.n && strcmp(c.argv[i], "--") != 0)
                add(r->arena, &argv, c.argv[i++]);
        if (sv_is(r->rec->target, "slurm"))
                add_job(r->arena, &argv);
        if (i < c.n)
                add(r->arena, &argv, c.argv[i++]);
        for (size_t k = 0; k < f->n_entrypoint; k++)
                add(r->arena, &argv, arena_str(r->arena, f->entrypoint[k]));
        while (i < c.n)
                add(r->arena, &argv, c.argv[i++]);
        add(r->arena, &argv, NULL);
        return argv.v;
}

int run_rank_main(struct run_ctx *c, const char *dir, int n, int *ret_status, struct err *e)
{
        static const char *const own[] = { DIR_INSIDE, NULL };
        AUTO(arena_done) struct arena a = { 0 };
        struct run r = { .ctx = c, .arena = &a };
        struct sandbox_run s = { .network = true, .workdir = "/", .passwd = true, .own = own };
        struct run_rootfs f;
        bool mpi;

        if (run_record_open(&a, sv_from(dir), &r.rec, e) < 0 || run_rootfs_read(&a, r.rec, &f, e) < 0 ||
            run_unpack(c, &a, &f, e) < 0)
                return -(int)e->code;
        mpi = n < 0 && sv_is(r.rec->target, "local");
        s.argv = command(&r, &f, n, mpi, e);
        if (!s.argv || (f.pycache.n && fs_mkdirs(arena_str(&a, f.pycache), 0755, e) < 0))
                return -(int)e->code;
        bind_all(&r, &f, &s);
        s.env = environment(&a, &f, n, mpi);
        s.diff_id = f.diff_id;
        s.n_diff_id = f.n;
        s.user = arena_str(&a, f.user);
        s.shm_size = r.rec->spec->shm_size;
        return sandbox_run(c->store, &s, c->op, ret_status, e);
}
