/* envbuild version, completion, and the manual page that the build makes. */
#include <stdio.h>

#include "cli/app.h"

int cmd_version(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        (void)app, (void)opts, (void)argc, (void)argv, (void)e;
        puts("envbuild " ENVBUILD_VERSION);
        return 0;
}

int cmd_man(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        (void)app, (void)opts, (void)argc, (void)argv, (void)e;
        help_man();
        return 0;
}

int cmd_completion(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        (void)app, (void)opts;
        if (argc != 1)
                return err_set(e, ERR_USAGE, "completion needs the name of a shell: bash, zsh or fish");
        return help_completion(sv_from(argv[0]), e);
}
