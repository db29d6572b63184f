/* shim/shim.h - inside of envbuild-rank, the program around every rank (docs/internals/run.md has its contract). It knows its command line, its
 * environment and a folder, and nothing else; one thread; main.c says in which order things happen. What shim_options, shim_place, shim_env,
 * shim_vars, shim_end and shim_record_text do is pure. */
#ifndef SHIM_SHIM_H
#define SHIM_SHIM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sv.h"

/* What it ends with when the command has no say. */
enum { SHIM_TIMED_OUT = 124, SHIM_CANNOT = 125, SHIM_NOT_EXECUTABLE = 126, SHIM_NOT_FOUND = 127, SHIM_SIGNALLED = 128 };

enum shim_dist { SHIM_DIST_NONE, SHIM_DIST_PYTORCH, SHIM_DIST_MPI, SHIM_DIST_TENSORFLOW };
struct shim_options {
        const char *dir, *run_id, *image; /* run_id, image: NULL when not said, as all that follow */
        const char *master, *hosts, *env_file, *path_first, *code_from, *workdir, *termination_log,
                *outputs;                         /* folders of DIR/outputs: "a,b" */
        unsigned attempt, ranks, per_node, nodes; /* at least 1 */
        unsigned port;                            /* 0: not said */
        unsigned workers, servers;                /* TensorFlow: workers + servers = ranks */
        int rank;                                 /* -1: from the environment */
        enum shim_dist dist;
        unsigned timeout_s; /* 0: none */
        unsigned grace_s, peer_grace_s, cancel_every_ms;
        bool console, own_group_only;
        char **argv; /* the command; NULL-terminated */
};
/** options.c: borrowed from argv. -ERR_USAGE. */
int shim_options_parse(int argc, char **argv, struct shim_options *ret, struct err *e);

/* env.c: a list of "K=V", as execve wants it. */
struct shim_env {
        struct arena *a;
        char **v; /* NULL-terminated once anything was set */
        size_t n, cap;
};
const char *shim_env_get(char *const *env, const char *name); /* NULL: not there */
void shim_env_set(struct shim_env *s, sv name, sv value);
void shim_env_fmt(struct shim_env *s, const char *name, const char *fmt, ...) PRINTF(3, 4);
/** A text of "K=V\0" each; the last one of a name wins. -ERR_USAGE: not such a text. */
int shim_env_read(struct shim_env *s, sv text, struct err *e);

/* place.c: which of the ranks this is. */
struct shim_place {
        unsigned rank, local, node;
};
/** --rank, else mpirun's variables, srun's, PMIx's, an indexed Job's, and RANK. -ERR_USAGE: none of them, or out of range. */
int shim_place_find(const struct shim_options *o, char *const *env, struct shim_place *ret, struct err *e);

/* vars.c */
/**
 * The command's variables: own, then file, then ours, then those of the distribution.
 *
 * @param file  text of --env-file
 * @param home  what HOME shall be; NULL: as it is
 * @return -ERR_USAGE: the file's text, no address for several nodes
 */
int shim_vars_make(struct arena *a, const struct shim_options *o, const struct shim_place *p, char *const *own, sv file,
                   const char *home, char ***ret, struct err *e);

/* end.c: how it ended, and what follows from that. */
enum shim_stop { SHIM_STOP_NONE, SHIM_STOP_CANCEL, SHIM_STOP_TIMEOUT, SHIM_STOP_PEER, SHIM_STOP_SIGNAL };
struct shim_end {
        int64_t start_us, end_us;
        int exit_code, signal; /* exit_code is 128 + signal after a signal, so that nobody takes it for success */
        bool failed_start;
        bool oom; /* the kernel killed for memory meanwhile, and it did not end well */
        enum shim_stop stop;
        uint64_t maxrss_kb;
};
const char *shim_stop_name(enum shim_stop s); /* "" for none */
/** Of waitpid's status. signals: those we passed on, as bits 1 << n. */
void shim_end_judge(struct shim_end *end, int status, uint32_t signals);
bool shim_end_failed(const struct shim_end *end); /* by itself: nobody stopped it */
int shim_end_exit(const struct shim_end *end);
/** end NULL: it has just started. */
void shim_record_text(const struct shim_options *o, const struct shim_place *p, const char *host, pid_t pid,
                      int64_t start_us, const struct shim_end *end, struct buf *ret);

/* oom.c */
/** How often the kernel killed for memory in our cgroup; 0 when that is not known. */
uint64_t shim_oom_kills(void);
/** The count in memory.events or memory.oom_control. */
bool shim_oom_read(sv text, uint64_t *ret);
/** Our group by /proc/self/cgroup, empty when none; *ret_first: below version 1's memory hierarchy. */
sv shim_oom_group(sv cgroup, bool *ret_first);

