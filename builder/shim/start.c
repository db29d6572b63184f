/* The command as a process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shim/shim.h"

/* As a new process has them: whoever started us may have ignored TERM (srun's wrapper does) or PIPE (Python does). */
static void signals_reset(void)
{
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                if (i != SIGKILL && i != SIGSTOP)
                        (void)signal(i, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* PATH is the command's. Not execvp: it gives files that are no programs to sh, which then says something else is wrong. Returns errno. */
static int execute(const struct shim_start *s)
{
        const char *path = shim_env_get(s->env, "PATH");
        sv rest = sv_from(path), dir;
        char at[4096];
        int why = ENOENT;

        if (strchr(s->argv[0], '/')) {
                execve(s->argv[0], s->argv, s->env);
                return errno;
        }
        while (s->argv[0][0] && sv_cut(&rest, ':', &dir)) {
                int n = snprintf(at, sizeof(at), "%.*s%s%s", SV_ARG(dir), dir.n ? "/" : "./", s->argv[0]);

                if (n < 0 || (size_t)n >= sizeof(at))
                        continue;
                execve(at, s->argv, s->env);
                if (errno == EACCES)
                        why = EACCES; /* there is one, but another folder may have a better one */
                else if (errno != ENOENT && errno != ENOTDIR)
                        return errno;
        }
        return why;
}

static _Noreturn void child(const struct shim_start *s, pid_t parent, int report)
{
        int null = open("/dev/null", O_RDONLY), why;
        ssize_t ignored;

        setsid();
        /* without us nobody would write down how it ended; it does not outlive us */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(SHIM_CANNOT);
        signals_reset();
        if (null > STDIN_FILENO) {
                dup2(null, STDIN_FILENO);
                close(null);
        } else if (null < 0) {
                close(STDIN_FILENO);
        }
        dup2(s->log, STDOUT_FILENO);
        dup2(s->log, STDERR_FILENO);
        why = chdir(s->dir) < 0 ? errno : execute(s);
        ignored = write(report, &why, sizeof(why));
        (void)ignored;
        _exit(SHIM_CANNOT);
}

int shim_start(const struct shim_start *s, pid_t *ret_pid, int *ret_errno, struct err *e)
{
        AUTO(close_fd) int in = -1;
        AUTO(close_fd) int out = -1;
        pid_t parent = getpid(), pid;
        int ends[2], why = 0;
        ssize_t n;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return err_errno(e, "cannot make a pipe");
        in = ends[0];
        out = ends[1];
        pid = fork();
        if (pid < 0)
                return err_errno(e, "cannot make a process");
        if (pid == 0)
                child(s, parent, out);
        close_fd(&out);
        do
                n = read(in, &why, sizeof(why));
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(why))
                why = 0;
        while (why && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        *ret_pid = pid;
        *ret_errno = why;
        return 0;
}
