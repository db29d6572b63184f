/* The source from a layer of the image into the run's folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

static int copy_bytes(int from, int to, const char *path, struct err *e)
{
        char chunk[65536];
        ssize_t n;

        while ((n = read(from, chunk, sizeof(chunk))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_errno(e, "cannot read '%s'", path);
                if (fs_write_all(to, chunk, (size_t)n, path, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int copy_file(const char *from, const char *to, const struct stat *st, struct err *e)
{
        struct timespec times[] = { st->st_mtim, st->st_mtim };
        AUTO(close_fd) int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        AUTO(close_fd) int out = -1;

        if (in < 0)
                return err_errno(e, "cannot read '%s'", from);
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (st->st_mode & 0777) | 0200);
        if (out < 0)
                return err_errno(e, "cannot write '%s'", to);
        if (copy_bytes(in, out, to, e) < 0)
                return -(int)e->code;
        if (futimens(out, times) < 0)
                return err_errno(e, "cannot set the time of '%s'", to);
        return 0;
}

static int copy_link(const char *from, const char *to, struct err *e)
{
        char target[PATH_MAX];
        ssize_t n = readlink(from, target, sizeof(target) - 1);

        if (n < 0)
                return err_errno(e, "cannot read the link '%s'", from);
        target[n] = '\0';
        return symlink(target, to) < 0 ? err_errno(e, "cannot make the link '%s'", to) : 0;
}

static int copy_entry(const char *from, const char *to, struct err *e)
{
        struct stat st;

        if (lstat(from, &st) < 0)
                return err_errno(e, "cannot read '%s'", from);
        if (S_ISREG(st.st_mode))
                return copy_file(from, to, &st, e);
        if (S_ISLNK(st.st_mode))
                return copy_link(from, to, e);
        if (!S_ISDIR(st.st_mode))
                return err_set(e, ERR_FAILED, "'%s' is neither a file, a folder nor a link", from);
        if (mkdir(to, 0755) < 0 && (errno != EEXIST || !fs_is_dir(to)))
                return err_errno(e, "cannot make the folder '%s'", to);
        return shim_copy(from, to, e);
}

int shim_copy(const char *from, const char *to, struct err *e)
{
        AUTO(free_ptr) char **names = NULL;
        size_t n = 0;

        if (fs_list(from, &names, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *a = fs_path("%s/%s", from, names[i]);
                AUTO(free_ptr) char *b = fs_path("%s/%s", to, names[i]);

                if (copy_entry(a, b, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}
