/* run/target/submit.h - from a record to an engine and back: the order of writes that no kill can break. */
#ifndef RUN_TARGET_SUBMIT_H
#define RUN_TARGET_SUBMIT_H

#include "run/target/target.h"

/**
 * Render and submit: state Starting and the token are on disk before the engine is asked, the handle after. A target that has a supervisor lets it write
 * the handle (it holds the claim of run.json from its first moment, before submit returns): what run.json holds then is taken over.
 * While it goes on the claim run_submit_key is held, so that nobody resumes what is only slow. Cancelled meanwhile: Canceled, and 0.
 * $ENVBUILD_FAULT (before-token, before-submit, after-submit, before-record, after-record, after-cancel-file, before-retry; tests only) ends
 * the process there with SIGKILL.
 *
 * @return 0 · what the engine said, the record is Failed (launch-failed) · -ERR_NET, -ERR_CANCELLED: not known; the record is Starting, run_resume goes on
 */
int run_submit(struct run *r, struct err *e);
sha256 run_submit_key(const struct run_record *rec);
/** A record that was left between token and handle, or between two attempts: find it, or submit it. 0 and nothing done when somebody alive is at it;
 *  the record is what is on disk then. */
int run_resume(struct run *r, struct err *e);
/** Cancel: status/cancel, state CancelRequested, then the target. */
int run_cancel(struct run *r, struct err *e);
/** Does the description want another attempt after this end (retry.max, retry.on), and can the target (RUN_CAP_RETRY)? */
bool run_retry_wanted(const struct run *r, const struct run_status *s);
/** The next attempt after rec->status, which run_retry_wanted: attempt + 1, its folders, submit again. *ret: false when it does not. Take no final status
 *  into the record before: whoever waits would think it over. */
int run_retry(struct run *r, bool *ret, struct err *e);
/** ENVBUILD_FAULT says `where`: SIGKILL. */
void run_fault(const char *where);

/* What the ranks of a folder that they see are started with (target/command.c). */
struct run_command {
        const char **argv; /* envbuild-rank, its options, "--", the command; NULL-terminated */
        size_t n;
};
struct run_place {           /* how the rank sees things */
        const char *rank;    /* the shim's path there */
        const char *dir;     /* the run's folder there ("/mnt/run", or its own path) */
        const char *python;  /* RUN_ENV_HOST: interpreter; NULL */
        int cancel_every_ms; /* how often status/cancel is looked at: 250 here, 2000 on a network file system */
};
/** The command line of a rank; rank -1: the shim finds its rank in SLURM_*, OMPI_*, PMIX_*, JOB_COMPLETION_INDEX. Holds no secret. */
int run_command_make(struct run *r, const struct run_place *p, int rank, struct run_command *ret, struct err *e);
/** submit/rank.env (0600): spec's variables, those of the host that it names (a missing one is a fault), inputs; "K=V\0" each. dir: as the rank sees it. */
int run_rank_env_write(struct run *r, const char *dir, struct err *e);
void run_rank_env_drop(const struct run_record *r);

/** Absolute path of envbuild-rank: beside this program's build, in $ENVBUILD_LIBDIR, installed. -ERR_NOT_FOUND says where it was looked for. */
int run_rank_program(struct arena *a, const char **ret, struct err *e);

#endif
