/* A description and a profile as the two scripts of Slurm. */
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "run/supervise/supervise.h"
#include "run/target/slurm_ask.h"
#include "run/target/submit.h"

enum { LOOK_MS = 2000, SCRIPT_MAX = 1 << 20, MINUTE = 60 };

static sv key(const struct run *r, const char *name)
{
        return run_profile_str(r->profile, name, (sv){ 0 });
}

static bool from_registry(const struct run *r)
{
        sv host =
                sv_from_to(r->rec->image, 0, sv_find(r->rec->image, '/') < 0 ? 0 : (size_t)sv_find(r->rec->image, '/'));

        return sv_find_sv(r->rec->image, SV("@sha256:")) > 0 &&
               (sv_find(host, '.') >= 0 || sv_find(host, ':') >= 0 || sv_is(host, "localhost"));
}

static bool have(const char *program)
{
        AUTO(free_ptr) char *path = proc_which(program);

        return path != NULL;
}

/* What the first of them is that can run this image: our own sandbox when the image is in the store, else what the cluster has. */
static int choose(const struct run *r, enum slurm_mode *ret, struct err *e)
{
        static const struct {
                const char *name;
                enum slurm_mode mode;
        } modes[] = { { "none", SLURM_NONE },
                      { "sandbox", SLURM_SANDBOX },
                      { "pyxis", SLURM_PYXIS },
                      { "apptainer", SLURM_APPTAINER } };
        bool host = r->rec->spec->environment.kind == RUN_ENV_HOST;
        bool here = fs_exists(run_path(r->arena, r->rec, "submit/image.json").p);
        sv word = key(r, "mode");

        if (!word.n || sv_is(word, "auto")) {
                *ret = host                      ? SLURM_NONE
                       : here                    ? SLURM_SANDBOX
                       : slurm_has_pyxis(r->ctx) ? SLURM_PYXIS
                       : have("apptainer")       ? SLURM_APPTAINER
                                                 : SLURM_SANDBOX;
                return 0;
        }
        for (size_t i = 0; i < ARRAY_LEN(modes); i++)
                if (sv_is(word, modes[i].name))
                        *ret = modes[i].mode;
        if (host && *ret != SLURM_NONE) {
                err_set(e, ERR_USAGE,
                        "the run asks for the nodes' own python, but the profile's mode '%.*s' wants an image",
                        SV_ARG(word));
                err_hint(e, "mode: none, or mode: auto");
        } else if (!host && *ret == SLURM_NONE) {
                err_set(e, ERR_USAGE, "the run has an image, but the profile's mode is 'none'");
                err_hint(e, "mode: auto; or environment: {python: {user_managed_dependencies: true}}");
        }
        return -(int)e->code;
}

static int refuse(const struct run *r, enum slurm_mode mode, struct err *e)
{
        const struct run_spec *s = r->rec->spec;

        if (s->n_docker_arg)
                return err_set(e, ERR_USAGE, "docker arguments ('%.*s') mean nothing to Slurm",
                               SV_ARG(s->docker_arg[0]));
        if (mode == SLURM_NONE && s->n_mount)
                return err_set(e, ERR_USAGE, "without a container there is no place to mount '%.*s' at",
                               SV_ARG(s->mount[0].src));
        if ((mode == SLURM_PYXIS || mode == SLURM_APPTAINER) && !from_registry(r)) {
                err_set(e, ERR_USAGE, "%s takes images from a registry, and '%.*s' is only here",
                        mode == SLURM_PYXIS ? "pyxis" : "apptainer", SV_ARG(r->rec->image));
                err_hint(e, "push it (envbuild push) and run name@sha256:…, or mode: sandbox");
                return -(int)e->code;
        }
        if (sv_find(r->rec->dir, '%') >= 0 || sv_find(r->rec->dir, '\\') >= 0)
                return err_set(e, ERR_USAGE, "Slurm takes '%%' and '\\' in file names for its own: '%.*s'",
                               SV_ARG(r->rec->dir));
        return 0;
}

