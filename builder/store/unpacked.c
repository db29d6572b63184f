#include "store/store_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define NFS_MAGIC    0x6969
#define LUSTRE_MAGIC 0x0bd00bd0
#define GPFS_MAGIC   0x47504653

/* Overlay can't stand on these, and a hundred thousand small files should not. */
static bool on_network(const char *path)
{
        struct statfs fs;

        if (statfs(path, &fs) < 0)
                return false;
        return (unsigned)fs.f_type == NFS_MAGIC || (unsigned)fs.f_type == LUSTRE_MAGIC ||
               (unsigned)fs.f_type == GPFS_MAGIC;
}

static char *scratch(void)
{
        const char *dir = getenv("ENVBUILD_SCRATCH");

        return dir && dir[0] == '/' ? xstrdup(dir) : fs_path("/var/tmp/envbuild-%ld", (long)geteuid());
}

/* What is unpacked may be setuid, and /var/tmp is everybody's: the folder is ours alone, or it is not used. */
static int make_private(const char *path, struct err *e)
{
        struct stat st;

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return err_errno(e, "cannot make the folder '%s'", path);
        if (lstat(path, &st) < 0)
                return err_errno(e, "cannot read '%s'", path);
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)) {
                err_set(e, ERR_FAILED, "the folder '%s' for unpacked layers is not ours alone", path);
                err_hint(e, "point ENVBUILD_SCRATCH at a folder of yours on a local disk");
                return -(int)e->code;
        }
        return 0;
}

int store_unpacked_open(struct store *s, struct err *e)
{
        AUTO(free_ptr) char *base = on_network(s->root[0]) ? scratch() : NULL;

        s->unpacked = fs_path("%s/unpacked", base ? base : s->root[0]);
        s->unpack = fs_path("%s/tmp", base ? base : s->root[0]);
        if (!s->write)
                return 0;
        if (base && (make_private(base, e) < 0 || fs_mkdirs(s->unpack, 0700, e) < 0))
                return -(int)e->code;
        if (mkdir(s->unpacked, 0700) < 0 && errno != EEXIST)
                return err_errno(e, "cannot make the folder '%s'", s->unpacked);
        return 0;
}

const char *store_tmp(const struct store *s)
{
        return s->unpack;
}

int store_tmp_dir(struct store *s, char **ret, struct err *e)
{
        AUTO(free_ptr) char *path = NULL;

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        path = fs_path("%s/%s-%ld-%016" PRIx64, s->unpack, s->host, (long)getpid(), store_random());
        if (mkdir(path, 0700) < 0)
                return err_errno(e, "cannot make the folder '%s'", path);
        *ret = STEAL(path);
        return 0;
}

char *store_unpacked(struct store *s, const sha256 *diff_id, bool *ret_there)
{
        char *path = fs_path("%s/%s", s->unpacked, sha256_hex(diff_id).s);
        struct stat st;

        /* One owner each: what another unpacked has his uids in it, and could be changed by him while we run it. */
        if (lstat(path, &st) == 0 && st.st_uid != geteuid()) {
                free(path);
                path = fs_path("%s/%s.%ld", s->unpacked, sha256_hex(diff_id).s, (long)geteuid());
        }
        *ret_there = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
        return path;
}

int store_unpacked_put(struct store *s, const sha256 *diff_id, const char *tmp, struct err *e)
{
        bool there;
        AUTO(free_ptr) char *to = store_unpacked(s, diff_id, &there);

        if (!there && rename(tmp, to) == 0)
                return 0;
        if (!there && errno != EEXIST && errno != ENOTEMPTY)
                return err_errno(e, "cannot put the unpacked layer in its place '%s'", to);
        return fs_remove(tmp, e); /* somebody was faster: his is as good as ours */
}
