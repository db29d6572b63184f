/* sandbox/child.c - the helper that sandbox_run starts: this program again, with one thread. It makes the namespaces, has pid 1 of them as
 * its child, and hands signals on. When it ends, the kernel ends all that runs inside, and with the namespaces go the mounts. */
#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define ORDER_MAX ((size_t)64 << 20)

_Noreturn void sandbox_report(const struct err *e, int status)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)64 * 1024);
        struct err ignored = { 0 };

        sandbox_order_add(&text, (char)('A' + (int)(e->code < 26 ? e->code : ERR_FAILED)), e->cause ? e->cause : "");
        sandbox_order_add(&text, 'h', e->hint ? e->hint : "");
        (void)fs_write_all(SANDBOX_REPORT_FD, text.p, text.n, "the report", &ignored);
        _exit(status);
}

static int read_order(struct sandbox_order *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(ORDER_MAX);
        char path[32];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", SANDBOX_ORDER_FD);
        if (fs_read(path, &text, e) < 0)
                return -(int)e->code;
        close(SANDBOX_ORDER_FD);
        return sandbox_order_read(buf_sv(&text), ret)
                       ? 0
                       : err_set(e, ERR_FAILED, "the sandbox cannot read what it is told");
}

/* If our parent is gone already there is nobody to die with. */
static void die_with(const char *parent)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (strtol(parent, NULL, 10) != (long)getppid())
                _exit(SANDBOX_FAILED);
}

static int wait_for(pid_t pid, const sigset_t *set)
{
        siginfo_t info;
        int status;

        for (;;) {
                pid_t got = waitpid(pid, &status, WNOHANG);
                if (got == pid)
                        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                if (got < 0 && errno != EINTR)
                        return SANDBOX_FAILED;
                /* What the terminal sends, it sends to the whole group, the command included. */
                if (sigwaitinfo(set, &info) > 0 && info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
                        kill(pid, info.si_signo);
        }
}

int sandbox_child_main(int argc, char **argv)
{
        struct err e = { 0 };
        struct sandbox_order o;
        struct sandbox_space space = { 0 };
        sigset_t handed, mask;
        pid_t pid;

        (void)argc;
        (void)argv; /* nothing is told here: everybody can read it */
        prctl(PR_SET_NAME, "envbuild");
        umask(022);
        signal(SIGCHLD, SIG_DFL); /* ignored by whoever started us, nothing could be waited for */
        fcntl(SANDBOX_REPORT_FD, F_SETFD, FD_CLOEXEC);
        sigfillset(&handed);
        sigdelset(&handed, SIGTSTP); /* Ctrl-Z stops us with the command */
        sigdelset(&handed, SIGTTIN);
        sigdelset(&handed, SIGTTOU);
        sigprocmask(SIG_SETMASK, &handed, &mask);
        if (read_order(&o, &e) < 0 || sandbox_space_enter(&space, &e) < 0)
                sandbox_report(&e, SANDBOX_FAILED);
        die_with(o.parent);
        pid = fork();
        if (pid == 0)
                sandbox_inside(&o, &space, &mask);
        if (o.terminal)
                close(SANDBOX_LINK_FD); /* pid 1's alone: its end is the link's */
        if (pid < 0) {
                err_errno(&e, "cannot start a process");
                sandbox_report(&e, SANDBOX_FAILED);
        }
        _exit(wait_for(pid, &handed));
}
