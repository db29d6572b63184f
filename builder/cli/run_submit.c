/* A description and a target → an image, a snapshot, a record, a submission. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "cli/pushed.h"
#include "cli/run_cli.h"
#include "image/append.h"
#include "image/fetch.h"
#include "image/push.h"
#include "run/supervise/rootfs.h"

int run_context(struct app *app, struct run_ctx *ret, struct err *e)
{
        char own[4096];
        ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

        if (n <= 0)
                return err_errno(e, "cannot find out which program this is");
        own[n] = '\0';
        if (image_ctx_store(&app->image, true, e) < 0)
                return -(int)e->code;
        *ret = (struct run_ctx){ .op = &app->op, .diags = &app->diags, .store = app->image.store };
        ret->program = arena_str(&app->arena, sv_from(own));
        return run_rank_program(&app->arena, &ret->rank, e);
}

/* What a description asks for that a target cannot do is said before anything is built. */
static int refuse(const struct run_spec *s, const struct run_target *t, struct err *e)
{
        if (s->environment.kind == RUN_ENV_HOST && !(t->caps & RUN_CAP_HOST)) {
                err_set(e, ERR_USAGE,
                        "'%s' runs in an image, but the description says that the interpreter of the machine is used",
                        t->name);
                err_hint(e, "--on process or --on slurm, or name an environment");
                return -(int)e->code;
        }
        if (s->environment.kind != RUN_ENV_HOST && !(t->caps & (RUN_CAP_IMAGE | RUN_CAP_ROOTFS)) &&
            s->environment.kind != RUN_ENV_NONE) {
                err_set(e, ERR_USAGE, "'%s' runs with the interpreter of the machine and takes no environment",
                        t->name);
                err_hint(e, "--on local runs in the environment");
                return -(int)e->code;
        }
        if (s->nodes > 1 && !(t->caps & RUN_CAP_MULTI_NODE)) {
                err_set(e, ERR_USAGE, "'%s' is one machine, the description asks for %u", t->name, s->nodes);
                err_hint(e, "--on slurm or --on kubernetes; or --nodes 1 --processes %u", s->nodes);
                return -(int)e->code;
        }
        for (size_t i = 0; i < s->n_input; i++)
                if (s->input[i].kind == RUN_INPUT_REMOTE && !(t->caps & RUN_CAP_REMOTE_INPUT))
                        return err_set(e, ERR_USAGE,
                                       "the input '%.*s' is '%.*s', which only Azure ML can mount: '%s' takes paths",
                                       SV_ARG(s->input[i].name), SV_ARG(s->input[i].value), t->name);
        if (s->azureml && !(t->caps & RUN_CAP_REMOTE_INPUT))
                return err_set(e, ERR_USAGE, "%.*s:%u: '%.*s' means something to Azure ML only: '%s' cannot do it",
                               SV_ARG(s->file), s->azureml_line, SV_ARG(s->azureml_first), t->name);
        return 0;
}

static int take_source(struct app *app, struct run_ctx *c, const struct run_spec *s, struct run_ready *ret,
                       struct err *e)
{
        if (s->code.n == 0)
                return 0;
        if (run_snapshot_take(c, &app->arena, s->code.p, &ret->snapshot, e) < 0 ||
            run_snapshot_save(c, &ret->snapshot, e) < 0)
                return err_while(e, "taking the source '%.*s'", SV_ARG(s->code));
        ret->has_code = true;
        run_git_look(&app->arena, s->code.p, c->op, &ret->git);
        return 0;
}

/* Where an engine that pulls finds images: the profile says, else the image's own repository. */
static int repository(struct app *app, const struct run_ready *r, sv *ret, struct err *e)
{
        sv rest = r->image, name, set = run_profile_str(&r->profile, "image_repository", (sv){ 0 });
        struct reference ref;

        if (!sv_cut(&rest, '@', &name))
                name = r->image;
        if (set.n == 0 && image_push_name(&app->arena, name, &ref, e) < 0) {
                err_hint(e, "'%s' pulls its images: give %.*s a line image_repository: REGISTRY/NAME",
                         r->profile.target->name, SV_ARG(r->profile.file.n ? r->profile.file : SV("a profile")));
                return -(int)e->code;
        }
        *ret = set.n ? set : name;
        return 0;
}

struct tar_arg {
        struct run_ctx *c;
        const struct run_snapshot *s;
};

static int code_tar(void *arg, struct writer *w, struct err *e)
{
        struct tar_arg *t = arg;
        struct run_extra shim = { "/.envbuild/envbuild-rank", t->c->rank, 0755 };

        return run_snapshot_tar(t->c, t->s, "/.envbuild/code", &shim, 1, w, e);
}

