/* What people read: errors, diagnostics, sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "cli/app.h"

const char *ui_size(uint64_t n, char ret[static 16])
{
        static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
        double v = (double)n;
        size_t i = 0;

        while (v >= 999.5 && i + 1 < ARRAY_LEN(unit)) {
                v /= 1000;
                i++;
        }
        snprintf(ret, 16, i && v < 99.95 ? "%.1f %s" : "%.0f %s", v, unit[i]);
        return ret;
}

void ui_diags(struct app *app)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)16 << 20);

        if (app->diags.n == 0)
                return;
        diag_sort(&app->diags);
        if (app->opt_quiet && app->diags.n_errors == 0)
                return;
        diag_write(&app->diags, app->colour, &out);
        progress_pause(app->progress);
        if (out.n)
                fwrite(out.p, 1, out.n, stderr);
        diags_done(&app->diags);
}

/* Every line of a text behind a label of the same width. */
static void labelled(const char *label, const char *text)
{
        sv rest = sv_from(text), line;

        while (sv_cut(&rest, '\n', &line))
                fprintf(stderr, "%s%.*s\n", label, SV_ARG(line));
}

int ui_report(struct app *app, struct err *e)
{
        const char *red = app->colour ? "\033[1;31m" : "", *cyan = app->colour ? "\033[36m" : "",
                   *off = app->colour ? "\033[0m" : "";

        progress_pause(app->progress);
        if (e->cause && e->code == ERR_CONFLICT && strchr(e->cause, '\n'))
                fprintf(stderr, "%serror:%s the requirements cannot all be met\n%s", red, off, e->cause);
        else if (e->cause)
                fprintf(stderr, "%serror:%s %s\n", red, off, e->cause);
        if (e->trail)
                labelled("  while ", e->trail);
        if (e->hint)
                fprintf(stderr, "%shint:%s %s\n", cyan, off, e->hint);
        return err_exit_code(e->code);
}
