/* A resolution that failed: its explanation becomes the cause of the error, for that is what the user came for. */
#include "base/cleanup.h"
#include "image/image_priv.h"

#define EXPLAIN_MAX ((size_t)1 << 20)

int conflict_explain(struct image_ctx *c, struct catalog *catalog, const struct resolve_want *want, size_t n,
                     const struct resolve_opts *o, const struct resolution *res, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(EXPLAIN_MAX);
        struct err fresh = { 0 };

        if (explain(catalog, want, n, o, c->op, res, &text, &fresh) < 0)
                return err_move(e, &fresh);
        err_done(e);
        return err_set(e, ERR_CONFLICT, "%s", text.p ? text.p : "");
}
