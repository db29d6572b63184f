/* run/supervise/supervise_priv.h - inside of the supervisor. */
#ifndef RUN_SUPERVISE_SUPERVISE_PRIV_H
#define RUN_SUPERVISE_SUPERVISE_PRIV_H

#include <sys/types.h>

#include "run/record/record.h"
#include "run/supervise/rootfs.h"
#include "run/supervise/supervise.h"
#include "run/target/submit.h"

#define RUN_DOC_MAX ((size_t)64 << 20) /* bytes of launch.json or image.json */

/* json.c: what both documents are made of. */
struct js *run_js_words(struct arena *a, const char *const *v, size_t n);
/** NULL-terminated; *ret_n may be NULL. False: not a list of texts, or one with a NUL in it. */
bool run_js_argv(struct arena *a, const struct js *j, const char ***ret, size_t *ret_n);
int run_js_load(struct arena *a, const char *path, struct js **ret, struct err *e);
/** mode 0600: command lines are a person's own business. -ERR_USAGE: a text in it is not UTF-8. */
int run_js_save(const char *path, const struct js *doc, struct err *e);

/* launch.c, rootfs.c: the documents, once they are JSON. */
bool run_launch_parse(struct arena *a, const struct js *doc, struct run_launch *ret);
bool run_rootfs_parse(struct arena *a, const struct js *doc, struct run_rootfs *ret);

/* identity.c: which process supervises an attempt: status/<attempt>/supervisor.json. A pid alone says nothing: it is used again. */
struct run_identity {
        sv host, boot;
        pid_t pid;
        uint64_t start; /* /proc/PID/stat, in ticks since boot */
};
void run_identity_self(struct arena *a, struct run_identity *ret);
/** 1: there is one already, of whoever was first; it never changes. */
int run_identity_write(const struct run_record *r, const struct run_identity *id, struct err *e);
/** -ERR_NOT_FOUND: nobody has supervised this attempt. */
int run_identity_read(struct arena *a, const struct run_record *r, struct run_identity *ret, struct err *e);
bool run_identity_here(const struct run_identity *id);
/** It runs, on this machine. */
bool run_identity_alive(const struct run_identity *id);
sv run_identity_handle(struct arena *a, const struct run_identity *id);

/* procs.c: processes, by /proc; each is opened (pidfd) and looked at again before it is signalled, so that a pid that was used again is never hit. */
struct run_proc {
        pid_t pid, ppid;
        uint64_t start;
        char state;
};
bool run_proc_read(pid_t pid, struct run_proc *ret);
struct run_procs {
        unsigned
                ranks; /* launchers (`__rank`, envbuild-rank): they go on without a supervisor and write how it ended */
        unsigned all;
};
/** Those with ENVBUILD_RUN_ID=id in their environment; not us. sig 0: only counts. */
void run_procs_of(sv id, int sig, struct run_procs *ret);
/** SIGKILL to all descendants of ours; how many there were. Zombies do not count. */
unsigned run_procs_kill_below(void);

/* prepare.c: what must be there before the first rank starts: code/, inputs/, and what the target's `before` says. */
int run_prepare(struct run *r, const struct run_launch *l, struct err *e);

/* spawn.c */
/**
 * A launcher in a process group of its own; stdin is /dev/null, its own output goes to system_logs/<log>.
 *
 * @param run_id  put into its environment, so that it is found when whoever started it is gone
 */
int run_spawn(const struct run_record *r, const struct run_launcher *l, const char *log, pid_t *ret, struct err *e);
/** Only the variables that programs of ours, engines and python need: what else the user has may be secret. more: names (NULL-terminated) to keep, too. */
const char **run_env_allowed(struct arena *a, const char *const *allowed, const sv *more, size_t n_more);
extern const char *const run_env_ours[];

/* start.c: the supervisor's word to who started it: a handle, or why there is none. */
enum { RUN_READY_FD = 3 };
void run_ready_tell(int fd, const struct err *why, sv handle);

/* judge.c */
const struct run_rank *run_rank_of(const struct run_rank *rank, size_t n, unsigned number); /* NULL: no record */
struct run_gone {
        unsigned rank;
        int status; /* of its launcher, as waitpid says */
};
/** A status for ranks that left no record of their end. gone: launchers that ended. */
void run_judge_lost(struct arena *a, const struct run_record *r, const struct run_rank *rank, size_t n_rank,
                    const struct run_gone *gone, size_t n_gone, bool cancel, struct run_status *ret);

/* unpack.c */
/** Layers that this machine lacks; one process of the machine unpacks each, the others wait for it. */
int run_unpack(struct run_ctx *c, struct arena *a, const struct run_rootfs *f, struct err *e);

#endif
