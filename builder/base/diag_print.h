/* base/diag_print.h - diagnostics as people read them: where, what, the line itself with carets under it, and what to write instead.
 * Pure: text into a buffer. Control characters of the user's file are shown as '?', passwords in URLs as '*'. */
#ifndef BASE_DIAG_PRINT_H
#define BASE_DIAG_PRINT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"

/** All of them, in the order of ds. colour: ANSI sequences around the level and the carets. */
void diag_write(const struct diags *ds, bool colour, struct buf *out);
/** One of them, as a line (or three). */
void diag_write_one(const struct diags *ds, const struct diag *d, bool colour, struct buf *out);

#endif
