/* run/supervise/supervisor.c - the process that looks after the ranks of a run on this machine. It knows how they ended from their own records; its
 * part is to start them, to end what does not end itself, and to leave nobody behind. If it is killed, nothing is lost: judge.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/pool.h"
#include "base/proc.h"
#include "run/supervise/supervise_priv.h"

enum {
        LOOK_MS = 1000,      /* where inotify says nothing: a network file system */
        BACKSTOP_MS = 10000, /* what envbuild-rank has on top of the grace */
        STOP_MS = 10000,     /* what the target's `stop` has */
        LEAVE_MS = 2000,     /* what an engine's own processes have after the last launcher */
        GONE_MS = 60000,     /* until we believe that somebody cannot be killed */
        CLAIM_MS = 10000     /* who looks at a run holds it for a moment */
};
struct launched {
        pid_t pid;
        bool ended;
        int status;
        unsigned waits; /* how often its `wait` was started */
};
struct supervisor {
        struct run_ctx *c;
        struct arena arena;
        struct run run;
        struct run_profile profile;
        struct run_record *rec;
        struct run_launch launch;
        struct launched *v; /* as many as launch.n; pid 0: not started */
        int signals, notify;
        bool running, cancel, stopped; /* stopped: the target's `stop` was called */
        int64_t kill_at;               /* when what is left is ended by force; 0: not planned */
        int64_t timeout_at;
};

/* Goes on while the machine sleeps. */
static int64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_BOOTTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t grace_ms(const struct supervisor *s)
{
        return (int64_t)s->rec->spec->grace_s * 1000 + BACKSTOP_MS;
}

static void plan_kill(struct supervisor *s, int64_t at)
{
        if (!s->kill_at || at < s->kill_at)
                s->kill_at = at;
}

/* Its log is for people who look after something went wrong: an error there must not end a run. */
static void note(const char *what, struct err *e)
{
        if (e->code)
                dprintf(STDERR_FILENO, "%s: %s%s%s\n", what, e->cause ? e->cause : "", e->hint ? "; " : "",
                        e->hint ? e->hint : "");
        err_done(e);
}

static void take(struct supervisor *s, const struct run_status *st, const char *why)
{
        struct err e = { 0 };

        if (run_record_take(s->rec, st, why, NULL, &e) < 0)
                note("writing the run's state", &e);
}

/* --- looking */

static size_t alive(const struct supervisor *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->launch.n; i++)
                n += s->v[i].pid && !s->v[i].ended;
        return n;
}

static unsigned rank_of(const struct supervisor *s, size_t i)
{
        return s->launch.v[i].rank < 0 ? 0 : (unsigned)s->launch.v[i].rank;
}

static void read_ranks(struct supervisor *s, struct arena *a, struct run_rank **ret, size_t *ret_n)
{
        struct err e = { 0 };

        *ret_n = 0;
        if (run_ranks_read(a, s->rec, ret, ret_n, &e) < 0)
                note("reading the ranks' records", &e);
}

/* A rank's launcher that ended without its word counts as a failure, and the others must know: O_EXCL, as envbuild-rank does it. */
static void look_after_peers(struct supervisor *s, size_t i)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(close_fd) int fd = -1;
        const struct run_rank *k;
        struct run_rank *rank = NULL;
        size_t n;

        if (s->launch.n < 2)
                return;
        read_ranks(s, &a, &rank, &n);
        k = run_rank_of(rank, n, rank_of(s, i));
        if (k && k->end_us)
                return;
        fd = open(run_path(&a, s->rec, "status/%u/failed", s->rec->attempt).p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  0666);
        if (fd >= 0)
                dprintf(fd, "rank %u\n", rank_of(s, i));
}

/* Somebody killed what only looked at a rank (podman start --attach); the rank goes on, and so do we. */
static bool looks_again(struct supervisor *s, size_t i)
{
        enum { WAITS = 100 };
        AUTO(arena_done) struct arena a = { 0 };
        const struct run_launcher *l = &s->launch.v[i];
        struct run_launcher again = *l;
        const struct run_rank *k;
        struct run_rank *rank = NULL;
        struct err e = { 0 };
        char log[32];
        size_t n;

        if (!l->wait || s->v[i].waits >= WAITS || !WIFSIGNALED(s->v[i].status))
                return false;
        read_ranks(s, &a, &rank, &n);
        k = run_rank_of(rank, n, rank_of(s, i));
        if (!k || k->end_us)
                return false;
        s->v[i].waits++;
        again.argv = l->wait;
        snprintf(log, sizeof(log), "rank-%u.log", rank_of(s, i));
        if (run_spawn(s->rec, &again, log, &s->v[i].pid, &e) < 0) {
                note("waiting for a rank", &e);
                return false;
        }
        s->v[i].ended = false;
        return true;
}

