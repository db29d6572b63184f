/* Memory and processor time of a run over time. A line after a second, then every five; each thousand lines the pace halves, so that a month's run
 * has some thousand. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

enum { FIRST_MS = 1000, EVERY_MS = 5000, SLOWER_AFTER = 1000 };

void shim_usage_start(struct shim_usage *u, const struct shim_options *o, unsigned rank, int64_t now_ms)
{
        *u = (struct shim_usage){ .o = o, .rank = rank, .next_ms = now_ms + FIRST_MS, .every_ms = o ? EVERY_MS : 0 };
}

void shim_usage_look(struct shim_usage *u, int64_t now_ms)
{
        AUTO(free_ptr) char *path = NULL;
        AUTO(close_fd) int fd = -1;
        uint64_t rss, cpu;
        struct timespec t;
        char line[128];
        int n;

        if (u->every_ms == 0 || now_ms < u->next_ms)
                return;
        u->next_ms = now_ms + u->every_ms;
        if (++u->n % SLOWER_AFTER == 0)
                u->every_ms *= 2;
        if (!shim_descent_use(&rss, &cpu))
                return;
        clock_gettime(CLOCK_REALTIME, &t);
        n = snprintf(line, sizeof(line), "{\"t\":%lld,\"rss_kb\":%llu,\"cpu_ms\":%llu}\n",
                     (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000, (unsigned long long)rss,
                     (unsigned long long)cpu);
        path = fs_path("%s/status/%u/usage-%u.jsonl", u->o->dir, u->o->attempt, u->rank);
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, line, (size_t)n) != n)
                u->every_ms = 0; /* a full disk is not asked again and again */
}
