#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/pool.h"

#define EACH_MAX 32 /* so many files are synced one by one; for more, the file system is, once */
#define YOUNG    3600

struct batch_file {
        char *tmp;
        sha256 digest;
};
struct store_batch {
        struct store *store;
        enum store_kind kind;
        pthread_mutex_t lock; /* all below */
        struct batch_file *v;
        size_t n, cap;
        int fd[EACH_MAX]; /* of the first ones, while they are few */
        size_t n_fd;
};

int store_batch_begin(struct store *s, enum store_kind kind, struct store_batch **ret, struct err *e)
{
        struct store_batch *b;

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        b = xcalloc(1, sizeof(*b));
        b->store = s;
        b->kind = kind;
        pthread_mutex_init(&b->lock, NULL);
        *ret = b;
        return 0;
}

static void close_all(struct store_batch *b)
{
        for (size_t i = 0; i < b->n_fd; i++)
                close(b->fd[i]);
        b->n_fd = 0;
}

/* Takes tmp and fd. */
static void keep(struct store_batch *b, char *tmp, const sha256 *d, int fd)
{
        pthread_mutex_lock(&b->lock);
        b->v = xgrow(b->v, &b->cap, b->n + 1, sizeof(*b->v));
        b->v[b->n++] = (struct batch_file){ tmp, *d };
        if (b->n <= EACH_MAX)
                b->fd[b->n_fd++] = fd;
        else {
                close_all(b);
                close(fd);
        }
        pthread_mutex_unlock(&b->lock);
}

static int write_one(int fd, const char *path, struct reader *r, const sha256 *want, struct err *e)
{
        AUTO(hash_writer_done) struct hash_writer hash = { 0 };
        struct fd_writer file;
        struct writer *w = hash_writer_init(&hash, fd_writer_init(&file, fd, path));

        if (reader_copy(r, w, NULL, e) < 0 || writer_finish(w, e) < 0)
                return -(int)e->code;
        if (!sha256_eq(&hash.digest, want))
                return err_set(e, ERR_INTEGRITY, "what arrived is not sha256:%s but sha256:%s", sha256_hex(want).s,
                               sha256_hex(&hash.digest).s);
        return 0;
}

int store_batch_add(struct store_batch *b, const sha256 *d, struct reader *r, struct err *e)
{
        AUTO(free_ptr) char *tmp = NULL;
        AUTO(close_fd) int fd = -1;
        int keeping;

        if (store_temp(b->store, &tmp, &fd, e) < 0)
                return -(int)e->code;
        if (write_one(fd, tmp, r, d, e) < 0) {
                unlink(tmp);
                return -(int)e->code;
        }
        keeping = fd;
        fd = -1;
        keep(b, STEAL(tmp), d, keeping);
        return 0;
}

static int sync_job(void *arg, struct err *e)
{
        return fsync(*(int *)arg) < 0 ? err_errno(e, "cannot write to the store") : 0;
}

/* At once: then a journal that has them all is written once. */
static int sync_each(struct store_batch *b, struct err *e)
{
        struct op wide = { .jobs = EACH_MAX };
        struct pool_job job[EACH_MAX];

        for (size_t i = 0; i < b->n_fd; i++)
                job[i] = (struct pool_job){ .run = sync_job, .arg = &b->fd[i] };
        return pool_run(&wide, job, b->n_fd, e);
}

/* A kernel that cannot sync one file system says ENOSYS; there is none among those that have the rest of what we use. */
static int sync_all(struct store_batch *b, const char *folder, struct err *e)
{
        AUTO(close_fd) int dir = -1;

        if (b->n > EACH_MAX) {
                dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                return dir < 0 || syncfs(dir) < 0 ? err_errno(e, "cannot write to '%s'", folder) : 0;
        }
        return sync_each(b, e);
}

int store_batch_commit(struct store_batch *b, struct err *e)
{
        AUTO(free_ptr) char *folder = fs_path("%s/%s", b->store->root[0], store_folder[b->kind]);

        if (!b->n)
                return 0;
        if (sync_all(b, folder, e) < 0)
                return -(int)e->code;
        for (; b->n; b->n--) {
                struct batch_file *f = &b->v[b->n - 1];
                AUTO(free_ptr) char *to = store_path(b->store, 0, b->kind, &f->digest);
                if (rename(f->tmp, to) < 0)
                        return err_errno(e, "cannot put '%s' in its place", to);
                free(f->tmp);
        }
        close_all(b);
        return 0;
}

void store_batch_free(struct store_batch *b)
{
        if (!b)
                return;
        close_all(b);
        for (size_t i = 0; i < b->n; i++) {
                unlink(b->v[i].tmp);
                free(b->v[i].tmp);
        }
        free(b->v);
        pthread_mutex_destroy(&b->lock);
        free(b);
}

void store_have(struct store *s, enum store_kind kind, const sha256 *d, size_t n, bool *ret)
{
        AUTO(free_ptr) char *folder = fs_path("%s/%s", s->root[0], store_folder[kind]);
        AUTO(close_fd) int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        time_t now = time(NULL);
        struct stat st;

        for (size_t i = 0; i < n; i++) {
                sha256_text name = sha256_hex(&d[i]);
                bool young = dir >= 0 && fstatat(dir, name.s, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
                             now - st.st_mtim.tv_sec < YOUNG && st.st_mtim.tv_sec - now < YOUNG;
                ret[i] = young || store_has(s, kind, &d[i], NULL);
        }
}

struct store_mark store_mark(struct store *s, enum store_kind kind)
{
        AUTO(free_ptr) char *folder = fs_path("%s/%s", s->root[0], store_folder[kind]);
        struct stat st;

        if (stat(folder, &st) < 0)
                return (struct store_mark){ 0 };
        return (struct store_mark){ st.st_ino, (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
                                    time(NULL) };
}

bool store_mark_holds(struct store *s, enum store_kind kind, const struct store_mark *m)
{
        struct store_mark now = store_mark(s, kind);

        return now.inode && now.inode == m->inode && now.mtime_ns == m->mtime_ns && now.taken >= m->taken &&
               now.taken - m->taken < YOUNG;
}
