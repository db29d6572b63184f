/* base/proc.h - external programs: posix_spawn with an argv (never a shell), LC_ALL=C, a deadline, captured output with a ceiling,
 * always reaped. No fork in a threaded process. Times are milliseconds. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/op.h"
#include "base/sv.h"

struct proc {
        const char *const *argv; /* NULL-terminated; argv[0] is looked up on PATH */
        const char *const *env;  /* NULL: ours with LC_ALL=C; else exactly these "K=V", NULL-terminated */
        sv input;                /* written to its stdin, which is then closed */
        size_t max_out, max_err; /* ceilings of what is captured; 0: 64 KiB */
        int64_t timeout_ms;      /* 0: none; past it SIGTERM, a second later SIGKILL */
};
struct proc_result {
        struct buf out, err;
        int status; /* exit status, or 128 + signal */
};

/**
 * Run a program and wait for it. A cancelled op ends it as the deadline does.
 *
 * @param ret  {0}; released by proc_result_done, also on failure
 * @return 0 whatever its status · -ERR_NOT_FOUND when there is no such program (hint: the Debian package if known)
 *         · -ERR_FAILED past the deadline · -ERR_CANCELLED · -ERR_LIMIT when it printed too much
 */
int proc_run(const struct proc *p, struct op *op, struct proc_result *ret, struct err *e);
void proc_result_done(struct proc_result *r);
/** Absolute path of a program on PATH (heap), or NULL. */
char *proc_which(const char *name);

#endif
