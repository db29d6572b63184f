/* envbuild runs archive, rm: out of sight, and gone. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "cli/runs.h"

static int missing(struct err *e)
{
        err_set(e, ERR_USAGE, "the name of a run is missing");
        err_hint(e, "envbuild runs list shows those there are; @latest is the last one");
        return -(int)e->code;
}

static int goes_on(const struct run_record *r, const char *hint, struct err *e)
{
        err_set(e, ERR_USAGE, "'%.*s' goes on: %s", SV_ARG(r->id), run_state_name(r->status.state));
        err_hint(e, hint, SV_ARG(r->id));
        return -(int)e->code;
}

static bool is_over(const struct run_record *r)
{
        return run_state_final(r->status.state) || r->status.state == RUN_NOT_STARTED;
}

static int archive(struct app *app, struct run_ctx *c, struct run_record *r, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        sha256 key = run_record_key(r);
        struct run_record *disk;
        int k;

        if (run_refresh(c, &app->arena, r, e) < 0)
                return -(int)e->code;
        if (!is_over(r))
                return goes_on(r, "envbuild runs wait %.*s", e);
        k = store_claim_take(c->store, &key, &claim, e);
        if (k == POOL_AGAIN)
                return goes_on(r, "somebody writes its record just now; again in a moment: envbuild runs archive %.*s",
                               e);
        if (k < 0 || run_record_open(&app->arena, r->dir, &disk, e) < 0)
                return -(int)e->code;
        disk->archived = true;
        return run_record_write(disk, e);
}

int cmd_runs_archive(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct run_ctx c;

        (void)opts;
        if (argc < 1)
                return missing(e);
        if (runs_context(app, &c, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++) {
                struct run_record *r;
                if (run_record_find(&c, &app->arena, sv_from(argv[i]), &r, e) < 0 || archive(app, &c, r, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

/* --- rm */

static int end_it(struct app *app, struct run_ctx *c, struct run_record *r, bool force, struct err *e)
{
        struct run_profile p;
        struct run run;

        if (run_refresh(c, &app->arena, r, e) < 0)
                return -(int)e->code;
        if (is_over(r))
                return 0;
        if (!force)
                return goes_on(r, "envbuild runs rm --force %.*s cancels it first", e);
        if (runs_target(app, c, r, &p, &run, e) < 0 || run_cancel(&run, e) < 0)
                return -(int)e->code;
        op_say(&app->op, OP_NOTE, "%.*s was asked to end; waiting for it", SV_ARG(r->id));
        return run_wait(c, r, NULL, e);
}

/* What the engine has of it. That it cannot be asked does not keep the folder. */
static void clean(struct app *app, struct run_ctx *c, struct run_record *r)
{
        AUTO(err_done) struct err why = { 0 };
        struct run_profile p;
        struct run run;

        if (!r->handle.n)
                return;
        if (runs_target(app, c, r, &p, &run, &why) < 0 || (p.target->cleanup && p.target->cleanup(&run, &why) < 0))
                op_say(&app->op, OP_WARN, "what %.*s has of %.*s was not removed: %s", SV_ARG(r->target), SV_ARG(r->id),
                       why.cause);
}

/* Renamed first: what a kill leaves is not half a run. */
static int drop(struct app *app, sv dir, struct err *e)
{
        struct arena *a = &app->arena;
        sv gone = arena_fmt(a, "%.*s/.gone-%.*s", SV_ARG(sv_dirname(dir)), SV_ARG(sv_basename(dir)));

        if (fs_remove(gone.p, e) < 0)
                return -(int)e->code;
        if (rename(arena_str(a, dir), gone.p) < 0)
                return err_errno(e, "cannot remove '%.*s'", SV_ARG(dir));
        return fs_remove(gone.p, e);
}

static int rm(struct app *app, struct run_ctx *c, const char *word, bool force, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct run_record *r;
        sv dir;

        if (run_record_dir(c, &app->arena, sv_from(word), &dir, e) < 0)
                return -(int)e->code;
        if (run_record_open(&app->arena, dir, &r, &why) < 0) {
                if (why.code != ERR_INTEGRITY && why.code != ERR_NOT_FOUND)
                        return err_move(e, &why);
                op_say(&app->op, OP_WARN, "%s; what an engine has of it is not known", why.cause);
                return drop(app, dir, e);
        }
        if (end_it(app, c, r, force, e) < 0)
                return -(int)e->code;
        clean(app, c, r);
        return drop(app, dir, e);
}

int cmd_runs_rm(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct runs_opts *o = opts;
        struct run_ctx c;

        if (argc < 1)
                return missing(e);
        if (runs_context(app, &c, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++)
                if (rm(app, &c, argv[i], o->force, e) < 0)
                        return -(int)e->code;
        return 0;
}