/* record.c: status/<attempt>/. */
struct shim_record {
        const struct shim_options *o;
        const struct shim_place *p;
        char *dir, *path, *reserve; /* status/A, rank-R.json, and what stands ready to become it */
        char host[256];
};
/** Write what is known at the start, and make room for what is to be said at the end, so that a full disk cannot keep it. */
int shim_record_start(struct shim_record *r, const struct shim_options *o, const struct shim_place *p, int64_t start_us,
                      struct err *e);
int shim_record_end(struct shim_record *r, const struct shim_end *end, struct err *e);
/** status/A/failed, if no other rank has made it. */
int shim_record_failed(struct shim_record *r, struct err *e);
void shim_record_done(struct shim_record *r);
/** Somebody else's word in the folder. A look at it asks a network file system's server. */
bool shim_wanted(const struct shim_options *o, const char *sub, const char *name);

/* folder.c */
/** user_logs/…, appended to; its folders are made. Returns a descriptor. */
int shim_log_open(struct arena *a, const struct shim_options *o, const struct shim_place *p, const char **ret_path,
                  struct err *e);
/** DIR/code, made if it is not there, with links to outputs and logs; or --workdir. */
int shim_workdir(struct arena *a, const struct shim_options *o, const struct shim_place *p, const char **ret,
                 struct err *e);
/** *ret NULL: HOME is fine as it is. */
void shim_home(struct arena *a, const struct shim_options *o, char *const *env, const char **ret);

/* copy.c */
/** A tree into a folder that is there: files, folders, links, with modes and times. Folders (or links to such) that are there are used. */
int shim_copy(const char *from, const char *to, struct err *e);

/* start.c */
struct shim_start {
        char **argv, **env;
        const char *dir;
        int log;
};
/** A session of its own, stdin from /dev/null, signals as they were born. *ret_errno: 0, or why there is no command (then *ret_pid is reaped). */
int shim_start(const struct shim_start *s, pid_t *ret_pid, int *ret_errno, struct err *e);

/* descent.c: all processes below this one. */
/** False: nobody of the group is left below us (zombies do not count), or that cannot be known. */
bool shim_group_alive(pid_t group);
/** KILL to all of them. */
void shim_kill_all(pid_t group);
/** Memory of all of them now (shared pages count for each), and processor time since the start. False: not known. */
bool shim_descent_use(uint64_t *ret_rss_kb, uint64_t *ret_cpu_ms);
/** KILL and reap until there is nobody, at most limit_ms. False: somebody would not die. */
bool shim_kill_rest(pid_t group, int64_t limit_ms);

/* console.c: the log is followed to our stdout, so that the command never waits for whoever reads that. */
struct shim_console {
        int log, notify; /* -1: none */
        bool behind;     /* stdout is full */
};
int shim_console_open(struct shim_console *c, const char *log, struct err *e);
void shim_console_pump(struct shim_console *c);
/** What is left of it, as long as somebody reads. */
void shim_console_drain(struct shim_console *c);
void shim_console_done(struct shim_console *c);

/* usage.c: what the command uses as time goes by, a line each in status/A/usage-R.jsonl: {"t":µs,"rss_kb":…,"cpu_ms":…}. */
struct shim_usage {
        const struct shim_options *o;
        unsigned rank;
        int64_t next_ms, every_ms; /* every_ms 0: nothing is written */
        unsigned n;                /* lines so far */
};
/** o NULL: nothing will be written. */
void shim_usage_start(struct shim_usage *u, const struct shim_options *o, unsigned rank, int64_t now_ms);
/** Writes a line when it is time. Nothing that goes wrong here matters to the run. */
void shim_usage_look(struct shim_usage *u, int64_t now_ms);

/* watch.c */
struct shim_watch {
        const struct shim_options *o;
        struct shim_console *console; /* NULL: none */
        int signals;                  /* signalfd */
        pid_t pid;
        int status;          /* out: waitpid's */
        enum shim_stop stop; /* out */
        uint32_t passed;     /* out: signals that were passed on */
        int64_t peer_ms;     /* since when a peer's failure is known; 0: none */
        int64_t kill_ms;     /* when KILL is due; 0: not stopping */
        int64_t look_ms;     /* when the folder is looked at again */
        int64_t deadline_ms; /* --timeout; 0: none */
        bool ended, killed;
        struct shim_usage usage;
};
/** Block and open; before anything is started. */
int shim_watch_open(struct shim_watch *w, const struct shim_options *o, struct err *e);
/** Until the command has ended, and if it was stopped its group too. */
void shim_watch(struct shim_watch *w);
int64_t shim_boot_ms(void);

#endif
