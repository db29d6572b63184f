#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"

extern char **environ;

#define GRACE_MS    1000
#define DEFAULT_MAX ((size_t)64 * 1024)

char *proc_which(const char *name)
{
        sv rest, dir;

        if (strchr(name, '/'))
                return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
        rest = sv_from(getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin");
        while (sv_cut(&rest, ':', &dir)) {
                char *path = NULL;
                if (asprintf(&path, "%.*s/%s", SV_ARG(dir), name) < 0)
                        continue;
                if (dir.n && access(path, X_OK) == 0)
                        return path;
                free(path);
        }
        return NULL;
}

/* Our environment with LC_ALL=C: what a program prints must not depend on who runs it. */
static char **plain_env(void)
{
        size_t n = 0, k = 0;
        char **env;

        while (environ[n])
                n++;
        env = xcalloc(n + 2, sizeof(*env));
        for (size_t i = 0; i < n; i++)
                if (strncmp(environ[i], "LC_", 3) != 0 && strncmp(environ[i], "LANGUAGE=", 9) != 0)
                        env[k++] = environ[i];
        env[k] = (char *)"LC_ALL=C";
        return env;
}

static int spawn(const struct proc *p, const char *path, int in, int out, int err, pid_t *ret, struct err *e)
{
        AUTO(free_ptr) char **env = p->env ? NULL : plain_env();
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t attr;
        sigset_t none, usual;
        int r;

        posix_spawn_file_actions_init(&fa);
        posix_spawn_file_actions_adddup2(&fa, in, 0);
        posix_spawn_file_actions_adddup2(&fa, out, 1);
        posix_spawn_file_actions_adddup2(&fa, err, 2);
        posix_spawnattr_init(&attr);
        sigemptyset(&none);
        sigemptyset(&usual);
        sigaddset(&usual, SIGPIPE);
        sigaddset(&usual, SIGINT);
        sigaddset(&usual, SIGTERM);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &usual);
        posix_spawnattr_setpgroup(&attr, 0); /* a group of its own: Ctrl-C reaches it through us, once */
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        r = posix_spawn(ret, path, &fa, &attr, (char *const *)p->argv, p->env ? (char *const *)p->env : env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&fa);
        if (r != 0) {
                errno = r;
                return err_errno(e, "cannot start '%s'", p->argv[0]);
        }
        return 0;
}