/* Reaps launchers and, as a subreaper, whoever lost his parent. False: nobody is left. */
static bool reap(struct supervisor *s)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                for (size_t i = 0; i < s->launch.n; i++)
                        if (s->v[i].pid == pid && !s->v[i].ended) {
                                s->v[i].ended = true;
                                s->v[i].status = status;
                                if (!looks_again(s, i))
                                        look_after_peers(s, i);
                                break;
                        }
        return !(pid < 0 && errno == ECHILD);
}

static void look_for_start(struct supervisor *s)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_status st = s->rec->status;
        struct run_rank *rank = NULL;
        size_t n;

        if (s->timeout_at || (s->running && !s->rec->spec->timeout_s))
                return;
        read_ranks(s, &a, &rank, &n);
        if (n == 0)
                return;
        if (!s->running && !run_ranks_judge(s->rec, rank, n, false, &st) && st.state == RUN_RUNNING) {
                s->running = true;
                st.message = arena_sv(&s->arena, st.message);
                take(s, &st, "the first rank started");
        }
        if (n >= run_job_ranks(s->rec->spec) && s->rec->spec->timeout_s)
                s->timeout_at = now_ms() + (int64_t)s->rec->spec->timeout_s * 1000 + grace_ms(s);
}

/* Who has not come to its rank yet does not look at status/cancel. */
static void hurry(struct supervisor *s)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_rank *rank = NULL;
        size_t n;

        read_ranks(s, &a, &rank, &n);
        for (size_t i = 0; s->launch.signals && i < s->launch.n; i++)
                if (s->v[i].pid && !s->v[i].ended && !run_rank_of(rank, n, rank_of(s, i)))
                        kill(s->v[i].pid, SIGTERM);
}

static void look_for_cancel(struct supervisor *s)
{
        struct run_status st = s->rec->status;

        if (s->cancel || !run_cancel_wanted(s->rec))
                return;
        s->cancel = true;
        plan_kill(s, now_ms() + grace_ms(s));
        st.state = RUN_CANCEL_REQUESTED;
        take(s, &st, "status/cancel is there");
        hurry(s);
}

static void look(struct supervisor *s)
{
        look_for_start(s);
        look_for_cancel(s);
        if (s->timeout_at && now_ms() > s->timeout_at)
                plan_kill(s, s->timeout_at);
}

/* --- ending */

static void stop_by_target(struct supervisor *s)
{
        const struct proc p = { .argv = s->launch.stop, .timeout_ms = grace_ms(s) };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        struct err e = { 0 };

        proc_run(&p, s->c->op, &out, &e);
        note("ending what is left", &e);
        s->stopped = true;
        s->kill_at = now_ms() + STOP_MS;
}

/* A pid that was not waited for is nobody else's, so its group is not either. */
static void end_by_force(struct supervisor *s)
{
        if (!s->kill_at || now_ms() < s->kill_at)
                return;
        if (s->launch.stop && !s->stopped) {
                stop_by_target(s);
                return;
        }
        for (size_t i = 0; i < s->launch.n; i++)
                if (s->v[i].pid && !s->v[i].ended)
                        kill(-s->v[i].pid, SIGKILL);
        run_procs_kill_below();
        s->kill_at = now_ms() + LOOK_MS; /* what was born meanwhile */
}

static void take_signals(struct supervisor *s)
{
        struct signalfd_siginfo info;
        struct err e = { 0 };

        while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
                if ((info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) && run_cancel_write(s->rec, &e) < 0)
                        note("cancelling", &e);
}

static void wait_a_moment(struct supervisor *s, int64_t until)
{
        struct pollfd fd[2] = { { s->signals, POLLIN, 0 }, { s->notify, POLLIN, 0 } };
        int64_t left = until - now_ms();
        char events[4096];

        poll(fd, 2, left > LOOK_MS || left < 0 ? LOOK_MS : (int)left);
        take_signals(s);
        while (s->notify >= 0 && read(s->notify, events, sizeof(events)) > 0)
                ;
}

