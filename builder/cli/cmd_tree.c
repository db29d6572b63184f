/* envbuild tree: what needs what. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "lock/tree.h"

int cmd_tree(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);
        const struct read_opts *o = opts;
        const struct lock_platform *p;
        struct lock *l;

        if (opts_read_lock(app, argc, argv, &l, e) < 0)
                return -(int)e->code;
        p = opts_platform(app, l, o->platform, e);
        if (!p)
                return -(int)e->code;
        lock_tree(p, &out);
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
