/* tests/bench/conda_index.c - how long it takes to index a repodata.json, to open it again, and to decode records. One line of JSON.
 * Usage: conda_index REPODATA FOLDER (for the index; an old one there is used) RECORDS (to decode). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/conda_channels.h"

static double now_ms(clockid_t which)
{
        struct timespec t;

        clock_gettime(which, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of this program alone: getrusage counts what the parent had when it forked. */
static size_t peak_kib(void)
{
        AUTO(buf_done) struct buf b = BUF_INIT(65536);
        AUTO(err_done) struct err e = { 0 };
        sv rest, line;

        if (fs_read("/proc/self/status", &b, &e) < 0)
                return 0;
        for (rest = buf_sv(&b); sv_line(&rest, &line);)
                if (sv_starts(line, SV("VmHWM:")))
                        return strtoul(line.p + 6, NULL, 10);
        return 0;
}

static int run(const struct conda_file *f, const char *dir, size_t want, struct err *e)
{
        struct conda_source *s = NULL;
        struct conda_records r;
        double begin = now_ms(CLOCK_MONOTONIC), opened, decoded, cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID), cpu_opened;
        size_t records = 0, names = 0, depends = 0;

        if (conda_files_open(f, 1, dir, NULL, &s, e) < 0)
                return -(int)e->code;
        opened = now_ms(CLOCK_MONOTONIC);
        cpu_opened = now_ms(CLOCK_PROCESS_CPUTIME_ID);
        for (; records < want && names < 1000000; names++) { /* the names that conda_index.py makes */
                char name[32];

                snprintf(name, sizeof(name), "pkg-%zu", names);
                if (s->ops->records(s, sv_from(name), &r, e) < 0 || r.n == 0)
                        break;
                for (size_t i = 0; i < r.n; i++)
                        depends += r.v[i].n_depends;
                records += r.n;
        }
        decoded = now_ms(CLOCK_MONOTONIC);
        printf("{\"open_ms\": %.2f, \"open_cpu_ms\": %.2f, \"decode_ms\": %.2f, \"decode_cpu_ms\": %.2f, \"names\": "
               "%zu, "
               "\"records\": %zu, \"depends\": %zu, \"peak_kib\": %zu}\n",
               opened - begin, cpu_opened - cpu, decoded - opened, now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_opened, names,
               records, depends, peak_kib());
        conda_source_free(s);
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        struct conda_file f = { .channel = SV("https://bench.example/c"), .subdir = SV("linux-64") };

        if (argc != 4)
                return 2;
        f.path = sv_from(argv[1]);
        if (run(&f, argv[2], strtoul(argv[3], NULL, 10), &e) < 0) {
                fprintf(stderr, "%s\n", e.cause);
                return 1;
        }
        return 0;
}