static void watch(struct supervisor *s)
{
        for (;;) {
                reap(s);
                if (!alive(s))
                        return;
                look(s);
                end_by_force(s);
                wait_a_moment(s, s->kill_at ? s->kill_at : now_ms() + LOOK_MS);
        }
}

/* Whoever is below us now has lost his rank. An engine's own (conmon) is about to go. */
static void settle(struct supervisor *s)
{
        int64_t force = now_ms() + (s->launch.stop ? LEAVE_MS : 0), give_up = force + GONE_MS;

        while (reap(s)) {
                int64_t now = now_ms();
                if (now >= give_up) {
                        dprintf(STDERR_FILENO, "processes that cannot be killed are left behind\n");
                        return;
                }
                if (now >= force && run_procs_kill_below() == 0 && !reap(s))
                        return;
                wait_a_moment(s, now + 20);
        }
}

/* --- an attempt */

static void notify_on(struct supervisor *s)
{
        const uint32_t what = IN_CREATE | IN_MOVED_TO;

        s->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (s->notify < 0)
                return;
        inotify_add_watch(s->notify, run_path(&s->arena, s->rec, "status").p, what);
        inotify_add_watch(s->notify, run_path(&s->arena, s->rec, "status/%u", s->rec->attempt).p, what);
}

static int launch_all(struct supervisor *s, struct err *e)
{
        char log[32];

        for (size_t i = 0; i < s->launch.n; i++) {
                snprintf(log, sizeof(log), "rank-%u.log", rank_of(s, i));
                if (run_spawn(s->rec, &s->launch.v[i], log, &s->v[i].pid, e) < 0) {
                        s->v[i].pid = 0;
                        plan_kill(s, now_ms());
                        return err_while(e, "starting rank %u", rank_of(s, i));
                }
        }
        return 0;
}

static void judge(struct supervisor *s, struct err *failed, struct run_status *ret)
{
        struct run_gone *gone = arena_array(&s->arena, struct run_gone, s->launch.n);
        bool cancel = run_cancel_wanted(s->rec);
        struct run_rank *rank = NULL;
        size_t n, n_gone = 0;

        read_ranks(s, &s->arena, &rank, &n);
        if (run_ranks_judge(s->rec, rank, n, cancel, ret))
                return;
        for (size_t i = 0; i < s->launch.n; i++)
                if (s->v && s->v[i].ended)
                        gone[n_gone++] = (struct run_gone){ rank_of(s, i), s->v[i].status };
        run_judge_lost(&s->arena, s->rec, rank, n, gone, n_gone, cancel, ret);
        if (failed->code && !cancel) {
                ret->reason = RUN_R_LAUNCH_FAILED;
                ret->message = arena_sv(&s->arena, sv_from(failed->cause));
        }
}

static void attempt(struct supervisor *s, struct run_status *ret)
{
        AUTO(err_done) struct err e = { 0 };

        s->launch = (struct run_launch){ 0 };
        s->v = NULL;
        s->running = s->cancel = s->stopped = false;
        s->kill_at = s->timeout_at = 0;
        notify_on(s);
        if (run_launch_read(&s->arena, s->rec, &s->launch, &e) == 0 && !run_cancel_wanted(s->rec) &&
            run_prepare(&s->run, &s->launch, &e) == 0) {
                s->v = arena_array(&s->arena, struct launched, s->launch.n);
                launch_all(s, &e);
                run_fault("supervise-launched");
                watch(s);
        }
        settle(s);
        close_fd(&s->notify);
        *ret = s->rec->status;
        judge(s, &e, ret);
        note("starting", &e);
}

/* The record is not final until nothing follows: who waits would go home. */
static bool again(struct supervisor *s, const struct run_status *st)
{
        struct run_status was = s->rec->status;
        struct err e = { 0 };
        bool more = false;

        if (st->state != RUN_FAILED || !s->rec->spec->retries || !s->profile.target)
                return false;
        s->rec->status = *st;
        if (run_retry(&s->run, &more, &e) < 0) {
                note("trying again", &e);
                return false; /* then the record says so */
        }
        if (!more)
                s->rec->status = was;
        return more;
}

