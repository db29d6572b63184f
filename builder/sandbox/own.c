/* sandbox/own.c - what must be the user's: folders that he shall write, a line in /etc/passwd. */
#include "sandbox/sandbox_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

static int own_below(int fd, const struct sandbox_user *u, dev_t dev, unsigned depth, struct err *e);

static int own_one(int fd, const struct sandbox_user *u, dev_t dev, unsigned depth, struct err *e)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return err_errno(e, "cannot look at a file of the run");
        if (st.st_dev != dev)
                return 0;
        if ((st.st_uid != u->uid || st.st_gid != u->gid) && fchownat(fd, "", u->uid, u->gid, AT_EMPTY_PATH) < 0)
                return err_errno(e, "cannot give a file of the run to the user %" PRIu32, u->uid);
        return S_ISDIR(st.st_mode) ? own_below(fd, u, dev, depth + 1, e) : 0;
}

static int own_below(int fd, const struct sandbox_user *u, dev_t dev, unsigned depth, struct err *e)
{
        int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = dir < 0 ? NULL : fdopendir(dir);
        const struct dirent *de;

        if (!d) {
                err_errno(e, "cannot read a folder of the run");
                close_fd(&dir);
                return -(int)e->code;
        }
        while (e->code == ERR_NONE && depth < SANDBOX_DEPTH_MAX && (de = readdir(d))) {
                AUTO(close_fd) int one = -1;
                if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
                        continue;
                one = openat(dir, de->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (one >= 0) /* else it went away meanwhile: another rank's */
                        own_one(one, u, dev, depth, e);
        }
        closedir(d);
        return -(int)e->code;
}

int sandbox_own(int fd, const struct sandbox_user *u, const char *path, struct err *e)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return err_errno(e, "cannot look at '%s'", path);
        return own_one(fd, u, st.st_dev, 0, e) < 0 ? err_while(e, "making '%s' the user's", path) : 0;
}

int sandbox_user_add(struct arena *a, int root, const struct sandbox_user *u, sv passwd, struct err *e)
{
        AUTO(close_fd) int fd = -1;
        const char *path;
        sv line;

        if (sandbox_user_known(u->uid, passwd))
                return 0;
        line = arena_fmt(a, "%senvbuild:x:%" PRIu32 ":%" PRIu32 "::/tmp:/bin/sh\n",
                         passwd.n && passwd.p[passwd.n - 1] != '\n' ? "\n" : "", u->uid, u->gid);
        if (sandbox_point(a, root, "/etc/passwd", false, &path, e) < 0)
                return -(int)e->code;
        fd = sandbox_open_in(root, path, O_WRONLY | O_APPEND);
        if (fd < 0)
                return err_errno(e, "cannot open the image's /etc/passwd");
        return fs_write_all(fd, line.p, line.n, "/etc/passwd", e);
}
