/* base/pool.h - N workers over a list of jobs, largest first. The first failure stops the rest: jobs that have not begun do not
 * begin, those that run see it through their own op_check. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/op.h"

enum { POOL_AGAIN = 1 }; /* a job's answer: somebody else is at it, ask me again after the others */

struct pool_job {
        uint64_t size;                        /* larger jobs begin first; equal ones in the order given */
        int (*run)(void *arg, struct err *e); /* any thread; 0, POOL_AGAIN, or -code */
        void *arg;
};

/**
 * Run all jobs on min(op->jobs, n) threads (the caller's among them) and wait.
 *
 * A job that answers POOL_AGAIN goes to the end of the queue; when only such jobs are left they are asked again every
 * 50 ms (their claims are files, nothing wakes us).
 *
 * @return 0 · the error of the first job that failed · -ERR_CANCELLED
 */
int pool_run(struct op *op, const struct pool_job *job, size_t n, struct err *e);

#endif
