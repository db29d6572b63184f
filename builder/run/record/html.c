/* A run as one page. Nothing on it is fetched, nothing runs; whatever a run says is text. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "run/record/report.h"
#include "spec/spec.h"

enum {
        LOGS_MAX = 16,   /* ranks whose logs are shown */
        LOG_LINES = 200, /* of the rank of interest; the others a tenth */
        LOG_BYTES = 1 << 17,
        RANKS_MAX = 512,
        WIDTH = 1000, /* of drawings, in their own units */
        STEPS_MAX = 200
};

static const char head[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light "
        "dark\">\n<style>\n"
        ":root{--fg:#1b1f24;--bg:#fff;--dim:#667;--line:#d8dce2;--box:#f5f6f8}\n"
        "@media(prefers-color-scheme:dark){:root{--fg:#e6e8eb;--bg:#14171a;--dim:#99a;--line:#353b42;--box:#1d2126}}\n"
        "body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:1100px;margin:2em "
        "auto;padding:0 1em}\n"
        "h1{font-size:1.5em;margin:0;overflow-wrap:anywhere}h2{font-size:1.1em;margin:2em 0 .5em;border-bottom:1px "
        "solid var(--line)}\n"
        "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.15em 1.2em .15em "
        "0;overflow-wrap:anywhere}\n"
        "th{font-weight:normal;color:var(--dim);white-space:nowrap}code,pre{font:13px/1.45 ui-monospace,monospace}\n"
        "pre{background:var(--box);border:1px solid "
        "var(--line);border-radius:6px;padding:.7em;overflow:auto;max-height:32em;white-space:pre-wrap;overflow-wrap:"
        "anywhere}\n"
        "svg{width:100%;display:block;background:var(--box);border-radius:6px}svg text{fill:var(--fg);font:12px "
        "system-ui,sans-serif}\n"
        ".badge{display:inline-block;border-radius:1em;padding:.1em "
        ".8em;color:#fff;background:#6b7280}.num{text-align:right;white-space:nowrap}.short{white-space:nowrap}svg+"
        "table{margin-top:.7em}\n"
        ".good{background:#15803d;fill:#15803d}.bad{background:#b91c1c;fill:#b91c1c}.run{background:#1d4ed8;fill:#"
        "1d4ed8}\n"
        ".wait{background:#b45309;fill:#d99b48}.off{background:#6b7280;fill:#9aa1ab}\n"
        ".advice{border-left:4px solid #b45309;background:var(--box);padding:.5em 1em;margin:.5em 0}\n"
        "summary{cursor:pointer}.dim{color:var(--dim)}\n</style>\n";

struct page {
        struct arena a;
        const struct run_record *r;
        const struct run_rank *rank;
        size_t n_rank;
        struct buf *out;
};

/* --- text */

/* Direction marks and the like turn around what is read: they are shown as what they are, strangers. */
static bool misleads(sv c)
{
        return c.n == 3 && (unsigned char)c.p[0] == 0xe2 &&
               (((unsigned char)c.p[1] == 0x80 && (unsigned char)c.p[2] >= 0x8b) ||
                ((unsigned char)c.p[1] == 0x81 && (unsigned char)c.p[2] >= 0xa0)) &&
               !((unsigned char)c.p[1] == 0x80 && (unsigned char)c.p[2] >= 0x90 && (unsigned char)c.p[2] <= 0xa7);
}

/* One character at the front; its bytes, 0 when they are none. */
static size_t character(sv s)
{
        if ((unsigned char)s.p[0] < 0x80)
                return 1;
        for (size_t n = 2; n <= 4 && n <= s.n; n++)
                if (sv_utf8(sv_from_to(s, 0, n)))
                        return n;
        return 0;
}

static void put(struct buf *out, sv s)
{
        while (s.n) {
                size_t n = character(s);
                char c = s.p[0];
                bool strange = !n || misleads(sv_from_to(s, 0, n)) ||
                               (n == 1 && ((unsigned char)c < ' ' || c == 0x7f) && c != '\n' && c != '\t');

                if (strange)
                        buf_add(out, SV("\xef\xbf\xbd"));
                else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
                        buf_fmt(out, "&#%d;", c);
                else
                        buf_add(out, sv_from_to(s, 0, n));
                s = sv_skip(s, n ? n : 1);
        }
}

static void row(struct page *p, const char *name, sv value)
{
        if (!value.n)
                return;
        buf_fmt(p->out, "<tr><th>%s</th><td>", name);
        put(p->out, value);
        buf_add(p->out, SV("</td></tr>\n"));
}

static void row_named(struct page *p, sv name, sv value)
{
        buf_add(p->out, SV("<tr><th>"));
        put(p->out, name);
        buf_add(p->out, SV("</th><td>"));
        put(p->out, value);
        buf_add(p->out, SV("</td></tr>\n"));
}

static sv date(struct page *p, int64_t us)
{
        char text[24];

        if (!us)
                return (sv){ 0 };
        time_format(us / 1000000, text);
        text[10] = ' ';
        return arena_fmt(&p->a, "%.19s UTC", text);
}

static sv span(struct page *p, int64_t us)
{
        long long s = us / 1000000;

        if (us < 0)
                return (sv){ 0 };
        if (s < 60)
                return arena_fmt(&p->a, "%lld.%02lld s", s, (long long)(us / 10000 % 100));
        if (s < 3600)
                return arena_fmt(&p->a, "%lld min %02lld s", s / 60, s % 60);
        return arena_fmt(&p->a, "%lld h %02lld min", s / 3600, s / 60 % 60);
}

static const char *colour(sv state)
{
        static const struct {
                const char *state, *class;
        } rows[] = {
                { "Completed", "good" },      { "Failed", "bad" },        { "Canceled", "off" }, { "Running", "run" },
                { "CancelRequested", "off" }, { "NotResponding", "bad" }, { "Unknown", "off" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (sv_is(state, rows[i].state))
                        return rows[i].class;
        return "wait";
}

/* --- what was asked for */

static void put_top(struct page *p)
{
        const struct run_record *r = p->r;
        struct buf *out = p->out;

        buf_add(out, SV("<title>"));
        put(out, r->id);
        buf_add(out, SV("</title></head><body>\n<h1>"));
        put(out, r->spec->display_name.n ? r->spec->display_name : r->id);
        buf_fmt(out, "</h1>\n<p><span class=\"badge %s\">", colour(sv_from(run_state_name(r->status.state))));
        put(out, run_status_text(&p->a, &r->status, run_job_ranks(r->spec)));
        buf_add(out, SV("</span> <span class=\"dim\">"));
        put(out, arena_fmt(&p->a, "%.*s, experiment %.*s", SV_ARG(r->id), SV_ARG(r->spec->experiment)));
        buf_add(out, SV("</span></p>\n"));
        if (r->status.message.n) {
                buf_add(out, SV("<p>"));
                put(out, r->status.message);
                buf_add(out, SV("</p>\n"));
        }
}

static sv command(struct page *p)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        const struct run_spec *s = p->r->spec;

        if (!s->n_argv)
                return s->command;
        for (size_t i = 0; i < s->n_argv; i++) {
                buf_add(&b, i ? SV(" ") : SV(""));
                buf_add(&b, s->argv[i]);
        }
        return arena_sv(&p->a, buf_sv(&b));
}

static void put_facts(struct page *p)
{
        const struct run_record *r = p->r;
        const struct run_status *s = &r->status;

        buf_add(p->out, SV("<h2>Facts</h2>\n<table>\n"));
        row(p, "command", command(p));
        row(p, "on", r->compute);
        row(p, "target", r->target);
        row(p, "handle", r->handle);
        row(p, "engine says", s->engine_state);
        row(p, "image", r->image);
        row(p, "started from", sv_eq(r->run_image, r->image) ? (sv){ 0 } : r->run_image);
        row(p, "lock", r->lock_digest);
        row(p, "created", date(p, r->created_us));
        row(p, "submitted", date(p, s->submitted_us));
        row(p, "started", date(p, s->started_us));
        row(p, "ended", date(p, s->ended_us));
        if (s->started_us && s->ended_us)
                row(p, "ran", span(p, s->ended_us - s->started_us));
        row(p, "attempt", arena_fmt(&p->a, "%u of %u", r->attempt, r->spec->retries + 1));
        row(p, "by", arena_fmt(&p->a, "%.*s on %.*s", SV_ARG(r->user), SV_ARG(r->host)));
        row(p, "sweep", r->sweep);
        row(p, "folder", r->dir);
        buf_add(p->out, SV("</table>\n"));
}

static void put_source(struct page *p)
{
        const struct run_record *r = p->r;
        const struct run_git *g = &r->git;

        if (!r->spec->code.n && !r->snapshot.digest.n && !g->known && !g->note.n)
                return;
        buf_add(p->out, SV("<h2>Source</h2>\n<table>\n"));
        row(p, "folder", r->spec->code);
        row(p, "snapshot", r->snapshot.digest);
        if (r->snapshot.digest.n)
                row(p, "files",
                    arena_fmt(&p->a, "%llu, %llu bytes", (unsigned long long)r->snapshot.files,
                              (unsigned long long)r->snapshot.bytes));
        row(p, "layer", r->snapshot.layer);
        row(p, "repository", g->repository);
        row(p, "branch", g->branch);
        row(p, "commit", g->commit);
        if (g->known)
                row(p, "changed since", g->dirty ? SV("yes") : SV("no"));
        row(p, "git", g->note);
        buf_add(p->out, SV("</table>\n"));
}

static void put_parameters(struct page *p)
{
        const struct run_spec *s = p->r->spec;

        if (!(s->n_input + s->n_output + s->n_env + s->n_host_env + s->n_tag))
                return;
        buf_add(p->out, SV("<h2>Parameters</h2>\n<table>\n"));
        for (size_t i = 0; i < s->n_input; i++)
                row_named(p, s->input[i].name, s->input[i].value);
        for (size_t i = 0; i < s->n_output; i++)
                row_named(p, s->output[i].name, arena_fmt(&p->a, "outputs/%.*s", SV_ARG(s->output[i].name)));
        for (size_t i = 0; i < s->n_env; i++)
                row_named(p, arena_fmt(&p->a, "$%.*s", SV_ARG(s->env[i].name)),
                          spec_secret_name(s->env[i].name) ? SV("(not shown)") : s->env[i].value);
        for (size_t i = 0; i < s->n_host_env; i++)
                row_named(p, arena_fmt(&p->a, "$%.*s", SV_ARG(s->host_env[i])),
                          SV("(of the host that submitted it, not kept)"));
        for (size_t i = 0; i < s->n_tag; i++)
                row_named(p, arena_fmt(&p->a, "tag %.*s", SV_ARG(s->tag[i].name)), s->tag[i].value);
        buf_add(p->out, SV("</table>\n"));
}

/* --- over time */

struct step {
        int64_t from, to;
        sv state, why;
};

/* From its making to its end, or to now. */
static size_t steps_of(struct page *p, struct step *v, int64_t *ret_end)
{
        const struct run_record *r = p->r;
        struct run_event *ev = NULL;
        size_t n_ev = 0, n = 0, skip;
        int64_t now = r->status.ended_us ? r->status.ended_us : run_now_us();

        run_events_read(&p->a, r, &ev, &n_ev);
        skip = n_ev > STEPS_MAX ? n_ev - STEPS_MAX : 0;
        v[n++] = (struct step){ .from = r->created_us, .state = SV("Preparing") };
        for (size_t i = skip; i < n_ev; i++) {
                v[n - 1].to = ev[i].t_us;
                v[n++] = (struct step){ .from = ev[i].t_us, .state = ev[i].to, .why = ev[i].why };
        }
        if (now < v[n - 1].from)
                now = v[n - 1].from;
        v[n - 1].to = now;
        *ret_end = now;
        return n;
}

static double place(int64_t t, int64_t from, int64_t to)
{
        double x = to > from ? (double)(t - from) * WIDTH / (double)(to - from) : 0;

        return x < 0 ? 0 : x > WIDTH ? WIDTH : x;
}

static bool is_final(sv state)
{
        enum run_state s;

        return run_state_parse(state, &s) && run_state_final(s);
}

static void put_states(struct page *p)
{
        struct step *v = arena_array(&p->a, struct step, STEPS_MAX + 1);
        struct buf *out = p->out;
        int64_t from = p->r->created_us, to;
        size_t n = steps_of(p, v, &to);

        buf_fmt(out,
                "<h2>States</h2>\n<svg viewBox=\"0 0 %d 28\" role=\"img\" aria-label=\"states over time\" "
                "preserveAspectRatio=\"none\" height=\"28\">\n",
                WIDTH);
        for (size_t i = 0; i < n; i++) {
                double x = place(v[i].from, from, to), w = place(v[i].to, from, to) - x;
                buf_fmt(out, "<rect class=\"%s\" x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"28\"><title>",
                        colour(v[i].state), is_final(v[i].state) && x > WIDTH - 4 ? WIDTH - 4 : x,
                        w < 4 && is_final(v[i].state) ? 4 : w);
                put(out, v[i].state);
                buf_add(out, SV("</title></rect>\n"));
        }
        buf_add(out, SV("</svg>\n<table>\n"));
        for (size_t i = 0; i < n; i++) {
                buf_fmt(out, "<tr><td><span class=\"badge %s\">", colour(v[i].state));
                put(out, v[i].state);
                buf_add(out, SV("</span></td><td class=\"short\">"));
                put(out, date(p, v[i].from));
                buf_add(out, SV("</td><td class=\"num\">"));
                if (!is_final(v[i].state))
                        put(out, span(p, v[i].to - v[i].from));
                buf_add(out, SV("</td><td>"));
                put(out, v[i].why);
                buf_add(out, SV("</td></tr>\n"));
        }
        buf_add(out, SV("</table>\n"));
}

static void put_rank(struct page *p, const struct run_rank *k, int64_t from, int64_t to)
{
        struct buf *out = p->out;
        int64_t end = k->end_us ? k->end_us : to;
        bool bad = k->exit_code || k->signal || k->timed_out;
        double x = place(k->start_us, from, to), w = place(end, from, to) - x;

        buf_fmt(out, "<tr><td class=\"num\">%u</td><td>", k->rank);
        put(out, k->host);
        buf_add(out, SV("</td><td class=\"short\">"));
        if (!k->end_us)
                buf_add(out, SV("goes on"));
        else if (k->signal)
                buf_fmt(out, "signal %d", k->signal);
        else
                buf_fmt(out, "exit code %d", k->exit_code);
        buf_add(out, SV("</td><td class=\"short\">"));
        put(out, k->timed_out ? SV("time limit") : k->stopped);
        buf_add(out, SV("</td><td class=\"num\">"));
        put(out, span(p, end - k->start_us));
        buf_add(out, SV("</td><td class=\"num\">"));
        if (k->maxrss_kb)
                buf_fmt(out, "%.1f MB", (double)k->maxrss_kb / 1024);
        buf_fmt(out,
                "</td><td style=\"min-width:20em\"><svg viewBox=\"0 0 %d 10\" preserveAspectRatio=\"none\" "
                "height=\"14\"><rect "
                "class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"10\"/></svg></td></tr>\n",
                WIDTH,
                !k->end_us ? "run"
                : bad      ? "bad"
                           : "good",
                x, w < 2 ? 2 : w);
}

static void put_ranks(struct page *p)
{
        int64_t from = INT64_MAX, to = 0, now = run_now_us();

        if (!p->n_rank)
                return;
        for (size_t i = 0; i < p->n_rank; i++) {
                int64_t end = p->rank[i].end_us ? p->rank[i].end_us : now;
                from = p->rank[i].start_us < from ? p->rank[i].start_us : from;
                to = end > to ? end : to;
        }
        buf_add(p->out,
                SV("<h2>Ranks</h2>\n<table>\n<tr><th>rank</th><th>host</th><th>ended</th><th>by</th><th>ran</th>"
                   "<th>most memory</th><th></th></tr>\n"));
        for (size_t i = 0; i < p->n_rank && i < RANKS_MAX; i++)
                put_rank(p, &p->rank[i], from, to);
        buf_add(p->out, SV("</table>\n"));
        if (p->n_rank > RANKS_MAX)
                buf_fmt(p->out, "<p class=\"dim\">and %zu more</p>\n", p->n_rank - RANKS_MAX);
}

/* Memory over time of one rank, and how many processors it kept busy. */
static void put_use(struct page *p, unsigned rank)
{
        struct run_use *v = NULL;
        struct buf *out = p->out;
        int64_t most = 1;
        size_t n = 0;
        double cpus = 0;

        run_use_read(&p->a, p->r, rank, &v, &n);
        if (n < 2 || v[n - 1].t_us <= v[0].t_us)
                return;
        for (size_t i = 0; i < n; i++)
                most = v[i].rss_kb > most ? v[i].rss_kb : most;
        cpus = (double)(v[n - 1].cpu_ms - v[0].cpu_ms) * 1000 / (double)(v[n - 1].t_us - v[0].t_us);
        buf_fmt(out,
                "<h2>Memory of rank %u</h2>\n<p class=\"dim\">at most %.1f MB; %.2f processors busy</p>\n<svg "
                "viewBox=\"0 0 %d 100\" "
                "preserveAspectRatio=\"none\" height=\"120\"><polyline fill=\"none\" stroke=\"#1d4ed8\" "
                "stroke-width=\"2\" "
                "vector-effect=\"non-scaling-stroke\" points=\"",
                rank, (double)most / 1024, cpus, WIDTH);
        for (size_t i = 0; i < n; i++)
                buf_fmt(out, "%.1f,%.1f ", place(v[i].t_us, v[0].t_us, v[n - 1].t_us),
                        98 - 96 * (double)(v[i].rss_kb < 0 ? 0 : v[i].rss_kb) / (double)most);
        buf_add(out, SV("\"/></svg>\n"));
}

/* --- logs */

static void put_log(struct page *p, unsigned rank, unsigned lines, bool open)
{
        sv text = run_log_end(&p->a, p->r, rank, lines, LOG_BYTES);
        struct buf *out = p->out;

        if (!text.n)
                return;
        buf_fmt(out, "<details%s><summary>the end of rank %u&#39;s log</summary>\n<pre>", open ? " open" : "", rank);
        put(out, text);
        buf_add(out, SV("</pre></details>\n"));
}

static void put_logs(struct page *p)
{
        unsigned n = run_job_ranks(p->r->spec);
        unsigned first = p->r->status.first_bad_rank > 0 ? (unsigned)p->r->status.first_bad_rank : 0;

        buf_add(p->out, SV("<h2>Logs</h2>\n"));
        put_log(p, first, LOG_LINES, true);
        for (unsigned i = 0, shown = 1; i < n && shown < LOGS_MAX; i++)
                if (i != first) {
                        put_log(p, i, LOG_LINES / 10, false);
                        shown++;
                }
}

void run_html_write(const struct run_record *r, const struct run_rank *rank, size_t n_rank,
                    const struct run_advice *advice, size_t n_advice, struct buf *out)
{
        struct page p = { .r = r, .rank = rank, .n_rank = n_rank, .out = out };
        unsigned first = r->status.first_bad_rank > 0 ? (unsigned)r->status.first_bad_rank : 0;

        buf_add(out, sv_from(head));
        put_top(&p);
        for (size_t i = 0; i < n_advice; i++) {
                buf_add(out, SV("<div class=\"advice\">"));
                put(out, advice[i].text);
                if (advice[i].hint.n) {
                        buf_add(out, SV("<br><code>"));
                        put(out, advice[i].hint);
                        buf_add(out, SV("</code>"));
                }
                buf_add(out, SV("</div>\n"));
        }
        put_states(&p);
        put_ranks(&p);
        put_use(&p, first);
        put_logs(&p);
        put_parameters(&p);
        put_facts(&p);
        put_source(&p);
        buf_add(out, SV("</body></html>\n"));
        arena_done(&p.a);
}
