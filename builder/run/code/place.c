/* The working copy: folders first, in order; then files, several at once; links last, so that nothing is ever written through one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/pool.h"
#include "run/code/list.h"

#define A_JOB 64 /* files */

struct place {
        struct run_ctx *c;
        const struct run_snapshot *s;
        const char *dir;
        int fd;
        atomic_bool no_clone, no_range; /* this file system, or this pair of them, cannot */
};
struct job {
        struct place *p;
        size_t from, to;
};

static int cannot(const struct place *p, sv path, struct err *e)
{
        return err_errno(e, "cannot write '%s/%.*s'", p->dir, SV_ARG(path));
}

/* A path of the list as text for the kernel. */
static const char *cstr(char *room, sv path)
{
        memcpy(room, path.p, path.n);
        room[path.n] = '\0';
        return room;
}

/* --- folders */
static int make_folder(struct place *p, sv path, struct err *e)
{
        char room[RUN_PATH_MAX + 1];

        if (mkdirat(p->fd, cstr(room, path), 0777) < 0 && errno != EEXIST)
                return cannot(p, path, e);
        if (fchmodat(p->fd, room, 0755, 0) < 0) /* whatever the umask */
                return cannot(p, path, e);
        return 0;
}

static int make_parents(struct place *p, sv path, sv last, struct err *e)
{
        for (size_t i = 0; i < path.n; i++) {
                sv dir = sv_from_to(path, 0, i);
                if (path.p[i] != '/' || (sv_starts(last, dir) && last.n > i && last.p[i] == '/'))
                        continue;
                if (make_folder(p, dir, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int make_folders(struct place *p, struct err *e)
{
        sv last = { 0 };

        for (size_t i = 0; i < p->s->n; i++) {
                const struct run_file *f = &p->s->v[i];
                if (make_parents(p, f->path, last, e) < 0 ||
                    (f->kind == RUN_FILE_DIR && make_folder(p, f->path, e) < 0))
                        return -(int)e->code;
                last = f->path;
        }
        return 0;
}

/* --- files */
/* 1: done; 0: another way is needed. */
static int by_range(struct place *p, int from, int to, uint64_t size)
{
        uint64_t done = 0;
        ssize_t n = 1;

        while (done < size && (n = copy_file_range(from, NULL, to, NULL, size - done, 0)) > 0)
                done += (uint64_t)n;
        if (done == size)
                return 1;
        if (n < 0 && !done)
                atomic_store(&p->no_range, true);
        return 0;
}

static int by_hand(struct place *p, int from, int to, const struct run_file *f, struct err *e)
{
        AUTO(free_ptr) char *chunk = xmalloc((size_t)1 << 17);
        uint64_t done = 0;
        ssize_t n;

        if (lseek(from, 0, SEEK_SET) < 0 || lseek(to, 0, SEEK_SET) < 0)
                return cannot(p, f->path, e);
        while ((n = read(from, chunk, (size_t)1 << 17)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cannot(p, f->path, e);
                if (fs_write_all(to, chunk, (size_t)n, p->dir, e) < 0)
                        return err_while(e, "writing '%.*s'", SV_ARG(f->path));
                done += (uint64_t)n;
        }
        if (done != f->size)
                return err_set(e, ERR_INTEGRITY, "sha256:%s in the store has %llu bytes, not %llu",
                               sha256_hex(&f->digest).s, (unsigned long long)done, (unsigned long long)f->size);
        return 0;
}

static int copy(struct place *p, int from, int to, const struct run_file *f, struct err *e)
{
        struct stat st;

        if (fstat(from, &st) == 0 && (uint64_t)st.st_size == f->size) {
                if (!atomic_load(&p->no_clone)) {
                        if (ioctl(to, FICLONE, from) == 0)
                                return 0;
                        atomic_store(&p->no_clone, true);
                }
                if (!atomic_load(&p->no_range) && by_range(p, from, to, f->size))
                        return 0;
        }
        return by_hand(p, from, to, f, e);
}

static int place_file(struct place *p, const struct run_file *f, struct err *e)
{
        AUTO(free_ptr) char *path = store_find(p->c->store, STORE_CODE, &f->digest);
        AUTO(close_fd) int from = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        char room[RUN_PATH_MAX + 1];
        AUTO(close_fd) int to = -1;
        mode_t mode = f->executable ? 0755 : 0644;

        if (from < 0) {
                err_set(e, ERR_NOT_FOUND, "the store has lost '%.*s' of the snapshot (sha256:%s)", SV_ARG(f->path),
                        sha256_hex(&f->digest).s);
                err_hint(e, "submit the run again from its source");
                return -(int)e->code;
        }
        to = openat(p->fd, cstr(room, f->path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (to < 0 || fchmod(to, mode) < 0)
                return cannot(p, f->path, e);
        return copy(p, from, to, f, e);
}

static int place_job(void *arg, struct err *e)
{
        struct job *j = arg;

        for (size_t i = j->from; i < j->to; i++)
                if (j->p->s->v[i].kind == RUN_FILE &&
                    (op_check(j->p->c->op, e) < 0 || place_file(j->p, &j->p->s->v[i], e) < 0))
                        return -(int)e->code;
        return 0;
}

static int place_files(struct place *p, struct err *e)
{
        size_t n = (p->s->n + A_JOB - 1) / A_JOB;
        AUTO(free_ptr) struct job *job = xcalloc(n + 1, sizeof(*job));
        AUTO(free_ptr) struct pool_job *pool = xcalloc(n + 1, sizeof(*pool));

        for (size_t i = 0; i < n; i++) {
                job[i] = (struct job){ p, i * A_JOB, i + 1 == n ? p->s->n : (i + 1) * A_JOB };
                for (size_t k = job[i].from; k < job[i].to; k++)
                        pool[i].size += p->s->v[k].size;
                pool[i].run = place_job;
                pool[i].arg = &job[i];
        }
        return n ? pool_run(p->c->op, pool, n, e) : 0;
}

/* --- links */
static int place_links(struct place *p, struct err *e)
{
        static const char *const own[][2] = { { "../outputs", "outputs" }, { "../logs", "logs" } };
        char path[RUN_PATH_MAX + 1], target[RUN_PATH_MAX + 1];

        for (size_t i = 0; i < p->s->n; i++) {
                const struct run_file *f = &p->s->v[i];
                if (f->kind == RUN_FILE_LINK && symlinkat(cstr(target, f->target), p->fd, cstr(path, f->path)) < 0)
                        return cannot(p, f->path, e);
        }
        for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
                if (symlinkat(own[i][0], p->fd, own[i][1]) < 0)
                        return cannot(p, sv_from(own[i][1]), e);
        return 0;
}

static int open_empty(const char *dir, int *ret, struct err *e)
{
        AUTO(free_ptr) char **names = NULL;
        size_t n = 0;

        if (mkdir(dir, 0755) < 0 && errno != EEXIST)
                return err_errno(e, "cannot make the folder '%s'", dir);
        if (fs_list(dir, &names, &n, e) < 0)
                return -(int)e->code;
        if (n)
                return err_set(e, ERR_USAGE, "the folder '%s' is not empty", dir);
        *ret = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return *ret < 0 ? err_errno(e, "cannot open the folder '%s'", dir) : 0;
}

int run_snapshot_place(struct run_ctx *c, const struct run_snapshot *s, const char *dir, struct err *e)
{
        struct place p = { .c = c, .s = s, .dir = dir, .fd = -1 };
        int r = open_empty(dir, &p.fd, e);

        if (r == 0 && (make_folders(&p, e) < 0 || place_files(&p, e) < 0 || place_links(&p, e) < 0))
                r = err_while(e, "copying the source to '%s'", dir);
        close_fd(&p.fd);
        return r;
}
