/* envbuild runs show: all that is known of a run, how it failed, and what to do about it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/runs.h"
#include "ext/json.h"
#include "spec/spec.h"

enum { LOG_LINES = 30, LOG_BYTES = 32768, ADVICE_BYTES = 65536, RANKS_SHOWN = 64 };

static void fact(struct buf *out, const char *name, sv text)
{
        if (!text.n)
                return;
        buf_fmt(out, "  %-11s ", name);
        runs_put(out, text, false);
        buf_byte(out, '\n');
}

static void put_command(struct arena *a, const struct run_spec *s, struct buf *out)
{
        AUTO(buf_done) struct buf words = BUF_INIT((size_t)1 << 20);

        for (size_t i = 0; i < s->n_argv; i++) {
                buf_add(&words, i ? SV(" ") : SV(""));
                buf_add(&words, s->argv[i]);
        }
        fact(out, "command", s->n_argv ? arena_sv(a, buf_sv(&words)) : s->command);
}

static void put_source(struct arena *a, const struct run_record *r, struct buf *out)
{
        char size[16];

        fact(out, "source", r->spec->code);
        if (r->snapshot.digest.n)
                fact(out, "snapshot",
                     arena_fmt(a, "%.*s (%llu files, %s)", SV_ARG(r->snapshot.digest),
                               (unsigned long long)r->snapshot.files, ui_size(r->snapshot.bytes, size)));
        if (r->git.known)
                fact(out, "git",
                     arena_fmt(a, "%.*s %.*s%s%s%.*s", SV_ARG(r->git.commit.n ? r->git.commit : SV("(no commit)")),
                               SV_ARG(r->git.branch.n ? r->git.branch : SV("(detached)")),
                               r->git.dirty ? ", changed since" : "", r->git.repository.n ? ", " : "",
                               SV_ARG(r->git.repository)));
        else
                fact(out, "git", r->git.note);
}

static void put_times(struct arena *a, const struct run_record *r, struct buf *out)
{
        const struct run_status *s = &r->status;
        int64_t end = s->ended_us ? s->ended_us : run_now_us();
        char date[24], span[24];

        fact(out, "created",
             arena_fmt(a, "%s UTC by %.*s on %.*s", runs_date(r->created_us, date), SV_ARG(r->user), SV_ARG(r->host)));
        if (s->submitted_us && s->started_us > s->submitted_us)
                fact(out, "waited", sv_from(runs_span(s->started_us - s->submitted_us, span)));
        if (s->started_us)
                fact(out, s->ended_us ? "ran" : "runs for", sv_from(runs_span(end - s->started_us, span)));
        if (r->attempt > 1 || r->spec->retries)
                fact(out, "attempt", arena_fmt(a, "%u of %u", r->attempt, r->spec->retries + 1));
        if (r->unanswered_us)
                fact(out, "engine", arena_fmt(a, "has not answered since %s UTC", runs_date(r->unanswered_us, date)));
}

static void put_env(struct arena *a, const struct run_spec *s, struct buf *out)
{
        for (size_t i = 0; i < s->n_env; i++)
                fact(out, i ? "" : "variables",
                     arena_fmt(a, "%.*s=%.*s", SV_ARG(s->env[i].name),
                               SV_ARG(spec_secret_name(s->env[i].name) ? SV("***") : s->env[i].value)));
        for (size_t i = 0; i < s->n_host_env; i++)
                fact(out, i ? "" : "from host", s->host_env[i]);
        for (size_t i = 0; i < s->n_input; i++)
                fact(out, i ? "" : "inputs",
                     arena_fmt(a, "%.*s: %.*s", SV_ARG(s->input[i].name), SV_ARG(s->input[i].value)));
        for (size_t i = 0; i < s->n_tag; i++)
                fact(out, i ? "" : "tags", arena_fmt(a, "%.*s=%.*s", SV_ARG(s->tag[i].name), SV_ARG(s->tag[i].value)));
}

static void put_facts(struct arena *a, const struct run_record *r, struct buf *out)
{
        const struct run_spec *s = r->spec;

        runs_put(out, r->id, false);
        buf_add(out, SV("  "));
        runs_put(out, run_status_text(a, &r->status, run_job_ranks(s)), false);
        buf_byte(out, '\n');
        fact(out, "says", r->status.message);
        fact(out, "name", s->display_name.n ? s->display_name : s->name);
        fact(out, "experiment", s->experiment);
        fact(out, "sweep", r->sweep);
        put_command(a, s, out);
        fact(out, "on",
             r->compute.n && !sv_eq(r->compute, r->target)
                     ? arena_fmt(a, "%.*s (%.*s)", SV_ARG(r->compute), SV_ARG(r->target))
                     : r->target);
        fact(out, "handle", r->handle);
        fact(out, "engine", r->status.engine_state);
        fact(out, "image", r->image);
        if (!sv_eq(r->run_image, r->image))
                fact(out, "started from", r->run_image);
        fact(out, "lock", r->lock_digest);
        put_source(a, r, out);
        put_env(a, s, out);
        put_times(a, r, out);
        fact(out, "folder", r->dir);
}

static void put_ranks(const struct run_rank *v, size_t n, struct buf *out)
{
        char size[16], span[24];

        buf_fmt(out, "\n  %-5s %-20s %-28s %-14s %s\n", "RANK", "HOST", "ENDED", "TIME", "MEMORY");
        for (size_t i = 0; i < n && i < RANKS_SHOWN; i++) {
                const struct run_rank *k = &v[i];
                char how[64] = "goes on";
                int64_t end = k->end_us ? k->end_us : run_now_us();
                if (k->end_us && k->signal)
                        snprintf(how, sizeof(how), "signal %d", k->signal);
                else if (k->end_us)
                        snprintf(how, sizeof(how), "exit code %d", k->exit_code);
                if (k->end_us && k->stopped.n)
                        snprintf(how + strlen(how), sizeof(how) - strlen(how), " (%.*s)",
                                 (int)(k->stopped.n < 16 ? k->stopped.n : 16), k->stopped.p);
                buf_fmt(out, "  %-5u ", k->rank);
                runs_put(out, sv_from_to(k->host, 0, 20), false);
                buf_fmt(out, "%*s ", (int)(k->host.n < 20 ? 20 - k->host.n : 0), "");
                runs_put(out, sv_from(how), false);
                buf_fmt(out, "%*s %-14s %s\n", (int)(strlen(how) < 28 ? 28 - strlen(how) : 0), "",
                        runs_span(k->start_us ? end - k->start_us : 0, span),
                        k->maxrss_kb ? ui_size(k->maxrss_kb * 1024, size) : "");
        }
        if (n > RANKS_SHOWN)
                buf_fmt(out, "  and %zu more: --json shows all\n", n - RANKS_SHOWN);
}

static void put_log(struct arena *a, const struct run_record *r, unsigned rank, struct buf *out)
{
        sv log = run_log_end(a, r, rank, LOG_LINES, LOG_BYTES), line;

        if (!log.n)
                return;
        buf_fmt(out, "\n  the end of %s:\n", run_log_path(a, r, rank).p);
        while (sv_line(&log, &line)) {
                buf_add(out, SV("  | "));
                runs_put(out, line, true);
                buf_byte(out, '\n');
        }
}

static void put_advice(const struct run_advice *v, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++) {
                buf_fmt(out, "%s", i ? "" : "\n");
                runs_put(out, v[i].text, false);
                buf_byte(out, '\n');
                if (!v[i].hint.n)
                        continue;
                buf_add(out, SV("hint: "));
                runs_put(out, v[i].hint, false);
                buf_byte(out, '\n');
        }
}

/* run.json as it is, with what the ranks said and what is advised. */
static int put_json(struct app *app, const struct run_record *r, const struct run_rank *v, size_t n,
                    const struct run_advice *advice, size_t n_advice, struct buf *out, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)16 << 20);
        struct arena *a = &app->arena;
        struct js *j, *ranks = js_new_arr(a), *says = js_new_arr(a);

        if (fs_read(run_path(a, r, "run.json").p, &text, e) < 0 || js_parse(a, buf_sv(&text), &j, e) < 0)
                return -(int)e->code;
        js_put_str(a, j, "dir", r->dir);
        for (size_t i = 0; i < n; i++) {
                struct js *k = js_new_obj(a);
                js_put_int(a, k, "rank", v[i].rank);
                js_put_str(a, k, "host", v[i].host);
                js_put_int(a, k, "start_us", v[i].start_us);
                if (v[i].end_us) {
                        js_put_int(a, k, "end_us", v[i].end_us);
                        js_put_int(a, k, "exit_code", v[i].exit_code);
                        js_put_int(a, k, "signal", v[i].signal);
                        js_put_str(a, k, "stopped", v[i].stopped);
                        js_put_int(a, k, "maxrss_kb", (int64_t)v[i].maxrss_kb);
                }
                js_put_str(a, k, "log", run_log_path(a, r, v[i].rank));
                js_add(a, ranks, k);
        }
        js_put(a, j, SV("ranks"), ranks);
        for (size_t i = 0; i < n_advice; i++) {
                struct js *k = js_new_obj(a);
                js_put_str(a, k, "text", advice[i].text);
                js_put_str(a, k, "hint", advice[i].hint);
                js_add(a, says, k);
        }
        js_put(a, j, SV("advice"), says);
        js_write_pretty(j, out);
        return 0;
}

