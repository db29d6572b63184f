/* envbuild rebase: the same packages on another base; one line on stdout. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "cli/pushed.h"
#include "image/rebase.h"

static int usage(const struct rebase_opts *o, int argc, struct err *e)
{
        if (argc < 1) {
                err_set(e, ERR_USAGE, "rebase needs an image, or a definition that is locked");
                err_hint(e, "envbuild rebase IMAGE --base NEW");
        } else if (!o->base.n) {
                err_set(e, ERR_USAGE, "rebase needs the new base");
                err_hint(e, "--base NEW: a reference, oci:DIR[:TAG], or recipe:NAME (as it is in the mirror now)");
        } else if (sv_is(o->format, "docker") && sv_is(o->codec, "zstd")) {
                err_set(e, ERR_USAGE, "--format docker has no name for layers of --compression zstd");
        } else if (!o->push && (o->attach.key.n || o->attach.provenance)) {
                err_set(e, ERR_USAGE, "%s needs --push: it hangs on an image in a registry",
                        o->attach.key.n ? "--sign" : "--provenance");
        }
        return -(int)e->code;
}

/* A shipped set is nobody's to rewrite. opts_request takes it as locked. */
static int check_curated(const struct rebase_opts *o, const char *word, const struct image_request *r, struct err *e)
{
        if (!r->locked || o->out.n)
                return 0;
        err_set(e, ERR_USAGE, "'%s' is shipped as it is: its lock is not written again", word);
        err_hint(e, "-o FILE writes the new lock elsewhere");
        return -(int)e->code;
}

static int open_files(struct app *app, const struct rebase_opts *o, int argc, char **argv, struct image_rebase *ret,
                      struct err *e)
{
        struct request_opts none = { .registry = o->registry };
        struct image_request r;

        return opts_request(app, &none, argc, argv, &r, e) < 0 || check_curated(o, argv[0], &r, e) < 0
                       ? -(int)e->code
                       : rebase_of_files(&app->image, &r, &app->arena, ret, e);
}

static int open_rebase(struct app *app, const struct rebase_opts *o, int argc, char **argv, struct image_rebase *ret,
                       struct err *e)
{
        if (opts_is_definition(argv[0]))
                return open_files(app, o, argc, argv, ret, e);
        if (argc > 1)
                return err_set(e, ERR_USAGE, "rebase takes one image: envbuild rebase IMAGE --base NEW");
        return opts_registry(app, &o->registry, e) < 0
                       ? -(int)e->code
                       : rebase_of_image(&app->image, sv_from(argv[0]), &app->arena, ret, e);
}

/* Before an hour of work, not after it. */
static int check_push(struct app *app, sv tag, struct err *e)
{
        struct reference r;

        if (!tag.n) {
                err_set(e, ERR_USAGE, "--push needs to know where to");
                err_hint(e, "envbuild rebase IMAGE --base NEW -t REGISTRY/NAME:TAG --push");
                return -(int)e->code;
        }
        return image_push_name(&app->arena, tag, &r, e);
}

/* Of an image the lock hangs on the new one; a file only when it is asked for. */
static int write_lock(struct app *app, const struct rebase_opts *o, struct image_rebase *r, sv base, struct err *e)
{
        if (o->out.n)
                r->locked.path = o->out;
        else if (!r->of_files)
                return 0;
        if (image_lock_write(&r->locked, e) < 0)
                return -(int)e->code;
        op_say(&app->op, OP_NOTE, "%.*s written", SV_ARG(r->locked.path));
        if (r->departs && !o->out.n)
                op_say(&app->op, OP_WARN,
                       "the definition says base: %.*s; write base: %.*s there, or the next build goes back",
                       SV_ARG(r->was), SV_ARG(base));
        return 0;
}

/* Who names an image believes what its repository says of its layers, as with --tag. */
static void cache_repos(struct app *app, const struct rebase_opts *o, const struct image_rebase *r,
                        struct image_build_opts *b)
{
        sv *v = arena_array(&app->arena, sv, o->cache_repo.n + 1);

        for (size_t i = 0; i < o->cache_repo.n; i++)
                v[b->n_cache_repo++] = o->cache_repo.v[i];
        if (r->repo.n && !sv_starts(b->tag, arena_fmt(&app->arena, "%.*s:", SV_ARG(r->repo))) &&
            !sv_eq(b->tag, r->repo))
                v[b->n_cache_repo++] = arena_fmt(&app->arena, "%.*s-layers", SV_ARG(r->repo));
        b->cache_repo = v;
}

int cmd_rebase(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(attach_done) struct attach_opts attach = { 0 };
        const struct rebase_opts *o = opts;
        struct image_build_opts b = { 0 };
        struct image_rebase r = { 0 };
        struct image_built built = { 0 };
        struct pushed p = { 0 };
        sv name;

        if (usage(o, argc, e) < 0 || attach_read(&o->attach, &attach, e) < 0 ||
            open_rebase(app, o, argc, argv, &r, e) < 0)
                return -(int)e->code;
        b.tag = o->tag.n ? o->tag : r.name;
        b.codec = o->codec.n ? opts_codec(o->codec) : r.codec;
        cache_repos(app, o, &r, &b);
        if ((o->push && check_push(app, b.tag, e) < 0) || rebase_onto(&app->image, &r, o->base, &app->arena, e) < 0 ||
            image_build(&app->image, &r.request, &b, &app->arena, &r.locked, &built, e) < 0 ||
            write_lock(app, o, &r, o->base, e) < 0)
                return -(int)e->code;
        name = arena_fmt(&app->arena, "%.*s@sha256:%s", SV_ARG(built.name), sha256_hex(&built.digest).s);
        if (o->push)
                return push_image(app, name, &b.tag, 1, o->format, o->cache_repo.n ? o->cache_repo.v[0] : (sv){ 0 },
                                  &attach, &p, e) < 0
                               ? -(int)e->code
                               : pushed_print(app, &p);
        progress_pause(app->progress);
        printf("%.*s\n", SV_ARG(name));
        return 0;
}
