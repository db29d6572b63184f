/* A run on the screen until it is over. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/run_cli.h"
#include "run/record/follow.h"

enum { SIGNALLED = 128 };

struct screen {
        struct app *app;
        struct run_ctx *c;
        struct run_record *r;
        unsigned times; /* Ctrl-C */
        int left;       /* the signal on which it was left alone */
        bool several;   /* ranks: each line says whose it is */
        bool started;
};

static int show(void *arg, unsigned rank, sv text, struct err *e)
{
        struct screen *s = arg;

        if (!s->started)
                progress_pause(s->app->progress);
        s->started = true;
        if (s->several)
                printf("[%u] ", rank);
        if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
                return err_errno(e, "cannot write the log");
        return 0;
}

/* Once: it shall end. Again, or when we are told to end: it goes on without us. */
static int interrupted(void *arg, struct err *e)
{
        struct screen *s = arg;
        struct app *app = s->app;
        int sig = atomic_load(&app->op.signal);
        struct run_profile p;
        struct run run = { s->c, &app->arena, s->r, &p };
        const struct run_record *r = s->r;

        progress_pause(app->progress);
        if (sig != SIGINT || s->times++ > 0) {
                fprintf(stderr, "%.*s goes on: envbuild runs logs -f %.*s\n", SV_ARG(r->id), SV_ARG(r->id));
                s->left = sig;
                return err_set(e, ERR_CANCELLED, "interrupted");
        }
        atomic_store(&app->op.signal, 0);
        fprintf(stderr, "asking %.*s to end; Ctrl-C again leaves it alone\n", SV_ARG(r->id));
        if (run_profile_of(s->c, &app->arena, r, &p, e) < 0 || run_cancel(&run, e) < 0)
                return -(int)e->code;
        return 0;
}

/* What is not plain from the log. */
static void farewell(struct app *app, const struct run_record *r)
{
        const struct run_status *s = &r->status;

        progress_pause(app->progress);
        if (s->state == RUN_COMPLETED) {
                if (!app->opt_quiet)
                        fprintf(stderr, "%.*s completed: %.*s\n", SV_ARG(r->id), SV_ARG(r->dir));
                return;
        }
        fprintf(stderr, "%.*s: %s", SV_ARG(r->id), run_state_name(s->state));
        if (s->reason != RUN_R_NONE)
                fprintf(stderr, ", %s", run_reason_name(s->reason));
        if (s->term_signal)
                fprintf(stderr, " %d (%s)", s->term_signal, strsignal(s->term_signal));
        else if (s->exit_code > 0 && s->state == RUN_FAILED)
                fprintf(stderr, " %d", s->exit_code);
        if (s->first_bad_rank >= 0 && run_job_ranks(r->spec) > 1)
                fprintf(stderr, ", rank %d", s->first_bad_rank);
        if (s->message.n)
                fprintf(stderr, ": %.*s", SV_ARG(s->message));
        fprintf(stderr, "\n  envbuild runs show %.*s\n", SV_ARG(r->id));
}

int run_watch(struct app *app, struct run_ctx *c, struct run_record *r, struct err *e)
{
        struct screen screen = { .app = app, .c = c, .r = r, .several = run_job_ranks(r->spec) > 1 };
        struct run_sink sink = { &screen, show, interrupted };

        if (!app->opt_quiet)
                op_say(&app->op, OP_NOTE, "run %.*s", SV_ARG(r->id));
        ui_diags(app);
        if (run_wait(c, r, &sink, e) < 0)
                return screen.left ? SIGNALLED + screen.left : -(int)e->code;
        farewell(app, r);
        return run_status_exit(&r->status);
}
