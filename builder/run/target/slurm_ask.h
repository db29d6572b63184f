/* run/target/slurm_ask.h - inside of the target slurm: its programs called, and what stands in the run's folder beside the ranks' records. */
#ifndef RUN_TARGET_SLURM_ASK_H
#define RUN_TARGET_SLURM_ASK_H

#include "run/target/slurm_priv.h"
#include "run/target/target.h"

/**
 * sbatch of submit/job.sbatch. -ERR_FAILED: refused · -ERR_NET: nobody knows · -ERR_NOT_FOUND: no sbatch here
 */
int slurm_sbatch(struct run *r, sv *ret_handle, struct err *e);
/** The job of a name in the queue. Empty: none there. -ERR_NET: no answer. */
int slurm_squeue(struct run *r, sv name, sv *ret_id, struct err *e);
/** *ret_found false: the controller has no such job. -ERR_NET. Texts are in r->arena. */
int slurm_show(struct run *r, sv id, sv cluster, struct slurm_job *ret, bool *ret_found, struct err *e);
/** By number, or (id empty) by name. False: not there, no accounting, no answer. */
bool slurm_sacct(struct run *r, sv id, sv cluster, sv name, struct slurm_job *ret);
/** pending_only: leaves one alone that has begun. A job that is over is fine. -ERR_NET: no answer. */
int slurm_scancel(struct run *r, sv id, sv cluster, bool pending_only, struct err *e);
/** "slurm 22.05.8"; empty and *ret_why: what is missing. -ERR_CANCELLED. */
int slurm_version(struct run_ctx *c, struct arena *a, const struct run_profile *p, sv *ret, sv *ret_why, struct err *e);
/** srun has pyxis' options. */
bool slurm_has_pyxis(struct run_ctx *c);

/* slurm_mark.c: status/<attempt>/. Ages are by the clock of the folder's file system: whoever polls may be on another machine each time. */
/** The job that began this attempt, by its own word; 0: none has. */
uint64_t slurm_mark_job(const struct run_record *r);
/** What srun ended with. False: it has not. */
bool slurm_mark_batch(const struct run_record *r, int *ret);
/** The rank that status/<attempt>/failed names, or -1. */
int slurm_mark_failed(const struct run_record *r);
/** The first rank whose launcher ended without a record of it, and with what. */
bool slurm_mark_lost(const struct run_record *r, int *ret_rank, int *ret_status);
/** How long a file is there, in ms; -1: it is not, or nobody can say. */
int64_t slurm_mark_age(const struct run_record *r, const char *name);
/** Make it if it is not there. True: it was not. */
bool slurm_mark_set(const struct run_record *r, const char *name);
void slurm_mark_clear(const struct run_record *r, const char *name);
/** Make NFS look at the folder again: its times change. */
void slurm_mark_freshen(const struct run_record *r);
/** How long the job has been missing without any rank's record being written, in ms; begins when first asked. */
int64_t slurm_mark_silence(const struct run_record *r);
/** The last line of what the ranks' launchers or the batch script said. */
sv slurm_mark_last_words(struct arena *a, const struct run_record *r, sv job);

/* slurm_render.c */
int slurm_render(struct run *r, struct err *e);

#endif
