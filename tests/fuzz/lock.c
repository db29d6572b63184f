/* tests/fuzz/lock.c - a lock: what was read and written once is the same when it is read and written again. */
#include "lock/lock.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "lock/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf one = BUF_INIT((size_t)1 << 26), two = BUF_INIT((size_t)1 << 26),
                                  tree = BUF_INIT((size_t)1 << 20);
        struct lock *l;
        int r = lock_parse(&a, (sv){ (const char *)p, n }, SV("x.lock"), &ds, &l, &e);

        if (r < 0) {
                if (r == -ERR_USAGE && !ds.n_errors)
                        abort();
                return 0;
        }
        lock_write(l, &one);
        if (lock_parse(&a, buf_sv(&one), SV("x.lock"), &ds, &l, &e) < 0)
                abort();
        lock_write(l, &two);
        if (!sv_eq(buf_sv(&one), buf_sv(&two)))
                abort();
        for (size_t i = 0; i < l->n_platform; i++) {
                lock_tree(&l->platform[i], &tree);
                if (l->platform[i].n_artifact && lock_why(&l->platform[i], SV("idna"), &tree, &e) < 0)
                        err_done(&e);
        }
        return 0;
}
