/* sandbox/pty.c - a terminal of the sandbox's own, as docker and podman give one: pid 1 makes it and leads its session, the master goes to
 * sandbox/terminal.c.
 *
 * A shell names the group in front of its terminal; of the user's terminal that would be a group outside of the pid namespace, which has no
 * name inside, and dash gives up. It also is a wall: TIOCSTI, which types into a terminal what the user never typed, reaches this one only,
 * and so do settings and signals. On a devpts of its own it is /dev/pts/0 inside, and can be opened by that name.
 *
 * bubblewrap's --new-session would take the terminal away again. pid 1 leads and not bubblewrap, which Ctrl-C may kill: when a leader ends,
 * its session has no terminal any more. */
#include "sandbox/sandbox_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_pair(const char *dir, unsigned *ret_number, int *ret_master, int *ret_slave)
{
        AUTO(free_ptr) char *maker = fs_path("%s/ptmx", dir), *name = NULL;
        int unlocked = 0;

        if (mount("devpts", dir, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") < 0 ||
            (*ret_master = open(maker, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) < 0 ||
            ioctl(*ret_master, TIOCSPTLCK, &unlocked) < 0 || ioctl(*ret_master, TIOCGPTN, ret_number) < 0)
                return -1;
        name = fs_path("%s/%u", dir, *ret_number);
        *ret_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        return *ret_slave < 0 ? -1 : 0;
}

static int send_master(int master)
{
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } room = { .bytes = { 0 } };
        char word = SANDBOX_MASTER;
        struct iovec from = { &word, 1 };
        struct msghdr m = {
                .msg_iov = &from, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &master, sizeof(int));
        return sendmsg(SANDBOX_LINK_FD, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Before anybody could look: the settings and the size of the user's. */
static int liken(int slave)
{
        struct sandbox_like like;

        if (recv(SANDBOX_LINK_FD, &like, sizeof(like), 0) != (ssize_t)sizeof(like))
                return -1;
        (void)ioctl(slave, TIOCSWINSZ, &like.window);
        return tcsetattr(slave, TCSANOW, &like.settings);
}

static int lead(int slave, const char *which)
{
        if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
                return -1;
        for (; *which; which++)
                if (dup2(slave, *which - '0') < 0)
                        return -1;
        return 0;
}

int sandbox_pty_make(const char *dir, const char *which, const uid_t *owner, unsigned *ret_number, struct err *e)
{
        AUTO(close_fd) int master = -1, slave = -1;

        if (open_pair(dir, ret_number, &master, &slave) < 0 || (owner && fchown(slave, *owner, (gid_t)-1) < 0) ||
            liken(slave) < 0 || lead(slave, which) < 0 || send_master(master) < 0)
                return err_errno(e, "cannot make a terminal in the sandbox");
        return 0;
}

/* Only who is in front may say who is, or is stopped; unless he does not listen. */
void sandbox_pty_step_forward(void)
{
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        (void)setpgid(0, 0);
        (void)tcsetpgrp(STDIN_FILENO, getpid());
}

void sandbox_pty_tell(char word)
{
        (void)send(SANDBOX_LINK_FD, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
