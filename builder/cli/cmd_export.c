/* envbuild export: a lock in another tool's format. Other tools' locks are converted as they are: nothing is asked of any network. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "lock/export.h"
#include "lock/import.h"

static int import(struct app *app, const struct export_opts *o, sv file, sv text, enum spec_form form,
                  struct lock **ret, struct err *e)
{
        AUTO(free_ptr) char *cwd = getcwd(NULL, 0);
        struct conda_channel_settings settings = { .cwd = arena_sv(&app->arena, sv_from(cwd)),
                                                   .home = sv_from(getenv("HOME")) };
        struct lock_import_opts io = { .platform = &o->platform,
                                       .n_platform = o->platform.n > 0,
                                       .host = image_host_platform(&app->arena),
                                       .settings = &settings };

        return lock_import(&app->arena, text, file, form, &io, &app->diags, ret, e);
}

static int read_lock(struct app *app, const struct export_opts *o, int argc, char **argv, struct lock **ret,
                     struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);
        struct err ignored = { 0 };
        enum spec_form form;
        sv text;

        if (argc != 1 || fs_read(argv[0], &b, &ignored) < 0) {
                err_done(&ignored); /* told, with what is there, by whoever looks for locks */
                return opts_read_lock(app, argc, argv, ret, e);
        }
        text = arena_sv(&app->arena, buf_sv(&b));
        form = spec_form_of(sv_from(argv[0]), text);
        if (form == SPEC_FORM_CONDA_LOCK || form == SPEC_FORM_EXPLICIT || form == SPEC_FORM_PIXI)
                return import(app, o, sv_from(argv[0]), text, form, ret, e);
        return opts_read_lock(app, argc, argv, ret, e);
}

static int write_as(struct app *app, const struct export_opts *o, const struct lock *l, struct buf *out, struct err *e)
{
        const struct lock_platform *p = NULL;
        bool all = sv_is(o->format, "conda-lock") && !o->platform.n;

        if (!all && !(p = opts_platform(app, l, o->platform, e)))
                return -(int)e->code;
        if (sv_is(o->format, "conda-lock"))
                return lock_export_conda_lock(l, p, out, e);
        if (sv_is(o->format, "explicit"))
                return lock_export_explicit(l, p, out, e);
        if (sv_is(o->format, "environment"))
                lock_export_environment(l, p, out);
        else
                lock_export_requirements(l, p, out);
        return 0;
}

int cmd_export(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)256 << 20);
        const struct export_opts *o = opts;
        struct lock *l;

        if (!o->format.n) {
                err_set(e, ERR_USAGE, "export needs a format");
                err_hint(e, "--format conda-lock, explicit, environment or requirements");
                return -(int)e->code;
        }
        if (read_lock(app, o, argc, argv, &l, e) < 0 || write_as(app, o, l, &out, e) < 0 || buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
