/* The command line that makes a rank's container. It may be read by anybody (ps), so there is no value in it that a user may want to keep. */
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "run/target/container.h"

struct words {
        struct arena *a;
        const char **v;
        size_t n, cap;
};

static void word(struct words *w, const char *text)
{
        *arena_push(w->a, w->v, w->n, w->cap) = text;
}

static void pair(struct words *w, const char *option, sv value)
{
        word(w, option);
        word(w, arena_str(w->a, value));
}

const char *container_name(struct arena *a, const struct run_record *r, unsigned rank)
{
        return arena_fmt(a, "envbuild-%.*s-%u-%u", SV_ARG(r->id), r->attempt, rank).p;
}

static sv csv_field(struct arena *a, const char *key, sv value)
{
        struct buf b = BUF_INIT(65536);
        sv ret;

        if (sv_find(value, ',') < 0 && sv_find(value, '"') < 0 && sv_find(value, '\n') < 0)
                return arena_fmt(a, "%s=%.*s", key, SV_ARG(value));
        buf_fmt(&b, "\"%s=", key);
        for (size_t i = 0; i < value.n; i++) {
                if (value.p[i] == '"')
                        buf_byte(&b, '"');
                buf_byte(&b, value.p[i]);
        }
        buf_byte(&b, '"');
        ret = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return ret;
}

sv container_mount(struct arena *a, sv src, sv dst, bool ro)
{
        sv s = csv_field(a, "src", src), d = csv_field(a, "dst", dst);

        return arena_fmt(a, "type=bind,%.*s,%.*s%s", SV_ARG(s), SV_ARG(d), ro ? ",readonly" : "");
}

static void mounts(struct words *w, const struct run *r)
{
        const struct run_spec *s = r->rec->spec;

        pair(w, "--mount", container_mount(w->a, r->rec->dir, SV(CONTAINER_DIR), false));
        pair(w, "--mount", container_mount(w->a, sv_from(r->ctx->rank), SV(CONTAINER_SHIM), true));
        for (size_t i = 0; i < s->n_mount; i++)
                pair(w, "--mount", container_mount(w->a, s->mount[i].src, s->mount[i].dst, s->mount[i].ro));
        for (size_t i = 0; i < s->n_input; i++) {
                const struct run_input *in = &s->input[i];

                if (!in->download && (in->kind == RUN_INPUT_FILE || in->kind == RUN_INPUT_FOLDER))
                        pair(w, "--mount",
                             container_mount(w->a, in->value,
                                             arena_fmt(w->a, CONTAINER_INPUTS "/%.*s", SV_ARG(in->name)), true));
        }
}

/* What the ranks write shall belong to who started the run, whatever user the image names: root in a rootless engine is he; in a daemon of root's he has
 * his own number, which the image does not know. */
static void user(struct words *w, const struct container_engine *g, const struct run_profile *p)
{
        sv said = run_profile_str(p, "user", (sv){ 0 });
        unsigned uid = g->daemon ? geteuid() : 0, gid = g->daemon ? getegid() : 0;
        const struct passwd *pw = uid ? getpwuid(uid) : NULL;

        if (said.n) {
                pair(w, "--user", said);
                return;
        }
        pair(w, "--user", arena_fmt(w->a, "%u:%u", uid, gid));
        if (pw) { /* getpass.getuser() asks these first */
                pair(w, "--env", arena_fmt(w->a, "USER=%s", pw->pw_name));
                pair(w, "--env", arena_fmt(w->a, "LOGNAME=%s", pw->pw_name));
        }
}

static void limits(struct words *w, const struct container_engine *g, const struct run_spec *s)
{
        if (s->shm_size)
                pair(w, "--shm-size", arena_fmt(w->a, "%llub", (unsigned long long)s->shm_size));
        if (s->memory)
                pair(w, "--memory", arena_fmt(w->a, "%llub", (unsigned long long)s->memory));
        if (s->cpus)
                pair(w, "--cpus", arena_fmt(w->a, "%u", s->cpus));
        for (size_t i = 0; s->gpus && g->gpus[i]; i++)
                word(w, g->gpus[i]);
}

