/* A snapshot is taken in steps: walk, digests (the index, else read), what the store lacks, the list, the index. Files are read twice when they
 * are new: what is written is checked against the digest that the list has, so that no file of the store is half of one write and half of another. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/pool.h"
#include "ext/hash.h"
#include "run/code/code_priv.h"

#define INDEX_MAX ((size_t)512 << 20)
#define TRIES     3

struct take {
        struct run_source s;
        sha256 key; /* of the index */
        struct buf old;
        bool all_there; /* what the index knows is in the store: it said so, and nothing happened since */
        int64_t time;
        struct run_snapshot snap;
        struct buf list;
        struct store_batch *batch;
};

struct job {
        struct take *t;
        struct run_found *f;
};

static void take_done(struct take *t)
{
        buf_done(&t->old);
        buf_done(&t->list);
        store_batch_free(t->batch);
        close_fd(&t->s.fd);
}

static int64_t now_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- digests */
static int open_file(const struct run_source *s, const struct run_found *f)
{
        return openat(s->fd, f->file.path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* *ret_size: what there was. */
static int hash_fd(struct op *op, int fd, sha256 *ret, uint64_t *ret_size, struct err *e)
{
        AUTO(hash_freep) struct hash *h = hash_new(HASH_SHA256);
        AUTO(free_ptr) char *chunk = xmalloc((size_t)1 << 17);
        ssize_t n;

        *ret_size = 0;
        while ((n = read(fd, chunk, (size_t)1 << 17)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno;
                hash_add(h, chunk, (size_t)n);
                *ret_size += (uint64_t)n;
                if (op_check(op, e) < 0)
                        return ECANCELED;
        }
        hash_end(h, ret->b);
        return 0;
}

static bool looks_same(const struct run_seen *a, const struct run_seen *b)
{
        return a->size == b->size && a->inode == b->inode && a->mtime == b->mtime && a->ctime == b->ctime;
}

/* Once: 0, an errno, or RUN_FAULT_CHANGED. */
static int hash_once(const struct run_source *s, struct run_found *f, struct err *e)
{
        AUTO(close_fd) int fd = open_file(s, f);
        struct stat before, after;
        struct run_seen now;
        uint64_t size;
        int why;

        if (fd < 0 || fstat(fd, &before) < 0)
                return errno == ELOOP ? RUN_FAULT_CHANGED : errno;
        if (!S_ISREG(before.st_mode))
                return RUN_FAULT_CHANGED;
        f->seen = run_seen_of(&before);
        f->file.size = f->seen.size;
        f->file.executable = before.st_mode & S_IXUSR;
        why = hash_fd(s->c->op, fd, &f->file.digest, &size, e);
        if (why)
                return why;
        if (fstat(fd, &after) < 0)
                return errno;
        now = run_seen_of(&after);
        return size == f->seen.size && looks_same(&now, &f->seen) ? 0 : RUN_FAULT_CHANGED;
}

static int hash_job(void *arg, struct err *e)
{
        struct job *j = arg;
        int tries = TRIES;

        do
                j->f->fault = hash_once(&j->t->s, j->f, e);
        while (j->f->fault == RUN_FAULT_CHANGED && --tries);
        j->f->known = j->f->fault == 0;
        j->f->fresh = true;
        return -(int)e->code;
}

static int run_jobs(struct take *t, struct run_found *const *v, size_t n, int (*run)(void *, struct err *),
                    struct err *e)
{
        struct job *job = arena_array(t->s.a, struct job, n + 1);
        struct pool_job *p = arena_array(t->s.a, struct pool_job, n + 1);

        for (size_t i = 0; i < n; i++) {
                job[i] = (struct job){ t, v[i] };
                p[i] = (struct pool_job){ v[i]->file.size, run, &job[i] };
        }
        return n ? pool_run(t->s.c->op, p, n, e) : 0;
}

static bool faults_of(struct take *t, struct run_found *const *v, size_t n)
{
        bool any = false;

        for (size_t i = 0; i < n; i++)
                if (v[i]->fault) {
                        any = true;
                        run_source_fault(&t->s, v[i]);
                }
        return any;
}

/* The folder, not the name it was reached by. */
static void open_index(struct take *t, const char *dir, struct run_index *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(free_ptr) char *real = realpath(dir, NULL);

        *ret = (struct run_index){ 0 };
        t->key = sha256_of(sv_from(real ? real : dir));
        if (store_note_get(t->s.c->store, STORE_TREE, &t->key, &t->old, &ignored) < 0 ||
            !run_index_open(buf_sv(&t->old), ret))
                buf_clear(&t->old);
        t->all_there = t->old.n && store_mark_holds(t->s.c->store, STORE_CODE, &ret->mark);
}

static int digests(struct take *t, const char *dir, struct err *e)
{
        struct run_source *s = &t->s;
        struct run_found **v = arena_array(s->a, struct run_found *, s->n + 1);
        struct run_index x;
        size_t n = 0;

        open_index(t, dir, &x);
        for (size_t i = 0; i < s->n; i++) {
                struct run_found *f = &s->v[i];
                if (f->file.kind != RUN_FILE)
                        continue;
                f->known = run_index_find(&x, f->file.path, &f->seen, &f->file.digest);
                if (!f->known)
                        v[n++] = f;
        }
        if (run_jobs(t, v, n, hash_job, e) < 0)
                return -(int)e->code;
        faults_of(t, v, n);
        return 0;
}

/* --- the list, and links that leave */
static void make_list(struct take *t)
{
        struct run_snapshot *x = &t->snap;

        x->v = arena_array(t->s.a, struct run_file, t->s.n + 1);
        for (size_t i = 0; i < t->s.n; i++) {
                x->v[x->n++] = t->s.v[i].file;
                x->files += t->s.v[i].file.kind != RUN_FILE_DIR;
                x->bytes += t->s.v[i].file.size;
        }
        run_list_write(x, &t->list);
        x->digest = sha256_of(buf_sv(&t->list));
}

static void check_links(struct take *t)
{
        const struct run_file *f;
        size_t at = 0;

        while ((f = run_link_leaves(&t->snap, &at))) {
                size_t i = diag_add(t->s.c->diags, run_source_name(&t->s, f->path), 0, 0, "EB522",
                                    "the link leads out of the source: '%.*s'", SV_ARG(f->target));
                diag_hint(t->s.c->diags, i, "name it in .amlignore, or make what it leads to an input");
        }
}

static int refuse(struct take *t, size_t before, struct err *e)
{
        size_t n = t->s.c->diags->n_errors - before;

        if (!n)
                return 0;
        return err_set(e, ERR_USAGE, "the source '%.*s' cannot be taken: %zu fault%s", SV_ARG(t->s.dir), n,
                       n == 1 ? "" : "s");
}

/* --- into the store */
static int keep_job(void *arg, struct err *e)
{
        struct job *j = arg;
        AUTO(close_fd) int fd = open_file(&j->t->s, j->f);
        struct fd_reader r;

        if (fd < 0) {
                j->f->fault = errno;
                return 0;
        }
        if (op_check(j->t->s.c->op, e) < 0)
                return -(int)e->code;
        if (store_batch_add(j->t->batch, &j->f->file.digest, fd_reader_init(&r, fd, j->f->file.path.p), e) < 0) {
                if (e->code != ERR_INTEGRITY)
                        return -(int)e->code;
                err_done(e);
                j->f->fault = RUN_FAULT_CHANGED;
        }
        return 0;
}

static int by_digest(const void *a, const void *b)
{
        return sha256_cmp(&(*(struct run_found *const *)a)->file.digest, &(*(struct run_found *const *)b)->file.digest);
}

/* One of each content that is not there. */
static size_t missing(struct take *t, struct run_found **v)
{
        struct run_source *s = &t->s;
        sha256 *d = arena_array(s->a, sha256, s->n + 1);
        bool *have = arena_array(s->a, bool, s->n + 1);
        struct run_found **of = arena_array(s->a, struct run_found *, s->n + 1);
        size_t n = 0, m = 0, unique = 0;

        for (size_t i = 0; i < s->n; i++)
                if (s->v[i].file.kind == RUN_FILE && (s->v[i].fresh || !t->all_there)) {
                        of[n] = &s->v[i];
                        d[n++] = s->v[i].file.digest;
                }
        store_have(s->c->store, STORE_CODE, d, n, have);
        for (size_t i = 0; i < n; i++)
                if (!have[i])
                        v[m++] = of[i];
        if (m)
                qsort(v, m, sizeof(struct run_found *), by_digest);
        for (size_t i = 0; i < m; i++)
                if (!unique || !sha256_eq(&v[unique - 1]->file.digest, &v[i]->file.digest))
                        v[unique++] = v[i];
        return unique;
}

static int add_list(struct take *t, struct err *e)
{
        struct mem_reader r;

        if (store_has(t->s.c->store, STORE_CODE, &t->snap.digest, NULL))
                return 0;
        return store_batch_add(t->batch, &t->snap.digest, mem_reader_init(&r, buf_sv(&t->list)), e);
}

static int keep(struct take *t, struct err *e)
{
        struct run_found **v = arena_array(t->s.a, struct run_found *, t->s.n + 1);
        size_t n = missing(t, v), before = t->s.c->diags->n_errors;

        if (store_batch_begin(t->s.c->store, STORE_CODE, &t->batch, e) < 0 || run_jobs(t, v, n, keep_job, e) < 0)
                return -(int)e->code;
        if (faults_of(t, v, n))
                return refuse(t, before, e);
        for (size_t i = 0; i < n; i++) {
                t->snap.moved_files++;
                t->snap.moved_bytes += v[i]->file.size;
        }
        return add_list(t, e) < 0 ? -(int)e->code : store_batch_commit(t->batch, e);
}

/* What a crash or a full disk takes of it costs reading the files again. */
static void keep_index(struct take *t)
{
        AUTO(buf_done) struct buf text = BUF_INIT(INDEX_MAX);
        AUTO(err_done) struct err ignored = { 0 };
        struct store_mark mark = store_mark(t->s.c->store, STORE_CODE);
        bool fresh = !t->all_there;

        run_index_begin(&text, t->time, &mark);
        for (size_t i = 0; i < t->s.n; i++) {
                const struct run_found *f = &t->s.v[i];
                if (f->file.kind != RUN_FILE)
                        continue;
                run_index_add(&text, f->file.path, &f->seen, &f->file.digest);
                fresh |= f->fresh;
        }
        run_index_end(&text);
        if (!text.over && (fresh || text.n != t->old.n))
                (void)store_note_put(t->s.c->store, STORE_TREE, &t->key, buf_sv(&text), &ignored);
}

static int take(struct take *t, const char *dir, struct err *e)
{
        size_t before = t->s.c->diags->n_errors;

        t->s.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (t->s.fd < 0)
                return err_errno(e, "cannot read the source '%s'", dir);
        if (run_source_walk(&t->s, e) < 0 || digests(t, dir, e) < 0)
                return -(int)e->code;
        make_list(t);
        check_links(t);
        if (buf_check(&t->list, e) < 0 || refuse(t, before, e) < 0)
                return -(int)e->code;
        run_source_warn(&t->s, &t->snap);
        if (keep(t, e) < 0)
                return -(int)e->code;
        keep_index(t);
        return 0;
}

int run_snapshot_take(struct run_ctx *c, struct arena *a, const char *dir, struct run_snapshot *ret, struct err *e)
{
        AUTO(take_done) struct take t = { .s = { .c = c, .a = a, .dir = arena_sv(a, sv_from(dir)), .fd = -1 },
                                          .old = BUF_INIT(INDEX_MAX),
                                          .list = BUF_INIT(RUN_LIST_MAX),
                                          .time = now_ns() };

        if (take(&t, dir, e) < 0)
                return err_while(e, "taking a snapshot of '%s'", dir);
        *ret = t.snap;
        return 0;
}

int run_snapshot_save(struct run_ctx *c, const struct run_snapshot *s, struct err *e)
{
        AUTO(buf_done) struct buf list = BUF_INIT(RUN_LIST_MAX);

        if (store_has(c->store, STORE_CODE, &s->digest, NULL))
                return 0;
        run_list_write(s, &list);
        return buf_check(&list, e) < 0 ? -(int)e->code : store_put_bytes(c->store, STORE_CODE, buf_sv(&list), NULL, e);
}

int run_snapshot_load(struct run_ctx *c, struct arena *a, const sha256 *digest, struct run_snapshot *ret, struct err *e)
{
        AUTO(buf_done) struct buf list = BUF_INIT(RUN_LIST_MAX);

        if (store_read(c->store, STORE_CODE, digest, &list, e) < 0 ||
            run_list_parse(a, arena_sv(a, buf_sv(&list)), ret, e) < 0)
                return err_while(e, "reading the snapshot sha256:%s", sha256_hex(digest).s);
        return 0;
}