static void supervise(struct supervisor *s)
{
        struct run_status st;
        struct err e = { 0 };

        do
                attempt(s, &st);
        while (again(s, &st));
        run_fault("supervise-ended");
        run_rank_env_drop(s->rec); /* before anybody sees an end */
        if (s->profile.target && s->profile.target->cleanup && s->profile.target->cleanup(&s->run, &e) < 0)
                note("removing what is left at the engine", &e);
        take(s, &st, "all ranks have ended");
}

/* --- the beginning */

/* Not a session's leader, nobody's child, and its exit is nobody's business. */
static void leave_parent(void)
{
        pid_t pid;

        if (getsid(0) != getpid())
                return;
        pid = fork();
        if (pid > 0)
                _exit(0);
        if (pid == 0)
                return;
        dprintf(STDERR_FILENO, "cannot start a process: %s\n", strerror(errno)); /* then as what we are */
}

static int signals_on(struct supervisor *s, struct err *e)
{
        sigset_t set;

        sigfillset(&set);
        sigdelset(&set, SIGSEGV);
        sigdelset(&set, SIGABRT);
        pthread_sigmask(SIG_SETMASK, &set, NULL);
        s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (s->signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return err_errno(e, "cannot watch over processes");
        return 0;
}

static int take_claim(struct supervisor *s, struct store_claim *ret, struct err *e)
{
        sha256 key = run_record_key(s->rec);
        int64_t until = now_ms() + CLAIM_MS;
        int r;

        while ((r = store_claim_take(s->c->store, &key, ret, e)) == POOL_AGAIN && now_ms() < until)
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        return r == POOL_AGAIN ? err_set(e, ERR_FAILED, "the run '%.*s' is held by somebody else", SV_ARG(s->rec->id))
                               : r;
}

/* 1: somebody did before us; then *ret_handle is his. */
static int begin(struct supervisor *s, const char *dir, struct store_claim *claim, sv *ret_handle, struct err *e)
{
        struct run_identity id;
        int r;

        if (signals_on(s, e) < 0 || run_record_open(&s->arena, sv_from(dir), &s->rec, e) < 0 ||
            take_claim(s, claim, e) < 0 || run_record_open(&s->arena, sv_from(dir), &s->rec, e) < 0)
                return -(int)e->code;
        if (run_state_final(s->rec->status.state))
                return err_set(e, ERR_FAILED, "the run '%.*s' is over", SV_ARG(s->rec->id));
        run_identity_self(&s->arena, &id);
        r = run_identity_write(s->rec, &id, e);
        if (r == 1 && run_identity_read(&s->arena, s->rec, &id, e) < 0)
                return -(int)e->code;
        if (r < 0)
                return r;
        *ret_handle = run_identity_handle(&s->arena, &id);
        if (r == 1)
                return r;
        s->rec->handle = *ret_handle; /* whoever submits sees that it is there */
        return run_record_write(s->rec, e);
}

/* The profile may be gone since; then its target is what is known. */
static void find_profile(struct supervisor *s)
{
        AUTO(err_done) struct err ignored = { 0 };

        s->profile.target = NULL;
        if (run_profile_find(&s->arena, s->rec->compute, s->c->diags, &s->profile, &ignored) < 0 ||
            s->profile.target != run_target_find(s->rec->target))
                s->profile = (struct run_profile){ .name = s->rec->compute, .target = run_target_find(s->rec->target) };
        s->run = (struct run){ .ctx = s->c, .arena = &s->arena, .rec = s->rec, .profile = &s->profile };
}

int run_supervise_main(struct run_ctx *c, const char *dir, struct err *e)
{
        struct supervisor s = { .c = c, .signals = -1, .notify = -1 };
        struct store_claim claim = { 0 };
        sv handle = { 0 };
        int r;

        leave_parent();
        fcntl(RUN_READY_FD, F_SETFD, FD_CLOEXEC);
        r = begin(&s, dir, &claim, &handle, e);
        if (r == 0) {
                find_profile(&s);
                run_fault("supervise-claimed");
        }
        run_ready_tell(RUN_READY_FD, e, handle);
        if (r == 0)
                supervise(&s);
        store_claim_drop(&claim);
        close_fd(&s.signals);
        arena_done(&s.arena);
        return r < 0 ? r : 0;
}
