/* envbuild __supervise, envbuild __rank: what this program starts of itself for runs; nobody types them. */
#include <stdlib.h>

#include "cli/run_cli.h"
#include "run/supervise/supervise.h"

int cmd_supervise(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct run_ctx c;

        (void)opts;
        if (argc != 1)
                return err_set(e, ERR_USAGE, "__supervise takes the folder of a run");
        return run_context(app, &c, e) < 0 ? -(int)e->code : run_supervise_main(&c, argv[0], e);
}

int cmd_rank(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct run_ctx c;
        int status = RUN_EXIT_BEFORE;

        (void)opts;
        if (argc != 2)
                return err_set(e, ERR_USAGE, "__rank takes the folder of a run and a rank, or -");
        if (run_context(app, &c, e) < 0 ||
            run_rank_main(&c, argv[0], argv[1][0] == '-' ? -1 : atoi(argv[1]), &status, e) < 0) {
                ui_report(app, e);
                return RUN_EXIT_BEFORE;
        }
        return status;
}
