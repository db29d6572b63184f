/* What a run says of itself in outputs/metrics.json. */
#include "run/sweep/sweep.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define METRICS_MAX ((size_t)16 << 20)

/* As few digits as tell it from every other: 0.011, not 0.010999999999999999. */
static sv shortest(struct arena *a, sv real)
{
        double x = strtod(arena_str(a, real), NULL);
        sv ret = real;

        for (int digits = 15; digits <= 17; digits++) {
                ret = arena_fmt(a, "%.*g", digits, x);
                if (strtod(ret.p, NULL) == x)
                        break;
        }
        return ret;
}

static bool value(struct arena *a, const struct js *doc, sv name, struct js *ret)
{
        const struct js *v = js_get(doc, arena_str(a, name));

        if (!v || (v->type != JS_INT && v->type != JS_REAL && v->type != JS_STR))
                return false;
        *ret = (struct js){ .type = v->type, .num = v->num };
        if (v->type == JS_STR)
                ret->str = arena_sv(a, v->str);
        else if (v->type == JS_REAL)
                ret->str = shortest(a, v->str);
        return true;
}

/* The last line that holds it: what is appended during a run. */
static bool last_line(struct arena *a, sv text, sv name, struct js *ret)
{
        bool found = false;
        sv line;

        while (sv_line(&text, &line)) {
                AUTO(arena_done) struct arena tmp = { 0 };
                AUTO(err_done) struct err ignored = { 0 };
                struct js *doc;
                if (js_parse(&tmp, line, &doc, &ignored) == 0 && value(a, doc, name, ret))
                        found = true;
        }
        return found;
}

bool run_sweep_metric(struct arena *a, sv dir, sv name, struct js *ret)
{
        AUTO(free_ptr) char *path = fs_path("%.*s/outputs/metrics.json", SV_ARG(dir));
        AUTO(buf_done) struct buf text = BUF_INIT(METRICS_MAX);
        AUTO(arena_done) struct arena tmp = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct js *doc;

        if (fs_read(path, &text, &ignored) < 0)
                return false;
        if (js_parse(&tmp, buf_sv(&text), &doc, &ignored) < 0)
                return last_line(a, buf_sv(&text), name, ret);
        return value(a, doc, name, ret);
}
