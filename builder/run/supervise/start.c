/* run/supervise/start.c - from the command line to the supervisor and back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "run/supervise/supervise_priv.h"

#define READY_MS  60000
#define READY_MAX ((size_t)64 * 1024)

/* The supervisor itself, which goes on with the next attempt. */
static bool are_we_it(struct run *r, struct run_identity *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct run_record before = *r->rec;
        struct run_identity id;

        if (before.attempt < 2)
                return false;
        before.attempt--;
        run_identity_self(r->arena, ret);
        return run_identity_read(r->arena, &before, &id, &ignored) == 0 && id.pid == ret->pid &&
               id.start == ret->start && sv_eq(id.host, ret->host) && sv_eq(id.boot, ret->boot);
}

static int spawn(struct run *r, int ready, pid_t *ret, struct err *e)
{
        const struct run_spec *s = r->rec->spec;
        const char *const argv[] = { r->ctx->program, RUN_SUPERVISE_MAIN, r->rec->dir.p, NULL };
        /* the next attempt reads them again */
        const char **env = run_env_allowed(r->arena, run_env_ours, s->host_env, s->retries ? s->n_host_env : 0);
        sv log = run_path(r->arena, r->rec, "system_logs/supervisor.log");
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t attr;
        sigset_t none, all;

        posix_spawn_file_actions_init(&fa);
        posix_spawn_file_actions_adddup2(&fa, ready, RUN_READY_FD);
        posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&fa, 1, log.p, O_WRONLY | O_CREAT | O_APPEND, 0666);
        posix_spawn_file_actions_adddup2(&fa, 1, 2);
        posix_spawn_file_actions_addchdir_np(&fa, "/");
        posix_spawn_file_actions_addclosefrom_np(&fa, RUN_READY_FD + 1);
        posix_spawnattr_init(&attr);
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        errno = posix_spawn(ret, r->ctx->program, &fa, &attr, (char *const *)argv, (char *const *)env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&fa);
        return errno ? err_errno(e, "cannot start the supervisor '%s'", r->ctx->program) : 0;
}

static int read_ready(int fd, struct buf *ret, struct err *e)
{
        int64_t until = clock_ms() + READY_MS;
        struct pollfd p = { fd, POLLIN, 0 };
        char chunk[4096];
        ssize_t n = 1;

        while (n) {
                int64_t left = until - clock_ms();
                int got = left > 0 ? poll(&p, 1, (int)left) : 0;
                if (got < 0 && errno == EINTR)
                        continue; /* Ctrl-C: a moment later it is known whether there is a run to cancel */
                if (got == 0)
                        return err_set(e, ERR_NET, "the supervisor does not say whether it has begun");
                n = got < 0 ? -1 : read(fd, chunk, sizeof(chunk));
                if (n < 0)
                        return err_errno(e, "cannot hear the supervisor");
                buf_add(ret, (sv){ chunk, (size_t)n });
        }
        return 0;
}

/* "=HANDLE", or a letter of the error's class, its cause and its hint. */
static int take_ready(struct run *r, sv text, sv *ret_handle, struct err *e)
{
        sv cause = { 0 }, hint = { 0 };

        if (!sv_cut(&text, '\0', &cause) || cause.n < 2) {
                err_set(e, ERR_FAILED, "the supervisor ended before it began");
                err_hint(e, "%s says why", run_path(r->arena, r->rec, "system_logs/supervisor.log").p);
                return -(int)e->code;
        }
        sv_cut(&text, '\0', &hint);
        if (cause.p[0] == '=') {
                *ret_handle = arena_sv(r->arena, sv_skip(cause, 1));
                return 0;
        }
        err_set(e, (enum err_code)(cause.p[0] - 'A'), "%.*s", SV_ARG(sv_skip(cause, 1)));
        if (hint.n)
                err_hint(e, "%.*s", SV_ARG(hint));
        return -(int)e->code;
}

void run_ready_tell(int fd, const struct err *why, sv handle)
{
        AUTO(buf_done) struct buf text = BUF_INIT(READY_MAX);
        AUTO(err_done) struct err ignored = { 0 };
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
                return; /* started by hand */
        if (handle.n)
                buf_fmt(&text, "=%.*s", SV_ARG(handle));
        else
                buf_fmt(&text, "%c%s", 'A' + (int)(why->code < 26 ? why->code : ERR_FAILED),
                        why->cause ? why->cause : "");
        buf_byte(&text, '\0');
        buf_fmt(&text, "%s", !handle.n && why->hint ? why->hint : "");
        buf_byte(&text, '\0');
        (void)fs_write_all(fd, text.p, text.n, "the pipe", &ignored);
        close(fd);
}

/* Above the child's own, which is set by dup2. */
static int make_pipe(int ret[2], struct err *e)
{
        enum { HIGH = 10 };
        int p[2];

        if (pipe2(p, O_CLOEXEC) < 0)
                return err_errno(e, "cannot make a pipe");
        ret[0] = p[0];
        ret[1] = fcntl(p[1], F_DUPFD_CLOEXEC, HIGH);
        close(p[1]);
        if (ret[1] >= 0)
                return 0;
        close_fd(&ret[0]);
        return err_errno(e, "cannot make a pipe");
}

int run_supervise_start(struct run *r, sv *ret_handle, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(READY_MAX);
        struct run_identity us;
        int p[2] = { -1, -1 }, got;
        pid_t pid;

        if (are_we_it(r, &us)) {
                if (run_identity_write(r->rec, &us, e) < 0)
                        return -(int)e->code;
                *ret_handle = run_identity_handle(r->arena, &us);
                return 0;
        }
        if (make_pipe(p, e) < 0)
                return -(int)e->code;
        got = spawn(r, p[1], &pid, e);
        close_fd(&p[1]);
        if (got == 0) {
                got = read_ready(p[0], &text, e);
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) /* it has become its own grandchild */
                        ;
        }
        close_fd(&p[0]);
        return got < 0 ? -(int)e->code : take_ready(r, buf_sv(&text), ret_handle, e);
}

int run_supervise_find(struct run *r, sv *ret_handle, struct err *e)
{
        AUTO(err_done) struct err none = { 0 };
        struct run_identity id;

        *ret_handle = (sv){ 0 };
        if (run_identity_read(r->arena, r->rec, &id, &none) == 0)
                *ret_handle = run_identity_handle(r->arena, &id);
        else if (none.code != ERR_NOT_FOUND)
                return err_move(e, &none);
        return 0;
}

int run_supervise_cancel(struct run *r, struct err *e)
{
        (void)r; /* status/cancel is there: the supervisor and each rank look for it themselves */
        (void)e;
        return 0;
}
