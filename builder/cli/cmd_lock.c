/* envbuild lock: resolve and pin. */
#include <stdio.h>

#include "cli/app.h"
#include "cli/lock_from.h"
#include "cli/opts.h"

int cmd_lock(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        struct request_opts *o = opts;
        struct image_locked l = { 0 };
        struct image_request r;
        size_t n = 0;

        if (o->from.n)
                return lock_from(app, o, argc, e);
        if (o->out.n)
                return err_set(e, ERR_USAGE, "--output goes with --from: a lock stands beside its definition");
        if (opts_request(app, o, argc, argv, &r, e) < 0 || image_lock(&app->image, &r, &app->arena, &l, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < l.lock->n_platform; i++)
                n += l.lock->platform[i].n_artifact;
        if (o->dry_run) {
                op_say(&app->op, OP_NOTE, "%.*s %s (%zu packages); nothing was written", SV_ARG(l.path),
                       l.changed ? "would change" : "is up to date", n);
                return 0;
        }
        if (image_lock_write(&l, e) < 0)
                return -(int)e->code;
        op_say(&app->op, OP_NOTE, "%.*s %s (%zu packages)", SV_ARG(l.path), l.changed ? "written" : "is up to date", n);
        printf("%.*s\n", SV_ARG(l.path));
        return 0;
}
