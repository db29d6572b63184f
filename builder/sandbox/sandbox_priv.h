/* sandbox/sandbox_priv.h - inside of the sandbox. */
#ifndef SANDBOX_SANDBOX_PRIV_H
#define SANDBOX_SANDBOX_PRIV_H

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ext/archive.h"
#include "sandbox/sandbox.h"

/* sandbox/path.c */
#define SANDBOX_PATH_MAX  4095
#define SANDBOX_DEPTH_MAX 256
/**
 * A path as an archive has it → its parts below the root, joined by '/': no leading slash, no "." and "..", which stop at the root; the
 * root itself is "". False: too long or too deep.
 */
bool sandbox_path_clean(sv path, char ret[static SANDBOX_PATH_MAX + 1]);

/* sandbox/grow.c: a tree grows below a folder that nobody else can reach, entry by entry, and never outside of it. */
struct sandbox_grow {
        int root;         /* the folder, owned */
        const char *path; /* its path, borrowed */
        bool owner;       /* root: entries get their uids */
        char *last;       /* where the last entry stood, and its folder: mostly the next one stands there too */
        int last_fd;
        struct arena arena;
        struct sandbox_late { /* folders get their time when nothing comes into them any more */
                sv path;
                int64_t mtime;
                uint32_t mtime_ns;
        } *late;
        size_t n_late, cap_late;
};
int sandbox_grow_open(struct sandbox_grow *g, const char *path, struct err *e);
/** read gives a file's contents. -ERR_INTEGRITY for an entry that no layer may have. */
int sandbox_grow_add(struct sandbox_grow *g, const struct archive_table *t, struct archive_reader *r,
                     const struct archive_item *it, struct err *e);
int sandbox_grow_finish(struct sandbox_grow *g, struct err *e);
void sandbox_grow_done(struct sandbox_grow *g);

/* sandbox/user.c: "", "1000", "1000:1000", "name", "name:group" by the image's own files. Pure. */
struct sandbox_user {
        uint32_t uid, gid;
};
int sandbox_user_find(sv user, sv passwd, sv group, struct sandbox_user *ret, struct err *e);
bool sandbox_user_known(uint32_t uid, sv passwd);

/* sandbox/order.c: what the child is told, as one text; see there. */
struct sandbox_order {
        struct arena arena;
        const char **layer, **argv, **env, **bind, **own; /* base first; NULL-terminated */
        size_t n_layer, n_argv, n_env, n_bind, n_own;
        size_t cap_layer, cap_argv, cap_env, cap_bind, cap_own;
        size_t n_bind_rw;     /* of the binds (two texts each); the others are read-only */
        const char *shm_size; /* decimal; NULL: not said */
        const char *workdir, *user, *bwrap, *place, *parent; /* place: an existing folder that may be covered */
        const char *terminal; /* NULL, or those of our first descriptors that are the user's terminal: "01", "012" */
        bool network, passwd;
};
void sandbox_order_add(struct buf *out, char kind, const char *text);
bool sandbox_order_read(sv text, struct sandbox_order *ret);

/* The child's descriptors: fixed, set by posix_spawn. The link only when there is a terminal. */
enum { SANDBOX_ORDER_FD = 3, SANDBOX_REPORT_FD = 4, SANDBOX_LINK_FD = 5, SANDBOX_FAILED = 125 };
/** Tell the parent what stopped us (or, with code ERR_NONE, what it may say) and end. */
_Noreturn void sandbox_report(const struct err *e, int status);

/* sandbox/space.c: namespaces. */
struct sandbox_space {
        bool full; /* all ids of our user namespace are in the new one; else its root is us, and there is nobody else */
};
/** A user, mount and pid namespace (the next child is its pid 1); we are root in it. */
int sandbox_space_enter(struct sandbox_space *ret, struct err *e);
/** Write the maps that make all ids of ours the same in process `proc`/pid. */
int sandbox_space_map_all(const char *proc, pid_t pid, struct err *e);

