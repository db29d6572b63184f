/* A command in an image, in front of the terminal, as docker runs one: nothing is recorded, nothing is left. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/pool.h"
#include "cli/run_cli.h"
#include "image/fetch.h"
#include "image/pull.h"
#include "sandbox/sandbox.h"

#define PYCACHE "/run/envbuild-pycache" /* where the image sees its folder of compiled files */

struct unpack_arg {
        struct app *app;
        const struct oci_desc *layer;
        const sha256 *diff_id;
};

static int unpack(void *arg, struct err *e)
{
        struct unpack_arg *u = arg;
        return sandbox_unpack(u->app->image.store, u->layer, u->diff_id, &u->app->op, e);
}

/* A layer that was unpacked before need not be here. */
static int fetch_all(struct app *app, const struct image_view *v, struct err *e)
{
        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                AUTO(free_ptr) char *path = NULL;
                bool there = false;

                path = store_unpacked(app->image.store, &v->config.diff_id[i], &there);
                if (!there && !store_has(app->image.store, STORE_BLOB, &v->manifest.layer[i].digest, NULL))
                        return image_fetch(&app->image, v, &app->arena, e);
        }
        return 0;
}

static int unpack_all(struct app *app, const struct image_view *v, struct err *e)
{
        struct unpack_arg *arg = arena_array(&app->arena, struct unpack_arg, v->manifest.n_layer);
        struct pool_job *job = arena_array(&app->arena, struct pool_job, v->manifest.n_layer);
        size_t n = 0;

        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                AUTO(free_ptr) char *path = NULL;
                bool there = false;
                path = store_unpacked(app->image.store, &v->config.diff_id[i], &there);
                if (there)
                        continue;
                arg[n] = (struct unpack_arg){ app, &v->manifest.layer[i], &v->config.diff_id[i] };
                job[n] = (struct pool_job){ v->manifest.layer[i].size, unpack, &arg[n] };
                n++;
        }
        return pool_run(&app->op, job, n, e);
}

/* Once they are one tree, they need not be here one by one. */
static int layers(struct app *app, const struct image_view *v, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        sha256 merged;

        if (sandbox_merged(app->image.store, v->config.diff_id, v->config.n_diff_id, &merged))
                return 0;
        if (fetch_all(app, v, e) < 0 || unpack_all(app, v, e) < 0)
                return -(int)e->code;
        if (sandbox_merge(app->image.store, v->config.diff_id, v->config.n_diff_id, &app->op, &ignored) < 0 &&
            ignored.code == ERR_CANCELLED)
                return err_move(e, &ignored);
        return 0;
}

/* Our locale and secrets stay out: the image's variables, TERM, and what -e says. HOME is the user's of the image. */
static const char **environment(struct app *app, const struct request_opts *o, const struct image_view *v,
                                bool compiled)
{
        const char **env = arena_array(&app->arena, const char *, v->config.n_env + o->env.n + 8);
        const char *term = getenv("TERM");
        size_t n = 0;
        bool home = false;

        for (size_t i = 0; i < v->config.n_env; i++) {
                env[n++] = arena_str(&app->arena, v->config.env[i]);
                home = home || sv_starts(v->config.env[i], SV("HOME="));
        }
        if (!home)
                env[n++] = "HOME=/root";
        if (term)
                env[n++] = arena_fmt(&app->arena, "TERM=%s", term).p;
        if (compiled)
                env[n++] = "PYTHONPYCACHEPREFIX=" PYCACHE;
        for (size_t i = 0; i < o->env.n; i++)
                env[n++] = arena_str(&app->arena, o->env.v[i]);
        env[n] = NULL;
        return env;
}

static const char **command(struct app *app, const struct image_view *v, int argc, char **argv)
{
        const char **cmd =
                arena_array(&app->arena, const char *, v->config.n_entrypoint + v->config.n_cmd + (size_t)argc + 1);
        size_t n = 0;

        for (size_t i = 0; i < v->config.n_entrypoint; i++)
                cmd[n++] = arena_str(&app->arena, v->config.entrypoint[i]);
        for (int i = 0; i < argc; i++)
                cmd[n++] = argv[i];
        for (size_t i = 0; argc == 0 && i < v->config.n_cmd; i++)
                cmd[n++] = arena_str(&app->arena, v->config.cmd[i]);
        cmd[n] = NULL;
        return cmd;
}

