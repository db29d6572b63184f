/* envbuild: one table of commands, one place that reports. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/cmd.h"
#include "sandbox/sandbox.h"

static int finish(struct app *app, int r, struct err *e)
{
        int sig = atomic_load(&app->op.signal);

        if (r >= 0 && fflush(stdout) != 0)
                r = err_errno(e, "cannot write the answer");
        progress_pause(app->progress);
        ui_diags(app);
        if (r < 0) {
                int code = ui_report(app, e);
                return e->code == ERR_CANCELLED && sig ? 128 + sig : code;
        }
        return r;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(app_done) struct app app = { 0 };
        const struct cmd *cmd;
        bool help = false;
        int words = 0, n;
        void *opts;

        if (argc > 1 && strcmp(argv[1], SANDBOX_CHILD) == 0)
                return sandbox_child_main(argc, argv);
        if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
                help_all();
                return argc < 2 ? ERR_USAGE : 0;
        }
        if (strcmp(argv[1], "--version") == 0)
                return cmd_version(&app, NULL, 0, NULL, &e);
        n = argc - 1;
        if (app_start(&app, &e) < 0 || cmd_globals(&app, &n, argv + 1, &help, &e) < 0)
                return finish(&app, -(int)e.code, &e);
        argc -= n;
        argv += n;
        if (argc < 2 || help) {
                help_all();
                return help ? 0 : ERR_USAGE;
        }
        if (cmd_find(argc - 1, argv + 1, &cmd, &words, &e) < 0)
                return finish(&app, -(int)e.code, &e);
        opts = arena_alloc(&app.arena, cmd->opts_size, 16);
        n = argc - 1 - words;
        argv += 1 + words;
        if (cmd_parse(cmd, &app, opts, &n, argv, &help, &e) < 0)
                return finish(&app, -(int)e.code, &e);
        if (help) {
                help_cmd(cmd);
                return 0;
        }
        if (app_ready(&app, &e) < 0)
                return finish(&app, -(int)e.code, &e);
        return finish(&app, cmd->run(&app, opts, n, argv, &e), &e);
}
