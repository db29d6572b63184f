/* run/target/container.h - inside of the targets podman and docker: two programs with the same verbs, below our own supervisor. A rank is a container,
 * made (`create`) and started (`start --attach`) apart: what those say is theirs, what the command said is in the rank's record. */
#ifndef RUN_TARGET_CONTAINER_H
#define RUN_TARGET_CONTAINER_H

#include "run/supervise/rootfs.h"
#include "run/supervise/supervise.h"
#include "run/target/submit.h"

#define CONTAINER_DIR    "/mnt/run"
#define CONTAINER_INPUTS "/mnt/inputs"
#define CONTAINER_SHIM   "/.envbuild/envbuild-rank"

struct container_engine {
        const char *name;        /* of the target and of the program */
        const char *version[6];  /* says its version, and that it works */
        const char *gpus[3];     /* options for all of them */
        const char *package;     /* of Debian */
        const char *elsewhere;   /* variable that names an engine of another machine */
        const char *broken_hint; /* it is installed, but does not answer */
        bool daemon;             /* root's: what it writes belongs to whom --user says */
};
/** NULL: no such engine. */
const struct container_engine *container_engine_find(sv name);

/** "envbuild-<id>-<attempt>-<rank>" */
const char *container_name(struct arena *a, const struct run_record *r, unsigned rank);
/** The whole `create` of a rank; -1: all ranks in one, by mpirun. NULL-terminated; *ret_n counts without the NULL. */
int container_create(struct run *r, const struct container_engine *g, int rank, const char ***ret, size_t *ret_n,
                     struct err *e);
/** "type=bind,src=…,dst=…", a line of CSV as the engines read it: names may hold commas and quotes. */
sv container_mount(struct arena *a, sv src, sv dst, bool ro);

/** A line of `ps --format {{.State}}`: it runs, is paused or is about to end. */
bool container_goes_on(sv state);

#endif