/* Compiled files (.pyc) of an image are kept in a folder of the store that is its own: layers hold none, and each run would make them
 * again. An image without a python of ours needs none. */
int run_pycache(struct app *app, const struct image_view *v, const char **ret_dir, struct err *e)
{
        sv dir;

        *ret_dir = NULL;
        for (size_t i = 0; i < v->config.n_env && !*ret_dir; i++)
                if (sv_starts(v->config.env[i], SV("VIRTUAL_ENV="))) {
                        dir = arena_fmt(&app->arena, "%s/pycache/%s", store_root(app->image.store),
                                        sha256_hex(&v->manifest.config.digest).s);
                        *ret_dir = dir.p;
                }
        return *ret_dir ? fs_mkdirs(*ret_dir, 0755, e) : 0;
}

static int volumes(struct app *app, const struct request_opts *o, const char *pycache_dir, const char ***ret,
                   struct err *e)
{
        const char **v = arena_array(&app->arena, const char *, 2 * o->volume.n + 3);

        for (size_t i = 0; i < o->volume.n; i++) {
                sv rest = o->volume.v[i], src;
                AUTO(free_ptr) char *real = NULL;
                if (!sv_cut(&rest, ':', &src) || rest.n == 0 || rest.p[0] != '/')
                        return err_set(e, ERR_USAGE, "--volume takes SRC:DST with an absolute DST, not '%.*s'",
                                       SV_ARG(o->volume.v[i]));
                real = realpath(arena_str(&app->arena, src), NULL);
                if (!real)
                        return err_errno(e, "cannot use the volume '%.*s'", SV_ARG(src));
                v[2 * i] = arena_str(&app->arena, sv_from(real));
                v[2 * i + 1] = arena_str(&app->arena, rest);
        }
        if (pycache_dir) {
                v[2 * o->volume.n] = pycache_dir;
                v[2 * o->volume.n + 1] = PYCACHE;
        }
        *ret = v;
        return 0;
}

int run_front(struct app *app, const struct request_opts *o, sv ref, int argc, char **argv, int *ret_status,
              struct err *e)
{
        struct image_view v = { 0 };
        const char *compiled = NULL;
        struct sandbox_run s = { .network = !sv_is(o->network, "none"), .terminal = true };

        if (opts_registry(app, &o->registry, e) < 0 ||
            image_open_or_pull(&app->image, ref, o->platform.n ? o->platform.v[0] : (sv){ 0 }, &app->arena, &v, e) < 0)
                return -(int)e->code;
        if (v.config.n_diff_id != v.manifest.n_layer)
                return err_set(e, ERR_INTEGRITY, "'%.*s' has %zu layers but its config names %zu", SV_ARG(ref),
                               v.manifest.n_layer, v.config.n_diff_id);
        if (layers(app, &v, e) < 0 || run_pycache(app, &v, &compiled, e) < 0 ||
            volumes(app, o, compiled, (const char ***)&s.bind, e) < 0)
                return -(int)e->code;
        s.diff_id = v.config.diff_id;
        s.n_diff_id = v.config.n_diff_id;
        s.argv = command(app, &v, argc, argv);
        s.env = environment(app, o, &v, compiled != NULL);
        s.workdir = o->workdir.n ? o->workdir.p : v.config.workdir.n ? arena_str(&app->arena, v.config.workdir) : "/";
        s.user = arena_str(&app->arena, v.config.user);
        if (!s.argv[0]) {
                err_set(e, ERR_USAGE, "'%.*s' names no command of its own", SV_ARG(ref));
                err_hint(e, "envbuild run %.*s -- COMMAND", SV_ARG(ref));
                return -(int)e->code;
        }
        progress_pause(app->progress);
        ui_diags(app);
        return sandbox_run(app->image.store, &s, &app->op, ret_status, e);
}
