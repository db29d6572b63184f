/* base/err.h - an error is a value its caller owns: a class, a cause, the trail to it, a hint. The class is the exit code.
 * Functions that can fail take `struct err *e` last and return 0 or -code; the first err_set() of a chain wins, callers add
 * err_while() lines on the way up, and only cli/ prints. A struct err belongs to one thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

enum err_code {
        ERR_NONE = 0,
        ERR_FAILED = 1,      /* anything without a class of its own */
        ERR_USAGE = 2,       /* command line or definition invalid */
        ERR_CONFLICT = 3,    /* unsatisfiable */
        ERR_STALE = 4,       /* lock out of date */
        ERR_NET = 5,         /* network or registry unavailable */
        ERR_AUTH = 6,        /* not authorised */
        ERR_INTEGRITY = 7,   /* wrong hash, corrupt archive, bad signature */
        ERR_OFFLINE = 9,     /* missing while offline */
        ERR_LIMIT = 20,      /* a stated ceiling was reached (20 and up exit as 1) */
        ERR_IO,              /* the operating system said no */
        ERR_NOT_FOUND,       /* the thing asked for does not exist */
        ERR_CANCELLED = 130, /* Ctrl-C; main() exits 143 for SIGTERM */
};

struct err {
        enum err_code code; /* what a program decides on */
        char *cause;        /* one line, where and what: "cannot read 'x': No such file or directory" */
        char *trail;        /* "while ..." lines, nearest first, each ended by '\n', or NULL */
        char *hint;         /* what the user can do next, or NULL */
};

/** Set the cause unless one is set. Returns -code of what the error now holds. */
int err_set(struct err *e, enum err_code c, const char *fmt, ...) PRINTF(3, 4);
/** err_set(ERR_IO) with ": strerror(errno)" appended; ENOENT gives ERR_NOT_FOUND, ENOSPC and EDQUOT a hint. */
int err_errno(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/** Add a line to the trail ("reading the environment 'x'"; "while" is put before it when printed). Returns -code. */
int err_while(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/** Set the hint unless one is set. */
void err_hint(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/** Hand everything in *from to *to (which is released first); *from is empty afterwards. Returns -code. */
int err_move(struct err *to, struct err *from);
/** Release and clear: the struct can be used again. Accepts {0}. */
void err_done(struct err *e);
/** The process exit code for a class: codes 20…99 exit as 1. */
int err_exit_code(enum err_code c);

#endif
