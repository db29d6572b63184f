/* run/target/slurm_priv.h - inside of the target slurm: what its programs say, as data; what is decided from it; the two scripts. All pure. */
#ifndef RUN_TARGET_SLURM_PRIV_H
#define RUN_TARGET_SLURM_PRIV_H

#include "base/buf.h"
#include "run/run.h"

/* slurm_parse.c: what the programs print. Texts of the results are borrowed. */
struct slurm_job {
        sv id, name, state, reason, nodes; /* state: one word, without "by 1000" */
        int exit_code, signal;             /* of "N:S"; -1: not said */
        int64_t submit_s, start_s, end_s;  /* since 1970 (SLURM_TIME_FORMAT=%s); 0: not said */
};
/** `scontrol -o show job ID`: the first line. False: not that. */
bool slurm_job_parse(sv text, struct slurm_job *ret);
/** A line of `sacct -X -P -n -o JobIDRaw,State,ExitCode,Reason,Start,End`. */
bool slurm_sacct_parse(sv text, struct slurm_job *ret);
/** `sbatch --parsable` among whatever else stands there: "123" or "123;cluster". Empty: no such line. */
sv slurm_submitted_parse(sv text);
/** The job of that name in `squeue -o %i|%j`: its id. Empty: none. */
sv slurm_queue_parse(sv text, sv name);
/** A handle → the job's number and the cluster (empty: the one there is). False: no handle of ours. */
bool slurm_handle_parse(sv handle, sv *ret_id, sv *ret_cluster);

/* What a failed program means, by what it said on stderr. */
enum slurm_fault {
        SLURM_REFUSED,    /* it was understood, and no */
        SLURM_UNKNOWN,    /* it may have come through or not: the controller did not answer */
        SLURM_NO_SUCH_JOB /* the controller has no job of that number (any more) */
};
enum slurm_fault slurm_fault_of(sv text);
/** The line that says what was wrong: the last "error:" line without its "sbatch: error: ". */
sv slurm_fault_line(sv text);

/* slurm_state.c */
struct slurm_seen {
        bool judged;             /* all ranks ended: `ranks` is final */
        bool stopped;            /* … and the rank that counts was ended from outside: only Slurm knows why */
        bool cancel_wanted;      /* somebody asked us to end it */
        struct run_status ranks; /* else Running, or as the record had it */
};
/** Slurm's word as ours; reason: of a final one. */
bool slurm_state_map(sv word, enum run_state *ret, enum run_reason *ret_reason);
/** Reasons for which a job waits for ever if nobody does something: a sentence; NULL: an ordinary wait. */
const char *slurm_never_runs(sv reason);
/** All ranks have ended, but one was killed: by whom, Slurm may know. */
bool slurm_doubtful(const struct slurm_seen *seen);
/**
 * One status of what Slurm and the ranks say. False: Slurm says it is over and well, but records of ranks are missing: look again.
 * message is made in a.
 */
bool slurm_decide(struct arena *a, const struct slurm_job *j, const struct slurm_seen *seen, struct run_status *ret);

/* slurm_script.c: the scripts that a run is made of, from nothing but this. */
enum slurm_mode { SLURM_NONE, SLURM_SANDBOX, SLURM_PYXIS, SLURM_APPTAINER };
struct slurm_script {
        enum slurm_mode mode;
        sv id, token;
        sv dir; /* of the run, on the shared file system */
        unsigned attempt;
        unsigned nodes, ranks, per_node, cpus, gpus; /* cpus a rank, gpus a node; 0: not said */
        uint64_t memory;                             /* bytes a node; 0: not said */
        uint64_t minutes;                            /* time limit; 0: the partition's */
        sv partition, account, qos, constraint, gres, time;
        sv *sbatch_arg, *srun_arg;
        size_t n_sbatch_arg, n_srun_arg;
        sv mpi;          /* plugin of srun --mpi; empty: not asked for */
        bool want_hosts; /* the ranks want the names of all nodes */
        sv image;        /* pyxis, apptainer: name@sha256:… */
        sv rank;         /* … envbuild-rank, on the shared file system */
        bool nvidia;     /* apptainer --nv */
        struct slurm_mount {
                sv src, dst;
                bool ro;
        } *mount; /* pyxis, apptainer: besides the run's folder and envbuild-rank */
        size_t n_mount;
        sv cache, scratch; /* sandbox: the store, where nodes unpack layers; scratch may be empty */
        const char **
                argv; /* what a rank is started with; its first word is followed by --master, --hosts when there are any */
        size_t argv_insert; /* … or the word after which they stand */
};
#define SLURM_RUN_DIR "/mnt/run"
#define SLURM_RANK    "/.envbuild/envbuild-rank"
/** -ERR_USAGE: a text that no #SBATCH line can hold, or an argument that is ours to give. */
int slurm_batch_write(const struct slurm_script *s, struct buf *out, struct err *e);
void slurm_rank_write(const struct slurm_script *s, struct buf *out);
/** A word for a shell. */
void slurm_quote(sv word, struct buf *out);

#endif
