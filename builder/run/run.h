/* run/run.h - what a run is, in words that all of run/ shares. A run: a description (job/), a copy of the source (code/), a folder that
 * says what became of it (record/), and whoever runs it (target/). Names of states are Azure ML's JobStatus; times are microseconds since
 * 1970, UTC, unless a name says otherwise. Nothing in run/ prints. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/op.h"
#include "base/sv.h"
#include "store/store.h"

enum run_state {
        RUN_NOT_STARTED,
        RUN_PREPARING,
        RUN_QUEUED,
        RUN_STARTING,
        RUN_RUNNING,
        RUN_FINALIZING,
        RUN_CANCEL_REQUESTED,
        RUN_COMPLETED, /* from here to RUN_CANCELED: final */
        RUN_FAILED,
        RUN_CANCELED,
        RUN_NOT_RESPONDING, /* the engine has not answered for five minutes; may be left again */
        RUN_UNKNOWN         /* the engine used a word that is not ours; status.engine_state keeps it */
};
enum run_reason {
        RUN_R_NONE,
        RUN_R_EXIT_CODE,
        RUN_R_SIGNAL,
        RUN_R_TIMEOUT,
        RUN_R_OOM,
        RUN_R_LAUNCH_FAILED, /* the command was not reached */
        RUN_R_IMAGE_PULL,
        RUN_R_UNSCHEDULABLE,
        RUN_R_NODE_FAIL,
        RUN_R_PREEMPTED,
        RUN_R_OUTPUTS, /* the command ended well, but what it made could not be kept */
        RUN_R_LOST     /* whoever ran it is gone without a word */
};
const char *run_state_name(enum run_state s);   /* "NotStarted" … "NotResponding" */
const char *run_reason_name(enum run_reason r); /* "", "exit-code", "signal", "timeout", "oom", "launch-failed", … */
bool run_state_parse(sv text, enum run_state *ret);
bool run_reason_parse(sv text, enum run_reason *ret);
static inline bool run_state_final(enum run_state s)
{
        return s == RUN_COMPLETED || s == RUN_FAILED || s == RUN_CANCELED;
}

struct run_status {
        enum run_state state;
        enum run_reason reason;
        int exit_code;                              /* of the first bad rank, else 0; -1: not known */
        int term_signal;                            /* 0: none */
        int first_bad_rank;                         /* -1: none, or not known */
        sv engine_state;                            /* the engine's own word: "PENDING (PartitionConfig)" */
        sv message;                                 /* one line for people; empty: nothing to say */
        int64_t submitted_us, started_us, ended_us; /* 0: not yet */
};
#define RUN_STATUS_INIT { .exit_code = -1, .first_bad_rank = -1 }
/** What `envbuild run` ends with: the command's own code, 128 + signal, 124 after a timeout, 130 cancelled, 125 when it never ran or is lost. */
int run_status_exit(const struct run_status *s);

/* What every call of run/ needs of the world; borrowed. */
struct run_ctx {
        struct op *op;
        struct diags *diags;
        struct store *store; /* writable */
        const char *program; /* absolute path of this program, for the processes that outlive it */
        const char *rank;    /* absolute path of envbuild-rank */
};

#endif
