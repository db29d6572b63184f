/* The environment of a run → an image of the store, or nothing (the host's own). */
#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/run_cli.h"
#include "ext/hash.h"
#include "image/curated.h"
#include "image/origin.h"
#include "image/pull.h"

#define DEFAULT_SET "curated/minimal"

/* A base with packages on top that stands in a description has no file of its own. It gets one beside the runs, named by what it says, so that its
 * lock is found again. */
static int inline_definition(struct app *app, const struct run_environment *env, char **ret_file, struct err *e)
{
        sha256 d;
        sv root, dir;

        if (env->conda_file.n) {
                *ret_file = (char *)arena_str(&app->arena, env->conda_file);
                return 0;
        }
        d = sha256_of(env->conda_inline);
        if (run_root(&app->arena, &root, e) < 0)
                return -(int)e->code;
        dir = arena_fmt(&app->arena, "%.*s/../environments/%.16s", SV_ARG(root), sha256_hex(&d).s);
        *ret_file = (char *)arena_fmt(&app->arena, "%.*s/env.yml", SV_ARG(dir)).p;
        if (fs_exists(*ret_file))
                return 0;
        return fs_mkdirs(dir.p, 0755, e) < 0 ? -(int)e->code : fs_write(*ret_file, env->conda_inline, 0644, e);
}

static int build(struct app *app, const struct run_opts *o, char *file, sv base, struct run_ready *ret, struct err *e)
{
        struct request_opts what = o->request;

        if (base.n)
                what.base = base;
        return run_build(app, &what, file, &ret->image, e);
}

/* Names of Azure ML's curated environments that we have a set of our own for. */
static int azureml(struct app *app, const struct run_opts *o, const struct run_environment *env, struct run_ready *ret,
                   struct err *e)
{
        sv set = run_job_curated_name(env);

        if (set.n == 0) {
                err_set(e, ERR_USAGE,
                        "the environment '%.*s' is registered in an Azure ML workspace: its definition is not here",
                        SV_ARG(env->text));
                err_hint(e, "name a definition or an image: environment: file:env.yml, or {image: name@sha256:…}");
                return -(int)e->code;
        }
        op_say(&app->op, OP_NOTE, "environment '%.*s' is taken as curated/%.*s", SV_ARG(env->text), SV_ARG(set));
        return build(app, o, (char *)arena_fmt(&app->arena, "curated/%.*s", SV_ARG(set)).p, (sv){ 0 }, ret, e);
}

static int find(struct app *app, const struct run_opts *o, const struct run_environment *env, struct run_ready *ret,
                struct err *e)
{
        char *file;
        sv name;

        switch (env->kind) {
        case RUN_ENV_NONE:
                if (o->request.pip.n || o->request.conda.n || o->request.file.n)
                        return build(app, o, NULL, (sv){ 0 }, ret, e);
                op_say(&app->op, OP_NOTE, "no environment is named: " DEFAULT_SET " is used");
                return build(app, o, (char[]){ DEFAULT_SET }, (sv){ 0 }, ret, e);
        case RUN_ENV_FILE:
                return build(app, o, (char *)arena_str(&app->arena, env->text), (sv){ 0 }, ret, e);
        case RUN_ENV_INLINE:
                return inline_definition(app, env, &file, e) < 0 ? -(int)e->code
                                                                 : build(app, o, file, env->text, ret, e);
        case RUN_ENV_AZUREML:
                return azureml(app, o, env, ret, e);
        case RUN_ENV_HOST:
                return 0;
        case RUN_ENV_NAME:
                break;
        }
        if (curated_is_name(env->text, &name))
                return build(app, o, (char *)arena_str(&app->arena, env->text), (sv){ 0 }, ret, e);
        ret->image = env->text;
        return opts_registry(app, &o->request.registry, e);
}

/* "train" → "train@sha256:…": what is recorded does not move with a tag. */
static sv pinned(struct app *app, const struct image_view *v)
{
        sv name = v->name, rest = v->name, head;

        if (sv_cut(&rest, '@', &head))
                name = head;
        return arena_fmt(&app->arena, "%.*s@sha256:%s", SV_ARG(name), sha256_hex(&v->digest).s);
}

int run_environment(struct app *app, const struct run_opts *o, const struct run_spec *spec, struct run_ready *ret,
                    struct err *e)
{
        AUTO(err_done) struct err unknown = { 0 };
        struct origin origin = { 0 };
        sv platform = o->request.platform.n ? o->request.platform.v[0] : (sv){ 0 };

        if (find(app, o, &spec->environment, ret, e) < 0)
                return err_while(e, "making the environment of the run");
        if (ret->image.n == 0)
                return 0;
        if (image_open_or_pull(&app->image, ret->image, platform, &app->arena, &ret->view, e) < 0)
                return -(int)e->code;
        if (ret->view.config.n_diff_id != ret->view.manifest.n_layer)
                return err_set(e, ERR_INTEGRITY, "'%.*s' has %zu layers but its config names %zu", SV_ARG(ret->image),
                               ret->view.manifest.n_layer, ret->view.config.n_diff_id);
        ret->image = pinned(app, &ret->view);
        if (origin_find(&app->image, &ret->view.digest, &app->arena, &origin, &unknown) == 0)
                ret->lock_digest = arena_fmt(&app->arena, "sha256:%s", sha256_hex(&origin.lock.digest).s);
        return 0;
}
