/* sandbox/merge.c - the layers of an image as one tree of hard links. Overlay asks each layer for each name that is not there, and a start of
 * Python asks for hundreds: with a hundred layers that is most of the time. The tree is made once for each stack of layers, beside them, costs a folder
 * entry for each file and no bytes, and is a help only: without it the layers are stacked. */
#include "sandbox/sandbox_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/hash.h"

#define OPAQUE "user.overlay.opaque"

/* A layer's folder, put on what the layers below it gave. */
struct onto {
        int from, to;
        unsigned depth;
};
static int merge_dir(const struct onto *x, struct err *e);

static bool is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int remove_below(int dir, const char *name, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("/proc/self/fd/%d/%s", dir, name);

        return fs_remove(path, e);
}

/* The upper layer's folder hides the one below. */
static bool is_opaque(int dir)
{
        char value = 0;

        return fgetxattr(dir, OPAQUE, &value, 1) == 1 && value == 'y';
}

static int open_dir(int dir, const char *name, struct err *e)
{
        int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? err_errno(e, "cannot open the folder '%s' of a layer", name) : fd;
}

/* Times last: what comes into a folder changes them. */
static int dress(int to, const struct stat *st, struct err *e)
{
        const struct timespec times[2] = { st->st_atim, st->st_mtim };

        if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0)
                return err_errno(e, "cannot set the mode of a folder of a layer");
        return 0;
}

static int merge_sub(const struct onto *x, const char *name, const struct stat *st, struct err *e)
{
        AUTO(close_fd) int from = open_dir(x->from, name, e), to = -1;
        struct stat old;
        bool there;

        if (from < 0)
                return -(int)e->code;
        there = fstatat(x->to, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
        if (there && (!S_ISDIR(old.st_mode) || is_opaque(from))) {
                if (remove_below(x->to, name, e) < 0)
                        return -(int)e->code;
                there = false;
        }
        if (!there && mkdirat(x->to, name, 0700) < 0)
                return err_errno(e, "cannot make the folder '%s'", name);
        if ((to = open_dir(x->to, name, e)) < 0 || merge_dir(&(struct onto){ from, to, x->depth + 1 }, e) < 0)
                return -(int)e->code;
        return dress(to, st, e);
}

static int merge_one(const struct onto *x, const char *name, struct err *e)
{
        struct stat st;

        if (fstatat(x->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return err_errno(e, "cannot look at '%s' of a layer", name);
        if (S_ISDIR(st.st_mode))
                return merge_sub(x, name, &st, e);
        if (is_whiteout(&st))
                return remove_below(x->to, name, e);
        if (linkat(x->from, name, x->to, name, 0) == 0)
                return 0;
        if (errno == EEXIST && remove_below(x->to, name, e) == 0 && linkat(x->from, name, x->to, name, 0) == 0)
                return 0;
        return err_errno(e, "cannot link '%s' of a layer", name);
}

static int merge_dir(const struct onto *x, struct err *e)
{
        int again = open_dir(x->from, ".", e);
        DIR *d = again < 0 ? NULL : fdopendir(again);
        const struct dirent *de;

        if (!d) {
                close_fd(&again);
                return err_set(e, ERR_IO, "cannot read a folder of a layer");
        }
        if (x->depth > SANDBOX_DEPTH_MAX)
                err_set(e, ERR_LIMIT, "the folders of a layer are too deep");
        while (e->code == ERR_NONE && (de = readdir(d)))
                if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
                        merge_one(x, de->d_name, e);
        closedir(d);
        return -(int)e->code;
}

static int merge_layer(struct store *s, const sha256 *diff_id, int to, struct err *e)
{
        AUTO(close_fd) int from = -1;
        struct stat st;
        bool there;
        AUTO(free_ptr) char *path = store_unpacked(s, diff_id, &there);

        from = there ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        if (from < 0 || fstat(from, &st) < 0)
                return err_set(e, ERR_NOT_FOUND, "the layer sha256:%s is not unpacked", sha256_hex(diff_id).s);
        if (merge_dir(&(struct onto){ from, to, 0 }, e) < 0)
                return err_while(e, "merging the layer sha256:%s", sha256_hex(diff_id).s);
        return dress(to, &st, e);
}

static int merge_all(struct store *s, const sha256 *diff_id, size_t n, const char *dir, struct op *op, struct err *e)
{
        AUTO(close_fd) int to = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (to < 0)
                return err_errno(e, "cannot open '%s'", dir);
        for (size_t i = 0; i < n; i++)
                if (op_check(op, e) < 0 || merge_layer(s, &diff_id[i], to, e) < 0)
                        return -(int)e->code;
        return 0;
}

static sha256 key_of(const sha256 *diff_id, size_t n)
{
        static const char what[] = "envbuild merged layers";
        AUTO(hash_freep) struct hash *h = hash_new(HASH_SHA256);
        sha256 key;

        hash_add(h, what, sizeof(what));
        hash_add(h, diff_id, n * sizeof(*diff_id));
        hash_end(h, key.b);
        return key;
}

bool sandbox_merged(struct store *s, const sha256 *diff_id, size_t n, sha256 *ret)
{
        bool there;

        *ret = key_of(diff_id, n);
        free(store_unpacked(s, ret, &there));
        return there;
}

int sandbox_merge(struct store *s, const sha256 *diff_id, size_t n, struct op *op, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        AUTO(free_ptr) char *dir = NULL;
        AUTO(err_done) struct err ignored = { 0 };
        sha256 key;

        if (n < 2 || sandbox_merged(s, diff_id, n, &key))
                return 0;
        if (store_claim_take(s, &key, &claim, e) != 0) /* somebody is at it: this time the layers are stacked */
                return -(int)e->code;
        if (sandbox_merged(s, diff_id, n, &key))
                return 0;
        if (store_tmp_dir(s, &dir, e) < 0)
                return -(int)e->code;
        if (merge_all(s, diff_id, n, dir, op, e) == 0)
                return store_unpacked_put(s, &key, dir, e);
        fs_remove(dir, &ignored);
        return -(int)e->code;
}
