#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* Overlay's two marks, in the form that a mount with userxattr reads: as root and as an ordinary user. Both can be made without privilege
 * (Linux 5.8 for the device), which the trusted.* form cannot. */
#define OPAQUE       "user.overlay.opaque"
#define WHITEOUT     ".wh."
#define WHITEOUT_ALL ".wh..wh..opq"
#define WHITEOUT_AUX ".wh..wh."

/* An entry on its way: its folder (borrowed from the cache), its name in it. */
struct spot {
        int dir;
        const char *name;
        const char *path; /* below the root, for messages */
};

int sandbox_grow_open(struct sandbox_grow *g, const char *path, struct err *e)
{
        *g = (struct sandbox_grow){ .path = path, .owner = geteuid() == 0, .last_fd = -1 };
        g->root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (g->root < 0 || fchmod(g->root, 0755) < 0)
                return err_errno(e, "cannot use the folder '%s'", path);
        return 0;
}

static void forget_folder(struct sandbox_grow *g)
{
        if (g->last_fd >= 0 && g->last_fd != g->root)
                close(g->last_fd);
        g->last_fd = -1;
        free(STEAL(g->last));
}

void sandbox_grow_done(struct sandbox_grow *g)
{
        if (!g->path)
                return;
        forget_folder(g);
        close_fd(&g->root);
        arena_done(&g->arena);
        *g = (struct sandbox_grow){ 0 };
}

static int bad(struct err *e, const char *path, const char *what)
{
        return err_set(e, ERR_INTEGRITY, "the layer's entry '%s' %s", path, what);
}

/* Root without the right to do so (a container's) keeps what he makes. */
static bool may_not(int error)
{
        return error == EPERM || error == EINVAL;
}

static int own(struct sandbox_grow *g, int dir, const char *name, uint64_t uid, uint64_t gid, const char *path,
               struct err *e)
{
        if (uid > UINT32_MAX - 1 || gid > UINT32_MAX - 1)
                return bad(e, path, "has an owner that no system has");
        if (g->owner && fchownat(dir, name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW) < 0 && !may_not(errno))
                return err_errno(e, "cannot give '%s' to its owner", path);
        return 0;
}

static bool is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* One step down. What is not there is made, as every runtime does: 0755, of root. Nothing is followed. */
static int step(struct sandbox_grow *g, int from, const char *name, const char *path, struct err *e)
{
        struct stat st;
        int fd;

        for (int tries = 0; tries < 2; tries++) {
                fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd >= 0)
                        return fd;
                if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
                        return err_errno(e, "cannot unpack '%s'", path);
                if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                        if (!is_whiteout(&st))
                                return bad(e, path, "stands below something that is no folder");
                        if (unlinkat(from, name, 0) < 0)
                                return err_errno(e, "cannot unpack '%s'", path);
                }
                if (mkdirat(from, name, 0755) < 0 || fchmodat(from, name, 0755, 0) < 0)
                        return err_errno(e, "cannot unpack '%s'", path);
                if (own(g, from, name, 0, 0, path, e) < 0)
                        return -(int)e->code;
        }
        return bad(e, path, "stands below something that changes");
}

/* The folder of a clean path; *ret_name is its last part. */
static int folder_of(struct sandbox_grow *g, char *path, struct spot *ret, struct err *e)
{
        char *slash = strrchr(path, '/');
        AUTO(free_ptr) char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
        sv rest = sv_from(dir), part;
        int at = g->root;

        *ret = (struct spot){ -1, slash ? slash + 1 : path, path };
        if (g->last_fd < 0 || strcmp(dir, g->last) != 0) {
                forget_folder(g);
                while (sv_cut(&rest, '/', &part)) {
                        AUTO(free_ptr) char *name = xstrndup(part.p, part.n);
                        int next = step(g, at, name, path, e);
                        if (at != g->root)
                                close(at);
                        if (next < 0)
                                return -(int)e->code;
                        at = next;
                }
                g->last_fd = at;
                g->last = STEAL(dir);
        }
        ret->dir = g->last_fd;
        return 0;
}

