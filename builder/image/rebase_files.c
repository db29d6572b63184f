/* Files of the definition, out of the image that has them: who rebases an image rarely has the folder that it was made in. */
#include "base/cleanup.h"
#include "ext/archive.h"
#include "image/fetch.h"
#include "image/image_priv.h"
#include "image/rebase.h"

#define LAYER_BYTES_MAX ((uint64_t)64 << 30) /* of a layer that somebody else made */

static const struct lock_file *locked_as(const struct lock *l, sv path)
{
        while (sv_starts(path, SV("./")))
                path = sv_skip(path, 2);
        for (size_t i = 0; i < l->n_file; i++)
                if (sv_eq(sv_skip(l->file[i].path, 1), path))
                        return &l->file[i];
        return NULL;
}

/* Only what the lock's hash names is kept; whatever else stands there is not ours to use. */
static int take(struct image_ctx *c, const struct archive_table *t, struct archive_reader *r, const struct lock_file *f,
                struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(CONTENT_HOLD_MAX);
        char part[65536];
        sha256 got;

        for (size_t n = 1; n > 0;) {
                if (t->read(r, part, sizeof(part), &n, e) < 0)
                        return -(int)e->code;
                buf_add(&b, (sv){ part, n });
        }
        if (buf_check(&b, e) < 0)
                return -(int)e->code;
        got = sha256_of(buf_sv(&b));
        return sha256_eq(&got, &f->sha256) ? store_put_bytes(c->store, STORE_BLOB, buf_sv(&b), NULL, e) : 0;
}

static int read_layer(struct image_ctx *c, const struct archive_table *t, struct archive_reader *r,
                      const struct lock *l, struct err *e)
{
        const struct archive_item *it;
        int more;

        while ((more = t->next(r, &it, e)) > 0) {
                const struct lock_file *f = it->type == ARCHIVE_FILE ? locked_as(l, it->path) : NULL;

                if (op_check(c->op, e) < 0 || (f && it->size == f->size && take(c, t, r, f, e) < 0))
                        return -(int)e->code;
        }
        return more;
}

static bool have_all(struct image_ctx *c, const struct lock *l, const struct lock_file **ret_missing)
{
        for (size_t i = 0; i < l->n_file; i++)
                if (!store_has(c->store, STORE_BLOB, &l->file[i].sha256, NULL)) {
                        *ret_missing = &l->file[i];
                        return false;
                }
        return true;
}

int rebase_files(struct image_ctx *c, const struct lock *l, const struct oci_desc *last, sv from, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(free_ptr) char *path = NULL;
        const struct archive_table *t;
        const struct lock_file *missing = NULL;
        struct archive_reader *r = NULL;
        int done;

        if (have_all(c, l, &missing))
                return 0;
        if (image_blob_fetch(c, last, from, SV("last"), e) < 0)
                return err_while(e, "fetching the layer that has the definition's files");
        path = store_find(c->store, STORE_BLOB, &last->digest);
        if (!path || fs_map_open(path, &map, e) < 0 || archive_load(&t, e) < 0 ||
            t->open(&(struct archive_opts){ .flags = ARCHIVE_TAR | ARCHIVE_DECODE,
                                            .max_bytes = LAYER_BYTES_MAX,
                                            .bytes = { (const char *)map.p, map.n } },
                    &r, e) < 0)
                return err_set(e, ERR_NOT_FOUND, "the image's last layer is gone: sha256:%s",
                               sha256_hex(&last->digest).s);
        done = read_layer(c, t, r, l, e);
        t->close(r);
        if (done < 0)
                return err_while(e, "reading the image's last layer");
        if (have_all(c, l, &missing))
                return 0;
        return err_set(e, ERR_NOT_FOUND, "the image's last layer does not have the %.*s that was locked",
                       SV_ARG(missing->path));
}
