/* envbuild run: in front of the terminal, or as a run that is kept. */
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/run_cli.h"

enum { DESCRIPTION_MAX = 4 << 20 };

int run_build(struct app *app, const struct request_opts *o, char *word, sv *ret, struct err *e)
{
        struct image_build_opts b = { .codec = OCI_CODEC_GZIP };
        struct image_locked l = { 0 };
        struct image_built built = { 0 };
        struct request_opts what = *o;
        struct image_request r;
        char *argv[] = { word };

        what.env = (struct opt_list){ 0 }; /* as with docker, -e is the run's, not the image's */
        if (opts_request(app, &what, word ? 1 : 0, argv, &r, e) < 0 ||
            image_lock(&app->image, &r, &app->arena, &l, e) < 0 ||
            image_build(&app->image, &r, &b, &app->arena, &l, &built, e) < 0)
                return -(int)e->code;
        if (!r.locked && !r.frozen && image_lock_write(&l, e) < 0)
                return -(int)e->code;
        *ret = arena_fmt(&app->arena, "%.*s@sha256:%s", SV_ARG(built.name), sha256_hex(&built.digest).s);
        return 0;
}

bool run_is_description(const char *word)
{
        AUTO(buf_done) struct buf text = BUF_INIT(DESCRIPTION_MAX);
        AUTO(err_done) struct err ignored = { 0 };

        return fs_exists(word) && !fs_is_dir(word) && fs_read(word, &text, &ignored) == 0 &&
               run_job_is((sv){ text.p, text.n });
}

/* A mistyped name of a file is not taken for an image's. */
static bool looks_like_a_file(const char *word)
{
        static const char *const ends[] = { ".yml", ".yaml", ".json", ".runconfig", ".txt", ".lock" };

        for (size_t i = 0; i < ARRAY_LEN(ends); i++)
                if (sv_ends(sv_from(word), sv_from(ends[i])))
                        return !fs_exists(word);
        return false;
}

static int front(struct app *app, const struct request_opts *o, char *word, int argc, char **argv, struct err *e)
{
        int status = 0;
        sv ref = sv_from(word);

        if (opts_is_definition(word) && run_build(app, o, word, &ref, e) < 0)
                return -(int)e->code;
        return run_front(app, o, ref, argc, argv, &status, e) < 0 ? -(int)e->code : status;
}

/* What has to be waited for is shown; --render and --no-wait say where it is and leave. */
static int recorded(struct app *app, const struct run_opts *o, const char *word, int argc, char **argv, struct err *e)
{
        struct run_spec *spec;
        struct run_ready ready = { 0 };
        struct run_record *rec;
        struct run_ctx ctx;

        if (run_flags_spec(app, o, word, argc, argv, &spec, e) < 0 ||
            run_make_ready(app, o, spec, o->render.n != 0, &ready, e) < 0 ||
            run_launch(app, &ready, spec, (sv){ 0 }, o->render, &rec, e) < 0 || run_context(app, &ctx, e) < 0)
                return -(int)e->code;
        if (o->render.n)
                return 0;
        if (!o->no_wait)
                return run_watch(app, &ctx, rec, e);
        progress_pause(app->progress);
        printf("%.*s\n", SV_ARG(rec->id));
        return 0;
}

int cmd_run(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct run_opts *o = opts;
        char *word = argc > 0 && strcmp(argv[0], "--") != 0 ? argv[0] : NULL;
        bool kept = run_flags_recorded(o) || (word && run_is_description(word));
        int r;

        if (word && looks_like_a_file(word))
                return err_set(e, ERR_USAGE, "there is no file '%s'", word);
        if (word)
                argv++, argc--;
        if (argc && strcmp(argv[0], "--") == 0)
                argv++, argc--;
        if (!word && !kept) {
                err_set(e, ERR_USAGE, "run needs an image, a definition or the description of a run");
                err_hint(e, "envbuild run env.yml -- python -V");
                return -(int)e->code;
        }
        r = kept ? recorded(app, o, word, argc, argv, e) : front(app, &o->request, word, argc, argv, e);
        if (r >= 0 || e->code == ERR_CANCELLED || e->code == ERR_USAGE)
                return r;
        ui_report(app, e);
        return RUN_EXIT_BEFORE;
}
