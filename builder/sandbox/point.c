#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int sandbox_open_in(int root, const char *path, int flags)
{
        struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

        /* EAGAIN: something was renamed or mounted somewhere while ".." was walked, and the kernel could not tell whether it mattered
         * (openat2(2) says to try again). Bounded: a host that does nothing but rename must not hold us. */
        for (int tries = 1000;; tries--) {
                int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
                if (fd >= 0 || errno != EAGAIN || tries == 0)
                        return fd;
        }
}

/* Where a descriptor is: what /proc says of it. */
static bool path_of(int fd, char ret[static 8192])
{
        char link[64];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, ret, 8191);
        ret[n < 0 ? 0 : n] = '\0';
        return n > 0;
}

static int inside_path(struct arena *a, int root, int fd, const char **ret, struct err *e)
{
        char top[8192], at[8192];
        size_t n;

        if (!path_of(root, top) || !path_of(fd, at))
                return err_errno(e, "cannot read '/proc/self/fd'");
        n = strlen(top);
        if (strncmp(at, top, n) != 0)
                return err_set(e, ERR_FAILED, "a path of the image leads out of it");
        *ret = at[n] ? arena_str(a, sv_from(at + n)) : "/";
        return 0;
}

/* Make the last part in a folder that is there. A link that leads nowhere gives way. */
static int make(struct arena *a, int root, const char *dir, const char *name, bool is_dir, struct err *e)
{
        AUTO(close_fd) int parent = -1, fd = -1;
        const char *ignored;

        if (sandbox_point(a, root, dir, true, &ignored, e) < 0)
                return -(int)e->code;
        parent = sandbox_open_in(root, dir, O_PATH | O_DIRECTORY);
        if (parent < 0)
                return err_errno(e, "cannot open '%s' in the image", dir);
        (void)unlinkat(parent, name, 0);
        if (is_dir)
                return mkdirat(parent, name, 0755) < 0 ? err_errno(e, "cannot make '%s/%s' in the image", dir, name)
                                                       : 0;
        fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        return fd < 0 ? err_errno(e, "cannot make '%s/%s' in the image", dir, name) : 0;
}

int sandbox_point(struct arena *a, int root, const char *path, bool is_dir, const char **ret, struct err *e)
{
        char clean[SANDBOX_PATH_MAX + 1];
        struct stat st;

        if (!sandbox_path_clean(sv_from(path), clean))
                return err_set(e, ERR_USAGE, "the path '%.200s' is too long", path);
        if (!clean[0]) {
                *ret = "/";
                return is_dir ? 0 : err_set(e, ERR_USAGE, "'%s' is a folder in the image, not a file", path);
        }
        for (int tries = 0; tries < 2; tries++) {
                AUTO(close_fd) int fd = sandbox_open_in(root, clean, O_PATH);
                char *slash = strrchr(clean, '/');
                if (fd >= 0 && fstat(fd, &st) == 0) {
                        if (S_ISDIR(st.st_mode) != is_dir)
                                return err_set(e, ERR_USAGE, "'%s' is %s in the image", path,
                                               is_dir ? "no folder" : "a folder");
                        return inside_path(a, root, fd, ret, e);
                }
                if (errno != ENOENT || tries)
                        break;
                AUTO(free_ptr) char *dir = fs_path("/%.*s", slash ? (int)(slash - clean) : 0, clean);
                if (make(a, root, dir, slash ? slash + 1 : clean, is_dir, e) < 0)
                        return -(int)e->code;
        }
        return err_errno(e, "cannot open '%s' in the image", path);
}

static bool may_run(const struct stat *st, const struct sandbox_user *u)
{
        if (!S_ISREG(st->st_mode))
                return false;
        if (u->uid == 0)
                return st->st_mode & 0111;
        return st->st_mode & (st->st_uid == u->uid ? 0100 : st->st_gid == u->gid ? 0010 : 0001);
}

/* "#!interpreter": one that is missing makes exec say "no such file" of a script that is there. */
static int check_script(int root, const char *path)
{
        AUTO(close_fd) int fd = sandbox_open_in(root, path, O_RDONLY), to = -1;
        char head[256];
        ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);
        char *name;

        if (n < 3 || head[0] != '#' || head[1] != '!')
                return 0;
        head[n] = '\0';
        name = head + 2 + strspn(head + 2, " \t");
        name[strcspn(name, " \t\r\n")] = '\0';
        to = name[0] == '/' ? sandbox_open_in(root, name, O_PATH) : -1;
        return name[0] == '/' && to < 0 ? 127 : 0;
}

static int try_command(int root, const char *path, const struct sandbox_user *u)
{
        AUTO(close_fd) int fd = sandbox_open_in(root, path, O_PATH);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return errno == EACCES ? 126 : 127;
        return may_run(&st, u) ? check_script(root, path) : 126;
}

int sandbox_find_command(int root, const struct sandbox_order *o, const struct sandbox_user *u)
{
        sv path = SV(DEFAULT_PATH), dir;
        const char *name = o->argv[0];
        int worst = 127;

        if (strchr(name, '/')) {
                AUTO(free_ptr) char *whole = name[0] == '/' ? fs_path("%s", name) : fs_path("%s/%s", o->workdir, name);
                return try_command(root, whole, u);
        }
        for (size_t i = 0; i < o->n_env; i++)
                if (strncmp(o->env[i], "PATH=", 5) == 0)
                        path = sv_from(o->env[i] + 5);
        while (name[0] && sv_cut(&path, ':', &dir)) {
                AUTO(free_ptr) char *whole = fs_path("%.*s/%s", SV_ARG(dir), name);
                int r = dir.n ? try_command(root, whole, u) : 127;
                if (r == 0)
                        return 0;
                if (r == 126)
                        worst = 126;
        }
        return worst;
}
