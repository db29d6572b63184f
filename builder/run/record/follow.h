/* run/record/follow.h - what a run says while it goes on, and its end. */
#ifndef RUN_RECORD_FOLLOW_H
#define RUN_RECORD_FOLLOW_H

#include "run/record/record.h"
#include "run/target/target.h"

/* Where log text goes. One line at a time when there are several ranks (so that they do not mix; the last one gets a "\n" if it had none, one of more
 * than 64 KiB comes in pieces), else as it comes. */
struct run_sink {
        void *arg;
        int (*write)(void *arg, unsigned rank, sv text, struct err *e);
        /** op was cancelled: 0 goes on where it was (op->signal must be 0 again), else run_wait and run_logs return. NULL: they return. */
        int (*interrupted)(void *arg, struct err *e);
};
/** The profile a run was made with; what its target does without one when that is gone. -ERR_USAGE: no such target. */
int run_profile_of(struct run_ctx *c, struct arena *a, const struct run_record *r, struct run_profile *ret,
                   struct err *e);

/**
 * Ask the target (if nobody else holds the run) and take what it says into the record; a final record is never asked again. r becomes what is on
 * disk, in a. What ended is collected first (-ERR_NET there: Finalizing until next time), tried again if the description says so, and cleaned up.
 * An engine that does not answer is no error: NotResponding after five minutes.
 */
int run_refresh(struct run_ctx *c, struct arena *a, struct run_record *r, struct err *e);
/**
 * Logs of rank (or -1: all) from the beginning; follow: until the run is over and all of it was read. Without follow what is there.
 * tail_lines > 0: only so many last lines of each. -ERR_CANCELLED when op is: the run goes on.
 */
int run_logs(struct run_ctx *c, struct run_record *r, int rank, unsigned tail_lines, bool follow,
             const struct run_sink *sink, struct err *e);
/** Until it is over; sink NULL: without its logs. When op is cancelled -ERR_CANCELLED and the run goes on. The caller's record is up to date then. */
int run_wait(struct run_ctx *c, struct run_record *r, const struct run_sink *sink, struct err *e);

#endif