/* The image's own entrypoint comes between envbuild-rank and the command: submit/image.json says it, if the image is one of ours. */
static int entrypoint(struct run *r, const sv **ret, size_t *ret_n, struct err *e)
{
        struct run_rootfs f = { 0 };
        struct err none = { 0 };

        *ret_n = 0;
        if (run_rootfs_read(r->arena, r->rec, &f, &none) < 0) {
                if (none.code != ERR_NOT_FOUND)
                        return err_move(e, &none);
                err_done(&none);
                return 0;
        }
        *ret = f.entrypoint;
        *ret_n = f.n_entrypoint;
        return 0;
}

static int command(struct words *w, struct run *r, int rank, struct err *e)
{
        enum { LOOK_MS = 250 };
        const struct run_place place = { .rank = CONTAINER_SHIM, .dir = CONTAINER_DIR, .cancel_every_ms = LOOK_MS };
        struct run_command c = { 0 };
        const sv *first = NULL;
        size_t n_first, i = 1;

        if (entrypoint(r, &first, &n_first, e) < 0 || run_command_make(r, &place, rank, &c, e) < 0)
                return -(int)e->code;
        if (rank < 0) { /* one mpirun, all its ranks in one container: they share memory */
                pair(w, "-n", arena_fmt(w->a, "%u", run_job_ranks(r->rec->spec)));
                word(w, c.argv[0]);
        }
        while (i < c.n && strcmp(c.argv[i], "--") != 0)
                word(w, c.argv[i++]);
        word(w, "--");
        for (size_t k = 0; k < n_first; k++)
                word(w, arena_str(w->a, first[k]));
        for (i++; i < c.n; i++)
                word(w, c.argv[i]);
        return 0;
}

static void mpi(struct words *w)
{
        static const char *const says[] = { "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                            "OMPI_MCA_rmaps_base_oversubscribe=1",
                                            "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe",
                                            "OMPI_MCA_btl_vader_single_copy_mechanism=none" };

        for (size_t i = 0; i < ARRAY_LEN(says); i++)
                pair(w, "--env", sv_from(says[i]));
}

int container_create(struct run *r, const struct container_engine *g, int rank, const char ***ret, size_t *ret_n,
                     struct err *e)
{
        const struct run_record *rec = r->rec;
        struct words w = { .a = r->arena };
        sv *more;
        size_t n;

        word(&w, g->name);
        word(&w, "create");
        pair(&w, "--name", sv_from(container_name(r->arena, rec, rank < 0 ? 0 : (unsigned)rank)));
        pair(&w, "--label", arena_fmt(r->arena, "envbuild.run=%.*s", SV_ARG(rec->id)));
        pair(&w, "--label", arena_fmt(r->arena, "envbuild.attempt=%u", rec->attempt));
        /* an image that was put there for this run is nowhere else */
        pair(&w, "--pull", rec->run_image.n ? SV("never") : SV("missing"));
        pair(&w, "--network", run_profile_str(r->profile, "network", SV("host")));
        pair(&w, "--security-opt", SV("label=disable")); /* SELinux: the folder is not relabelled for one run */
        pair(&w, "--workdir", SV(CONTAINER_DIR));
        /* processes that are left are found by it (run/supervise/procs.c), from outside */
        pair(&w, "--env", arena_fmt(r->arena, "ENVBUILD_RUN_ID=%.*s", SV_ARG(rec->id)));
        user(&w, g, r->profile);
        mounts(&w, r);
        limits(&w, g, rec->spec);
        if (rank < 0)
                mpi(&w);
        pair(&w, "--entrypoint", rank < 0 ? SV("mpirun") : SV(CONTAINER_SHIM));
        n = run_profile_list_of(r->arena, r->profile, "runtime_args", &more);
        for (size_t i = 0; i < n; i++)
                word(&w, arena_str(r->arena, more[i]));
        for (size_t i = 0; i < rec->spec->n_docker_arg; i++)
                word(&w, arena_str(r->arena, rec->spec->docker_arg[i]));
        word(&w, arena_str(r->arena, rec->run_image.n ? rec->run_image : rec->image));
        if (command(&w, r, rank, e) < 0)
                return -(int)e->code;
        *ret_n = w.n;
        word(&w, NULL);
        *ret = w.v;
        return 0;
}
