#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/pool.h"

#define CLAIM_MAX ((size_t)4096)

/* True when the file holds exactly this text. */
static bool holds(const char *path, const char *text)
{
        AUTO(buf_done) struct buf b = BUF_INIT(CLAIM_MAX);
        AUTO(err_done) struct err ignored = { 0 };

        return fs_read(path, &b, &ignored) == 0 && sv_is(buf_sv(&b), text);
}

/* 1: somebody has it. */
static int create(struct store *s, const char *path, struct store_claim *ret, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        char *text;

        if (fd < 0 && errno == EEXIST)
                return POOL_AGAIN;
        if (fd < 0)
                return err_errno(e, "cannot write '%s'", path);
        text = fs_path("%s %ld %" PRId64 " %016" PRIx64 "\n", s->host, (long)getpid(), clock_unix(), store_random());
        if (fs_write_all(fd, text, strlen(text), path, e) < 0 || store_beat_add(s, path, s->times.claim_touch, e) < 0) {
                unlink(path);
                free(text);
                return -(int)e->code;
        }
        *ret = (struct store_claim){ s, xstrdup(path), text };
        return 0;
}

/* Opened and fstat'ed each time: an NFS client answers a stat from its cache. False: it is gone. */
static bool mtime_of(const char *path, struct timespec *ret)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return false;
        *ret = st.st_mtim;
        return true;
}

static struct store_watch *watch_of(struct store *s, const sha256 *key)
{
        for (size_t i = 0; i < s->n_watch; i++)
                if (sha256_eq(&s->watch[i].key, key))
                        return &s->watch[i];
        s->watch = xgrow(s->watch, &s->cap_watch, s->n_watch + 1, sizeof(*s->watch));
        s->watch[s->n_watch] = (struct store_watch){ .key = *key };
        return &s->watch[s->n_watch++];
}

static void forget(struct store *s, const sha256 *key)
{
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < s->n_watch; i++)
                if (sha256_eq(&s->watch[i].key, key))
                        s->watch[i--] = s->watch[--s->n_watch];
        pthread_mutex_unlock(&s->lock);
}

/* Its time stood still for long enough while our own clock ran. Clocks of hosts are never compared. */
static bool is_dead(struct store *s, const sha256 *key, struct timespec mtime)
{
        int64_t now = clock_ms();
        struct store_watch *w;
        bool dead;

        pthread_mutex_lock(&s->lock);
        w = watch_of(s, key);
        if (!w->since || w->mtime.tv_sec != mtime.tv_sec || w->mtime.tv_nsec != mtime.tv_nsec) {
                w->mtime = mtime;
                w->since = now;
        }
        dead = now - w->since >= s->times.claim_dead;
        pthread_mutex_unlock(&s->lock);
        return dead;
}

/* A maker of this machine that runs no more need not be waited for. In another pid namespace under the same host name he may seem gone when
 * he is not: then there are two makers, which is harmless. */
static bool is_gone(const struct store *s, const char *path)
{
        AUTO(buf_done) struct buf b = BUF_INIT(CLAIM_MAX);
        AUTO(err_done) struct err ignored = { 0 };
        sv rest, host, pid;
        uint64_t n;

        if (fs_read(path, &b, &ignored) < 0)
                return false;
        rest = buf_sv(&b);
        return sv_cut(&rest, ' ', &host) && sv_is(host, s->host) && sv_cut(&rest, ' ', &pid) && sv_u64(pid, &n) &&
               n > 1 && n <= INT32_MAX && kill((pid_t)n, 0) < 0 && errno == ESRCH;
}

/* Several waiters may get here at once. Moving it away first lets one of them see whose claim he has in his hands: if another was faster
 * it is a living one, which goes back unless its place was taken meanwhile (then there are two makers, which is harmless). */
static void bury(struct store *s, const char *path, struct timespec dead)
{
        AUTO(free_ptr) char *aside =
                fs_path("%s/tmp/claim-%s-%ld-%016" PRIx64, s->root[0], s->host, (long)getpid(), store_random());
        struct timespec mtime;

        if (rename(path, aside) < 0)
                return;
        if (mtime_of(aside, &mtime) && (mtime.tv_sec != dead.tv_sec || mtime.tv_nsec != dead.tv_nsec))
                (void)!link(aside, path);
        unlink(aside);
}

int store_claim_take(struct store *s, const sha256 *key, struct store_claim *ret, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("%s/claims/%s", s->root[0], sha256_hex(key).s);
        struct timespec mtime;
        int r;

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        r = create(s, path, ret, e);
        if (r == POOL_AGAIN && mtime_of(path, &mtime) && (is_gone(s, path) || is_dead(s, key, mtime))) {
                bury(s, path, mtime);
                r = create(s, path, ret, e);
        }
        if (r != POOL_AGAIN)
                forget(s, key);
        return r;
}

void store_claim_drop(struct store_claim *c)
{
        if (!c->store)
                return;
        store_beat_drop(c->store, c->path);
        if (holds(c->path, c->text))
                unlink(c->path);
        free(c->path);
        free(c->text);
        *c = (struct store_claim){ 0 };
}
