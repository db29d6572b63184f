/* run/supervise/unpack.c - the layers of a rank's image. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "ext/hash.h"
#include "run/supervise/supervise_priv.h"
#include "sandbox/sandbox.h"

struct layer_job {
        struct run_ctx *c;
        const struct oci_desc *layer;
        const sha256 *diff_id;
};

static bool is_there(struct run_ctx *c, const sha256 *diff_id)
{
        bool there;

        free(store_unpacked(c->store, diff_id, &there));
        return there;
}

/* Not the claim of whoever makes or fetches that layer. */
static sha256 key_of(const sha256 *diff_id)
{
        AUTO(arena_done) struct arena a = { 0 };

        return sha256_of(arena_fmt(&a, "envbuild unpacked %s", sha256_hex(diff_id).s));
}

static int unpack(void *arg, struct err *e)
{
        const struct layer_job *j = arg;
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        sha256 key = key_of(j->diff_id);
        int r;

        if (is_there(j->c, j->diff_id))
                return 0;
        r = store_claim_take(j->c->store, &key, &claim, e);
        if (r != 0)
                return r;
        return is_there(j->c, j->diff_id) ? 0 : sandbox_unpack(j->c->store, j->layer, j->diff_id, j->c->op, e);
}

int run_unpack(struct run_ctx *c, struct arena *a, const struct run_rootfs *f, struct err *e)
{
        struct layer_job *arg = NULL;
        struct pool_job *job = NULL;
        AUTO(err_done) struct err ignored = { 0 };
        sha256 merged;
        size_t n = 0;

        if (sandbox_merged(c->store, f->diff_id, f->n, &merged))
                return 0;
        for (size_t i = 0; i < f->n; i++) {
                if (is_there(c, &f->diff_id[i]))
                        continue;
                if (!job) {
                        arg = arena_array(a, struct layer_job, f->n);
                        job = arena_array(a, struct pool_job, f->n);
                }
                arg[n] = (struct layer_job){ c, &f->layer[i], &f->diff_id[i] };
                job[n] = (struct pool_job){ f->layer[i].size, unpack, &arg[n] };
                n++;
        }
        if (n && pool_run(c->op, job, n, e) < 0) {
                if (e->code == ERR_NOT_FOUND)
                        err_hint(e, "the store (%s) lacks a layer of the image: envbuild pull %.*s",
                                 store_root(c->store), SV_ARG(f->name));
                return err_while(e, "unpacking the image '%.*s'", SV_ARG(f->name));
        }
        return sandbox_merge(c->store, f->diff_id, f->n, c->op, &ignored) < 0 && ignored.code == ERR_CANCELLED
                       ? err_move(e, &ignored)
                       : 0;
}
