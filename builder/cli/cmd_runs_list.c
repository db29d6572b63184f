/* envbuild runs list: what was run, newest first. Engines are not asked. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/runs.h"
#include "ext/json.h"

static bool shown(const struct runs_opts *o, const struct run_row *row)
{
        return (o->all || !row->archived) && (!o->experiment.n || sv_eq(row->experiment, o->experiment));
}

static void put_text(struct arena *a, struct js *j, const char *key, sv text)
{
        if (text.n)
                js_put_str(a, j, key, text);
}

static struct js *row_json(struct arena *a, const struct run_row *row)
{
        const struct run_status *s = &row->status;
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "id", row->id);
        js_put_str(a, j, "dir", row->dir);
        put_text(a, j, "name", row->name);
        put_text(a, j, "experiment", row->experiment);
        js_put_str(a, j, "target", row->target);
        put_text(a, j, "compute", row->compute);
        put_text(a, j, "sweep", row->sweep);
        put_text(a, j, "image", row->image);
        js_put_str(a, j, "state", sv_from(run_state_name(s->state)));
        put_text(a, j, "reason", sv_from(run_reason_name(s->reason)));
        if (s->exit_code >= 0)
                js_put_int(a, j, "exit_code", s->exit_code);
        js_put_int(a, j, "attempt", row->attempt);
        js_put(a, j, SV("archived"), js_new_bool(a, row->archived));
        js_put_int(a, j, "created_us", row->created_us);
        if (s->started_us)
                js_put_int(a, j, "started_us", s->started_us);
        if (s->ended_us)
                js_put_int(a, j, "ended_us", s->ended_us);
        return j;
}

static sv result(struct arena *a, const struct run_status *s)
{
        if (s->state == RUN_FAILED && s->reason == RUN_R_EXIT_CODE)
                return arena_fmt(a, "Failed (%d)", s->exit_code);
        if (s->state == RUN_FAILED && s->reason != RUN_R_NONE)
                return arena_fmt(a, "Failed (%s)", run_reason_name(s->reason));
        return sv_from(run_state_name(s->state));
}

static void put_cell(struct buf *out, sv text, size_t width)
{
        runs_put(out, sv_from_to(text, 0, width), false);
        buf_fmt(out, "%*s  ", (int)(text.n < width ? width - text.n : 0), "");
}

static void put_row(struct arena *a, const struct run_row *row, size_t width, struct buf *out)
{
        const struct run_status *s = &row->status;
        int64_t end = s->ended_us ? s->ended_us : run_now_us();
        char span[24], date[24];

        put_cell(out, row->id, width);
        put_cell(out, result(a, s), 22);
        put_cell(out, row->experiment, 16);
        put_cell(out, row->compute.n ? row->compute : row->target, 12);
        buf_fmt(out, "%s  %s\n", runs_date(row->created_us, date),
                runs_span(s->started_us ? end - s->started_us : 0, span));
}

static void put_table(struct app *app, const struct runs_opts *o, const struct run_row *v, size_t n, struct buf *out)
{
        size_t width = 2, left = o->limit ? o->limit : n;

        for (size_t i = 0; i < n; i++)
                if (shown(o, &v[i]) && v[i].id.n > width)
                        width = v[i].id.n;
        buf_fmt(out, "%-*s  %-22s  %-16s  %-12s  %-19s  %s\n", (int)width, "ID", "STATE", "EXPERIMENT", "ON",
                "CREATED (UTC)", "TIME");
        for (size_t i = 0; i < n && left; i++)
                if (shown(o, &v[i])) {
                        put_row(&app->arena, &v[i], width, out);
                        left--;
                }
}

int cmd_runs_list(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)256 << 20);
        struct run_ctx c = { .op = &app->op, .diags = &app->diags };
        const struct runs_opts *o = opts;
        struct run_row *v = NULL;
        size_t n = 0, left;

        if (argc)
                return err_set(e, ERR_USAGE, "runs list takes no word; '%s' is for runs show", argv[0]);
        if (run_list(&c, &app->arena, &v, &n, e) < 0)
                return -(int)e->code;
        left = o->limit ? o->limit : n;
        if (o->json) {
                struct js *list = js_new_arr(&app->arena);
                for (size_t i = 0; i < n && left; i++)
                        if (shown(o, &v[i])) {
                                js_add(&app->arena, list, row_json(&app->arena, &v[i]));
                                left--;
                        }
                js_write_pretty(list, &out);
        } else {
                put_table(app, o, v, n, &out);
        }
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
