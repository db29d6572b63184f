#include "cli/lock_from.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "image/source.h"

/* NAME.lock here is somebody's work: only an equal one, or none, is written over. */
static int check_free(const char *path, sv text, struct err *e)
{
        AUTO(buf_done) struct buf was = BUF_INIT(LOCK_MAX);
        struct err missing = { 0 };

        if (fs_read(path, &was, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return 0;
        }
        if (sv_eq(buf_sv(&was), text))
                return 0;
        err_set(e, ERR_USAGE, "'%s' is there and is another lock", path);
        err_hint(e, "-o FILE writes it elsewhere, -o %s replaces it, -o - prints it", path);
        return -(int)e->code;
}

int lock_from(struct app *app, const struct request_opts *o, int argc, struct err *e)
{
        struct image_source s;
        const char *path;
        sv text;

        if (argc)
                return err_set(e, ERR_USAGE, "--from takes the lock of an image; a definition beside it says nothing");
        if (opts_registry(app, &o->registry, e) < 0 || source_find(&app->image, o->from, &app->arena, &s, e) < 0)
                return -(int)e->code;
        text = s.origin.lock.text;
        path = o->out.n ? o->out.p : arena_fmt(&app->arena, "%.*s.lock", SV_ARG(s.lock->name)).p;
        if (o->dry_run) {
                op_say(&app->op, OP_NOTE, "%s would be written, as %.*s was built from it; nothing was written", path,
                       SV_ARG(o->from));
                return 0;
        }
        if (sv_is(o->out, "-")) {
                progress_pause(app->progress);
                fwrite(text.p, 1, text.n, stdout);
                return 0;
        }
        if ((!o->out.n && check_free(path, text, e) < 0) || fs_write(path, text, 0644, e) < 0)
                return -(int)e->code;
        op_say(&app->op, OP_NOTE, "%s written, as %.*s was built from it", path, SV_ARG(o->from));
        progress_pause(app->progress);
        printf("%s\n", path);
        return 0;
}
