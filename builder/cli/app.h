/* cli/app.h - one run of the program: global options, the op that everything borrows, how progress is shown. No globals but the signal
 * handler's pointer to the op. */
#ifndef CLI_APP_H
#define CLI_APP_H

#include <pthread.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/op.h"
#include "cli/cmd.h"
#include "image/image.h"

enum progress_kind { PROGRESS_TTY, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_QUIET };

struct progress; /* cli/progress.c */

struct app {
        struct arena arena;
        struct op op;
        struct diags diags;
        struct progress *progress;
        struct image_ctx image; /* store and network are opened when a command asks */
        bool colour;            /* of stderr */
        /* global options */
        sv opt_progress, opt_dir, opt_colour;
        unsigned opt_jobs;
        bool opt_verbose, opt_quiet, opt_offline, opt_version;
};

/** Clean environment of the program: signals, terminal, defaults. */
int app_start(struct app *app, struct err *e);
/** After the options are known: -C, -j, --progress. */
int app_ready(struct app *app, struct err *e);
void app_done(struct app *app);

/** Print cause, trail and hint to stderr (and the diagnostics collected so far); returns the exit code. */
int ui_report(struct app *app, struct err *e);
/** Print and forget what app->diags holds: faults, warnings, notes. */
void ui_diags(struct app *app);
/** "12.3 MB", "812 kB", "17 B". */
const char *ui_size(uint64_t n, char ret[static 16]);

struct progress *progress_new(struct app *app, enum progress_kind kind);
/** Clear the bars so that something else can be written; they come back with the next event. */
void progress_pause(struct progress *p);
void progress_free(struct progress *p);

#endif