static int number_key(const struct run *r, const char *name, uint64_t otherwise, uint64_t *ret, struct err *e)
{
        sv text = key(r, name);

        *ret = otherwise;
        if (text.n && !sv_u64(text, ret))
                return err_set(e, ERR_USAGE, "the profile's %s is no number: '%.*s'", name, SV_ARG(text));
        return 0;
}

/* Slurm counts minutes, and our own limit shall come first: it is told as a timeout, with its grace. */
static int limits(const struct run *r, struct slurm_script *s, struct err *e)
{
        const struct run_spec *spec = r->rec->spec;
        uint64_t margin;

        if (number_key(r, "margin", 2, &margin, e) < 0)
                return -(int)e->code;
        if (margin > UINT32_MAX)
                return err_set(e, ERR_USAGE, "the profile's margin is too long");
        if (spec->timeout_s)
                s->minutes = (spec->timeout_s + spec->grace_s + MINUTE - 1) / MINUTE + margin;
        s->time = key(r, "time");
        s->memory = spec->memory;
        s->gpus = spec->gpus;
        s->cpus = spec->cpus ? (spec->cpus + s->per_node - 1) / s->per_node : 0;
        return 0;
}

/* In the lists that pyxis and apptainer take ',' and ':' have a meaning. */
static int add_mount(struct run *r, struct slurm_script *s, sv src, sv dst, bool ro, struct err *e)
{
        size_t cap = s->n_mount; /* grown one by one: there are few */

        if (sv_find(src, ',') >= 0 || sv_find(src, ':') >= 0 || sv_find(dst, ',') >= 0 || sv_find(dst, ':') >= 0)
                return err_set(e, ERR_USAGE, "a path with ',' or ':' cannot be mounted here: '%.*s'", SV_ARG(src));
        *arena_push(r->arena, s->mount, s->n_mount, cap) = (struct slurm_mount){ src, dst, ro };
        return 0;
}

