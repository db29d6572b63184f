/* envbuild pull: an image of a registry into the store. */
#include <stdio.h>

#include "cli/app.h"
#include "cli/opts.h"
#include "image/pull.h"

int cmd_pull(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct read_opts *o = opts;
        struct image_pulled p;
        struct reference ref;

        if (argc != 1) {
                err_set(e, ERR_USAGE, "pull needs one image");
                err_hint(e, "envbuild pull docker.io/library/busybox");
                return -(int)e->code;
        }
        if (opts_registry(app, &o->registry, e) < 0 ||
            image_reference(&app->arena, sv_from(argv[0]), false, &ref, e) < 0 ||
            image_pull(&app->image, &ref, o->platform, &app->arena, &p, e) < 0)
                return -(int)e->code;
        printf("%.*s@sha256:%s\n", SV_ARG(p.name), sha256_hex(&p.digest).s);
        return 0;
}
