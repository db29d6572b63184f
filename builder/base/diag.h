/* base/diag.h - faults in a user's text, all of them: err is for the one thing that stopped us.
 * Lines and columns count from 1 (columns in bytes); 0 means unknown. A struct diags owns its texts. Codes are stable:
 *   EB1xx definition: EB100 YAML · EB101 unknown key · EB102 wrong type · EB103 bad value · EB104 duplicate · EB105 conda package
 *         under python: base · EB106 file named cannot be read · EB107 not supported · EB108 base · EB109 conflict between files
 *   EB13x requirements: EB130 option · EB131 requirement · EB132 hash · EB133 include · EB134 marker · EB135 URL
 *   EB2xx resolution notes · EB3xx packages · EB4xx Debian · EB5xx warnings about the result (secrets in variables, bare extras, yanked)
 * docs/internals/diagnostics.md lists each with its example. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/sv.h"

enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR };

struct diag {
        sv file;            /* as the user named it */
        uint32_t line, col; /* 0: unknown */
        uint32_t len;       /* bytes to underline; 0: one */
        enum diag_level level;
        const char *code; /* "EB101", static */
        sv text, hint;    /* hint may be empty: something to type */
};

struct diags {
        struct arena arena;
        struct diag *v;
        size_t n, cap;
        size_t n_errors;
        /* The text of each file that faults point into, so that cli/ can show the line: borrowed copies in the arena. */
        struct diag_source {
                sv file, text;
        } *source;
        size_t n_source, cap_source;
};

/** Add an error; returns its index for the setters below. file is copied. */
size_t diag_add(struct diags *ds, sv file, uint32_t line, uint32_t col, const char *code, const char *fmt, ...)
        PRINTF(6, 7);
/** The same at another level: warnings and notes do not count in n_errors. */
size_t diag_warn(struct diags *ds, sv file, uint32_t line, uint32_t col, const char *code, const char *fmt, ...)
        PRINTF(6, 7);
void diag_hint(struct diags *ds, size_t i, const char *fmt, ...) PRINTF(3, 4);
void diag_span(struct diags *ds, size_t i, uint32_t len);
/** Keep a file's text for showing its lines (copied once per name; at most 1 MiB is kept). */
void diag_source(struct diags *ds, sv file, sv text);
/** The line `line` of a kept file; the empty text when it is not there. */
sv diag_line(const struct diags *ds, sv file, uint32_t line);
/** Order by file (as first met), line, column, insertion; exact duplicates are dropped. */
void diag_sort(struct diags *ds);
void diags_done(struct diags *ds);

#endif