/* An image for an engine that takes it from a registry: with the source and the shim as its last layer where it cannot see our folders. */
static int for_cluster(struct app *app, struct run_ctx *c, bool render, struct run_ready *r, struct err *e)
{
        const struct image_push_opts o = { 0 };
        struct image_pushed *pushed;
        struct tar_arg arg = { c, &r->snapshot };
        struct image_appended more;
        sv what = r->image, to;
        size_t n;

        if (repository(app, r, &to, e) < 0)
                return -(int)e->code;
        if (r->profile.target->caps & RUN_CAP_CODE_LAYER) {
                if (image_append(&app->image, &r->view, to, code_tar, &arg, &app->arena, &more, e) < 0)
                        return err_while(e, "adding the source to the image");
                what = more.name;
                r->layer = arena_fmt(&app->arena, "sha256:%s", sha256_hex(&more.layer.digest).s);
        }
        if (render) {
                r->run_image = what;
                return 0;
        }
        if (image_push(&app->image, what, &to, 1, &o, &app->arena, &pushed, &n, e) < 0)
                return err_while(e, "pushing the image that the run starts from");
        r->run_image = arena_fmt(&app->arena, "%.*s@sha256:%s", SV_ARG(reg_repo_text(&app->arena, &pushed[0].repo)),
                                 sha256_hex(&pushed[0].desc.digest).s);
        return 0;
}

int run_make_ready(struct app *app, const struct run_opts *o, struct run_spec *spec, bool render, struct run_ready *ret,
                   struct err *e)
{
        struct run_ctx c;
        unsigned caps;

        if (run_profile_find(&app->arena, spec->compute, &app->diags, &ret->profile, e) < 0 ||
            refuse(spec, ret->profile.target, e) < 0)
                return -(int)e->code;
        caps = ret->profile.target->caps;
        if (!(caps & (RUN_CAP_IMAGE | RUN_CAP_ROOTFS)))
                spec->environment.kind = RUN_ENV_HOST;
        if (run_environment(app, o, spec, ret, e) < 0 || run_context(app, &c, e) < 0 ||
            take_source(app, &c, spec, ret, e) < 0)
                return -(int)e->code;
        if (ret->image.n && (caps & RUN_CAP_ROOTFS))
                return render ? 0 : image_fetch(&app->image, &ret->view, &app->arena, e);
        if (ret->image.n && (caps & RUN_CAP_LOCAL_STORE))
                return run_local_store(app, render, ret, e);
        return ret->image.n && (caps & RUN_CAP_IMAGE) ? for_cluster(app, &c, render, ret, e) : 0;
}

static int rootfs(struct app *app, const struct run_ready *r, const struct run_record *rec, struct err *e)
{
        const struct image_view *v = &r->view;
        struct run_rootfs f = {
                .name = r->image,
                .layer = v->manifest.layer,
                .diff_id = v->config.diff_id,
                .n = v->manifest.n_layer,
                .env = v->config.env,
                .n_env = v->config.n_env,
                .user = v->config.user,
                .workdir = v->config.workdir,
                .entrypoint = v->config.entrypoint,
                .n_entrypoint = v->config.n_entrypoint,
        };
        const char *compiled;

        if (run_pycache(app, v, &compiled, e) < 0)
                return -(int)e->code;
        f.pycache = compiled ? sv_from(compiled) : (sv){ 0 };
        return run_rootfs_write(rec, &f, e);
}

static void describe(struct app *app, const struct run_ready *r, sv sweep, struct run_record *rec)
{
        rec->image = r->image;
        rec->run_image = r->run_image;
        rec->lock_digest = r->lock_digest;
        rec->target = sv_from(r->profile.target->name);
        rec->compute = r->profile.name;
        rec->sweep = sweep;
        rec->git = r->git;
        if (!r->has_code)
                return;
        rec->snapshot = (struct run_snapshot_info){
                .digest = arena_fmt(&app->arena, "sha256:%s", sha256_hex(&r->snapshot.digest).s),
                .files = r->snapshot.files,
                .bytes = r->snapshot.bytes,
                .layer = r->layer,
        };
}

/* A profile may keep its runs where its machines see them. --render has a folder of its own. */
static int root(struct app *app, const struct run_ready *r, sv render, sv *ret, struct err *e)
{
        if (render.n) {
                AUTO(free_ptr) char *whole = NULL;

                if (fs_mkdirs(render.p, 0755, e) < 0)
                        return -(int)e->code;
                whole = realpath(render.p, NULL); /* scripts are started from anywhere */
                if (!whole)
                        return err_errno(e, "cannot find '%s'", render.p);
                *ret = arena_sv(&app->arena, sv_from(whole));
                return 0;
        }
        return run_profile_root(&app->arena, &r->profile, ret, e);
}

int run_launch(struct app *app, const struct run_ready *ready, struct run_spec *spec, sv sweep, sv render,
               struct run_record **ret, struct err *e)
{
        struct run_record *rec;
        struct run_ctx *c = arena_new(&app->arena, struct run_ctx);
        struct run r = { .ctx = c, .arena = &app->arena, .profile = &ready->profile };
        sv folder;

        if (run_context(app, c, e) < 0 || root(app, ready, render, &folder, e) < 0 ||
            run_record_create(c, &app->arena, folder, spec, &rec, e) < 0)
                return -(int)e->code;
        describe(app, ready, sweep, rec);
        r.rec = rec;
        if (run_record_write(rec, e) < 0 ||
            (ready->image.n && (ready->profile.target->caps & (RUN_CAP_ROOTFS | RUN_CAP_LOCAL_STORE)) &&
             rootfs(app, ready, rec, e) < 0))
                return -(int)e->code;
        *ret = rec;
        if (!render.n)
                return run_submit(&r, e);
        if (ready->profile.target->render(&r, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        printf("%.*s/submit\n", SV_ARG(rec->dir));
        return 0;
}
