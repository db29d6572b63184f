#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int fs_read(const char *path, struct buf *ret, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        char chunk[32768];
        ssize_t n;

        if (fd < 0)
                return err_errno(e, "cannot read '%s'", path);
        while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_errno(e, "cannot read '%s'", path);
                buf_add(ret, (sv){ chunk, (size_t)n });
                if (ret->over)
                        return err_set(e, ERR_LIMIT, "'%s' is larger than the limit of %zu bytes", path, ret->max);
        }
        return 0;
}

int fs_write_all(int fd, const void *p, size_t n, const char *path, struct err *e)
{
        const char *at = p;

        while (n) {
                ssize_t w = write(fd, at, n);
                if (w < 0 && errno == EINTR)
                        continue;
                if (w < 0)
                        return err_errno(e, "cannot write '%s'", path);
                at += w;
                n -= (size_t)w;
        }
        return 0;
}

int fs_sync_dir(const char *path, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return err_errno(e, "cannot open the folder '%s'", path);
        if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
                return err_errno(e, "cannot sync the folder '%s'", path);
        return 0;
}

int fs_write(const char *path, sv text, mode_t mode, struct err *e)
{
        static atomic_uint serial;
        AUTO(free_ptr) char *tmp = NULL;
        AUTO(free_ptr) char *dir = NULL;
        AUTO(close_fd) int fd = -1;
        const char *slash = strrchr(path, '/');

        dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
        do {
                free(tmp);
                tmp = fs_path("%s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&serial, 1));
                fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        } while (fd < 0 && errno == EEXIST);
        if (fd < 0)
                return err_errno(e, "cannot write '%s'", path);
        if (fs_write_all(fd, text.p, text.n, path, e) < 0)
                goto drop;
        if (fsync(fd) < 0) {
                err_errno(e, "cannot write '%s'", path);
                goto drop;
        }
        if (rename(tmp, path) < 0) {
                err_errno(e, "cannot replace '%s'", path);
                goto drop;
        }
        return fs_sync_dir(dir, e);
drop:
        unlink(tmp);
        return -(int)e->code;
}

int fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
        AUTO(free_ptr) char *p = xstrdup(path);

        for (char *at = p + 1;; at++) {
                char c = *at;
                if (c != '/' && c != '\0')
                        continue;
                *at = '\0';
                if (mkdir(p, mode) < 0 && errno != EEXIST)
                        return err_errno(e, "cannot make the folder '%s'", p);
                if (c == '\0')
                        break;
                *at = c;
        }
        if (!fs_is_dir(path)) {
                errno = ENOTDIR;
                return err_errno(e, "cannot make the folder '%s'", path);
        }
        return 0;
}

static int remove_at(int dir, const char *name, const char *path, struct err *e)
{
        int fd;
        DIR *d;
        struct dirent *de;
        int r = 0;

        if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM && errno != EACCES)
                return err_errno(e, "cannot remove '%s'", path);
        if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
                fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        d = fd >= 0 ? fdopendir(fd) : NULL;
        if (!d) {
                err_errno(e, "cannot remove '%s'", path);
                close_fd(&fd);
                return -(int)e->code;
        }
        (void)fchmod(fd, 0700);
        while (r == 0 && (de = readdir(d)))
                if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
                        r = remove_at(fd, de->d_name, path, e);
        closedir(d);
        if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                r = err_errno(e, "cannot remove '%s'", path);
        return r;
}

int fs_remove(const char *path, struct err *e)
{
        return remove_at(AT_FDCWD, path, path, e);
}

bool fs_exists(const char *path)
{
        return access(path, F_OK) == 0;
}

bool fs_is_dir(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int fs_list(const char *path, char ***ret, size_t *ret_n, struct err *e)
{
        DIR *d = opendir(path);
        AUTO(buf_done) struct buf names = BUF_INIT((size_t)64 << 20);
        struct dirent *de;
        size_t n = 0;
        char **v, *at;

        if (!d)
                return err_errno(e, "cannot read the folder '%s'", path);
        while ((de = readdir(d))) {
                if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
                        continue;
                buf_add(&names, (sv){ de->d_name, strlen(de->d_name) + 1 });
                n++;
        }
        closedir(d);
        if (names.over)
                return err_set(e, ERR_LIMIT, "the folder '%s' has too many names", path);
        v = xmalloc(n * sizeof(*v) + names.n + 1);
        at = (char *)(v + n);
        if (names.n)
                memcpy(at, names.p, names.n);
        for (size_t i = 0; i < n; i++, at += strlen(at) + 1)
                v[i] = at;
        qsort(v, n, sizeof(*v), by_name);
        *ret = v;
        *ret_n = n;
        return 0;
}

int fs_map_open(const char *path, struct fs_map *ret, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        void *p;

        if (fd < 0 || fstat(fd, &st) < 0)
                return err_errno(e, "cannot read '%s'", path);
        if (st.st_size == 0) {
                *ret = (struct fs_map){ (const uint8_t *)"", 0 };
                return 0;
        }
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return err_errno(e, "cannot map '%s'", path);
        *ret = (struct fs_map){ p, (size_t)st.st_size };
        return 0;
}

void fs_map_close(struct fs_map *m)
{
        if (m->p && m->n)
                munmap((void *)(uintptr_t)m->p, m->n);
        *m = (struct fs_map){ 0 };
}

char *fs_path(const char *fmt, ...)
{
        char *p = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&p, fmt, ap) < 0)
                p = xstrdup(fmt);
        va_end(ap);
        return p;
}
