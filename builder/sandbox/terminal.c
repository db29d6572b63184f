/* sandbox/terminal.c - the user's terminal, when the command has one of its own (sandbox/pty.c). Bytes go from one to the other as they
 * are, so Ctrl-C, Ctrl-Z and Ctrl-D mean inside what they mean there. The user's is raw only while we are its foreground: in the background
 * it is the shell's, with the shell's settings. What we found is put back when we stop or end. */
#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Only for the terminal that controls us is there an answer: so 0 and 1, when both are in front, are the same one. */
static bool in_front(int fd)
{
        return tcgetpgrp(fd) == getpgrp();
}

/* Opened anew: whether a write may block belongs to the opening, and that of 0 and 1 is shared with the shell. */
int sandbox_terminal_open(struct sandbox_terminal *t, int *ret_link, struct err *e)
{
        struct sandbox_like like = { .window = { 0 } };
        int link[2];

        if (!in_front(STDIN_FILENO) || !in_front(STDOUT_FILENO))
                return 0;
        t->tty = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (t->tty < 0)
                return 0;
        if (tcgetattr(t->tty, &t->found) < 0) {
                close_fd(&t->tty);
                return 0;
        }
        like.settings = t->found;
        (void)ioctl(t->tty, TIOCGWINSZ, &like.window);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0)
                return err_errno(e, "cannot start the sandbox");
        t->link = link[0];
        *ret_link = link[1];
        if (send(t->link, &like, sizeof(like), MSG_NOSIGNAL) != (ssize_t)sizeof(like))
                return err_errno(e, "cannot start the sandbox");
        t->on = true;
        return 0;
}

const char *sandbox_terminal_which(void)
{
        return in_front(STDERR_FILENO) ? "012" : "01";
}

static void resize(struct sandbox_terminal *t)
{
        struct winsize w;

        if (t->master >= 0 && ioctl(t->tty, TIOCGWINSZ, &w) == 0)
                (void)ioctl(t->master, TIOCSWINSZ, &w); /* the kernel tells who is in front there */
}

static void take(struct sandbox_terminal *t)
{
        struct termios raw = t->found;

        cfmakeraw(&raw);
        t->taken = tcsetattr(t->tty, TCSANOW, &raw) == 0;
        resize(t);
}

static void give_back(struct sandbox_terminal *t)
{
        if (t->taken && in_front(t->tty))
                (void)tcsetattr(t->tty, TCSANOW, &t->found);
        t->taken = false;
}

/* A shell that puts us in front again need not say so. */
static void settle(struct sandbox_terminal *t)
{
        if (!in_front(t->tty))
                t->taken = false;
        else if (!t->taken && t->master >= 0)
                take(t);
}

/* With the master the kernel hangs up inside: who leads there gets SIGHUP, the others find an end. */
static void hang_up(struct sandbox_terminal *t)
{
        close_fd(&t->master);
        close_fd(&t->tty);
        t->taken = false;
}

/* As Ctrl-Z does to whoever does not care: `whom` is a group (0) or us. Nobody could wake a group that no shell looks after, and the kernel
 * does not stop it: then we go on at once. */
static void stand_still(struct sandbox_terminal *t, pid_t whom, pid_t child)
{
        sigset_t stop;

        sigemptyset(&stop);
        sigaddset(&stop, SIGTSTP);
        give_back(t);
        kill(whom, SIGTSTP);
        pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* here we stand */
        pthread_sigmask(SIG_BLOCK, &stop, NULL);
        if (child > 0)
                kill(child, SIGCONT);
}

/* From pid 1: the master of the terminal inside, or what the terminal did to the command. False: no more of it for now. */
static bool hear(struct sandbox_terminal *t, pid_t child)
{
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } room;
        char word = 0;
        struct iovec to = { &word, 1 };
        struct msghdr m = {
                .msg_iov = &to, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)
        };
        struct cmsghdr *c;
        ssize_t n = recvmsg(t->link, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n <= 0) {
                close_fd(&t->link);
                return false;
        }
        c = CMSG_FIRSTHDR(&m);
        if (word == SANDBOX_STOPPED)
                stand_still(t, 0, child);
        else if (word == SANDBOX_INTERRUPTED)
                t->interrupted = true;
        else if (c && c->cmsg_type == SCM_RIGHTS && t->master < 0)
                memcpy(&t->master, CMSG_DATA(c), sizeof(int));
        return true;
}

bool sandbox_terminal_signal(struct sandbox_terminal *t, int sig, pid_t child)
{
        if (!t->on)
                return false;
        if (sig == SIGWINCH)
                resize(t);
        else if (sig == SIGCONT) /* who stopped us may have changed the settings */
                t->taken = false;
        else if (sig == SIGTSTP)
                stand_still(t, getpid(), child);
        else
                return false;
        return true;
}

static short wish(const struct sandbox_flow *from, const struct sandbox_flow *to)
{
        return (short)((sandbox_flow_holds(from) ? 0 : POLLIN) | (sandbox_flow_holds(to) ? POLLOUT : 0));
}

void sandbox_terminal_watch(const struct sandbox_terminal *t, struct pollfd fd[static SANDBOX_TERMINAL_FDS])
{
        short tty = wish(&t->in, &t->out), master = wish(&t->out, &t->in);

        if (!t->taken)
                tty &= ~POLLIN;
        fd[0] = (struct pollfd){ t->tty, tty, 0 };
        /* With nobody inside any more it is ready always, also when what it has does not fit. */
        fd[1] = (struct pollfd){ master ? t->master : -1, master, 0 };
        fd[2] = (struct pollfd){ t->link, POLLIN, 0 };
}

static void move_in(struct sandbox_terminal *t, bool ended)
{
        if (ended || (t->taken && !sandbox_flow_fill(&t->in, t->tty)))
                hang_up(t);
        else if (t->master >= 0 && !sandbox_flow_empty(&t->in, t->master))
                t->in.from = t->in.to; /* nobody reads it any more */
}

static void move_out(struct sandbox_terminal *t)
{
        if (t->master >= 0 && !sandbox_flow_fill(&t->out, t->master))
                close_fd(&t->master);
        if (t->tty >= 0 && !sandbox_flow_empty(&t->out, t->tty))
                hang_up(t);
}

void sandbox_terminal_serve(struct sandbox_terminal *t, const struct pollfd fd[static SANDBOX_TERMINAL_FDS],
                            pid_t child)
{
        if (t->tty >= 0) {
                settle(t);
                move_in(t, fd[0].revents & (POLLHUP | POLLERR | POLLNVAL));
                move_out(t);
        }
        while (t->link >= 0 && hear(t, child))
                ;
}

bool sandbox_terminal_busy(const struct sandbox_terminal *t)
{
        return t->tty >= 0 && (t->master >= 0 || sandbox_flow_holds(&t->out));
}

void sandbox_terminal_close(struct sandbox_terminal *t)
{
        give_back(t);
        close_fd(&t->link);
        close_fd(&t->master);
        close_fd(&t->tty);
}
