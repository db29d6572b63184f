/* run/supervise/procs.c - processes by /proc. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "run/supervise/supervise_priv.h"

#define ENVIRON_MAX ((size_t)8 << 20)

/* The name in brackets may hold brackets and blanks: what follows is behind the last one. */
bool run_proc_read(pid_t pid, struct run_proc *ret)
{
        char path[64], text[1024];
        int fd, ppid;
        unsigned long long start;
        const char *at;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = read(fd, text, sizeof(text) - 1);
        close(fd);
        if (n <= 0)
                return false;
        text[n] = '\0';
        at = strrchr(text, ')');
        if (!at || sscanf(at + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                          &ret->state, &ppid, &start) != 3)
                return false;
        ret->pid = pid;
        ret->ppid = ppid;
        ret->start = start;
        return true;
}

static bool each(DIR *d, pid_t *ret)
{
        const struct dirent *de;

        while ((de = readdir(d)))
                if (isdigit((unsigned char)de->d_name[0])) {
                        *ret = (pid_t)strtol(de->d_name, NULL, 10);
                        return true;
                }
        return false;
}

static bool holds(sv text, sv line)
{
        sv item;

        while (sv_cut(&text, '\0', &item))
                if (sv_eq(item, line))
                        return true;
        return false;
}

static bool proc_text(pid_t pid, const char *name, struct buf *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        char path[64];

        buf_clear(ret);
        snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
        return fs_read(path, ret, &ignored) == 0 && ret->n;
}

static bool is_rank(pid_t pid, struct buf *scratch)
{
        sv rest, word;

        if (!proc_text(pid, "cmdline", scratch))
                return false;
        rest = buf_sv(scratch);
        if (!sv_cut(&rest, '\0', &word))
                return false;
        return sv_is(sv_basename(word), "envbuild-rank") || (sv_cut(&rest, '\0', &word) && sv_is(word, RUN_RANK_MAIN));
}

/* Opened first: what is read then is of the process that is signalled, or that one is gone and nobody is. */
static void signal_one(pid_t pid, sv line, int sig, struct buf *scratch)
{
        AUTO(close_fd) int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        if (fd >= 0 && proc_text(pid, "environ", scratch) && holds(buf_sv(scratch), line))
                (void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

void run_procs_of(sv id, int sig, struct run_procs *ret)
{
        AUTO(buf_done) struct buf text = BUF_INIT(ENVIRON_MAX);
        AUTO(free_ptr) char *line = fs_path("ENVBUILD_RUN_ID=%.*s", SV_ARG(id));
        DIR *d = opendir("/proc");
        pid_t pid;

        *ret = (struct run_procs){ 0 };
        while (d && each(d, &pid)) {
                if (pid == getpid() || !proc_text(pid, "environ", &text) || !holds(buf_sv(&text), sv_from(line)))
                        continue;
                ret->all++;
                ret->ranks += is_rank(pid, &text);
                if (sig)
                        signal_one(pid, sv_from(line), sig, &text);
        }
        if (d)
                closedir(d);
}

/* --- descendants */

struct table {
        struct run_proc *v;
        size_t n, cap;
};

static void read_table(struct table *t)
{
        DIR *d = opendir("/proc");
        struct run_proc p;
        pid_t pid;

        while (d && each(d, &pid))
                if (run_proc_read(pid, &p)) {
                        t->v = xgrow(t->v, &t->cap, t->n + 1, sizeof(*t->v));
                        t->v[t->n++] = p;
                }
        if (d)
                closedir(d);
}

static int by_pid(const void *a, const void *b)
{
        const struct run_proc *x = a, *y = b;

        return (x->pid > y->pid) - (x->pid < y->pid);
}

/* A parent may have a higher number than its child, when numbers went around. */
static bool is_below(const struct table *t, const struct run_proc *p, pid_t top)
{
        for (size_t steps = 0; p && steps < t->n; steps++) {
                struct run_proc key = { .pid = p->ppid };
                if (p->ppid == top)
                        return true;
                p = p->ppid > 1 ? bsearch(&key, t->v, t->n, sizeof(*t->v), by_pid) : NULL;
        }
        return false;
}

static void kill_one(const struct run_proc *p)
{
        AUTO(close_fd) int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
        struct run_proc now;

        if (fd >= 0 && run_proc_read(p->pid, &now) && now.start == p->start)
                (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}

unsigned run_procs_kill_below(void)
{
        struct table t = { 0 };
        unsigned n = 0;

        read_table(&t);
        qsort(t.v, t.n, sizeof(*t.v), by_pid);
        for (size_t i = 0; i < t.n; i++)
                if (t.v[i].state != 'Z' && t.v[i].state != 'X' && is_below(&t, &t.v[i], getpid())) {
                        kill_one(&t.v[i]);
                        n++;
                }
        free(t.v);
        return n;
}
