#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/hash.h"

/* A pruner moves things to trash/ and looks again before it deletes them: what somebody needs goes back. */
static bool back_from_trash(struct store *s, enum store_kind kind, const sha256 *d)
{
        static const char *const name[] = { [STORE_BLOB] = "blob",
                                            [STORE_PACKAGE] = "package",
                                            [STORE_BODY] = "body",
                                            [STORE_INDEX] = "index",
                                            [STORE_CODE] = "code" };
        AUTO(free_ptr) char *from = NULL, *to = NULL;

        if (!s->write)
                return false;
        from = fs_path("%s/trash/%s-%s", s->root[0], name[kind], sha256_hex(d).s);
        to = store_path(s, 0, kind, d);
        return rename(from, to) == 0;
}

static bool look(struct store *s, size_t root, enum store_kind kind, const sha256 *d, char **ret_path, struct stat *ret)
{
        AUTO(free_ptr) char *path = store_path(s, root, kind, d);

        /* Touching comes first: who prunes looks at the time after it has moved a thing. */
        if (root == 0 && s->write && utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return false;
        if (lstat(path, ret) < 0 || !S_ISREG(ret->st_mode))
                return false;
        *ret_path = STEAL(path);
        return true;
}

static char *find(struct store *s, enum store_kind kind, const sha256 *d, struct stat *st)
{
        char *path = NULL;

        if (look(s, 0, kind, d, &path, st) || (back_from_trash(s, kind, d) && look(s, 0, kind, d, &path, st)))
                return path;
        for (size_t i = 1; i < s->n_root; i++)
                if (look(s, i, kind, d, &path, st))
                        return path;
        return NULL;
}

bool store_has(struct store *s, enum store_kind kind, const sha256 *d, uint64_t *ret_size)
{
        struct stat st;
        AUTO(free_ptr) char *path = find(s, kind, d, &st);

        if (path && ret_size)
                *ret_size = (uint64_t)st.st_size;
        return path != NULL;
}

char *store_find(struct store *s, enum store_kind kind, const sha256 *d)
{
        struct stat st;

        return find(s, kind, d, &st);
}

static int missing(struct store *s, enum store_kind kind, const sha256 *d, struct err *e)
{
        return err_set(e, ERR_NOT_FOUND, "sha256:%s is not in the store ('%s/%s')", sha256_hex(d).s, s->root[0],
                       store_folder[kind]);
}

int store_map(struct store *s, enum store_kind kind, const sha256 *d, struct fs_map *ret, struct err *e)
{
        for (int tries = 0; tries < 2; tries++) { /* it may go to trash/ between finding and opening */
                AUTO(free_ptr) char *path = store_find(s, kind, d);
                AUTO(err_done) struct err one = { 0 };
                if (!path)
                        break;
                if (fs_map_open(path, ret, &one) == 0)
                        return 0;
                if (one.code != ERR_NOT_FOUND)
                        return err_move(e, &one);
        }
        return missing(s, kind, d, e);
}

int store_read(struct store *s, enum store_kind kind, const sha256 *d, struct buf *ret, struct err *e)
{
        size_t before = ret->n;
        int tries = 0;
        sha256 got;

        for (;; tries++) {
                AUTO(free_ptr) char *path = store_find(s, kind, d);
                AUTO(err_done) struct err one = { 0 };
                if (!path || tries == 2)
                        return missing(s, kind, d, e);
                if (fs_read(path, ret, &one) == 0)
                        break;
                if (one.code != ERR_NOT_FOUND)
                        return err_move(e, &one);
        }
        got = sha256_of(sv_skip(buf_sv(ret), before)); /* documents: small, and everything else hangs on them */
        if (sha256_eq(&got, d))
                return 0;
        err_set(e, ERR_INTEGRITY, "sha256:%s in the store '%s' is damaged", sha256_hex(d).s, s->root[0]);
        err_hint(e, "envbuild cache verify");
        return -(int)e->code;
}

int store_drop(struct store *s, enum store_kind kind, const sha256 *d, struct err *e)
{
        AUTO(free_ptr) char *path = store_path(s, 0, kind, d);

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        return unlink(path) < 0 && errno != ENOENT ? err_errno(e, "cannot remove '%s'", path) : 0;
}
