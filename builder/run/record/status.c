/* What becomes of a run: its state goes forward, each step is an event. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

/* How far a state is. Those without an order of their own are left and entered freely. */
static int rank_of(enum run_state s)
{
        static const int rank[] = {
                [RUN_NOT_STARTED] = 0, [RUN_PREPARING] = 1,  [RUN_QUEUED] = 2,           [RUN_STARTING] = 2,
                [RUN_RUNNING] = 3,     [RUN_FINALIZING] = 4, [RUN_CANCEL_REQUESTED] = 5, [RUN_COMPLETED] = 6,
                [RUN_FAILED] = 6,      [RUN_CANCELED] = 6,   [RUN_NOT_RESPONDING] = -1,  [RUN_UNKNOWN] = -1,
        };

        return rank[s];
}

static bool may_follow(enum run_state from, enum run_state to)
{
        if (run_state_final(from))
                return false;
        return rank_of(from) < 0 || rank_of(to) < 0 || rank_of(to) >= rank_of(from);
}

static bool same_status(const struct run_status *a, const struct run_status *b)
{
        return a->state == b->state && a->reason == b->reason && a->exit_code == b->exit_code &&
               a->term_signal == b->term_signal && a->first_bad_rank == b->first_bad_rank &&
               sv_eq(a->engine_state, b->engine_state) && sv_eq(a->message, b->message) &&
               a->submitted_us == b->submitted_us && a->started_us == b->started_us && a->ended_us == b->ended_us;
}

/* What is known of times stays known; those that nobody gave are now. */
static void keep_times(struct run_status *s, const struct run_status *old)
{
        int64_t now = run_now_us();

        if (!s->submitted_us)
                s->submitted_us = old->submitted_us;
        if (!s->started_us)
                s->started_us = old->started_us ? old->started_us : s->state == RUN_RUNNING ? now : 0;
        if (!s->ended_us)
                s->ended_us = old->ended_us ? old->ended_us : run_state_final(s->state) ? now : 0;
}

int run_record_take(struct run_record *r, const struct run_status *s, const char *why, bool *ret_changed, struct err *e)
{
        struct run_status old = r->status, new = *s;
        bool changed;

        if (ret_changed)
                *ret_changed = false;
        if (run_state_final(old.state))
                return 0;
        if (rank_of(old.state) < 0 && !run_state_final(new.state) && rank_of(new.state) >= 0 && run_cancel_wanted(r))
                new.state = RUN_CANCEL_REQUESTED; /* what it was before the engine fell silent */
        if (!may_follow(old.state, new.state))
                new.state = old.state;
        keep_times(&new, &old);
        if (same_status(&old, &new))
                return 0;
        changed = new.state != old.state;
        if (changed && run_record_event(r, run_state_name(old.state), run_state_name(new.state), why, e) < 0)
                return -(int)e->code;
        r->status = new;
        if (run_record_write(r, e) < 0) {
                r->status = old;
                return -(int)e->code;
        }
        if (ret_changed)
                *ret_changed = changed;
        return 0;
}

/* One write of a whole line: appends of several writers do not mix. */
int run_record_event(const struct run_record *r, const char *from, const char *to, const char *why, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf line = BUF_INIT((size_t)1 << 16);
        AUTO(close_fd) int fd = -1;
        struct js *j = js_new_obj(&a);
        sv path = run_path(&a, r, "events.jsonl");

        js_put_int(&a, j, "t", run_now_us());
        js_put_int(&a, j, "attempt", r->attempt);
        js_put_str(&a, j, "from", sv_from(from));
        js_put_str(&a, j, "to", sv_from(to));
        js_put_str(&a, j, "why", sv_from_to(sv_from(why), 0, 2048));
        js_write(j, &line);
        buf_byte(&line, '\n');
        fd = open(path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0)
                return err_errno(e, "cannot write '%s'", path.p);
        return fs_write_all(fd, line.p, line.n, path.p, e);
}

bool run_cancel_wanted(const struct run_record *r)
{
        AUTO(arena_done) struct arena a = { 0 };

        return fs_exists(run_path(&a, r, "status/cancel").p);
}

int run_cancel_write(const struct run_record *r, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(close_fd) int fd = -1;
        sv path = run_path(&a, r, "status/cancel");

        fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno == EEXIST)
                return 0;
        if (fd < 0)
                return err_errno(e, "cannot write '%s'", path.p);
        return fs_sync_dir(run_path(&a, r, "status").p, e);
}
