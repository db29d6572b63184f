/* run/supervise/prepare.c - the working copy, copied inputs, and the commands that come first. Each thing is made aside and renamed, so that what is
 * there is whole, and a second attempt finds it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "run/code/snapshot.h"
#include "run/supervise/supervise_priv.h"

#define BEFORE_MS 600000

static int link_to(struct arena *a, sv dir, const char *name, struct err *e)
{
        sv at = arena_fmt(a, "%.*s/%s", SV_ARG(dir), name), to = arena_fmt(a, "../%s", name);

        return symlink(to.p, at.p) < 0 && errno != EEXIST ? err_errno(e, "cannot make the link '%s'", at.p) : 0;
}

static int place_code(struct run *r, sv dir, struct err *e)
{
        struct run_snapshot s = { 0 };
        sha256 digest;

        if (!r->rec->snapshot.digest.n)
                return fs_mkdirs(dir.p, 0777, e) < 0 || link_to(r->arena, dir, "outputs", e) < 0 ||
                                       link_to(r->arena, dir, "logs", e) < 0
                               ? -(int)e->code
                               : 0;
        if (!sha256_read(r->rec->snapshot.digest, &digest))
                return err_set(e, ERR_INTEGRITY, "run.json names no snapshot: '%.*s'", SV_ARG(r->rec->snapshot.digest));
        if (run_snapshot_load(r->ctx, r->arena, &digest, &s, e) < 0)
                return -(int)e->code;
        return run_snapshot_place(r->ctx, &s, dir.p, e);
}

int run_code_ready(struct run *r, struct err *e)
{
        sv dir = run_path(r->arena, r->rec, "code"), aside = run_path(r->arena, r->rec, "code.new");

        if (fs_is_dir(dir.p) && rmdir(dir.p) < 0)
                return errno == ENOTEMPTY || errno == EEXIST ? 0
                                                             : err_errno(e, "cannot make the working copy '%s'", dir.p);
        if (fs_remove(aside.p, e) < 0 || place_code(r, aside, e) < 0)
                return err_while(e, "making the working copy");
        return rename(aside.p, dir.p) < 0 ? err_errno(e, "cannot make the working copy '%s'", dir.p) : 0;
}

/* cp knows reflinks, holes and times. */
static int copy(struct run *r, sv from, sv to, struct err *e)
{
        sv aside = arena_fmt(r->arena, "%.*s.new", SV_ARG(to));
        const char *const argv[] = { "cp", "-RL", "--preserve=mode,timestamps", "--reflink=auto",
                                     "-T", "--",  arena_str(r->arena, from),    aside.p,
                                     NULL };
        const struct proc p = { .argv = argv };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        sv rest, line = { 0 };

        if (fs_exists(to.p))
                return 0;
        if (fs_remove(aside.p, e) < 0 || proc_run(&p, r->ctx->op, &out, e) < 0)
                return -(int)e->code;
        rest = buf_sv(&out.err);
        sv_line(&rest, &line);
        if (out.status)
                return err_set(e, ERR_IO, "%.*s", SV_ARG(line.n ? line : SV("cp failed")));
        return rename(aside.p, to.p) < 0 ? err_errno(e, "cannot make '%s'", to.p) : 0;
}

static int copy_inputs(struct run *r, struct err *e)
{
        const struct run_spec *s = r->rec->spec;

        for (size_t i = 0; i < s->n_input; i++) {
                const struct run_input *in = &s->input[i];
                if (!in->download || (in->kind != RUN_INPUT_FILE && in->kind != RUN_INPUT_FOLDER))
                        continue;
                if (fs_mkdirs(run_path(r->arena, r->rec, "inputs").p, 0777, e) < 0 ||
                    copy(r, in->value, run_path(r->arena, r->rec, "inputs/%.*s", SV_ARG(in->name)), e) < 0)
                        return err_while(e, "copying the input '%.*s'", SV_ARG(in->name));
        }
        return 0;
}

static int make_outputs(struct run *r, struct err *e)
{
        for (size_t i = 0; i < r->rec->spec->n_output; i++)
                if (fs_mkdirs(run_path(r->arena, r->rec, "outputs/%.*s", SV_ARG(r->rec->spec->output[i].name)).p, 0777,
                              e) < 0)
                        return -(int)e->code;
        return 0;
}

/* What an engine has against it: its last line that says so; others say how to use it. */
static sv complaint(sv said)
{
        sv rest = said, line, ret = { 0 };

        while (sv_line(&rest, &line))
                if (ret.n == 0 || sv_starts(line, SV("Error")))
                        ret = sv_trim(line);
        return ret;
}

static int run_before(struct run *r, const char *const *argv, struct err *e)
{
        const struct proc p = { .argv = argv, .timeout_ms = BEFORE_MS };
        AUTO(proc_result_done) struct proc_result out = { 0 };

        if (proc_run(&p, r->ctx->op, &out, e) < 0)
                return -(int)e->code;
        if (out.status == 0)
                return 0;
        return err_set(e, ERR_FAILED, "%s ended with %d: %.*s", sv_basename(sv_from(argv[0])).p, out.status,
                       SV_ARG(complaint(sv_trim(buf_sv(&out.err)))));
}

int run_prepare(struct run *r, const struct run_launch *l, struct err *e)
{
        const char **at = l->before;

        if (run_code_ready(r, e) < 0 || copy_inputs(r, e) < 0 || make_outputs(r, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < l->n_before; i++) {
                if (run_before(r, at, e) < 0)
                        return -(int)e->code;
                while (*at)
                        at++;
                at++;
        }
        return 0;
}
