/* While the command runs: signals, the folder's words, the clock. Times are milliseconds of CLOCK_BOOTTIME: it counts while the machine sleeps and
 * nobody sets it. */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

enum { SECOND = 1000, GROUP_LOOK_MS = 50 };

int64_t shim_boot_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_BOOTTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int shim_watch_open(struct shim_watch *w, const struct shim_options *o, struct err *e)
{
        static const int taken[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
        sigset_t set;

        *w = (struct shim_watch){ .o = o, .signals = -1 };
        sigemptyset(&set);
        for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
                sigaddset(&set, taken[i]);
                (void)signal(taken[i], SIG_DFL); /* an ignored SIGCHLD would reap for us */
        }
        (void)signal(SIGPIPE, SIG_IGN);
        sigprocmask(SIG_BLOCK, &set, NULL);
        w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return w->signals < 0 ? err_errno(e, "cannot wait for signals") : 0;
}

/* CONT after it: what is stopped could not end. */
static void pass(const struct shim_watch *w, int sig)
{
        kill(-w->pid, sig);
        if (sig == SIGTERM)
                kill(-w->pid, SIGCONT);
}

static void stop(struct shim_watch *w, enum shim_stop why, bool tell)
{
        if (w->stop != SHIM_STOP_NONE)
                return;
        w->stop = why;
        w->kill_ms = shim_boot_ms() + (int64_t)w->o->grace_s * SECOND;
        if (tell)
                pass(w, SIGTERM);
}

static void reap(struct shim_watch *w)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == w->pid) {
                        w->ended = true;
                        w->status = status;
                }
}

static void take_signals(struct shim_watch *w)
{
        struct signalfd_siginfo info;

        while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
                int sig = (int)info.ssi_signo;

                if (sig == SIGCHLD)
                        continue;
                w->passed |= 1U << sig;
                /* --own-group-only: who signals us signals everybody, once is enough */
                if (sig == SIGTERM)
                        stop(w, SHIM_STOP_SIGNAL, !w->o->own_group_only);
                else if (!w->o->own_group_only)
                        pass(w, sig);
        }
        reap(w);
        /* it had its TERM before we had ours; others of its group may still be at it */
        if (w->o->own_group_only && w->ended && WIFSIGNALED(w->status) && WTERMSIG(w->status) == SIGTERM)
                stop(w, SHIM_STOP_SIGNAL, false);
}

static void look(struct shim_watch *w, int64_t now)
{
        AUTO(free_ptr) char *sub = fs_path("status/%u", w->o->attempt);

        if (w->stop != SHIM_STOP_NONE || w->ended)
                return;
        if (w->deadline_ms && now >= w->deadline_ms)
                stop(w, SHIM_STOP_TIMEOUT, true);
        if (now < w->look_ms)
                return;
        w->look_ms = now + w->o->cancel_every_ms;
        if (shim_wanted(w->o, "status", "cancel"))
                stop(w, SHIM_STOP_CANCEL, true);
        if (w->o->ranks > 1 && !w->peer_ms && shim_wanted(w->o, sub, "failed"))
                w->peer_ms = now;
        if (w->peer_ms && now - w->peer_ms >= (int64_t)w->o->peer_grace_s * SECOND)
                stop(w, SHIM_STOP_PEER, true);
}

static int64_t sooner(int64_t at, int64_t other)
{
        return other && other < at ? other : at;
}

static int wait_ms(const struct shim_watch *w, int64_t now)
{
        int64_t at = now + 60 * SECOND;

        if (w->ended)
                at = now + GROUP_LOOK_MS;
        else if (w->stop == SHIM_STOP_NONE)
                at = sooner(sooner(at, w->look_ms), w->deadline_ms);
        if (!w->ended && w->usage.every_ms)
                at = sooner(at, w->usage.next_ms);
        if (!w->killed)
                at = sooner(at, w->kill_ms);
        if (w->console && w->console->log >= 0) /* inotify does not see other machines' writes */
                at = sooner(at, now + SECOND);
        return at > now ? (int)(at - now) : 0;
}

/* The command is over. When it was stopped, a shell in front dies at once while what it started is still saving its work: that has the rest of
 * the grace. */
static bool over(const struct shim_watch *w)
{
        return w->ended && (w->stop == SHIM_STOP_NONE || w->killed || !shim_group_alive(w->pid));
}

void shim_watch(struct shim_watch *w)
{
        w->deadline_ms = w->o->timeout_s ? shim_boot_ms() + (int64_t)w->o->timeout_s * SECOND : 0;
        w->look_ms = shim_boot_ms() + w->o->cancel_every_ms;
        while (!over(w)) {
                bool shows = w->console && w->console->log >= 0;
                struct pollfd fds[] = { { .fd = w->signals, .events = POLLIN },
                                        { .fd = shows ? w->console->notify : -1, .events = POLLIN },
                                        { .fd = shows && w->console->behind ? STDOUT_FILENO : -1, .events = POLLOUT } };
                int64_t now;

                poll(fds, ARRAY_LEN(fds), wait_ms(w, shim_boot_ms()));
                take_signals(w);
                if (shows)
                        shim_console_pump(w->console);
                now = shim_boot_ms();
                look(w, now);
                if (!w->ended)
                        shim_usage_look(&w->usage, now);
                if (w->stop != SHIM_STOP_NONE && !w->killed && now >= w->kill_ms) {
                        w->killed = true;
                        shim_kill_all(w->pid);
                }
        }
}
