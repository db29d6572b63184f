/* envbuild-rank: around every rank. Order: record at the start, log, working directory, command; then who failed first, an end for what is left of
 * the descendants, the rest of the log, record at the end. So a record with an end means that nobody writes outputs any more. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

struct rank {
        struct arena arena;
        struct shim_options options;
        struct shim_place place;
        struct shim_record record;
        struct shim_watch watch;
        struct shim_console console;
        struct shim_start start;
        struct shim_end end;
        int64_t start_ms;
        uint64_t oom_kills; /* before */
};

static void say(int fd, const struct err *e)
{
        dprintf(fd, "envbuild-rank: %s\n%s", e->cause, e->trail ? e->trail : "");
}

static int64_t now_us(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int variables(struct rank *r, struct err *e)
{
        enum { FILE_MAX = 16 << 20 };
        AUTO(buf_done) struct buf file = BUF_INIT(FILE_MAX);
        char **env;
        const char *home;

        if (r->options.env_file && fs_read(r->options.env_file, &file, e) < 0)
                return -(int)e->code;
        if (shim_vars_make(&r->arena, &r->options, &r->place, environ, buf_sv(&file), NULL, &env, e) < 0)
                return -(int)e->code;
        shim_home(&r->arena, &r->options, env, &home); /* of the variables as they will be */
        if (home && shim_vars_make(&r->arena, &r->options, &r->place, environ, buf_sv(&file), home, &env, e) < 0)
                return -(int)e->code;
        r->start.env = env;
        return 0;
}

static int prepare(struct rank *r, struct err *e)
{
        const char *log;

        r->start.argv = r->options.argv;
        r->start.log = shim_log_open(&r->arena, &r->options, &r->place, &log, e);
        if (r->start.log < 0 || (r->options.console && shim_console_open(&r->console, log, e) < 0) ||
            shim_workdir(&r->arena, &r->options, &r->place, &r->start.dir, e) < 0)
                return -(int)e->code;
        return variables(r, e);
}

/* Why there is no command, in the log, where whoever looks for its output finds it. */
static void not_started(struct rank *r, int why)
{
        const char *name = r->start.argv[0];
        AUTO(err_done) struct err e = { 0 };
        struct stat st;

        r->end.failed_start = true;
        r->end.exit_code = why == ENOENT || why == ENOTDIR ? SHIM_NOT_FOUND : SHIM_NOT_EXECUTABLE;
        if (!fs_is_dir(r->start.dir)) {
                r->end.exit_code = SHIM_CANNOT;
                err_set(&e, ERR_FAILED, "cannot enter the working directory '%s': %s", r->start.dir, strerror(why));
        } else if (why == ENOENT && strchr(name, '/') && stat(name, &st) == 0) {
                err_set(&e, ERR_FAILED,
                        "cannot run '%s': the interpreter it names in its first line, or its loader, is not there",
                        name);
        } else if (why == ENOENT) {
                err_set(&e, ERR_FAILED, "cannot run '%s': no such program%s", name,
                        strchr(name, '/') ? "" : " on PATH");
        } else {
                err_set(&e, ERR_FAILED, "cannot run '%s': %s", name, strerror(why));
        }
        say(r->start.log, &e);
        say(STDERR_FILENO, &e);
}

/* The command from its start to its end. */
static int run(struct rank *r, struct err *e)
{
        struct rusage used = { 0 };
        int why;

        if (shim_wanted(&r->options, "status", "cancel")) { /* before it began */
                r->end.stop = SHIM_STOP_CANCEL;
                shim_end_judge(&r->end, SIGTERM, 0);
                return 0;
        }
        r->oom_kills = shim_oom_kills();
        if (shim_start(&r->start, &r->watch.pid, &why, e) < 0)
                return -(int)e->code;
        if (why) {
                not_started(r, why);
                return 0;
        }
        r->watch.console = r->options.console ? &r->console : NULL;
        shim_usage_start(&r->watch.usage, &r->options, r->place.rank, shim_boot_ms());
        shim_watch(&r->watch);
        r->end.stop = r->watch.stop;
        shim_end_judge(&r->end, r->watch.status, r->watch.passed);
        r->end.oom = shim_end_failed(&r->end) && shim_oom_kills() > r->oom_kills;
        getrusage(RUSAGE_CHILDREN, &used);
        r->end.maxrss_kb = (uint64_t)used.ru_maxrss;
        return 0;
}

static void finish(struct rank *r)
{
        enum { LIMIT_MS = 10000 };
        AUTO(err_done) struct err e = { 0 };

        if (shim_end_failed(&r->end) && shim_record_failed(&r->record, &e) < 0)
                say(STDERR_FILENO, &e);
        if (r->watch.pid && !shim_kill_rest(r->watch.pid, LIMIT_MS))
                dprintf(STDERR_FILENO, "envbuild-rank: some processes of the command would not end\n");
        shim_console_drain(&r->console);
        /* from its start on by a clock that nobody sets, so that it lasted as long as it did */
        r->end.end_us = r->end.start_us + (shim_boot_ms() - r->start_ms) * 1000;
}

static int rank_main(struct rank *r, int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(err_done) struct err last = { 0 };

        r->end.start_us = now_us();
        r->start_ms = shim_boot_ms();
        if (shim_options_parse(argc, argv, &r->options, &e) < 0 ||
            shim_place_find(&r->options, environ, &r->place, &e) < 0 ||
            shim_watch_open(&r->watch, &r->options, &e) < 0 ||
            shim_record_start(&r->record, &r->options, &r->place, r->end.start_us, &e) < 0) {
                say(STDERR_FILENO, &e);
                return SHIM_CANNOT;
        }
        if (getpid() != 1)
                prctl(PR_SET_CHILD_SUBREAPER, 1);
        if (prepare(r, &e) < 0 || run(r, &e) < 0) {
                say(STDERR_FILENO, &e);
                if (r->start.log >= 0)
                        say(r->start.log, &e);
                r->end.failed_start = true;
                r->end.exit_code = SHIM_CANNOT;
        }
        finish(r);
        if (shim_record_end(&r->record, &r->end, &last) < 0) {
                say(STDERR_FILENO, &last);
                dprintf(STDERR_FILENO, "envbuild-rank: the command ended with %d, which could not be written down\n",
                        shim_end_exit(&r->end));
                return SHIM_CANNOT;
        }
        return shim_end_exit(&r->end);
}

int main(int argc, char **argv)
{
        struct rank r = { .console = { .log = -1, .notify = -1 }, .start = { .log = -1 } };
        int status = rank_main(&r, argc, argv);

        shim_console_done(&r.console);
        shim_record_done(&r.record);
        arena_done(&r.arena);
        return status;
}
