/* run/supervise/supervise.h - a process that outlives the command line and looks after the ranks of this machine (targets local, process, podman,
 * docker): its children are the ranks' launchers, it is the subreaper of everything below them, it ends only when nothing is left. */
#ifndef RUN_SUPERVISE_SUPERVISE_H
#define RUN_SUPERVISE_SUPERVISE_H

#include "run/target/target.h"

/* submit/launch.json: what it starts. Environment of each: env only. */
struct run_launch {
        struct run_launcher {
                int rank; /* -1: starts all ranks itself (mpirun) */
                const char **argv;
                const char **env;
                const char *dir; /* working directory */
                const char **
                        wait; /* NULL, or argv that waits for what argv only looked at (podman wait …): started when that is gone and its rank goes on */
        } *v;
        size_t n;
        const char **
                before; /* NULL, or a command that makes ready (podman create …), run first and waited for: argv; may be several */
        size_t n_before;   /* how many commands; each ends with a NULL in before */
        const char **stop; /* NULL, or argv that ends what is left (podman stop …) when a launcher's own end does not */
        bool signals;      /* TERM to a launcher reaches the rank (sandbox, process); else only status/cancel does */
};
int run_launch_write(const struct run_record *r, const struct run_launch *l, struct err *e);
int run_launch_read(struct arena *a, const struct run_record *r, struct run_launch *ret, struct err *e);

/** Start it (double fork by posix_spawn of `program __supervise DIR`, setsid); *ret_handle: "supervisor:HOST:PID:STARTTIME". Returns once it holds the run's claim. */
int run_supervise_start(struct run *r, sv *ret_handle, struct err *e);
int run_supervise_find(struct run *r, sv *ret_handle, struct err *e);
int run_supervise_poll(struct run *r, struct run_status *ret, struct err *e);
int run_supervise_cancel(struct run *r, struct err *e);

/** DIR/code from the record's snapshot, with links to outputs and logs, when it is not there yet: what run_supervise_main does first. */
int run_code_ready(struct run *r, struct err *e);

/** main() of `envbuild __supervise DIR` and of `envbuild __rank DIR N`. */
#define RUN_SUPERVISE_MAIN "__supervise"
#define RUN_RANK_MAIN      "__rank"
/** While there is one thread only (it forks), and for the main thread. */
int run_supervise_main(struct run_ctx *c, const char *dir, struct err *e);
/** A rank in the sandbox (local, slurm): unpacks layers that this machine lacks, then sandbox_run. *ret_status: the shim's. n: -1 from SLURM_PROCID. */
int run_rank_main(struct run_ctx *c, const char *dir, int n, int *ret_status, struct err *e);

#endif
