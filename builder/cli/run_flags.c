/* Flags of `run` and `sweep` → the description of a run; what a file says is changed by flags. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/run_cli.h"
#include "image/curated.h"
#include "run/job/size.h"

bool run_flags_recorded(const struct run_opts *o)
{
        return o->source.n || o->on.n || o->name.n || o->experiment.n || o->label.n || o->input.n || o->host_env.n ||
               o->timeout || o->grace || o->retries || o->nodes || o->per_node || o->dist.n || o->gpus || o->cpus ||
               o->memory.n || o->shm_size.n || o->render.n || o->no_wait;
}

/* "NAME=VALUE" of an option. */
static int split(sv text, const char *option, sv *ret_name, sv *ret_value, struct err *e)
{
        sv rest = text;

        if (!sv_cut(&rest, '=', ret_name) || ret_name->n == 0 || ret_name->n == text.n)
                return err_set(e, ERR_USAGE, "%s takes NAME=VALUE, not '%.*s'", option, SV_ARG(text));
        *ret_value = rest;
        return 0;
}

/* The later value of a name counts, in the place of the first. */
static void put(struct app *app, struct run_pair **v, size_t *n, sv name, sv value)
{
        struct run_pair *more;

        for (size_t i = 0; i < *n; i++)
                if (sv_eq((*v)[i].name, name)) {
                        (*v)[i].value = value;
                        return;
                }
        more = arena_array(&app->arena, struct run_pair, *n + 1);
        if (*n)
                memcpy(more, *v, *n * sizeof(*more));
        more[(*n)++] = (struct run_pair){ name, value };
        *v = more;
}

static int pairs(struct app *app, const struct opt_list *l, const char *option, struct run_pair **v, size_t *n,
                 struct err *e)
{
        for (size_t i = 0; i < l->n; i++) {
                sv name, value;
                if (split(l->v[i], option, &name, &value, e) < 0)
                        return -(int)e->code;
                put(app, v, n, name, value);
        }
        return 0;
}

static int absolute(struct app *app, sv path, const char *what, sv *ret, struct err *e)
{
        AUTO(free_ptr) char *real = realpath(arena_str(&app->arena, path), NULL);

        if (!real)
                return err_errno(e, "cannot use the %s '%.*s'", what, SV_ARG(path));
        *ret = sv_from(arena_str(&app->arena, sv_from(real)));
        return 0;
}

static int volumes(struct app *app, const struct opt_list *l, struct run_spec *s, struct err *e)
{
        struct run_mount *v = arena_array(&app->arena, struct run_mount, s->n_mount + l->n);

        if (s->n_mount)
                memcpy(v, s->mount, s->n_mount * sizeof(*v));
        for (size_t i = 0; i < l->n; i++) {
                sv rest = l->v[i], src;
                struct run_mount *m = &v[s->n_mount];
                if (!sv_cut(&rest, ':', &src) || rest.n == 0 || rest.p[0] != '/')
                        return err_set(e, ERR_USAGE, "--volume takes SRC:DST with an absolute DST, not '%.*s'",
                                       SV_ARG(l->v[i]));
                if (sv_ends(rest, SV(":ro"))) {
                        rest.n -= 3;
                        m->ro = true;
                }
                if (absolute(app, src, "volume", &m->src, e) < 0)
                        return -(int)e->code;
                m->dst = rest;
                s->n_mount++;
        }
        s->mount = v;
        return 0;
}

static int sizes(const struct run_opts *o, struct run_spec *s, struct err *e)
{
        if (o->shm_size.n && !run_size_parse(o->shm_size, &s->shm_size))
                return err_set(e, ERR_USAGE, "--shm-size takes a size like 512m or 2g, not '%.*s'",
                               SV_ARG(o->shm_size));
        if (o->memory.n && !run_size_parse(o->memory, &s->memory))
                return err_set(e, ERR_USAGE, "--memory takes a size like 512m or 16g, not '%.*s'", SV_ARG(o->memory));
        return 0;
}

static void numbers(const struct run_opts *o, struct run_spec *s)
{
        const struct {
                unsigned from, *to;
        } v[] = {
                { o->grace, &s->grace_s },     { o->retries, &s->retries }, { o->nodes, &s->nodes },
                { o->per_node, &s->per_node }, { o->gpus, &s->gpus },       { o->cpus, &s->cpus },
        };

        for (size_t i = 0; i < ARRAY_LEN(v); i++)
                if (v[i].from)
                        *v[i].to = v[i].from;
        if (o->timeout)
                s->timeout_s = o->timeout;
        if (o->dist.n)
                s->dist = sv_is(o->dist, "pytorch") ? RUN_DIST_PYTORCH
                          : sv_is(o->dist, "mpi")   ? RUN_DIST_MPI
                                                    : RUN_DIST_TENSORFLOW;
        else if ((o->nodes || o->per_node) && s->dist == RUN_DIST_NONE && run_job_ranks(s) > 1)
                s->dist =
                        RUN_DIST_PYTORCH; /* several ranks that know of each other: the variables that most scripts read */
}