static bool drain(struct pollfd *fd, struct buf *b)
{
        char chunk[16384];
        ssize_t n = read(fd->fd, chunk, sizeof(chunk));

        if (n > 0)
                buf_add(b, (sv){ chunk, (size_t)n });
        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void feed(struct pollfd *fd, sv *input)
{
        ssize_t n = input->n ? write(fd->fd, input->p, input->n) : 0;

        if (n > 0)
                *input = sv_skip(*input, (size_t)n);
        if (input->n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                close(fd->fd);
                fd->fd = -1;
        }
}

struct child {
        pid_t pid;
        bool ended; /* reaped: status is what waitpid said */
        int status;
        struct pollfd fd[3]; /* its stdin, stdout, stderr */
        int64_t kill_at;     /* when SIGKILL follows; 0: not asked to end yet */
};

static void child_end(struct child *c, int sig)
{
        kill(-c->pid, sig);
        if (!c->kill_at)
                c->kill_at = clock_ms() + GRACE_MS;
}

/* Moves bytes until both outputs are closed and the program has ended; makes it end when it must. A grandchild that holds the
 * outputs open past its end does not hold us: once reaped, what is there is read and that is all. */
static int converse(const struct proc *p, struct op *op, struct child *c, struct proc_result *ret, struct err *e)
{
        int64_t until = p->timeout_ms ? clock_ms() + p->timeout_ms : 0;
        sv input = p->input;

        while (!c->ended) {
                bool quiet = c->fd[1].fd < 0 && c->fd[2].fd < 0;
                int n = poll(c->fd, 3, quiet ? 5 : 50);
                if (n < 0 && errno != EINTR)
                        return err_errno(e, "cannot wait for '%s'", p->argv[0]);
                if (n <= 0 || quiet)
                        c->ended = waitpid(c->pid, &c->status, WNOHANG) == c->pid;
                if (c->fd[0].fd >= 0 && c->fd[0].revents)
                        feed(&c->fd[0], &input);
                for (int i = 1; i <= 2; i++)
                        if (c->fd[i].fd >= 0 && c->fd[i].revents && !drain(&c->fd[i], i == 1 ? &ret->out : &ret->err)) {
                                close(c->fd[i].fd);
                                c->fd[i].fd = -1;
                        }
                if (!c->kill_at && op_check(op, e) < 0)
                        child_end(c, SIGTERM);
                if (!c->kill_at && until && clock_ms() > until) {
                        err_set(e, ERR_FAILED, "'%s' did not end within %lld s", p->argv[0],
                                (long long)p->timeout_ms / 1000);
                        child_end(c, SIGTERM);
                }
                if (!c->kill_at && (ret->out.over || ret->err.over)) {
                        err_set(e, ERR_LIMIT, "'%s' printed more than the limit", p->argv[0]);
                        child_end(c, SIGTERM);
                }
                if (c->kill_at && clock_ms() > c->kill_at)
                        kill(-c->pid, SIGKILL);
        }
        return -(int)e->code;
}

int proc_run(const struct proc *p, struct op *op, struct proc_result *ret, struct err *e)
{
        AUTO(free_ptr) char *path = proc_which(p->argv[0]);
        struct child c = { .fd = { { .fd = -1, .events = POLLOUT },
                                   { .fd = -1, .events = POLLIN },
                                   { .fd = -1, .events = POLLIN } } };
        int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, r;
        sigset_t pipe_signal, old;

        ret->out = (struct buf)BUF_INIT(p->max_out ? p->max_out : DEFAULT_MAX);
        ret->err = (struct buf)BUF_INIT(p->max_err ? p->max_err : DEFAULT_MAX);
        if (!path)
                return err_set(e, ERR_NOT_FOUND, "the program '%s' is not installed", p->argv[0]);
        for (int i = 0; i < 3; i++)
                if (pipe2(pipes[i], O_CLOEXEC) < 0) {
                        r = err_errno(e, "cannot make a pipe");
                        goto out;
                }
        r = spawn(p, path, pipes[0][0], pipes[1][1], pipes[2][1], &c.pid, e);
        if (r < 0)
                goto out;
        c.fd[0].fd = pipes[0][1];
        c.fd[1].fd = pipes[1][0];
        c.fd[2].fd = pipes[2][0];
        close_fd(&pipes[0][0]);
        close_fd(&pipes[1][1]);
        close_fd(&pipes[2][1]);
        for (int i = 0; i < 3; i++)
                fcntl(c.fd[i].fd, F_SETFL, O_NONBLOCK);
        sigemptyset(&pipe_signal); /* it may close its stdin early; that is not our end */
        sigaddset(&pipe_signal, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
        r = converse(p, op, &c, ret, e);
        while (sigtimedwait(&pipe_signal, NULL, &(struct timespec){ 0 }) == SIGPIPE)
                ;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        for (int i = 0; i < 3; i++)
                close_fd(&c.fd[i].fd);
        pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
        if (!c.ended) {
                kill(-c.pid, SIGKILL);
                while (waitpid(c.pid, &c.status, 0) < 0 && errno == EINTR)
                        ;
        }
        ret->status = WIFEXITED(c.status) ? WEXITSTATUS(c.status) : 128 + WTERMSIG(c.status);
out:
        for (int i = 0; i < 3; i++) {
                close_fd(&pipes[i][0]);
                close_fd(&pipes[i][1]);
        }
        return r;
}

void proc_result_done(struct proc_result *r)
{
        buf_done(&r->out);
        buf_done(&r->err);
        *r = (struct proc_result){ 0 };
}
