/* envbuild build: an environment into an image; one line on stdout. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "cli/pushed.h"
#include "ext/json.h"

static int write_files(struct app *app, const struct request_opts *o, const struct image_built *b,
                       const struct pushed *p, struct err *e)
{
        if (o->iidfile.n) {
                sv text = arena_fmt(&app->arena, "sha256:%s", sha256_hex(&b->image_id).s);
                if (fs_write(o->iidfile.p, text, 0644, e) < 0)
                        return -(int)e->code;
        }
        if (o->metadata_file.n) {
                AUTO(buf_done) struct buf out = BUF_INIT(65536);
                struct js *j = js_new_obj(&app->arena);
                js_put_str(&app->arena, j, "image.name", b->name);
                js_put_str(&app->arena, j, "containerimage.digest",
                           arena_fmt(&app->arena, "sha256:%s", sha256_hex(&b->digest).s));
                js_put_str(&app->arena, j, "containerimage.config.digest",
                           arena_fmt(&app->arena, "sha256:%s", sha256_hex(&b->image_id).s));
                js_put_int(&app->arena, j, "layers", (int64_t)b->count.layers);
                js_put_int(&app->arena, j, "layers.reused", (int64_t)b->count.reused);
                js_put_int(&app->arena, j, "layers.remote", (int64_t)b->count.remote);
                js_put_int(&app->arena, j, "fetched", (int64_t)b->count.fetched);
                if (o->push)
                        js_put(&app->arena, j, SV("pushed"), pushed_js(&app->arena, p));
                js_write_pretty(j, &out);
                if (fs_write(o->metadata_file.p, buf_sv(&out), 0644, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int show_plan(const struct image_built *b)
{
        static const char *const how[] = {
                [IMAGE_LOCAL] = "local", [IMAGE_REGISTRY] = "registry", [IMAGE_MOUNT] = "mount", [IMAGE_MAKE] = "make"
        };
        uint64_t need = 0;
        char size[16];

        for (size_t i = 0; i < b->n_layer; i++) {
                printf("%-8s %10s  %.*s\n", how[b->layer[i].how],
                       b->layer[i].need ? ui_size(b->layer[i].need, size) : "", SV_ARG(b->layer[i].of));
                need += b->layer[i].need;
        }
        printf("%zu layers, %zu of them here, %zu in a registry; %s of packages to fetch\n", b->n_layer,
               b->count.reused - b->count.remote, b->count.remote, ui_size(need, size));
        return 0;
}

/* Before an hour of work, not after it. */
static int check_push(struct app *app, const struct request_opts *o, struct err *e)
{
        struct reference r;

        if (!o->tag.n) {
                err_set(e, ERR_USAGE, "--push needs to know where to");
                err_hint(e, "envbuild build -t REGISTRY/NAME:TAG --push");
                return -(int)e->code;
        }
        if (o->dry_run)
                return err_set(e, ERR_USAGE, "--dry-run makes nothing that --push could send");
        if (sv_is(o->format, "docker") && sv_is(o->codec, "zstd"))
                return err_set(e, ERR_USAGE, "--format docker has no name for layers of --compression zstd");
        return image_push_name(&app->arena, o->tag, &r, e);
}

/* They hang on an image in a registry. */
static int check_attach(const struct request_opts *o, struct err *e)
{
        const char *what = o->attach.key.n ? "--sign" : o->attach.provenance ? "--provenance" : NULL;

        if (!what)
                return 0;
        err_set(e, ERR_USAGE, "%s needs --push: it hangs on an image in a registry", what);
        err_hint(e, "envbuild build -t REGISTRY/NAME:TAG --push %s%s", what, o->attach.key.n ? " KEY" : "");
        return -(int)e->code;
}

int cmd_build(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct request_opts *o = opts;
        struct image_build_opts b = { .tag = o->tag,
                                      .codec = opts_codec(o->codec),
                                      .dry_run = o->dry_run,
                                      .cache_repo = o->cache_repo.v,
                                      .n_cache_repo = o->cache_repo.n,
                                      .no_cache = o->no_cache,
                                      .verify = o->verify.given,
                                      .verify_layers = o->verify.n };
        struct image_locked l = { 0 };
        struct image_built built = { 0 };
        struct image_request r;
        AUTO(attach_done) struct attach_opts attach = { 0 };
        struct pushed p = { 0 };
        sv name;

        if ((o->push ? check_push(app, o, e) : check_attach(o, e)) < 0 || attach_read(&o->attach, &attach, e) < 0)
                return -(int)e->code;
        if (opts_request(app, o, argc, argv, &r, e) < 0 || image_lock(&app->image, &r, &app->arena, &l, e) < 0)
                return -(int)e->code;
        if (image_build(&app->image, &r, &b, &app->arena, &l, &built, e) < 0)
                return -(int)e->code;
        if (o->dry_run)
                return show_plan(&built);
        if (!r.locked && !r.frozen && image_lock_write(&l, e) < 0)
                return -(int)e->code;
        name = arena_fmt(&app->arena, "%.*s@sha256:%s", SV_ARG(built.name), sha256_hex(&built.digest).s);
        if (o->push && push_image(app, name, &o->tag, 1, o->format, o->cache_repo.n ? o->cache_repo.v[0] : (sv){ 0 },
                                  &attach, &p, e) < 0)
                return -(int)e->code;
        if (write_files(app, o, &built, &p, e) < 0)
                return -(int)e->code;
        if (o->push)
                return pushed_print(app, &p);
        printf("%.*s@sha256:%s\n", SV_ARG(built.name), sha256_hex(&built.digest).s);
        return 0;
}
