#include "store/store_priv.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/hash.h"

/* In pieces, so that Ctrl-C does not wait for a layer of some gigabytes. */
static int hash_file(struct op *op, const char *path, sha256 *ret, uint64_t *ret_size, struct err *e)
{
        AUTO(hash_freep) struct hash *h = hash_new(HASH_SHA256);
        struct fs_map m;

        if (fs_map_open(path, &m, e) < 0)
                return -(int)e->code;
        for (size_t at = 0; at < m.n && op_check(op, e) == 0; at += (size_t)1 << 24)
                hash_add(h, m.p + at, m.n - at < (size_t)1 << 24 ? m.n - at : (size_t)1 << 24);
        *ret_size = m.n;
        hash_end(h, ret->b);
        fs_map_close(&m);
        return -(int)e->code;
}

struct verify {
        struct store *store;
        struct op *op;
        struct arena *arena;
        struct store_damage *v;
        size_t n, cap;
        uint64_t checked;
};

static int verify_one(struct verify *x, enum store_kind kind, const sha256 *name, struct err *e)
{
        AUTO(free_ptr) char *path = store_path(x->store, 0, kind, name);
        AUTO(err_done) struct err one = { 0 };
        uint64_t size = 0;
        sha256 got;

        if (hash_file(x->op, path, &got, &size, &one) < 0) {
                if (one.code == ERR_NOT_FOUND) /* pruned just now */
                        return 0;
                return err_move(e, &one);
        }
        x->checked++;
        if (sha256_eq(&got, name))
                return 0;
        *arena_push(x->arena, x->v, x->n, x->cap) = (struct store_damage){ kind, *name, size };
        return store_drop(x->store, kind, name, e);
}

static int verify_kind(struct verify *x, enum store_kind kind, struct err *e)
{
        AUTO(free_ptr) char *folder = fs_path("%s/%s", x->store->root[0], store_folder[kind]);
        AUTO(free_ptr) char **names = NULL;
        size_t n = 0;
        sha256 name;

        if (fs_list(folder, &names, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                op_event(x->op, OP_READ, OP_STEP, sv_from(folder), i, n);
                if (sha256_read(sv_from(names[i]), &name) && verify_one(x, kind, &name, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

int store_verify(struct store *s, struct op *op, struct arena *a, struct store_damage **ret, size_t *ret_n,
                 uint64_t *ret_checked, struct err *e)
{
        static const enum store_kind kinds[] = { STORE_BLOB, STORE_PACKAGE, STORE_BODY, STORE_INDEX, STORE_CODE };
        struct verify x = { .store = s, .op = op, .arena = a };

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (verify_kind(&x, kinds[i], e) < 0)
                        return -(int)e->code;
        if (x.n && store_index_sync(s, e) < 0) /* images that lost a part are not whole now */
                return -(int)e->code;
        *ret = x.v;
        *ret_n = x.n;
        *ret_checked = x.checked;
        return 0;
}
