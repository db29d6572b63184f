/* Until code/ lands. */
#include "run/code/snapshot.h"

int run_snapshot_take(struct run_ctx *c, struct arena *a, const char *dir, struct run_snapshot *ret, struct err *e)
{
        (void)c, (void)a, (void)ret;
        return err_set(e, ERR_FAILED, "cannot copy '%s' yet", dir);
}
int run_snapshot_save(struct run_ctx *c, const struct run_snapshot *s, struct err *e)
{
        (void)c, (void)s;
        return err_set(e, ERR_FAILED, "not yet");
}
int run_snapshot_load(struct run_ctx *c, struct arena *a, const sha256 *digest, struct run_snapshot *ret, struct err *e)
{
        (void)c, (void)a, (void)digest, (void)ret;
        return err_set(e, ERR_FAILED, "not yet");
}
int run_snapshot_place(struct run_ctx *c, const struct run_snapshot *s, const char *dir, struct err *e)
{
        (void)c, (void)s;
        return err_set(e, ERR_FAILED, "cannot fill '%s' yet", dir);
}
int run_snapshot_tar(struct run_ctx *c, const struct run_snapshot *s, const char *prefix, const struct run_extra *extra,
                     size_t n_extra, struct writer *w, struct err *e)
{
        (void)c, (void)s, (void)prefix, (void)extra, (void)n_extra, (void)w;
        return err_set(e, ERR_FAILED, "not yet");
}
