/* Start and end of a run: signals, options of every command, what is shown where. */
#include "cli/app.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct op *interrupted; /* the handler's only way to reach us */

static void on_signal(int sig)
{
        struct op *op = interrupted;

        if (!op)
                return;
        if (atomic_exchange(&op->signal, sig) !=
            0) /* twice: at once; files are only ever renamed into place, so nothing is half there */
                _exit(128 + sig);
}

static unsigned cpus(void)
{
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

int app_start(struct app *app, struct err *e)
{
        struct sigaction sa = { .sa_handler = on_signal };

        interrupted = &app->op;
        sigemptyset(&sa.sa_mask);
        if (sigaction(SIGINT, &sa, NULL) < 0 || sigaction(SIGTERM, &sa, NULL) < 0 || sigaction(SIGHUP, &sa, NULL) < 0)
                return err_errno(e, "cannot set up signals");
        sa.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &sa, NULL); /* a closed pipe is an error of write(), not our end */
        sigaction(SIGXFSZ, &sa, NULL); /* so is the file size limit */
        app->op.jobs = cpus();
        app->colour = isatty(STDERR_FILENO) && !(getenv("NO_COLOR") && *getenv("NO_COLOR")) &&
                      !(getenv("TERM") && strcmp(getenv("TERM"), "dumb") == 0);
        return 0;
}

static enum progress_kind pick_progress(const struct app *app)
{
        if (app->opt_quiet || sv_is(app->opt_progress, "quiet"))
                return PROGRESS_QUIET;
        if (sv_is(app->opt_progress, "json"))
                return PROGRESS_JSON;
        if (sv_is(app->opt_progress, "plain"))
                return PROGRESS_PLAIN;
        if (sv_is(app->opt_progress, "tty"))
                return PROGRESS_TTY;
        return isatty(STDERR_FILENO) && !(getenv("TERM") && strcmp(getenv("TERM"), "dumb") == 0) ? PROGRESS_TTY
                                                                                                 : PROGRESS_PLAIN;
}

int app_ready(struct app *app, struct err *e)
{
        if (sv_is(app->opt_colour, "always"))
                app->colour = true;
        if (sv_is(app->opt_colour, "never"))
                app->colour = false;
        if (app->opt_jobs)
                app->op.jobs = app->opt_jobs;
        if (app->opt_dir.n && chdir(app->opt_dir.p) < 0)
                return err_errno(e, "cannot enter '%.*s'", SV_ARG(app->opt_dir));
        app->progress = progress_new(app, pick_progress(app));
        app->image = (struct image_ctx){ .op = &app->op, .diags = &app->diags, .offline = app->opt_offline };
        return 0;
}

void app_done(struct app *app)
{
        image_ctx_done(&app->image);
        progress_free(app->progress);
        diags_done(&app->diags);
        arena_done(&app->arena);
        interrupted = NULL;
}
