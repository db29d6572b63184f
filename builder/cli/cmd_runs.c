/* envbuild runs logs, wait, cancel, collect, download: what is done with a run that was submitted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/runs.h"

static int every(struct app *app, int argc, char **argv, struct run_ctx *c, struct err *e)
{
        if (argc < 1) {
                err_set(e, ERR_USAGE, "the name of a run is missing");
                err_hint(e, "envbuild runs list shows those there are; @latest is the last one");
                return -(int)e->code;
        }
        (void)argv;
        return runs_context(app, c, e);
}

/* --- logs */

struct screen {
        struct app *app;
        bool several;
};

static int write_log(void *arg, unsigned rank, sv text, struct err *e)
{
        struct screen *s = arg;

        if (s->several)
                printf("[%u] ", rank);
        if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
                return err_errno(e, "cannot write the log");
        return 0;
}

static int read_rank(const struct runs_opts *o, int *ret, struct err *e)
{
        uint64_t n;

        *ret = -1;
        if (!o->rank.n)
                return 0;
        if (!sv_u64(o->rank, &n) || n > INT32_MAX)
                return err_set(e, ERR_USAGE, "--rank takes a number from 0, not '%.*s'", SV_ARG(o->rank));
        *ret = (int)n;
        return 0;
}

int cmd_runs_logs(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct runs_opts *o = opts;
        struct screen screen = { .app = app };
        struct run_sink sink = { .arg = &screen, .write = write_log };
        struct run_record *r;
        struct run_ctx c;
        int rank;

        if (read_rank(o, &rank, e) < 0 || runs_one(app, &c, argc, argv, &r, e) < 0)
                return -(int)e->code;
        screen.several = rank < 0 && run_job_ranks(r->spec) > 1;
        progress_pause(app->progress);
        return run_logs(&c, r, rank, o->tail, o->follow, &sink, e);
}

/* --- wait, cancel, collect */

int cmd_runs_wait(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct run_ctx c;
        int first = 0;

        (void)opts;
        if (every(app, argc, argv, &c, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++) {
                struct run_record *r;
                sv text;
                if (run_record_find(&c, &app->arena, sv_from(argv[i]), &r, e) < 0 || run_wait(&c, r, NULL, e) < 0)
                        return -(int)e->code;
                text = run_status_text(&app->arena, &r->status, run_job_ranks(r->spec));
                progress_pause(app->progress);
                printf("%.*s  %.*s\n", SV_ARG(r->id), SV_ARG(text));
                fflush(stdout);
                if (!first)
                        first = run_status_exit(&r->status);
        }
        return first;
}

int cmd_runs_cancel(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct run_ctx c;

        (void)opts;
        if (every(app, argc, argv, &c, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++) {
                struct run_record *r;
                struct run_profile p;
                struct run run;
                if (run_record_find(&c, &app->arena, sv_from(argv[i]), &r, e) < 0 ||
                    runs_target(app, &c, r, &p, &run, e) < 0 || run_cancel(&run, e) < 0)
                        return -(int)e->code;
                if (run_state_final(r->status.state))
                        op_say(&app->op, OP_NOTE, "%.*s is over: %s", SV_ARG(r->id), run_state_name(r->status.state));
                else
                        op_say(&app->op, OP_NOTE, "%.*s was asked to end", SV_ARG(r->id));
        }
        return 0;
}

static int collect(struct app *app, struct run_ctx *c, struct run_record *r, struct err *e)
{
        struct run_profile p;
        struct run run;

        if (run_refresh(c, &app->arena, r, e) < 0 || runs_target(app, c, r, &p, &run, e) < 0)
                return -(int)e->code;
        if (p.target->collect && r->handle.n && p.target->collect(&run, e) < 0)
                return err_while(e, "collecting what '%.*s' made", SV_ARG(r->id));
        return 0;
}

int cmd_runs_collect(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct run_ctx c;

        (void)opts;
        if (every(app, argc, argv, &c, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++) {
                struct run_record *r;
                if (run_record_find(&c, &app->arena, sv_from(argv[i]), &r, e) < 0 || collect(app, &c, r, e) < 0)
                        return -(int)e->code;
                progress_pause(app->progress);
                printf("%.*s\n", SV_ARG(r->dir));
        }
        return 0;
}

/* --- download */

static int check_empty(const char *dir, struct err *e)
{
        AUTO(free_ptr) char **name = NULL;
        AUTO(err_done) struct err why = { 0 };
        size_t n = 0;

        if (fs_list(dir, &name, &n, &why) < 0)
                return why.code == ERR_NOT_FOUND ? 0 : err_move(e, &why);
        if (n) {
                err_set(e, ERR_USAGE, "'%s' is not empty", dir);
                err_hint(e, "-o DIR names another folder");
                return -(int)e->code;
        }
        return 0;
}

int cmd_runs_download(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        static const char *const part[] = { "outputs", "logs", "user_logs" };
        const struct runs_opts *o = opts;
        struct arena *a = &app->arena;
        struct run_record *r;
        struct run_ctx c;
        const char *to;

        if (runs_one(app, &c, argc, argv, &r, e) < 0)
                return -(int)e->code;
        to = arena_str(a, o->out.n ? o->out : r->id);
        if (check_empty(to, e) < 0 || collect(app, &c, r, e) < 0 || fs_mkdirs(to, 0777, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < ARRAY_LEN(part); i++) {
                sv from = run_path(a, r, "%s", part[i]);
                if (fs_is_dir(from.p) && run_folder_copy(from.p, arena_fmt(a, "%s/%s", to, part[i]).p, &app->op, e) < 0)
                        return err_while(e, "copying %s of '%.*s'", part[i], SV_ARG(r->id));
        }
        if (!run_state_final(r->status.state))
                op_say(&app->op, OP_WARN, "%.*s goes on: this is what it has made so far", SV_ARG(r->id));
        progress_pause(app->progress);
        printf("%s\n", to);
        return 0;
}
