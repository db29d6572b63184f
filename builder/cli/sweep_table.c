#include "cli/sweep_table.h"

#include <stdio.h>

#include "base/cleanup.h"

static int64_t duration_us(const struct run_status *s)
{
        return s->started_us && s->ended_us > s->started_us ? s->ended_us - s->started_us : -1;
}

/* "0.4 s", "12 s", "1:02:03" */
static sv duration(struct arena *a, const struct run_status *s)
{
        int64_t us = duration_us(s), sec = us / 1000000;

        if (us < 0)
                return SV("-");
        if (sec < 10)
                return arena_fmt(a, "%.1f s", (double)us / 1e6);
        if (sec < 60)
                return arena_fmt(a, "%lld s", (long long)sec);
        if (sec < 3600)
                return arena_fmt(a, "%lld:%02lld", (long long)(sec / 60), (long long)(sec % 60));
        return arena_fmt(a, "%lld:%02lld:%02lld", (long long)(sec / 3600), (long long)(sec / 60 % 60),
                         (long long)(sec % 60));
}

static sv exit_code(struct arena *a, const struct sweep_run *r)
{
        return r->over && run_state_final(r->status.state) ? arena_fmt(a, "%d", run_status_exit(&r->status)) : SV("-");
}

static sv metric(struct arena *a, const struct sweep_table *t, const struct sweep_run *r)
{
        struct js v;

        if (!r->launched || !run_sweep_metric(a, r->dir, t->metric, &v))
                return SV("-");
        return v.type == JS_INT ? arena_fmt(a, "%lld", (long long)v.num) : v.str;
}

/* Columns as characters take them: of UTF-8 only the first byte of each counts. */
static int width(sv s)
{
        int n = 0;

        for (size_t i = 0; i < s.n; i++)
                n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
        return n;
}

static void print_rows(const sv *cell, size_t rows, size_t columns, int *wide)
{
        for (size_t i = 0; i < rows * columns; i++)
                if (width(cell[i]) > wide[i % columns])
                        wide[i % columns] = width(cell[i]);
        for (size_t i = 0; i < rows * columns; i++) {
                bool last = i % columns == columns - 1;
                printf("%.*s%*s", SV_ARG(cell[i]), last ? 0 : wide[i % columns] - width(cell[i]) + 2, "");
                if (last)
                        putchar('\n');
        }
}

void sweep_table_print(struct arena *a, const struct sweep_table *t)
{
        size_t columns = t->set->n + 4 + (t->metric.n > 0), n = 0;
        sv *cell = arena_array(a, sv, arena_mul(t->n + 1, columns));

        for (size_t i = 0; i < t->set->n; i++)
                cell[n++] = t->set->param[i].name;
        cell[n++] = SV("state");
        cell[n++] = SV("exit");
        cell[n++] = SV("time");
        if (t->metric.n)
                cell[n++] = t->metric;
        cell[n++] = SV("run");
        for (size_t i = 0; i < t->n; i++) {
                const struct sweep_run *r = &t->run[i];
                run_sweep_values(t->set, r->which, cell + n);
                n += t->set->n;
                cell[n++] = sv_from(run_state_name(r->status.state));
                cell[n++] = exit_code(a, r);
                cell[n++] = duration(a, &r->status);
                if (t->metric.n)
                        cell[n++] = metric(a, t, r);
                cell[n++] = r->id.n ? r->id : SV("-");
        }
        print_rows(cell, t->n + 1, columns, arena_array(a, int, columns));
}

static struct js *one(struct arena *a, const struct sweep_table *t, const struct sweep_run *r)
{
        struct js *j = js_new_obj(a), *parameters = js_new_obj(a);
        struct js *value = arena_new(a, struct js);
        sv *v = arena_array(a, sv, t->set->n + 1);

        run_sweep_values(t->set, r->which, v);
        for (size_t i = 0; i < t->set->n; i++)
                js_put(a, parameters, t->set->param[i].name, js_new_str(a, v[i]));
        if (r->id.n)
                js_put_str(a, j, "id", r->id);
        js_put(a, j, SV("parameters"), parameters);
        js_put_str(a, j, "state", sv_from(run_state_name(r->status.state)));
        if (r->status.reason != RUN_R_NONE)
                js_put_str(a, j, "reason", sv_from(run_reason_name(r->status.reason)));
        if (r->over && run_state_final(r->status.state))
                js_put_int(a, j, "exit_code", run_status_exit(&r->status));
        if (duration_us(&r->status) >= 0)
                js_put_int(a, j, "duration_us", duration_us(&r->status));
        if (t->metric.n && r->launched && run_sweep_metric(a, r->dir, t->metric, value))
                js_put(a, j, SV("metric"), value);
        return j;
}

void sweep_table_json(struct arena *a, const struct sweep_table *t)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 28);
        struct js *j = js_new_obj(a), *runs = js_new_arr(a);

        js_put_str(a, j, "sweep", t->id);
        if (t->image.n)
                js_put_str(a, j, "image", t->image);
        if (t->metric.n)
                js_put_str(a, j, "metric", t->metric);
        for (size_t i = 0; i < t->n; i++)
                js_add(a, runs, one(a, t, &t->run[i]));
        js_put(a, j, SV("runs"), runs);
        js_write_pretty(j, &out);
        fwrite(out.p, 1, out.n, stdout);
        putchar('\n');
}
