#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static char *note_path(const struct store *s, size_t root, enum store_note kind, const sha256 *key)
{
        static const char *const folder[] = { [STORE_FACT] = "layers",    [STORE_IMAGE] = "images",
                                              [STORE_HTTP] = "http",      [STORE_TEXT] = "texts",
                                              [STORE_ORIGIN] = "origins", [STORE_SOURCE] = "sources",
                                              [STORE_TREE] = "trees" };

        return fs_path("%s/%s/%s", s->root[root], folder[kind], sha256_hex(key).s);
}

int store_note_get(struct store *s, enum store_note kind, const sha256 *key, struct buf *ret, struct err *e)
{
        for (size_t i = 0; i < s->n_root; i++) {
                AUTO(free_ptr) char *path = note_path(s, i, kind, key);
                AUTO(err_done) struct err one = { 0 };
                if (i == 0 && s->write)
                        (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW); /* in use: prune keeps it */
                if (fs_read(path, ret, &one) == 0)
                        return 0;
                if (one.code != ERR_NOT_FOUND)
                        return err_move(e, &one);
        }
        return err_set(e, ERR_NOT_FOUND, "the store '%s' knows nothing of %s", s->root[0], sha256_hex(key).s);
}

int store_note_put(struct store *s, enum store_note kind, const sha256 *key, sv text, struct err *e)
{
        AUTO(free_ptr) char *path = note_path(s, 0, kind, key);

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        return kind == STORE_TREE ? store_replace_hint(s, path, text, e) : store_replace(s, path, text, e);
}

int store_note_drop(struct store *s, enum store_note kind, const sha256 *key, struct err *e)
{
        AUTO(free_ptr) char *path = note_path(s, 0, kind, key);

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        return unlink(path) < 0 && errno != ENOENT ? err_errno(e, "cannot remove '%s'", path) : 0;
}
