#include "store/store_priv.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

int store_put_begin(struct store *s, enum store_kind kind, struct store_put *ret, struct writer **ret_w, struct err *e)
{
        char *tmp = NULL;
        int fd = -1;

        if (store_must_write(s, e) < 0 || store_temp(s, &tmp, &fd, e) < 0)
                return -(int)e->code;
        *ret = (struct store_put){ .store = s, .kind = kind, .fd = fd, .tmp = tmp };
        *ret_w = hash_writer_init(&ret->hash, fd_writer_init(&ret->file, fd, ret->tmp));
        return 0;
}

int store_put_commit(struct store_put *put, const sha256 *want, struct err *e)
{
        AUTO(free_ptr) char *to = NULL;
        int r = 0;

        /* The digest is there once the caller has finished his chain of writers; a chain of ours alone is finished here. */
        if (sha256_is_zero(&put->hash.digest))
                r = writer_finish(&put->hash.w, e);
        if (r == 0 && want && !sha256_eq(want, &put->hash.digest))
                r = err_set(e, ERR_INTEGRITY, "what arrived is not sha256:%s but sha256:%s (%llu bytes)",
                            sha256_hex(want).s, sha256_hex(&put->hash.digest).s, (unsigned long long)put->hash.size);
        if (r < 0) {
                store_put_abort(put);
                return r;
        }
        to = store_path(put->store, 0, put->kind, &put->hash.digest);
        r = store_place(&put->tmp, &put->fd, to, e);
        store_put_abort(put);
        return r;
}

void store_put_abort(struct store_put *put)
{
        if (!put->store)
                return;
        if (put->tmp) {
                close_fd(&put->fd);
                unlink(put->tmp);
                free(STEAL(put->tmp));
        }
        hash_writer_done(&put->hash);
        put->store = NULL;
        put->fd = -1;
}

int store_put_bytes(struct store *s, enum store_kind kind, sv bytes, sha256 *ret, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        struct writer *w;

        if (store_put_begin(s, kind, &put, &w, e) < 0 || writer_write(w, bytes.p, bytes.n, e) < 0 ||
            store_put_commit(&put, NULL, e) < 0)
                return -(int)e->code;
        if (ret)
                *ret = put.hash.digest;
        return 0;
}