/* sandbox/point.c: paths inside a root whose links nobody vouches for. */
/** Open below root as the inside sees it: links are followed, never out of it. -1 with errno. */
int sandbox_open_in(int root, const char *path, int flags);
/** A place to mount on, made when missing: *ret is its path below root without links ("/usr/tmp"). */
int sandbox_point(struct arena *a, int root, const char *path, bool is_dir, const char **ret, struct err *e);
/** 0, 126 or 127 for a command as exec would find it. */
int sandbox_find_command(int root, const struct sandbox_order *o, const struct sandbox_user *u);

/* The link, packet by packet: first how the terminal inside shall be, then from pid 1 a letter each. */
struct sandbox_like {
        struct termios settings;
        struct winsize window;
};
enum {
        SANDBOX_MASTER = 'M',     /* with the descriptor */
        SANDBOX_STOPPED = 'S',    /* the command was, as by Ctrl-Z; until SIGCONT */
        SANDBOX_INTERRUPTED = 'I' /* the command was ended by Ctrl-C */
};

/* sandbox/pty.c: the terminal inside. */
/**
 * Mount a devpts on dir, make a terminal in it, lead its session, put it in the place of the descriptors of `which`, send the master away.
 *
 * @param owner  NULL: whoever we are
 */
int sandbox_pty_make(const char *dir, const char *which, const uid_t *owner, unsigned *ret_number, struct err *e);
/** We and what we start are a group, and the one in front. All signals are blocked afterwards. */
void sandbox_pty_step_forward(void);
void sandbox_pty_tell(char word);

/* sandbox/flow.c: bytes on their way from one descriptor that does not block to another. */
struct sandbox_flow {
        size_t from, to;
        char bytes[8192];
};
static inline bool sandbox_flow_holds(const struct sandbox_flow *f)
{
        return f->from < f->to;
}
/** Reads once, when all that was read before is gone. False: there will be no more. */
bool sandbox_flow_fill(struct sandbox_flow *f, int fd);
/** Writes what goes. False: nobody takes it any more. */
bool sandbox_flow_empty(struct sandbox_flow *f, int fd);

/* sandbox/terminal.c: the user's terminal. */
enum { SANDBOX_TERMINAL_FDS = 3 };
struct sandbox_terminal {
        int tty, link, master; /* -1: none, none yet, or none any more */
        bool on;               /* the command has a terminal of its own */
        bool taken;            /* the user's is raw, by us */
        bool interrupted;      /* Ctrl-C ended the command */
        struct termios found;
        struct sandbox_flow in, out;
};
#define SANDBOX_TERMINAL_INIT { .tty = -1, .link = -1, .master = -1 }
/** *ret_link is the child's end, the caller's. When 0 and 1 are not the terminal we are in front of, t->on stays false. */
int sandbox_terminal_open(struct sandbox_terminal *t, int *ret_link, struct err *e);
/** For the order: which of 0, 1 and 2 are that terminal. */
const char *sandbox_terminal_which(void);
/** What to poll for, and what to do after it. child: whom SIGCONT goes to; 0 when it has ended. */
void sandbox_terminal_watch(const struct sandbox_terminal *t, struct pollfd fd[static SANDBOX_TERMINAL_FDS]);
void sandbox_terminal_serve(struct sandbox_terminal *t, const struct pollfd fd[static SANDBOX_TERMINAL_FDS],
                            pid_t child);
/** SIGWINCH, SIGCONT, SIGTSTP, when on: true, and nobody else need hear of it. */
bool sandbox_terminal_signal(struct sandbox_terminal *t, int sig, pid_t child);
/** Something may still come out, or has not been written yet. */
bool sandbox_terminal_busy(const struct sandbox_terminal *t);
/** As often as one likes. */
void sandbox_terminal_close(struct sandbox_terminal *t);

/* sandbox/own.c */
/** A folder or file and all below it becomes u's; links are not followed, other file systems below not entered. */
int sandbox_own(int fd, const struct sandbox_user *u, const char *path, struct err *e);
/** A line for u in the image's /etc/passwd, when it has none for that uid. */
int sandbox_user_add(struct arena *a, int root, const struct sandbox_user *u, sv passwd, struct err *e);

/* sandbox/inside.c: pid 1 of the new namespaces. */
_Noreturn void sandbox_inside(const struct sandbox_order *o, const struct sandbox_space *space, const sigset_t *mask);

#endif
