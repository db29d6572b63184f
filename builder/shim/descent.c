/* Who is below us. What was orphaned comes to us, since we are pid 1 or a subreaper; /proc says the rest. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "shim/shim.h"

struct process {
        pid_t pid, parent, group;
        uint64_t ticks, pages; /* processor time, with that of children it waited for; memory */
        bool dead, ours;
};
struct processes {
        struct process *v;
        size_t n, cap;
};

static void processes_done(struct processes *p)
{
        free(p->v);
}

/* The name in /proc/PID/stat may hold anything, ')' too: what we want is behind the last one. */
static bool stat_read(const char *pid, struct process *ret)
{
        unsigned long long user = 0, system = 0, children = 0, their_system = 0, pages = 0;
        char path[64], text[1024], state, *at;
        AUTO(close_fd) int fd = -1;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
        if (n <= 0)
                return false;
        text[n] = '\0';
        at = strrchr(text, ')');
        *ret = (struct process){ .pid = (pid_t)atol(pid) };
        if (!at ||
            sscanf(at + 1, " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d %*d %*d %*u %*u %llu",
                   &state, &ret->parent, &ret->group, &user, &system, &children, &their_system, &pages) < 3)
                return false;
        ret->ticks = user + system + children + their_system;
        ret->pages = pages;
        ret->dead = state == 'Z' || state == 'X';
        return true;
}

static int by_pid(const void *a, const void *b)
{
        const struct process *x = a, *y = b;

        return (x->pid > y->pid) - (x->pid < y->pid);
}

static bool below(const struct processes *ps, const struct process *p, pid_t self)
{
        /* a parent that ended while we read: its children are found the next time */
        for (size_t depth = 0; p && p->parent > 0 && depth <= ps->n; depth++) {
                struct process key = { .pid = p->parent };

                if (p->parent == self)
                        return true;
                p = bsearch(&key, ps->v, ps->n, sizeof(*ps->v), by_pid);
        }
        return false;
}

/* False: /proc is not there. */
static bool look(struct processes *ret)
{
        DIR *d = opendir("/proc");
        pid_t self = getpid();
        struct dirent *de;
        struct process p;

        if (!d)
                return false;
        while ((de = readdir(d)))
                if (de->d_name[0] >= '1' && de->d_name[0] <= '9' && stat_read(de->d_name, &p)) {
                        ret->v = xgrow(ret->v, &ret->cap, ret->n + 1, sizeof(*ret->v));
                        ret->v[ret->n++] = p;
                }
        closedir(d);
        if (ret->n)
                qsort(ret->v, ret->n, sizeof(*ret->v), by_pid);
        for (size_t i = 0; i < ret->n; i++)
                ret->v[i].ours = below(ret, &ret->v[i], self);
        return ret->n > 0;
}

bool shim_group_alive(pid_t group)
{
        AUTO(processes_done) struct processes ps = { 0 };

        if (!look(&ps))
                return false;
        for (size_t i = 0; i < ps.n; i++)
                if (ps.v[i].ours && !ps.v[i].dead && ps.v[i].group == group)
                        return true;
        return false;
}

void shim_kill_all(pid_t group)
{
        AUTO(processes_done) struct processes ps = { 0 };

        if (getpid() == 1) {
                kill(-1, SIGKILL);
                return;
        }
        if (!look(&ps) && group > 0)
                kill(-group, SIGKILL);
        for (size_t i = 0; i < ps.n; i++)
                if (ps.v[i].ours && !ps.v[i].dead)
                        kill(ps.v[i].pid, SIGKILL);
}

bool shim_kill_rest(pid_t group, int64_t limit_ms)
{
        int64_t end = shim_boot_ms() + limit_ms;
        pid_t pid;

        for (;;) {
                do
                        pid = waitpid(-1, NULL, WNOHANG);
                while (pid > 0 || (pid < 0 && errno == EINTR));
                if (pid < 0) /* ECHILD: orphans of whoever is killed come to us first, so nobody is left */
                        return true;
                if (shim_boot_ms() >= end)
                        return false;
                shim_kill_all(group);
                nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
        }
}

bool shim_descent_use(uint64_t *ret_rss_kb, uint64_t *ret_cpu_ms)
{
        AUTO(processes_done) struct processes ps = { 0 };
        uint64_t ticks = 0, pages = 0, second = (uint64_t)sysconf(_SC_CLK_TCK);
        struct rusage over = { 0 };

        if (!look(&ps) || second == 0)
                return false;
        for (size_t i = 0; i < ps.n; i++)
                if (ps.v[i].ours) {
                        ticks += ps.v[i].ticks;
                        pages += ps.v[i].pages;
                }
        getrusage(RUSAGE_CHILDREN, &over); /* those that are over */
        *ret_rss_kb = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
        *ret_cpu_ms = ticks * 1000 / second + (uint64_t)(over.ru_utime.tv_sec + over.ru_stime.tv_sec) * 1000 +
                      (uint64_t)(over.ru_utime.tv_usec + over.ru_stime.tv_usec) / 1000;
        return true;
}
