#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
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
        int told;        /* the last signal of op's that was handed on */
        int64_t kill_at; /* past the deadline: when SIGKILL follows; 0: not yet asked */
};

static int order_layers(struct store *s, const struct sandbox_run *r, struct buf *out, struct err *e)
{
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

static int write_order(struct store *s, const struct sandbox_run *r, const char *bwrap, struct buf *out, struct err *e)
{
        AUTO(free_ptr) char *us = fs_path("%ld", (long)getpid());

        if (order_layers(s, r, out, e) < 0)
                return -(int)e->code;
        sandbox_order_add(out, 'P', store_tmp(s)); /* covered in the sandbox's own mount namespace only */
        sandbox_order_add(out, 'X', bwrap);
        sandbox_order_add(out, 'R', us);
        sandbox_order_add(out, 'W', r->workdir && *r->workdir ? r->workdir : "/");
        sandbox_order_add(out, 'U', r->user ? r->user : "");
        if (r->network)
                sandbox_order_add(out, 'N', "");
        order_list(r->argv, 'A', out);
        order_list(r->env, 'E', out);
        order_list(r->bind, 'B', out);
        return buf_check(out, e);
}

/* High enough that setting 3 and 4 in the child overwrites neither. */
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

static int spawn_child(int order, int report, const sigset_t *mask, pid_t *ret, struct err *e)
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

static void hand_on(struct running *x)
{
        struct signalfd_siginfo info;

        /* From the terminal: the whole group has it, the command too. */
        while (read(x->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
                if (info.ssi_code != SI_KERNEL)
                        kill(x->pid, (int)info.ssi_signo);
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
                if (sig != SIGINT || !in_foreground())
                        kill(x->pid, sig);
        } else if (!sig && !x->kill_at && op_check(x->op, e) < 0) {
                kill(x->pid, SIGTERM);
                x->kill_at = clock_ms() + GRACE_MS;
        }
        if (x->kill_at && clock_ms() > x->kill_at)
                kill(x->pid, SIGKILL); /* the kernel ends all that is inside */
}

static int wait_child(struct running *x, int *ret_status, struct err *e)
{
        struct pollfd fd[2] = { { x->pidfd, POLLIN, 0 }, { x->signals, POLLIN, 0 } };
        int status;

        for (;;) {
                if (poll(fd, 2, 100) < 0 && errno != EINTR)
                        return err_errno(e, "cannot wait for the sandbox");
                hand_on(x);
                watch_op(x, e);
                if (!(fd[0].revents & POLLIN))
                        continue;
                while (waitpid(x->pid, &status, 0) < 0)
                        if (errno != EINTR)
                                return err_errno(e, "cannot wait for the sandbox");
                *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                return -(int)e->code;
        }
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

static int start_child(struct running *x, const struct buf *order, const sigset_t *mask, struct err *e)
{
        AUTO(close_fd) int fd = memfd_create("envbuild-order", MFD_CLOEXEC), to = -1;
        int report[2];

        if (fd < 0 || pipe2(report, O_CLOEXEC) < 0)
                return err_errno(e, "cannot start the sandbox");
        x->report = report[0];
        to = report[1];
        if (move_up(&fd, e) < 0 || move_up(&to, e) < 0 || fs_write_all(fd, order->p, order->n, "the order", e) < 0)
                return -(int)e->code;
        if (spawn_child(fd, to, mask, &x->pid, e) < 0)
                return -(int)e->code;
        x->pidfd = (int)syscall(SYS_pidfd_open, x->pid, 0);
        if (x->pidfd >= 0)
                return 0;
        err_errno(e, "cannot wait for the sandbox");
        kill(x->pid, SIGKILL);
        waitpid(x->pid, NULL, 0);
        return -(int)e->code;
}

static int run_order(const struct buf *order, const char *command, struct op *op, int *ret_status, struct err *e)
{
        static const int handed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
        struct running x = { .op = op, .pidfd = -1, .signals = -1, .report = -1 };
        sigset_t set, old;
        int r, status = 0;

        sigemptyset(&set);
        for (size_t i = 0; i < ARRAY_LEN(handed); i++)
                sigaddset(&set, handed[i]);
        pthread_sigmask(SIG_BLOCK, &set, &old);
        x.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        r = x.signals < 0 ? err_errno(e, "cannot wait for signals") : start_child(&x, order, &old, e);
        if (r == 0)
                r = wait_child(&x, &status, e);
        if (r == 0)
                r = read_report(&x, command, e);
        close_fd(&x.signals);
        close_fd(&x.pidfd);
        close_fd(&x.report);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r == 0)
                *ret_status = status;
        return r;
}

int sandbox_run(struct store *s, const struct sandbox_run *r, struct op *op, int *ret_status, struct err *e)
{
        AUTO(buf_done) struct buf order = BUF_INIT(ORDER_MAX);
        AUTO(free_ptr) char *bwrap = proc_which("bwrap");

        if (!r->argv || !r->argv[0])
                return err_set(e, ERR_USAGE, "there is no command to run");
        if (r->n_diff_id == 0)
                return err_set(e, ERR_FAILED, "the image has no layers");
        if (!bwrap) {
                err_set(e, ERR_FAILED, "bubblewrap (bwrap), which runs the command in the image, is not installed");
                err_hint(e, "apt install bubblewrap");
                return -(int)e->code;
        }
        if (write_order(s, r, bwrap, &order, e) < 0)
                return -(int)e->code;
        return run_order(&order, r->argv[0], op, ret_status, e);
}
