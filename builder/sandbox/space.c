#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define MAP_MAX ((size_t)64 * 1024)

static int write_file(const char *path, sv text, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
                return err_errno(e, "cannot write '%s'", path);
        return 0;
}

/* The ids we know, each as itself. */
static int map_same(const char *proc, pid_t pid, const char *file, struct err *e)
{
        AUTO(buf_done) struct buf ours = BUF_INIT(MAP_MAX), map = BUF_INIT(MAP_MAX);
        AUTO(free_ptr) char *from = fs_path("%s/self/%s", proc, file),
                            *to = fs_path("%s/%ld/%s", proc, (long)pid, file);
        unsigned long inside, outside, count;
        sv rest, line;

        if (fs_read(from, &ours, e) < 0)
                return -(int)e->code;
        rest = buf_sv(&ours);
        while (sv_line(&rest, &line))
                if (sscanf(line.p, "%lu %lu %lu", &inside, &outside, &count) == 3)
                        buf_fmt(&map, "%lu %lu %lu\n", inside, inside, count);
        return buf_check(&map, e) < 0 ? -(int)e->code : write_file(to, buf_sv(&map), e);
}

int sandbox_space_map_all(const char *proc, pid_t pid, struct err *e)
{
        return map_same(proc, pid, "uid_map", e) < 0 ? -(int)e->code : map_same(proc, pid, "gid_map", e);
}

/* Us as root, and nobody else: what everybody may write. */
static int map_us(uid_t uid, gid_t gid, struct err *e)
{
        AUTO(free_ptr) char *uids = fs_path("0 %ld 1\n", (long)uid), *gids = fs_path("0 %ld 1\n", (long)gid);

        if (write_file("/proc/self/setgroups", SV("deny"), e) < 0 ||
            write_file("/proc/self/uid_map", sv_from(uids), e) < 0)
                return -(int)e->code;
        return write_file("/proc/self/gid_map", sv_from(gids), e);
}

/* Maps of many ids are written from outside: by a child that stays there until we are in. */
struct mapper {
        pid_t pid;
        int go[2], done[2];
};

static _Noreturn void mapper_run(struct mapper *m, pid_t target)
{
        struct err e = { 0 };
        char byte = 'n';

        close(m->go[1]); /* or our own end would keep the pipe open when the other dies */
        if (read(m->go[0], &byte, 1) == 1) {
                byte = sandbox_space_map_all("/proc", target, &e) == 0 ? 'y' : 'n';
                (void)!write(m->done[1], &byte, 1);
        }
        _exit(0);
}

static int mapper_start(struct mapper *m, struct err *e)
{
        pid_t us = getpid();

        if (pipe2(m->go, O_CLOEXEC) < 0 || pipe2(m->done, O_CLOEXEC) < 0 || (m->pid = fork()) < 0)
                return err_errno(e, "cannot start a process");
        if (m->pid == 0)
                mapper_run(m, us);
        close_fd(&m->go[0]);
        close_fd(&m->done[1]);
        return 0;
}

/* True when it wrote the maps. */
static bool mapper_finish(struct mapper *m, bool go)
{
        char byte = 'n';

        if (go)
                go = write(m->go[1], "", 1) == 1 && read(m->done[0], &byte, 1) == 1;
        close_fd(&m->go[1]);
        close_fd(&m->done[0]);
        while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return go && byte == 'y';
}

/* ENOSPC here means "no more namespaces", so the disk's hint must not be given. */
static int refused(bool root, const char *what, int error, struct err *e)
{
        err_set(e, ERR_FAILED, "the kernel does not let us %s: %s", what, strerror(error));
        if (root)
                err_hint(e, "inside a container this needs CAP_SYS_ADMIN, CAP_SETFCAP and a seccomp profile that "
                            "allows unshare: start it "
                            "with --privileged, or run the image with podman");
        else
                err_hint(e, "an administrator can allow it: sysctl user.max_user_namespaces=10000 "
                            "kernel.unprivileged_userns_clone=1 "
                            "kernel.apparmor_restrict_unprivileged_userns=0 (those that exist)");
        return -(int)e->code;
}

int sandbox_space_enter(struct sandbox_space *ret, struct err *e)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();
        struct mapper m = { .go = { -1, -1 }, .done = { -1, -1 } };
        struct err one = { 0 };
        bool in;

        if (uid == 0 && mapper_start(&m, e) < 0)
                return -(int)e->code;
        in = unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0;
        if (!in)
                refused(uid == 0, "make a user namespace", errno, e);
        ret->full = uid == 0 && mapper_finish(&m, in);
        if (!in)
                return -(int)e->code;
        if (!ret->full && map_us(uid, gid, &one) < 0)
                refused(uid == 0, "map users in a namespace", errno, e);
        err_done(&one);
        return -(int)e->code;
}
