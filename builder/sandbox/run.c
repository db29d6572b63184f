#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"

extern char **environ;

#define ORDER_MAX  ((size_t)64 << 20)
#define REPORT_MAX ((size_t)64 * 1024)
#define GRACE_MS   10000 /* between asking a command to end and ending it */

struct running {
        struct op *op;
        pid_t pid;
        int pidfd, signals, report;
        bool hurry; /* somebody wants an end: what was written is not waited for when nobody takes it */
        struct sandbox_terminal terminal;
        int told;        /* the last signal of op's that was handed on */
        int64_t kill_at; /* past the deadline: when SIGKILL follows; 0: not yet asked */
};

static int order_layers(struct store *s, const struct sandbox_run *r, struct buf *out, struct err *e)
{
        sha256 merged;
        bool one;

        if (r->n_diff_id > 1 && sandbox_merged(s, r->diff_id, r->n_diff_id, &merged)) {
                AUTO(free_ptr) char *path = store_unpacked(s, &merged, &one);
                sandbox_order_add(out, 'L', path);
                return 0;
        }
        for (size_t i = 0; i < r->n_diff_id; i++) {
                bool there;
                AUTO(free_ptr) char *path = store_unpacked(s, &r->diff_id[i], &there);
                if (!there)
                        return err_set(e, ERR_NOT_FOUND, "the layer sha256:%s is not unpacked",
                                       sha256_hex(&r->diff_id[i]).s);
                sandbox_order_add(out, 'L', path);
        }
        return 0;
}

static void order_list(const char *const *v, char kind, struct buf *out)
{
        for (size_t i = 0; v && v[i]; i++)
                sandbox_order_add(out, kind, v[i]);
}

static int write_order(struct store *s, const struct sandbox_run *r, const char *bwrap, bool terminal, struct buf *out,
                       struct err *e)
{
        AUTO(free_ptr) char *us = fs_path("%ld", (long)getpid());

        if (order_layers(s, r, out, e) < 0)
                return -(int)e->code;
        sandbox_order_add(out, 'P', store_tmp(s)); /* covered in the sandbox's own mount namespace only */
        sandbox_order_add(out, 'X', bwrap);
        sandbox_order_add(out, 'R', us);
        sandbox_order_add(out, 'W', r->workdir && *r->workdir ? r->workdir : "/");
        sandbox_order_add(out, 'U', r->user ? r->user : "");
        if (terminal)
                sandbox_order_add(out, 'T', sandbox_terminal_which());
        if (r->network)
                sandbox_order_add(out, 'N', "");
        order_list(r->argv, 'A', out);
        order_list(r->env, 'E', out);
        order_list(r->bind, 'B', out);
        order_list(r->bind_ro, 'b', out);
        order_list(r->own, 'O', out);
        if (r->passwd)
                sandbox_order_add(out, 'H', "");
        if (r->shm_size) {
                AUTO(free_ptr) char *size = fs_path("%" PRIu64, r->shm_size);
                sandbox_order_add(out, 'S', size);
        }
        return buf_check(out, e);
}

/* High enough that setting 3 to 5 in the child overwrites none of them. */
static int move_up(int *fd, struct err *e)
{
        int up = fcntl(*fd, F_DUPFD_CLOEXEC, 10);

        if (up < 0)
                return err_errno(e, "cannot start the sandbox");
        close_fd(fd);
        *fd = up;
        return 0;
}

/* What the dynamic linker and a sanitizer need. No more: inside, pid 1's environment could be read. */
static char **child_env(void)
{
        static const char *const kept[] = { "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=" };
        char **env = xcalloc(ARRAY_LEN(kept) + 1, sizeof(*env));
        size_t n = 0;

        for (char **v = environ; *v; v++)
                for (size_t i = 0; i < ARRAY_LEN(kept); i++)
                        if (n < ARRAY_LEN(kept) && strncmp(*v, kept[i], strlen(kept[i])) == 0)
                                env[n++] = *v;
        return env;
}

static int spawn_child(int order, int report, int link, const sigset_t *mask, pid_t *ret, struct err *e)
{
        static char *const argv[] = { (char *)"envbuild", (char *)SANDBOX_CHILD, NULL };
        AUTO(free_ptr) char **env = child_env();
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t attr;
        sigset_t usual;
        int r;

        posix_spawn_file_actions_init(&fa);
        posix_spawn_file_actions_adddup2(&fa, order, SANDBOX_ORDER_FD);
        posix_spawn_file_actions_adddup2(&fa, report, SANDBOX_REPORT_FD);
        if (link >= 0)
                posix_spawn_file_actions_adddup2(&fa, link, SANDBOX_LINK_FD);
        posix_spawnattr_init(&attr);
        sigemptyset(&usual); /* what we ignore for ourselves, not for the command */
        sigaddset(&usual, SIGPIPE);
        sigaddset(&usual, SIGXFSZ);
        posix_spawnattr_setsigdefault(&attr, &usual);
        posix_spawnattr_setsigmask(&attr, mask);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn(ret, "/proc/self/exe", &fa, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&fa);
        if (r == 0)
                return 0;
        errno = r;
        return err_errno(e, "cannot start the sandbox");
}