/* Takes away what stands in the way of a new entry; a folder that meets a folder stays. */
static int clear(struct sandbox_grow *g, const struct spot *s, bool keep_folder, bool *ret_kept, struct err *e)
{
        AUTO(free_ptr) char *whole = NULL;
        struct stat st;

        *ret_kept = false;
        if (fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : err_errno(e, "cannot unpack '%s'", s->path);
        if (!S_ISDIR(st.st_mode))
                return unlinkat(s->dir, s->name, 0) < 0 ? err_errno(e, "cannot unpack '%s'", s->path) : 0;
        if (keep_folder) {
                *ret_kept = true;
                return 0;
        }
        whole = fs_path("%s/%s", g->path, s->path); /* no part of it is a link: we have just walked it */
        return fs_remove(whole, e);
}

static bool wanted_xattr(sv name)
{
        return (sv_starts(name, SV("user.")) && !sv_starts(name, SV("user.overlay."))) ||
               sv_is(name, "security.capability");
}

/* What a file system or an ordinary user cannot have is left out, as docker and podman do. */
static void set_xattrs(int fd, const struct archive_item *it)
{
        for (size_t i = 0; i < it->n_xattr; i++)
                if (wanted_xattr(it->xattr[i].name))
                        (void)fsetxattr(fd, it->xattr[i].name.p, it->xattr[i].value.p, it->xattr[i].value.n, 0);
}

static void times_of(const struct archive_item *it, struct timespec ret[2])
{
        ret[0] = ret[1] = (struct timespec){ it->mtime, it->mtime_ns < 1000000000 ? it->mtime_ns : 0 };
}

/* Owner first (it clears setuid bits and capabilities), then attributes, then the mode, which may forbid the rest. */
static int dress(struct sandbox_grow *g, int fd, const struct archive_item *it, mode_t mode, const char *path,
                 struct err *e)
{
        if (it->uid > UINT32_MAX - 1 || it->gid > UINT32_MAX - 1)
                return bad(e, path, "has an owner that no system has");
        if (g->owner && fchown(fd, (uid_t)it->uid, (gid_t)it->gid) < 0 && !may_not(errno))
                return err_errno(e, "cannot give '%s' to its owner", path);
        set_xattrs(fd, it);
        return fchmod(fd, mode) < 0 ? err_errno(e, "cannot set the mode of '%s'", path) : 0;
}

static int dress_folder(struct sandbox_grow *g, int fd, const struct archive_item *it, const char *path, struct err *e)
{
        /* An ordinary user must be able to go in, to unpack, stack and remove. */
        if (dress(g, fd, it, g->owner ? it->mode : it->mode | 0700, path, e) < 0)
                return -(int)e->code;
        *arena_push(&g->arena, g->late, g->n_late, g->cap_late) =
                (struct sandbox_late){ arena_sv(&g->arena, sv_from(path)), it->mtime, it->mtime_ns };
        return 0;
}

static int add_folder(struct sandbox_grow *g, const struct spot *s, const struct archive_item *it, struct err *e)
{
        AUTO(close_fd) int fd = -1;
        bool kept;

        if (clear(g, s, true, &kept, e) < 0)
                return -(int)e->code;
        if (!kept && mkdirat(s->dir, s->name, 0700) < 0)
                return err_errno(e, "cannot unpack '%s'", s->path);
        fd = openat(s->dir, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? err_errno(e, "cannot unpack '%s'", s->path) : dress_folder(g, fd, it, s->path, e);
}

static int add_file(struct sandbox_grow *g, const struct spot *s, const struct archive_table *t,
                    struct archive_reader *r, const struct archive_item *it, struct err *e)
{
        AUTO(close_fd) int fd = openat(s->dir, s->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        struct timespec times[2];
        char chunk[65536];
        size_t n;

        if (fd < 0)
                return err_errno(e, "cannot unpack '%s'", s->path);
        do {
                if (t->read(r, chunk, sizeof(chunk), &n, e) < 0)
                        return err_while(e, "unpacking '%s'", s->path);
                if (fs_write_all(fd, chunk, n, s->path, e) < 0)
                        return -(int)e->code;
        } while (n);
        if (dress(g, fd, it, it->mode, s->path, e) < 0)
                return -(int)e->code;
        times_of(it, times);
        return futimens(fd, times) < 0 ? err_errno(e, "cannot set the time of '%s'", s->path) : 0;
}

static int add_link(struct sandbox_grow *g, const struct spot *s, const struct archive_item *it, struct err *e)
{
        struct timespec times[2];

        times_of(it, times);
        if (symlinkat(it->link.p, s->dir, s->name) < 0)
                return err_errno(e, "cannot unpack '%s'", s->path);
        if (own(g, s->dir, s->name, it->uid, it->gid, s->path, e) < 0)
                return -(int)e->code;
        (void)utimensat(s->dir, s->name, times, AT_SYMLINK_NOFOLLOW);
        return 0;
}

/* Modes of things that are not opened: through /proc, since fchmodat would follow a link. */
static int set_mode(const struct spot *s, mode_t mode, struct err *e)
{
        AUTO(close_fd) int fd = openat(s->dir, s->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        char path[64];
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return err_errno(e, "cannot unpack '%s'", s->path);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (!S_ISLNK(st.st_mode) && chmod(path, mode) < 0)
                return err_errno(e, "cannot set the mode of '%s'", s->path);
        return 0;
}

/* The header's attributes go to the file that both names are of, as docker, containerd and podman do. */
static int add_hard_link(struct sandbox_grow *g, const struct spot *s, const struct archive_item *it, struct err *e)
{
        char target[SANDBOX_PATH_MAX + 1];
        AUTO(close_fd) int to = -1;
        struct timespec times[2];
        struct spot from;
        struct stat st;

        if (!sandbox_path_clean(it->link, target) || !target[0])
                return bad(e, s->path, "is a hard link to nothing");
        if ((to = fcntl(s->dir, F_DUPFD_CLOEXEC, 3)) < 0)
                return err_errno(e, "cannot unpack '%s'", s->path);
        if (folder_of(g, target, &from, e) < 0)
                return -(int)e->code;
        if (fstatat(from.dir, from.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) || is_whiteout(&st))
                return bad(e, s->path, "is a hard link to a file that its layer does not have");
        if (linkat(from.dir, from.name, to, s->name, 0) < 0)
                return err_errno(e, "cannot unpack '%s'", s->path);
        times_of(it, times);
        if (own(g, to, s->name, it->uid, it->gid, s->path, e) < 0 ||
            set_mode(&(struct spot){ to, s->name, s->path }, it->mode, e) < 0)
                return -(int)e->code;
        (void)utimensat(to, s->name, times, AT_SYMLINK_NOFOLLOW);
        return 0;
}

/* Devices are root's to make, and 0:0 would be read as a whiteout. */
static int add_node(struct sandbox_grow *g, const struct spot *s, const struct archive_item *it, struct err *e)
{
        mode_t type = it->type == ARCHIVE_FIFO ? S_IFIFO : it->type == ARCHIVE_CHAR ? S_IFCHR : S_IFBLK;
        dev_t dev = type == S_IFIFO ? 0 : makedev(it->major, it->minor);
        struct timespec times[2];

        if (type != S_IFIFO && (!g->owner || dev == 0))
                return 0;
        if (mknodat(s->dir, s->name, type | 0600, dev) < 0)
                return errno == EPERM && type != S_IFIFO ? 0 : err_errno(e, "cannot unpack '%s'", s->path);
        times_of(it, times);
        if (own(g, s->dir, s->name, it->uid, it->gid, s->path, e) < 0 || set_mode(s, it->mode, e) < 0)
                return -(int)e->code;
        (void)utimensat(s->dir, s->name, times, AT_SYMLINK_NOFOLLOW);
        return 0;
}

static int no_marks(struct sandbox_grow *g, struct err *e)
{
        err_errno(e, "the file system of '%s' cannot hold overlay's marks", g->path);
        err_hint(e, "point ENVBUILD_CACHE_DIR at a folder on a local disk (ext4, xfs, btrfs)");
        return -(int)e->code;
}

/* ".wh.NAME" hides NAME of the layers below; of this layer it hides nothing. */
static int add_whiteout(struct sandbox_grow *g, const struct spot *s, struct err *e)
{
        const char *name = s->name + strlen(WHITEOUT);
        struct stat st;

        if (strcmp(s->name, WHITEOUT_ALL) == 0)
                return fsetxattr(s->dir, OPAQUE, "y", 1, 0) < 0 ? no_marks(g, e) : 0;
        if (strncmp(s->name, WHITEOUT_AUX, strlen(WHITEOUT_AUX)) == 0)
                return 0; /* aufs kept house in these */
        if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return bad(e, s->path, "hides nothing that has a name");
        if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        return mknodat(s->dir, name, S_IFCHR, makedev(0, 0)) < 0 ? no_marks(g, e) : 0;
}

static int add_at(struct sandbox_grow *g, const struct spot *s, const struct archive_table *t, struct archive_reader *r,
                  const struct archive_item *it, struct err *e)
{
        bool kept;

        if (it->type == ARCHIVE_DIR)
                return add_folder(g, s, it, e);
        if (clear(g, s, false, &kept, e) < 0)
                return -(int)e->code;
        switch (it->type) {
        case ARCHIVE_FILE:
                return add_file(g, s, t, r, it, e);
        case ARCHIVE_SYMLINK:
                return add_link(g, s, it, e);
        case ARCHIVE_HARDLINK:
                return add_hard_link(g, s, it, e);
        default:
                return add_node(g, s, it, e);
        }
}

int sandbox_grow_add(struct sandbox_grow *g, const struct archive_table *t, struct archive_reader *r,
                     const struct archive_item *it, struct err *e)
{
        char path[SANDBOX_PATH_MAX + 1];
        struct spot s;

        if (!sandbox_path_clean(it->path, path))
                return err_set(e, ERR_INTEGRITY, "the layer has a path of %zu bytes, which is too long or too deep",
                               it->path.n);
        if (!path[0]) { /* "./": the root itself */
                if (it->type != ARCHIVE_DIR)
                        return bad(e, "/", "is no folder");
                return dress_folder(g, g->root, it, "", e);
        }
        if (folder_of(g, path, &s, e) < 0)
                return -(int)e->code;
        if (strncmp(s.name, WHITEOUT, strlen(WHITEOUT)) == 0)
                return add_whiteout(g, &s, e);
        return add_at(g, &s, t, r, it, e);
}

int sandbox_grow_finish(struct sandbox_grow *g, struct err *e)
{
        for (size_t i = g->n_late; i-- > 0;) {
                const struct sandbox_late *l = &g->late[i];
                struct timespec times[2] = { { l->mtime, l->mtime_ns }, { l->mtime, l->mtime_ns } };
                AUTO(free_ptr) char *path = xstrndup(l->path.p, l->path.n);
                struct stat st;
                struct spot s;

                if (!path[0]) {
                        (void)futimens(g->root, times);
                        continue;
                }
                if (folder_of(g, path, &s, e) < 0)
                        return -(int)e->code;
                if (fstatat(s.dir, s.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
                        (void)utimensat(s.dir, s.name, times, AT_SYMLINK_NOFOLLOW);
        }
        return 0;
}