static int mounts(struct run *r, struct slurm_script *s, struct err *e)
{
        const struct run_spec *spec = r->rec->spec;

        if (sv_find(s->dir, ',') >= 0 || sv_find(s->dir, ':') >= 0)
                return err_set(e, ERR_USAGE, "a run's folder with ',' or ':' cannot be mounted: '%.*s'",
                               SV_ARG(s->dir));
        for (size_t i = 0; i < spec->n_mount; i++)
                if (add_mount(r, s, spec->mount[i].src, spec->mount[i].dst, spec->mount[i].ro, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < spec->n_input; i++) {
                const struct run_input *in = &spec->input[i];
                if (!in->download && (in->kind == RUN_INPUT_FILE || in->kind == RUN_INPUT_FOLDER) &&
                    add_mount(r, s, in->value, arena_fmt(r->arena, "/mnt/inputs/%.*s", SV_ARG(in->name)), true, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

/* The interpreter is one of the nodes, which look like this machine. */
static const char *interpreter(const struct run *r)
{
        sv word = r->rec->spec->environment.text;

        if (!word.n || (sv_is(word, "python") && !have("python")))
                return have("python") ? "python" : "python3";
        return arena_str(r->arena, word);
}

/* What rank.sh starts. What only the job knows (--master, --hosts) is put in after the shim's name. */
static int command(struct run *r, struct slurm_script *s, struct err *e)
{
        bool inside = s->mode == SLURM_PYXIS || s->mode == SLURM_APPTAINER;
        struct run_place place = { .rank = inside ? SLURM_RANK : arena_str(r->arena, s->rank),
                                   .dir = inside ? SLURM_RUN_DIR : r->rec->dir.p,
                                   .python = s->mode == SLURM_NONE ? interpreter(r) : NULL,
                                   .cancel_every_ms = LOOK_MS };
        struct run_command c = { 0 };
        const char **argv;
        size_t n = 0;

        if (s->mode == SLURM_SANDBOX) {
                argv = arena_array(r->arena, const char *, 5);
                argv[n++] = arena_str(r->arena, run_profile_str(r->profile, "program", sv_from(r->ctx->program)));
                argv[n++] = RUN_RANK_MAIN;
                argv[n++] = r->rec->dir.p;
                argv[n++] = "-"; /* whichever srun says */
                s->argv_insert = SIZE_MAX;
        } else {
                if (run_command_make(r, &place, -1, &c, e) < 0)
                        return -(int)e->code;
                argv = arena_array(r->arena, const char *, c.n + 2);
                argv[n++] = c.argv[0];
                argv[n++] = "--own-group-only";
                for (size_t i = 1; i < c.n; i++)
                        argv[n++] = c.argv[i];
                s->argv_insert = 1;
        }
        s->argv = argv;
        return 0;
}

static int fill(struct run *r, struct slurm_script *s, struct err *e)
{
        const struct run_spec *spec = r->rec->spec;
        const struct run_record *rec = r->rec;

        if (choose(r, &s->mode, e) < 0 || refuse(r, s->mode, e) < 0)
                return -(int)e->code;
        s->id = rec->id;
        s->attempt = rec->attempt;
        s->token = arena_fmt(r->arena, "%.*s.%u", SV_ARG(rec->id), rec->attempt);
        s->dir = rec->dir;
        s->nodes = spec->nodes ? spec->nodes : 1;
        s->ranks = run_job_ranks(spec);
        s->per_node = spec->per_node ? spec->per_node : (s->ranks + s->nodes - 1) / s->nodes;
        s->partition = key(r, "partition");
        s->account = key(r, "account");
        s->qos = key(r, "qos");
        s->constraint = key(r, "constraint");
        s->gres = key(r, "gres");
        s->n_sbatch_arg = run_profile_list_of(r->arena, r->profile, "sbatch_args", &s->sbatch_arg);
        s->n_srun_arg = run_profile_list_of(r->arena, r->profile, "srun_args", &s->srun_arg);
        if (spec->dist == RUN_DIST_MPI)
                s->mpi = run_profile_str(r->profile, "mpi", SV("pmix"));
        s->want_hosts = spec->dist == RUN_DIST_TENSORFLOW;
        s->image = rec->run_image.n ? rec->run_image : rec->image;
        s->rank = run_profile_str(r->profile, "rank", sv_from(r->ctx->rank));
        s->nvidia = spec->gpus > 0;
        s->cache = sv_from(store_root(r->ctx->store));
        s->scratch = key(r, "scratch");
        if (limits(r, s, e) < 0 || command(r, s, e) < 0)
                return -(int)e->code;
        return s->mode == SLURM_PYXIS || s->mode == SLURM_APPTAINER ? mounts(r, s, e) : 0;
}

static int put(struct run *r, const char *name, const struct buf *text, struct err *e)
{
        return buf_check(text, e) < 0
                       ? -(int)e->code
                       : fs_write(run_path(r->arena, r->rec, "submit/%s", name).p, buf_sv(text), 0755, e);
}

int slurm_render(struct run *r, struct err *e)
{
        AUTO(buf_done) struct buf batch = BUF_INIT(SCRIPT_MAX), rank = BUF_INIT(SCRIPT_MAX);
        struct slurm_script s = { 0 };

        if (fill(r, &s, e) < 0 || slurm_batch_write(&s, &batch, e) < 0)
                return -(int)e->code;
        slurm_rank_write(&s, &rank);
        if (put(r, "job.sbatch", &batch, e) < 0 || put(r, "rank.sh", &rank, e) < 0)
                return -(int)e->code;
        return run_rank_env_write(r, s.mode == SLURM_NONE ? r->rec->dir.p : SLURM_RUN_DIR, e);
}
