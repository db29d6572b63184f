#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int store_temp(struct store *s, char **ret_path, int *ret_fd, struct err *e)
{
        char *path;
        int fd;

        do { /* another host may have our pid: only chance keeps names apart */
                path = fs_path("%s/tmp/%s-%ld-%016" PRIx64, s->root[0], s->host, (long)getpid(), store_random());
                fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
                if (fd >= 0)
                        break;
                if (errno != EEXIST)
                        err_errno(e, "cannot write '%s'", path);
                free(path);
        } while (e->code == ERR_NONE);
        if (fd < 0)
                return -(int)e->code;
        *ret_path = path;
        *ret_fd = fd;
        return 0;
}

static int sync_and_close(int *fd, const char *path, struct err *e)
{
        int closing;

        if (fsync(*fd) < 0)
                return err_errno(e, "cannot write '%s'", path);
        closing = *fd;
        *fd = -1;
        return close(closing) < 0 ? err_errno(e, "cannot write '%s'", path) : 0; /* NFS and quotas tell here */
}

int store_place(char **tmp, int *fd, const char *to, struct err *e)
{
        AUTO(free_ptr) char *folder = xstrndup(to, (size_t)(strrchr(to, '/') - to));
        int r = sync_and_close(fd, to, e);

        if (r == 0 && rename(*tmp, to) < 0)
                r = err_errno(e, "cannot put '%s' in its place", to);
        if (r < 0)
                unlink(*tmp);
        close_fd(fd);
        free(STEAL(*tmp));
        return r < 0 ? r : fs_sync_dir(folder, e);
}

int store_replace(struct store *s, const char *to, sv text, struct err *e)
{
        char *tmp = NULL;
        int fd = -1;

        if (store_temp(s, &tmp, &fd, e) < 0)
                return -(int)e->code;
        if (fs_write_all(fd, text.p, text.n, to, e) < 0) {
                unlink(tmp);
                free(tmp);
                close_fd(&fd);
                return -(int)e->code;
        }
        return store_place(&tmp, &fd, to, e);
}

int store_replace_hint(struct store *s, const char *to, sv text, struct err *e)
{
        AUTO(free_ptr) char *tmp = NULL;
        AUTO(close_fd) int fd = -1;

        if (store_temp(s, &tmp, &fd, e) < 0)
                return -(int)e->code;
        if (fs_write_all(fd, text.p, text.n, to, e) == 0 && rename(tmp, to) < 0)
                err_errno(e, "cannot put '%s' in its place", to);
        if (e->code)
                unlink(tmp);
        return -(int)e->code;
}

void store_freshen(struct store *s, const char *folder)
{
        AUTO(free_ptr) char *path = fs_path("%s/.%s-%ld-%016" PRIx64, folder, s->host, (long)getpid(), store_random());
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd >= 0)
                unlink(path);
}
