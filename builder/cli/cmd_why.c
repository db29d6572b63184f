/* envbuild why: who asked for a package, up to the user's own lines. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "lock/tree.h"

int cmd_why(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)16 << 20);
        const struct read_opts *o = opts;
        const struct lock_platform *p;
        struct lock *l;

        if (argc < 1)
                return err_set(e, ERR_USAGE, "why needs the name of a package");
        if (opts_read_lock(app, argc - 1, argv + 1, &l, e) < 0)
                return -(int)e->code;
        p = opts_platform(app, l, o->platform, e);
        if (!p || lock_why(p, sv_from(argv[0]), &out, e) < 0)
                return -(int)e->code;
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
