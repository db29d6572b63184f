/* base/fs.h - files and folders. Paths are NUL-terminated; errors name the path. Nothing follows a link that it did not make,
 * where that is said. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sv.h"

/** Append the whole file to *ret; -ERR_NOT_FOUND, -ERR_IO, -ERR_LIMIT (ret->max). */
int fs_read(const char *path, struct buf *ret, struct err *e);
/** Replace a file atomically: O_EXCL temporary beside it, fsync, rename, fsync of the folder. */
int fs_write(const char *path, sv text, mode_t mode, struct err *e);
/** mkdir -p; existing folders are fine. */
int fs_mkdirs(const char *path, mode_t mode, struct err *e);
/** rm -rf without following links; a missing path is fine. Unreadable folders are made readable first. */
int fs_remove(const char *path, struct err *e);
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
int fs_write_all(int fd, const void *p, size_t n, const char *path, struct err *e);
/** fsync a folder; file systems that cannot are fine. */
int fs_sync_dir(const char *path, struct err *e);
/** Names in a folder except . and .., sorted bytewise, in one heap block that starts with the array: free(*ret). */
int fs_list(const char *path, char ***ret, size_t *ret_n, struct err *e);

/* A whole file, read-only, mapped: the kernel may drop its pages, so it does not count as memory. */
struct fs_map {
        const uint8_t *p;
        size_t n;
};
int fs_map_open(const char *path, struct fs_map *ret, struct err *e);
void fs_map_close(struct fs_map *m);

/** printf into a heap path that AUTO(free_ptr) can release. */
char *fs_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
