/* A folder copied as it is: files, folders, links; sockets and the like are left out. Nothing is followed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/report.h"

enum { PIECE = 1 << 16, DEPTH_MAX = 256 };

static int copy_bytes(int from, int to, const char *path, struct op *op, struct err *e)
{
        char block[PIECE];
        ssize_t n;

        while ((n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 24, 0)) > 0)
                if (op_check(op, e) < 0)
                        return -(int)e->code;
        if (n == 0)
                return 0;
        /* the file systems cannot; what was copied so far stands, both offsets are behind it */
        while ((n = read(from, block, sizeof(block))) > 0)
                if (fs_write_all(to, block, (size_t)n, path, e) < 0 || op_check(op, e) < 0)
                        return -(int)e->code;
        return n < 0 ? err_errno(e, "cannot read what becomes '%s'", path) : 0;
}

static int copy_file(int dir, const char *name, const struct stat *st, const char *to, struct op *op, struct err *e)
{
        AUTO(close_fd) int in = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), out = -1;

        if (in < 0)
                return err_errno(e, "cannot read what becomes '%s'", to);
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (out < 0)
                return err_errno(e, "cannot write '%s'", to);
        if (copy_bytes(in, out, to, op, e) < 0)
                return -(int)e->code;
        if (fchmod(out, st->st_mode & 0777) < 0 || futimens(out, (struct timespec[]){ st->st_atim, st->st_mtim }) < 0)
                return err_errno(e, "cannot write '%s'", to);
        return 0;
}

static int copy_link(int dir, const char *name, const char *to, struct err *e)
{
        char target[4097];
        ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

        if (n < 0)
                return err_errno(e, "cannot read what becomes '%s'", to);
        target[n] = '\0';
        return symlink(target, to) < 0 ? err_errno(e, "cannot write '%s'", to) : 0;
}

static void close_folder(DIR **d)
{
        if (*d)
                closedir(*d);
}

static int copy_folder(int fd, const char *to, unsigned depth, struct op *op, struct err *e);

static int copy_entry(int dir, const char *name, const char *to, unsigned depth, struct op *op, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("%s/%s", to, name);
        struct stat st;

        if (op_check(op, e) < 0)
                return -(int)e->code;
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : err_errno(e, "cannot look at what becomes '%s'", path);
        if (S_ISREG(st.st_mode))
                return copy_file(dir, name, &st, path, op, e);
        if (S_ISLNK(st.st_mode))
                return copy_link(dir, name, path, e);
        if (S_ISDIR(st.st_mode))
                return copy_folder(openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path, depth + 1,
                                   op, e);
        return 0;
}

/* Takes fd. */
static int copy_folder(int fd, const char *to, unsigned depth, struct op *op, struct err *e)
{
        AUTO(close_folder) DIR *d = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *de;

        if (!d) {
                err_errno(e, "cannot read what becomes '%s'", to);
                close_fd(&fd);
                return -(int)e->code;
        }
        if (depth > DEPTH_MAX)
                return err_set(e, ERR_LIMIT, "'%s' is more than %d folders deep", to, DEPTH_MAX);
        if (mkdir(to, 0777) < 0 && errno != EEXIST)
                return err_errno(e, "cannot make '%s'", to);
        while ((de = readdir(d)))
                if (!sv_is(sv_from(de->d_name), ".") && !sv_is(sv_from(de->d_name), "..") &&
                    copy_entry(dirfd(d), de->d_name, to, depth, op, e) < 0)
                        return -(int)e->code;
        return 0;
}

int run_folder_copy(const char *from, const char *to, struct op *op, struct err *e)
{
        return copy_folder(open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), to, 0, op, e);
}
