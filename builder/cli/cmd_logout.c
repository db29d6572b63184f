/* envbuild logout: a login is taken out of every place that has it. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "cli/registry_name.h"
#include "registry/credentials.h"

static int drop(struct app *app, sv registry, struct err *e)
{
        if (reg_login_drop(&app->image.registry, registry, &app->op, &app->arena, e) < 0)
                return -(int)e->code;
        printf("Logged out of %.*s\n", SV_ARG(registry));
        return 0;
}

static int drop_all(struct app *app, struct err *e)
{
        sv *v;
        size_t n;

        if (reg_login_list(&app->image.registry, &app->arena, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (drop(app, v[i], e) < 0)
                        return -(int)e->code;
        return n ? 0 : err_set(e, ERR_NOT_FOUND, "there is no login to forget");
}

int cmd_logout(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct login_opts *o = opts;
        sv registry;

        if (o->all ? argc != 0 : argc != 1) {
                err_set(e, ERR_USAGE, "logout needs one registry, or --all");
                err_hint(e, "envbuild logout HOST");
                return -(int)e->code;
        }
        if (opts_registry(app, &o->registry, e) < 0)
                return -(int)e->code;
        if (o->all)
                return drop_all(app, e);
        if (registry_name(&app->arena, sv_from(argv[0]), &registry, e) < 0)
                return -(int)e->code;
        return drop(app, registry, e);
}