static void tell(struct running *x, int sig)
{
        x->hurry = true;
        if (x->pid > 0)
                kill(x->pid, sig);
}

/* From the terminal: the whole group has it, the command too, unless that has a terminal of its own. */
static void hand_on(struct running *x)
{
        struct signalfd_siginfo info;

        while (read(x->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
                if (!sandbox_terminal_signal(&x->terminal, (int)info.ssi_signo, x->pid) &&
                    (info.ssi_code != SI_KERNEL || x->terminal.on))
                        tell(x, (int)info.ssi_signo);
}

/* Ctrl-C would have reached the command too. */
static bool in_foreground(void)
{
        AUTO(close_fd) int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

        return fd >= 0 && tcgetpgrp(fd) == getpgrp();
}

/* A signal that another thread's handler caught shows in op only, and without its sender. */
static void watch_op(struct running *x, struct err *e)
{
        int sig = x->op ? atomic_load_explicit(&x->op->signal, memory_order_relaxed) : 0;

        if (sig && sig != x->told) {
                x->told = sig;
                if (sig != SIGINT || x->terminal.on || !in_foreground())
                        tell(x, sig);
        } else if (!sig && !x->kill_at && op_check(x->op, e) < 0) {
                tell(x, SIGTERM);
                x->kill_at = clock_ms() + GRACE_MS;
        }
        if (x->kill_at && clock_ms() > x->kill_at)
                tell(x, SIGKILL); /* the kernel ends all that is inside */
}

static int reap(struct running *x, int *ret_status, struct err *e)
{
        int status;

        while (waitpid(x->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return err_errno(e, "cannot wait for the sandbox");
        x->pid = 0;
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return 0;
}

/* Until the child has ended, and what was written to its terminal has been read: that outlives who wrote it. */
static int wait_child(struct running *x, int *ret_status, struct err *e)
{
        struct pollfd fd[2 + SANDBOX_TERMINAL_FDS] = { { x->pidfd, POLLIN, 0 }, { x->signals, POLLIN, 0 } };

        while (x->pid > 0 || sandbox_terminal_busy(&x->terminal)) {
                int n;
                sandbox_terminal_watch(&x->terminal, fd + 2);
                n = poll(fd, ARRAY_LEN(fd), 100);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_errno(e, "cannot wait for the sandbox");
                if (n == 0 && x->pid == 0 && x->hurry)
                        break;
                hand_on(x);
                watch_op(x, e);
                if ((fd[0].revents & POLLIN) && reap(x, ret_status, e) < 0)
                        return -(int)e->code;
                if (x->pid == 0)
                        fd[0] = (struct pollfd){ -1, 0, 0 };
                sandbox_terminal_serve(&x->terminal, fd + 2, x->pid);
        }
        return -(int)e->code;
}

/* What the child wrote before it gave up: an error, or why there is a 126 or 127. */
static int read_report(struct running *x, const char *command, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(REPORT_MAX);
        char chunk[4096];
        sv rest, cause, hint = { 0 };
        ssize_t n;

        while ((n = read(x->report, chunk, sizeof(chunk))) > 0)
                buf_add(&text, (sv){ chunk, (size_t)n });
        rest = buf_sv(&text);
        if (!sv_cut(&rest, '\0', &cause) || !cause.n)
                return 0;
        sv_cut(&rest, '\0', &hint);
        if (cause.p[0] == 'A') {
                op_say(x->op, OP_WARN, "'%s' %.*s", command, SV_ARG(sv_skip(cause, 1)));
                return 0;
        }
        err_set(e, (enum err_code)(cause.p[0] - 'A'), "%.*s", SV_ARG(sv_skip(cause, 1)));
        if (hint.n > 1)
                err_hint(e, "%.*s", SV_ARG(sv_skip(hint, 1)));
        return -(int)e->code;
}

/* What of our environment lies where /proc/PID/environ shows it: a fork's is ours. */
static void wipe_environment(void)
{
        static char *none[] = { NULL };

        for (char **v = environ; *v; v++)
                memset(*v, 0, strlen(*v));
        environ = none;
}

/* The child without a program to load, which is most of the time that its start takes. For a process with one thread: there is nobody else who
 * could hold a lock at this moment. */
static int fork_child(int order, int report, int link, const sigset_t *mask, pid_t *ret, struct err *e)
{
        int last = link >= 0 ? SANDBOX_LINK_FD : SANDBOX_REPORT_FD;

        *ret = fork();
        if (*ret < 0)
                return err_errno(e, "cannot start the sandbox");
        if (*ret > 0)
                return 0;
        for (int sig = 1; sig < NSIG; sig++) {
                struct sigaction sa;
                bool usual = sig == SIGPIPE || sig == SIGXFSZ; /* what we ignore for ourselves, not for the command */
                if (sigaction(sig, NULL, &sa) == 0 && (usual || sa.sa_handler != SIG_IGN))
                        signal(sig, SIG_DFL);
        }
        if (dup2(order, SANDBOX_ORDER_FD) < 0 || dup2(report, SANDBOX_REPORT_FD) < 0 ||
            (link >= 0 && dup2(link, SANDBOX_LINK_FD) < 0) || syscall(SYS_close_range, (unsigned)last + 1, ~0U, 0) < 0)
                _exit(SANDBOX_FAILED);
        pthread_sigmask(SIG_SETMASK, mask, NULL);
        wipe_environment();
        _exit(sandbox_child_main(0, NULL));
}

/* One that changed its ids has a /proc of its own that is root's; a new program's is ours again. */
static bool may_fork(void)
{
        struct stat st;

        return prctl(PR_GET_DUMPABLE) == 1 && stat("/proc/self/task", &st) == 0 &&
               st.st_nlink == 3; /* ".", "..", the thread */
}

static int start_child(struct running *x, const struct buf *order, int *link, const sigset_t *mask, struct err *e)
{
        AUTO(close_fd) int fd = memfd_create("envbuild-order", MFD_CLOEXEC), to = -1;
        int report[2];

        if (fd < 0 || pipe2(report, O_CLOEXEC) < 0)
                return err_errno(e, "cannot start the sandbox");
        x->report = report[0];
        to = report[1];
        if (move_up(&fd, e) < 0 || move_up(&to, e) < 0 || (*link >= 0 && move_up(link, e) < 0) ||
            fs_write_all(fd, order->p, order->n, "the order", e) < 0)
                return -(int)e->code;
        if ((may_fork() ? fork_child : spawn_child)(fd, to, *link, mask, &x->pid, e) < 0)
                return -(int)e->code;
        close_fd(link); /* the end of the child's is the link's */
        x->pidfd = (int)syscall(SYS_pidfd_open, x->pid, 0);
        if (x->pidfd >= 0)
                return 0;
        err_errno(e, "cannot wait for the sandbox");
        kill(x->pid, SIGKILL);
        waitpid(x->pid, NULL, 0);
        return -(int)e->code;
}

/* Ctrl-Z stops us as it does anybody, when the command has no terminal of its own. */
static void signals_to_hand(bool terminal, sigset_t *ret)
{
        static const int always[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 },
                         ours[] = { SIGWINCH, SIGCONT, SIGTSTP };

        sigemptyset(ret);
        for (size_t i = 0; i < ARRAY_LEN(always); i++)
                sigaddset(ret, always[i]);
        for (size_t i = 0; terminal && i < ARRAY_LEN(ours); i++)
                sigaddset(ret, ours[i]);
}

/* Ctrl-C ended the command. It would have reached our group as well, a script that runs us in a loop; so it does, but for us, who have a
 * status to return. */
static void interrupt_group(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        kill(0, SIGINT); /* blocked here */
        (void)sigtimedwait(&set, NULL, &(struct timespec){ 0 });
}

static int run_order(struct running *x, const struct buf *order, int *link, const char *command, int *ret_status,
                     struct err *e)
{
        sigset_t set, old;
        int r, status = 0;

        signals_to_hand(x->terminal.on, &set);
        pthread_sigmask(SIG_BLOCK, &set, &old);
        x->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        r = x->signals < 0 ? err_errno(e, "cannot wait for signals") : start_child(x, order, link, &old, e);
        if (r == 0)
                r = wait_child(x, &status, e);
        sandbox_terminal_close(&x->terminal); /* what we say is not for a raw one */
        if (x->terminal.interrupted)
                interrupt_group();
        if (r == 0)
                r = read_report(x, command, e);
        close_fd(&x->signals);
        close_fd(&x->pidfd);
        close_fd(&x->report);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r == 0)
                *ret_status = status;
        return r;
}

static int run_in(struct store *s, const struct sandbox_run *r, const char *bwrap, struct running *x, int *ret_status,
                  struct err *e)
{
        AUTO(buf_done) struct buf order = BUF_INIT(ORDER_MAX);
        AUTO(close_fd) int link = -1;

        if ((r->terminal && sandbox_terminal_open(&x->terminal, &link, e) < 0) ||
            write_order(s, r, bwrap, x->terminal.on, &order, e) < 0)
                return -(int)e->code;
        return run_order(x, &order, &link, r->argv[0], ret_status, e);
}

int sandbox_run(struct store *s, const struct sandbox_run *r, struct op *op, int *ret_status, struct err *e)
{
        struct running x = { .op = op, .pidfd = -1, .signals = -1, .report = -1, .terminal = SANDBOX_TERMINAL_INIT };
        AUTO(free_ptr) char *bwrap = proc_which("bwrap");
        int result;

        if (!r->argv || !r->argv[0])
                return err_set(e, ERR_USAGE, "there is no command to run");
        if (r->n_diff_id == 0)
                return err_set(e, ERR_FAILED, "the image has no layers");
        if (!bwrap) {
                err_set(e, ERR_FAILED, "bubblewrap (bwrap), which runs the command in the image, is not installed");
                err_hint(e, "apt install bubblewrap");
                return -(int)e->code;
        }
        result = run_in(s, r, bwrap, &x, ret_status, e);
        sandbox_terminal_close(&x.terminal);
        return result;
}
