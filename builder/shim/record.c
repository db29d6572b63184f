/* status/<attempt>/: this rank's record, and who failed first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

enum { TEXT_MAX = 4096 };

/* Blocks that the last word is written into: they are ours before the command can fill the disk. */
static int reserve(struct shim_record *r, struct err *e)
{
        AUTO(close_fd) int fd = open(r->reserve, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        char room[TEXT_MAX];

        memset(room, ' ', sizeof(room));
        if (fd < 0)
                return err_errno(e, "cannot write '%s'", r->reserve);
        if (fs_write_all(fd, room, sizeof(room), r->reserve, e) < 0)
                return -(int)e->code;
        return fsync(fd) < 0 ? err_errno(e, "cannot write '%s'", r->reserve) : 0;
}

int shim_record_start(struct shim_record *r, const struct shim_options *o, const struct shim_place *p, int64_t start_us,
                      struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX);

        *r = (struct shim_record){ .o = o, .p = p };
        r->dir = fs_path("%s/status/%u", o->dir, o->attempt);
        r->path = fs_path("%s/rank-%u.json", r->dir, p->rank);
        r->reserve = fs_path("%s/.rank-%u.end", r->dir, p->rank);
        if (gethostname(r->host, sizeof(r->host) - 1) < 0)
                r->host[0] = '\0';
        shim_record_text(o, p, r->host, getpid(), start_us, NULL, &text);
        if (buf_check(&text, e) < 0 || fs_mkdirs(r->dir, 0755, e) < 0 || reserve(r, e) < 0)
                return -(int)e->code;
        return fs_write(r->path, buf_sv(&text), 0644, e);
}

/* Into the reserved blocks; they are cut before anybody can see them under the record's name. */
static int end_reserved(struct shim_record *r, sv text, struct err *e)
{
        AUTO(close_fd) int fd = open(r->reserve, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return err_errno(e, "cannot write '%s'", r->reserve);
        if (fs_write_all(fd, text.p, text.n, r->reserve, e) < 0)
                return -(int)e->code;
        if (ftruncate(fd, (off_t)text.n) < 0 || fsync(fd) < 0)
                return err_errno(e, "cannot write '%s'", r->reserve);
        if (rename(r->reserve, r->path) < 0)
                return err_errno(e, "cannot replace '%s'", r->path);
        return fs_sync_dir(r->dir, e);
}

/* A pod's own place for last words; it is mounted, so it cannot be replaced. */
static void last_words(const char *path, sv text)
{
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        AUTO(err_done) struct err e = { 0 };

        if (fd < 0 || fs_write_all(fd, text.p, text.n, path, &e) < 0)
                dprintf(STDERR_FILENO, "envbuild-rank: cannot write '%s'\n", path);
}

int shim_record_end(struct shim_record *r, const struct shim_end *end, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
        AUTO(err_done) struct err first = { 0 };

        shim_record_text(r->o, r->p, r->host, getpid(), end->start_us, end, &text);
        if (r->o->termination_log)
                last_words(r->o->termination_log, buf_sv(&text));
        if (end_reserved(r, buf_sv(&text), &first) == 0)
                return 0;
        /* somebody took it away: in the usual way then */
        return fs_write(r->path, buf_sv(&text), 0644, e);
}

int shim_record_failed(struct shim_record *r, struct err *e)
{
        AUTO(free_ptr) char *own = fs_path("%s/.failed-%u", r->dir, r->p->rank);
        AUTO(free_ptr) char *path = fs_path("%s/failed", r->dir);
        AUTO(free_ptr) char *text = fs_path("rank %u\n", r->p->rank);
        AUTO(close_fd) int fd = -1;

        if (fs_write(own, sv_from(text), 0644, e) < 0)
                return -(int)e->code;
        /* a link appears with its text, a new file without: nobody shall read half of it. EEXIST: somebody was first. */
        if (link(own, path) < 0 && errno != EEXIST) {
                fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
                if (fd < 0 && errno != EEXIST)
                        err_errno(e, "cannot write '%s'", path);
                else if (fd >= 0)
                        fs_write_all(fd, text, strlen(text), path, e);
        }
        unlink(own);
        return e->code ? -(int)e->code : fs_sync_dir(r->dir, e);
}

void shim_record_done(struct shim_record *r)
{
        free(r->dir);
        free(r->path);
        free(r->reserve);
        *r = (struct shim_record){ 0 };
}

bool shim_wanted(const struct shim_options *o, const char *sub, const char *name)
{
        AUTO(free_ptr) char *dir = fs_path("%s/%s", o->dir, sub);
        /* opening the folder makes NFS ask for its times, and so forget that the name was not there */
        AUTO(close_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd >= 0 && faccessat(fd, name, F_OK, 0) == 0;
}
