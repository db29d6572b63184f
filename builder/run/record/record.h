/* run/record/record.h - the folder of a run, <root>/<id>/: what was asked, what was done, what came of it (docs/internals/run.md has the picture).
 *
 *   run.json              replaced atomically; never holds a secret
 *   events.jsonl          appended: {"t":µs,"from":"Queued","to":"Running","why":"…"}
 *   submit/               what the engine was given; rank.env (0600) holds the ranks' variables until the run is over
 *   code/                 the working copy: the ranks' working directory; code/outputs and code/logs are links to the next two
 *   outputs/ logs/        of the user
 *   status/<attempt>/     rank-N.json, by envbuild-rank; failed: which rank failed first;   status/cancel: somebody wants it ended
 *   user_logs/            std_log.txt, or std_log_process_<rank>.txt; of a second attempt in retry_001/
 *   system_logs/          of the engine and the supervisor
 *
 * Who may write run.json holds the store's claim of the run: the supervisor as long as it lives, else whoever polls. */
#ifndef RUN_RECORD_RECORD_H
#define RUN_RECORD_RECORD_H

#include "run/job/job.h"
#include "run/run.h"

struct run_git { /* specs: Azure ML's run properties; empty: no git, no work tree, or not said */
        sv repository, branch, commit;
        bool known, dirty;
        sv note; /* why not known */
};
struct run_snapshot_info {
        sv digest; /* "sha256:…" of the list; empty: no source */
        uint64_t files, bytes;
        sv layer; /* digest of the layer it was pushed as; empty: none */
};
struct run_record {
        struct arena *arena; /* that it lives in: set by create, open and find */
        sv dir;              /* absolute, NUL-terminated */
        sv id;               /* [a-z0-9-]{1,40}: NAME-YYYYMMDD-xxxxxx; also a DNS label */
        struct run_spec *spec;
        sv image;           /* name@sha256:…, what the environment is; empty: the host's own */
        sv run_image;       /* what the engine is given when that differs (source added as a layer) */
        sv lock_digest;     /* "sha256:…"; empty: not known */
        sv target, compute; /* "slurm", "gpu-slurm" */
        sv token;           /* <id>.<attempt>: carried by the submission */
        sv handle;          /* the engine's name for it; empty: not submitted, or not known that it was */
        sv sweep;           /* id of the sweep it belongs to */
        unsigned attempt;   /* from 1 */
        bool archived;
        struct run_git git;
        struct run_snapshot_info snapshot;
        struct run_status status;
        sv host, user, version;
        sv maker;              /* "HOST:PID:STARTTIME" of who makes it ready and submits it */
        int64_t unanswered_us; /* since when the engine does not answer; 0: it does */
        struct run_pair *property;
        size_t n_property;
        int64_t created_us;
};

int64_t run_now_us(void); /* the wall clock */
/** What the store's claim of a run is taken by (store_claim_take): who holds it may write run.json. */
sha256 run_record_key(const struct run_record *r);

/** Where runs are kept: $ENVBUILD_RUNS_DIR, else $XDG_DATA_HOME/envbuild/runs, else ~/.local/share/envbuild/runs. */
int run_root(struct arena *a, sv *ret, struct err *e);
/** Make a folder with a fresh id under root (from the spec's name, else the experiment) and its empty subfolders; nothing is submitted. state:
 *  Preparing. host, user, version and created_us are filled in; the rest is the caller's to fill and write. */
int run_record_create(struct run_ctx *c, struct arena *a, sv root, struct run_spec *spec, struct run_record **ret,
                      struct err *e);
/** Read it again from a folder. -ERR_NOT_FOUND · -ERR_INTEGRITY when it cannot be read (damaged, or of a newer version; the hint says what to do). */
int run_record_open(struct arena *a, sv dir, struct run_record **ret, struct err *e);
/** Replace run.json (fsync, rename, fsync). */
int run_record_write(const struct run_record *r, struct err *e);
/** Take a new status in: states move forward only, except to and from NotResponding and Unknown, and between Queued and Starting (a submission is Starting
 *  before the engine queues it). What is final stays. An event is appended when the state changed, then run.json is written; when nothing changed
 *  nothing is. Texts of s are borrowed for as long as r lives. Times of s that are 0 leave those known. *ret_changed may be NULL. */
int run_record_take(struct run_record *r, const struct run_status *s, const char *why, bool *ret_changed,
                    struct err *e);
int run_record_event(const struct run_record *r, const char *from, const char *to, const char *why, struct err *e);
/** True when who made it ready was a process of this machine that is there no more: nobody will submit what has no token. */
bool run_maker_gone(const struct run_record *r);
/** By whole id, unique beginning, or "@latest"; looks in every root (run_root and the run_root of the profiles). -ERR_NOT_FOUND · -ERR_USAGE: several (hint names them). */
int run_record_find(struct run_ctx *c, struct arena *a, sv word, struct run_record **ret, struct err *e);
/** The same, but only the folder: of one that cannot be read, too. */
int run_record_dir(struct run_ctx *c, struct arena *a, sv word, sv *ret, struct err *e);

struct run_row { /* what a list shows: read without the description */
        sv id, dir, name, experiment, target, compute, sweep, image;
        struct run_status status;
        unsigned attempt;
        bool archived;
        int64_t created_us;
};
/** All runs of all roots, newest first. Unreadable ones are warnings in ctx->diags. 2,000 in well under 50 ms. */
int run_list(struct run_ctx *c, struct arena *a, struct run_row **ret, size_t *ret_n, struct err *e);

/* The ranks' own words (status/<attempt>/rank-N.json): the truth about how the command ended. */
struct run_rank {
        unsigned rank;
        sv host;
        int64_t pid, start_us, end_us; /* end_us 0: still running */
        int exit_code,
                signal; /* as waitpid says; of a rank that could not start its command: 126, 127 and `failed_start` */
        bool failed_start, timed_out;
        bool oom;   /* it failed, and the kernel had killed for memory in its cgroup */
        sv stopped; /* "", "cancel", "timeout", "peer", "signal": who ended it, if not itself */
        uint64_t maxrss_kb;
};
/** In order of rank; those without a readable record are absent. */
int run_ranks_read(struct arena *a, const struct run_record *r, struct run_rank **ret, size_t *ret_n, struct err *e);
/**
 * What the ranks' records alone say. False: not all are there and ended; *ret then holds Running with its start, or is untouched if none has started.
 * The first failing rank is the one of status/<attempt>/failed, else the first by end that nobody stopped.
 */
bool run_ranks_judge(const struct run_record *r, const struct run_rank *rank, size_t n, bool cancel_wanted,
                     struct run_status *ret);
bool run_cancel_wanted(const struct run_record *r);
/** Write status/cancel; done twice is fine. */
int run_cancel_write(const struct run_record *r, struct err *e);

/** Heap-free path helpers: "<dir>/<fmt>", NUL-terminated, in a. */
sv run_path(struct arena *a, const struct run_record *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** user_logs/… of a rank of the current attempt. */
sv run_log_path(struct arena *a, const struct run_record *r, unsigned rank);

/** git facts of a folder; never fails: `note` says why nothing is known. 10 s limit. */
void run_git_look(struct arena *a, const char *dir, struct op *op, struct run_git *ret);

#endif
