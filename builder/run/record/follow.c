/* Waiting for a run's end, and what it says meanwhile. */
#include "run/record/follow.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "run/record/follow_priv.h"
#include "run/record/record_priv.h"

enum { ASK_FIRST_MS = 250, ASK_MAX_MS = 10000 };

struct seen { /* tells one version of a file or folder from the next without reading it */
        struct timespec mtime;
        ino_t ino;
        off_t size;
};

struct follower {
        struct run_ctx *ctx;
        struct run_record *rec;
        const struct run_sink *sink; /* NULL: no logs */
        int rank;
        struct run_tail tail;
        struct run_watch watch;
        struct seen record, ranks;
        int64_t ask_at; /* when the engine is asked next (clock_ms) */
        int ask_every;
        unsigned attempt; /* that tail and watch are of */
};

static struct seen look(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return (struct seen){ 0 };
        return (struct seen){ st.st_mtim, st.st_ino, st.st_size };
}

/* Did it change since last time? */
static bool is_new(struct seen *old, const char *path)
{
        struct seen s = look(path);
        bool same = s.ino == old->ino && s.size == old->size && s.mtime.tv_sec == old->mtime.tv_sec &&
                    s.mtime.tv_nsec == old->mtime.tv_nsec;

        *old = s;
        return !same;
}

static void attempt_begin(struct follower *f, unsigned tail_lines)
{
        f->attempt = f->rec->attempt;
        run_watch_init(&f->watch, f->rec);
        if (f->sink) {
                run_tail_init(&f->tail, f->rec, f->rank, tail_lines);
                f->tail.op = f->ctx->op;
        }
}

static void attempt_end(struct follower *f)
{
        run_watch_done(&f->watch);
        run_tail_done(&f->tail);
}

/* The record as it is on disk: the whole of it into the caller's arena, but only when it changed. */
static int take_record(struct follower *f, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct run_record *disk;

        if (!is_new(&f->record, run_path(&tmp, f->rec, "run.json").p))
                return 0;
        if (run_record_open(f->rec->arena, f->rec->dir, &disk, e) < 0)
                return -(int)e->code;
        *f->rec = *disk;
        return 0;
}

/* All ranks wrote their end: worth asking now. Looked at only when their folder changed. */
static bool ranks_ended(struct follower *f)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct run_status s = f->rec->status;
        struct run_rank *v = NULL;
        size_t n = 0;

        if (!is_new(&f->ranks, run_path(&tmp, f->rec, "status/%u", f->rec->attempt).p))
                return false;
        return run_ranks_read(&tmp, f->rec, &v, &n, &ignored) == 0 && run_ranks_judge(f->rec, v, n, false, &s);
}

/* Ask when it is time, seldom of what goes on for long. Texts of the answer live as long as this call: what it brought is on disk. */
static int ask(struct follower *f, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct run_record scratch = *f->rec;
        int64_t now = clock_ms();
        int k;

        if (ranks_ended(f)) {
                f->ask_every = ASK_FIRST_MS;
                f->ask_at = now;
        }
        if (now < f->ask_at)
                return 0;
        k = run_refresh(f->ctx, &tmp, &scratch, e);
        f->ask_every = f->ask_every * 3 / 2 < ASK_MAX_MS ? f->ask_every * 3 / 2 : ASK_MAX_MS;
        f->ask_at = clock_ms() + f->ask_every;
        return k;
}

static int read_logs(struct follower *f, bool *ret_some, struct err *e)
{
        *ret_some = false;
        return f->sink ? run_tail_read(&f->tail, f->sink, ret_some, e) : 0;
}

/* What is there to the end of it; then the next attempt's, or nothing. */
static int finish_attempt(struct follower *f, struct err *e)
{
        bool some = true;

        while (some && op_check(f->ctx->op, e) == 0)
                if (read_logs(f, &some, e) < 0)
                        return -(int)e->code;
        if (e->code)
                return -(int)e->code;
        return f->sink ? run_tail_flush(&f->tail, f->sink, e) : 0;
}

/* 1: it is over and all was read. */
static int step(struct follower *f, struct err *e)
{
        bool some = false, over;

        if (op_check(f->ctx->op, e) < 0 || take_record(f, e) < 0)
                return -(int)e->code;
        over = run_state_final(f->rec->status.state);
        if (over || f->rec->attempt != f->attempt) {
                if (finish_attempt(f, e) < 0)
                        return -(int)e->code;
                if (over && f->rec->attempt == f->attempt)
                        return 1;
                attempt_end(f);
                attempt_begin(f, 0);
                return 0;
        }
        if (read_logs(f, &some, e) < 0 || ask(f, e) < 0)
                return -(int)e->code;
        run_watch_wait(&f->watch, some);
        return 0;
}

/* 0: go on. */
static int interrupted(struct follower *f, struct err *e)
{
        if (e->code != ERR_CANCELLED || !f->sink || !f->sink->interrupted)
                return -(int)e->code;
        err_done(e);
        if (f->sink->interrupted(f->sink->arg, e) != 0)
                return e->code ? -(int)e->code : op_check(f->ctx->op, e);
        f->ask_at = 0;
        return op_check(f->ctx->op, e);
}

static int follow(struct run_ctx *c, struct run_record *r, int rank, unsigned tail_lines, const struct run_sink *logs,
                  const struct run_sink *sink, struct err *e)
{
        struct follower f = { .ctx = c, .rec = r, .sink = logs, .rank = rank, .ask_every = ASK_FIRST_MS };
        int k = 0;

        attempt_begin(&f, tail_lines);
        while (k == 0) {
                k = step(&f, e);
                if (k < 0) {
                        f.sink = sink;
                        k = interrupted(&f, e);
                        f.sink = logs;
                }
        }
        attempt_end(&f);
        return k < 0 ? k : 0;
}

static int check_rank(const struct run_record *r, int rank, struct err *e)
{
        unsigned n = run_job_ranks(r->spec);

        if (rank < 0 || (unsigned)rank < n)
                return 0;
        err_set(e, ERR_USAGE, "'%.*s' has no rank %d", SV_ARG(r->id), rank);
        err_hint(e, n > 1 ? "its ranks are 0 to %u" : "its only rank is %u", n - 1);
        return -(int)e->code;
}

int run_logs(struct run_ctx *c, struct run_record *r, int rank, unsigned tail_lines, bool do_follow,
             const struct run_sink *sink, struct err *e)
{
        struct run_tail tail;
        bool some = true;
        int k = 0;

        if (check_rank(r, rank, e) < 0)
                return -(int)e->code;
        if (do_follow)
                return follow(c, r, rank, tail_lines, sink, sink, e);
        run_tail_init(&tail, r, rank, tail_lines);
        tail.op = c->op;
        while (k == 0 && some) {
                k = run_tail_read(&tail, sink, &some, e);
                if (k == 0)
                        k = op_check(c->op, e);
        }
        if (k == 0)
                k = run_tail_flush(&tail, sink, e);
        run_tail_done(&tail);
        return k;
}

int run_wait(struct run_ctx *c, struct run_record *r, const struct run_sink *sink, struct err *e)
{
        return follow(c, r, -1, 0, sink && sink->write ? sink : NULL, sink, e);
}
