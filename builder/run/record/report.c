/* Small readers of a run's folder for whoever tells of it. */
#include "run/record/report.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

enum { EVENTS_MAX = 10000, USES_MAX = 2000 };
#define LINES_MAX ((size_t)4 << 20) /* bytes of a file of lines that are looked at */

/* The last `max` bytes of a file. */
static sv file_end(struct arena *a, const char *path, size_t max)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat st;
        ssize_t got;
        size_t n;
        char *p;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
                return (sv){ 0 };
        n = (size_t)st.st_size < max ? (size_t)st.st_size : max;
        p = arena_array(a, char, n);
        got = pread(fd, p, n, st.st_size - (off_t)n);
        return (sv){ p, got > 0 ? (size_t)got : 0 };
}

sv run_log_end(struct arena *a, const struct run_record *r, unsigned rank, unsigned lines, size_t max)
{
        sv text = file_end(a, run_log_path(a, r, rank).p, max);
        unsigned seen = 0;

        for (size_t i = text.n; i > 0; i--)
                if (text.p[i - 1] == '\n' && i < text.n && ++seen == lines)
                        return sv_skip(text, i);
        return text;
}

void run_events_read(struct arena *a, const struct run_record *r, struct run_event **ret, size_t *ret_n)
{
        sv rest = file_end(a, run_path(a, r, "events.jsonl").p, LINES_MAX), line;
        struct run_event *v = NULL;
        size_t n = 0, cap = 0;

        while (n < EVENTS_MAX && sv_line(&rest, &line)) {
                AUTO(err_done) struct err ignored = { 0 };
                struct run_event x;
                struct js *j;
                if (js_parse(a, line, &j, &ignored) < 0 || !js_int(js_get(j, "t"), &x.t_us))
                        continue;
                x.from = js_get_str(j, "from");
                x.to = js_get_str(j, "to");
                x.why = js_get_str(j, "why");
                *arena_push(a, v, n, cap) = x;
        }
        *ret = v;
        *ret_n = n;
}

static size_t lines_in(sv text)
{
        size_t n = 0;

        for (size_t i = 0; i < text.n; i++)
                n += text.p[i] == '\n';
        return n;
}

void run_use_read(struct arena *a, const struct run_record *r, unsigned rank, struct run_use **ret, size_t *ret_n)
{
        sv rest = file_end(a, run_path(a, r, "status/%u/usage-%u.jsonl", r->attempt, rank).p, LINES_MAX), line;
        size_t n = 0, cap = 0, every = lines_in(rest) / USES_MAX + 1, at = 0;
        struct run_use *v = NULL;

        while (sv_line(&rest, &line)) {
                AUTO(err_done) struct err ignored = { 0 };
                AUTO(arena_done) struct arena tmp = { 0 };
                struct run_use x = { 0 };
                struct js *j;
                if (at++ % every || js_parse(&tmp, line, &j, &ignored) < 0 || !js_int(js_get(j, "t"), &x.t_us))
                        continue;
                js_int(js_get(j, "rss_kb"), &x.rss_kb);
                js_int(js_get(j, "cpu_ms"), &x.cpu_ms);
                *arena_push(a, v, n, cap) = x;
        }
        *ret = v;
        *ret_n = n;
}

sv run_status_text(struct arena *a, const struct run_status *s, unsigned ranks)
{
        const char *state = run_state_name(s->state), *name = s->term_signal ? sigabbrev_np(s->term_signal) : NULL;
        sv of = s->first_bad_rank >= 0 && ranks > 1 ? arena_fmt(a, " (rank %d)", s->first_bad_rank) : SV("");

        if (s->state != RUN_FAILED)
                return sv_from(state);
        switch (s->reason) {
        case RUN_R_TIMEOUT:
                return arena_fmt(a, "%s: over its time limit%.*s", state, SV_ARG(of));
        case RUN_R_LAUNCH_FAILED:
                if (s->exit_code > 0)
                        return arena_fmt(a, "%s: the command could not be started (%d)%.*s", state, s->exit_code,
                                         SV_ARG(of));
                return arena_fmt(a, "%s: it could not be started", state);
        case RUN_R_SIGNAL:
                if (name)
                        return arena_fmt(a, "%s: killed by SIG%s%.*s", state, name, SV_ARG(of));
                return arena_fmt(a, "%s: killed by signal %d%.*s", state, s->term_signal, SV_ARG(of));
        case RUN_R_OOM:
                return arena_fmt(a, "%s: out of memory%.*s", state, SV_ARG(of));
        case RUN_R_EXIT_CODE:
                return arena_fmt(a, "%s: exit code %d%.*s", state, s->exit_code, SV_ARG(of));
        default:
                return arena_fmt(a, "%s%s%s%.*s", state, s->reason ? ": " : "", run_reason_name(s->reason), SV_ARG(of));
        }
}
