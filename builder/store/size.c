#include "store/store_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* An image's folders are as deep as PATH_MAX lets them be; ours are not. */
#define DEPTH_MAX 256

static void count(int dir, const char *name, int depth, struct store_usage *u)
{
        int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *de;
        struct stat st;

        if (!d) {
                close_fd(&fd);
                return;
        }
        while ((de = readdir(d))) {
                if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0 ||
                    fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISDIR(st.st_mode)) {
                        if (depth < DEPTH_MAX)
                                count(fd, de->d_name, depth + 1, u);
                        continue;
                }
                u->files++;
                u->bytes += (uint64_t)st.st_size / (st.st_nlink ? (uint64_t)st.st_nlink : 1); /* each link its share */
        }
        closedir(d);
}

int store_usage(struct store *s, struct store_usage ret[static 8], size_t *ret_n, struct err *e)
{
        static const struct {
                const char *what, *folder;
        } part[] = { { "blobs", "oci/blobs" }, { "packages", "packages" }, { "bodies", "layers/bodies" },
                     { "pages", "http" },      { "texts", "texts" },       { "indexes", "indexes" },
                     { "code", "code" },       { "unpacked", NULL } };

        for (size_t i = 0; i < ARRAY_LEN(part); i++) {
                AUTO(free_ptr) char *path =
                        part[i].folder ? fs_path("%s/%s", s->root[0], part[i].folder) : fs_path("%s", s->unpacked);
                ret[i] = (struct store_usage){ .what = part[i].what };
                if (op_check(s->op, e) < 0)
                        return -(int)e->code;
                count(AT_FDCWD, path, 0, &ret[i]);
        }
        *ret_n = ARRAY_LEN(part);
        return 0;
}