static int put_page(const struct run_record *r, const struct run_rank *v, size_t n, const struct run_advice *advice,
                    size_t n_advice, sv file, struct buf *out, struct err *e)
{
        run_html_write(r, v, n, advice, n_advice, out);
        if (buf_check(out, e) < 0)
                return -(int)e->code;
        if (sv_is(file, "-"))
                return 0;
        if (fs_write(file.p, buf_sv(out), 0644, e) < 0)
                return -(int)e->code;
        buf_clear(out);
        buf_fmt(out, "%s\n", file.p);
        return 0;
}

int cmd_runs_show(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);
        AUTO(err_done) struct err why = { 0 };
        const struct runs_opts *o = opts;
        struct arena *a = &app->arena;
        struct run_advice *advice = NULL;
        struct run_rank *v = NULL;
        const struct run_rank *bad;
        struct run_record *r;
        struct run_ctx c;
        size_t n = 0, n_advice = 0;
        unsigned rank;

        if (runs_one(app, &c, argc, argv, &r, e) < 0)
                return -(int)e->code;
        if (run_refresh(&c, a, r, &why) < 0) /* what is on disk is shown all the same */
                op_say(&app->op, OP_WARN, "what the engine says is not known: %s", why.cause);
        if (run_ranks_read(a, r, &v, &n, e) < 0)
                return -(int)e->code;
        bad = runs_bad_rank(r, v, n, &rank);
        runs_advise(app, r, bad, run_log_end(a, r, rank, 1000, ADVICE_BYTES), &advice, &n_advice);
        if (o->json) {
                if (put_json(app, r, v, n, advice, n_advice, &out, e) < 0)
                        return -(int)e->code;
        } else if (o->html.n) {
                if (put_page(r, v, n, advice, n_advice, o->html, &out, e) < 0)
                        return -(int)e->code;
        } else {
                put_facts(a, r, &out);
                if (n > 1 || run_job_ranks(r->spec) > 1)
                        put_ranks(v, n, &out);
                if (r->status.state != RUN_COMPLETED)
                        put_log(a, r, rank, &out);
                put_advice(advice, n_advice, &out);
        }
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
