/* base/clock.h - time: the monotonic clock for waiting, RFC 3339 for texts. Nothing that decides bytes reads a clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

int64_t clock_ms(void);   /* monotonic milliseconds */
int64_t clock_unix(void); /* seconds since 1970, the wall clock: for exclude-newer 7d and HTTP lifetimes only */

/** "2026-11-21T09:30:12Z", with fraction (cut off), offset, or a date alone (midnight UTC) → seconds since 1970. */
bool time_parse(sv text, int64_t *ret);
/** "Sat, 21 Nov 2026 09:15:44 UTC" (Release files, HTTP dates) → seconds since 1970. */
bool time_parse_rfc2822(sv text, int64_t *ret);
/** A moment that a user names: a date as above, or how long ago ("12h", "7d", "3w"). -ERR_USAGE says what to write. */
int time_read(sv text, int64_t now, int64_t *ret, struct err *e);
/** Writes "2026-11-21T09:30:12Z" and a NUL. */
void time_format(int64_t t, char ret[static 24]);

#endif