static int texts(struct app *app, const struct run_opts *o, struct run_spec *s, struct err *e)
{
        const struct {
                sv from, *to;
        } v[] = { { o->on, &s->compute }, { o->name, &s->name }, { o->experiment, &s->experiment } };

        for (size_t i = 0; i < ARRAY_LEN(v); i++)
                if (v[i].from.n)
                        *v[i].to = v[i].from;
        if (o->source.n && absolute(app, o->source, "source folder", &s->code, e) < 0)
                return -(int)e->code;
        if (s->experiment.n == 0 || (o->source.n && !o->experiment.n && sv_is(s->experiment, "default"))) {
                const char *slash = s->code.n ? strrchr(s->code.p, '/') : NULL;
                s->experiment = slash && slash[1] ? sv_from(slash + 1) : SV("default");
        }
        return 0;
}

static int inputs(struct app *app, const struct run_opts *o, struct run_spec *s, struct err *e)
{
        for (size_t i = 0; i < o->input.n; i++) {
                sv name, value;
                if (split(o->input.v[i], "--input", &name, &value, e) < 0 ||
                    run_job_set(&app->arena, s, name, value, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static void host_env(struct app *app, const struct run_opts *o, struct run_spec *s)
{
        sv *v = arena_array(&app->arena, sv, s->n_host_env + o->host_env.n);

        if (s->n_host_env)
                memcpy(v, s->host_env, s->n_host_env * sizeof(*v));
        for (size_t i = 0; i < o->host_env.n; i++)
                v[s->n_host_env++] = o->host_env.v[i];
        s->host_env = v;
}

static int command(struct app *app, struct run_spec *s, int argc, char **argv, struct err *e)
{
        if (argc) {
                s->argv = arena_array(&app->arena, sv, (size_t)argc);
                s->n_argv = (size_t)argc;
                for (int i = 0; i < argc; i++)
                        s->argv[i] = sv_from(argv[i]);
                s->command = s->command_written = (sv){ 0 };
        }
        if (s->command.n || s->n_argv)
                return 0;
        err_set(e, ERR_USAGE, "there is no command to run");
        err_hint(e, "write it at the end: envbuild run … -- python train.py");
        return -(int)e->code;
}

/* What stands before `--` when it is no description: an image or a definition. */
static int environment(struct app *app, const char *word, struct run_spec *s, struct err *e)
{
        sv name;

        run_job_init(s);
        if (!word)
                return 0;
        s->environment = (struct run_environment){ .kind = RUN_ENV_NAME, .text = sv_from(word) };
        if (!opts_is_definition(word) || curated_is_name(sv_from(word), &name))
                return 0;
        s->environment.kind = RUN_ENV_FILE;
        return absolute(app, sv_from(word), "definition", &s->environment.text, e);
}

int run_flags_spec(struct app *app, const struct run_opts *o, const char *word, int argc, char **argv,
                   struct run_spec **ret, struct err *e)
{
        struct run_spec *s;

        if (o->request.workdir.n || o->request.network.n) {
                err_set(e, ERR_USAGE, "--%s is for a command in front of the terminal",
                        o->request.workdir.n ? "workdir" : "network");
                err_hint(e, "a run that is kept starts in its copy of --source, with the network of its machine");
                return -(int)e->code;
        }
        if (word && run_is_description(word)) {
                if (run_job_load(&app->arena, word, &app->diags, &s, e) < 0)
                        return -(int)e->code;
        } else {
                s = arena_new(&app->arena, struct run_spec);
                if (environment(app, word, s, e) < 0)
                        return -(int)e->code;
        }
        numbers(o, s);
        host_env(app, o, s);
        if (texts(app, o, s, e) < 0 || sizes(o, s, e) < 0 || volumes(app, &o->request.volume, s, e) < 0 ||
            pairs(app, &o->request.env, "--env", &s->env, &s->n_env, e) < 0 ||
            pairs(app, &o->label, "--label", &s->tag, &s->n_tag, e) < 0 || inputs(app, o, s, e) < 0 ||
            command(app, s, argc, argv, e) < 0 || run_job_check(s, &app->diags, e) < 0)
                return -(int)e->code;
        *ret = s;
        return 0;
}
