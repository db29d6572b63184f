/* What a run says of itself in outputs/metrics.json. */
#include "run/sweep/sweep.h"

#include "base/cleanup.h"
#include "base/fs.h"

#define METRICS_MAX ((size_t)16 << 20)

static bool value(struct arena *a, const struct js *doc, sv name, sv *ret)
{
        const struct js *v = js_get(doc, arena_str(a, name));

        if (!v)
                return false;
        if (v->type == JS_INT)
                *ret = arena_fmt(a, "%lld", (long long)v->num);
        else if (v->type == JS_STR || v->type == JS_REAL)
                *ret = arena_sv(a, v->str);
        else
                return false;
        return true;
}

/* The last line that holds it: what is appended during a run. */
static bool last_line(struct arena *a, sv text, sv name, sv *ret)
{
        bool found = false;
        sv line;

        while (sv_line(&text, &line)) {
                AUTO(arena_done) struct arena tmp = { 0 };
                AUTO(err_done) struct err ignored = { 0 };
                struct js *doc;
                sv v;
                if (js_parse(&tmp, line, &doc, &ignored) < 0 || !value(&tmp, doc, name, &v))
                        continue;
                *ret = arena_sv(a, v);
                found = true;
        }
        return found;
}

bool run_sweep_metric(struct arena *a, sv dir, sv name, sv *ret)
{
        AUTO(free_ptr) char *path = fs_path("%.*s/outputs/metrics.json", SV_ARG(dir));
        AUTO(buf_done) struct buf text = BUF_INIT(METRICS_MAX);
        AUTO(arena_done) struct arena tmp = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct js *doc;
        sv v;

        if (fs_read(path, &text, &ignored) < 0)
                return false;
        if (js_parse(&tmp, buf_sv(&text), &doc, &ignored) < 0)
                return last_line(a, buf_sv(&text), name, ret);
        if (!value(&tmp, doc, name, &v))
                return false;
        *ret = arena_sv(a, v);
        return true;
}
