/* Faults of a description: where, and all of it underlined. */
#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "run/job/job_priv.h"

static size_t report(struct job_read *r, const struct yaml *y, enum diag_level level, const char *code, const char *fmt,
                     va_list ap)
{
        AUTO(free_ptr) char *text = NULL;
        uint32_t quote = y->type == YAML_SCALAR && !y->plain;
        size_t i;

        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL;
        i = level == DIAG_ERROR ? diag_add(r->ds, r->file, y->line, y->col + quote, code, "%s", text ? text : "")
                                : diag_warn(r->ds, r->file, y->line, y->col + quote, code, "%s", text ? text : "");
        if (y->type == YAML_SCALAR && sv_find(y->text, '\n') < 0)
                diag_span(r->ds, i, (uint32_t)(y->text.n > 1000 ? 1000 : y->text.n));
        return i;
}

size_t job_fault(struct job_read *r, const struct yaml *y, const char *code, const char *fmt, ...)
{
        va_list ap;
        size_t i;

        va_start(ap, fmt);
        i = report(r, y, DIAG_ERROR, code, fmt, ap);
        va_end(ap);
        return i;
}

size_t job_warn(struct job_read *r, const struct yaml *y, const char *code, const char *fmt, ...)
{
        va_list ap;
        size_t i;

        va_start(ap, fmt);
        i = report(r, y, DIAG_WARNING, code, fmt, ap);
        va_end(ap);
        return i;
}
