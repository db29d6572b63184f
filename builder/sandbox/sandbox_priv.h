/* sandbox/sandbox_priv.h - inside of the sandbox. */
#ifndef SANDBOX_SANDBOX_PRIV_H
#define SANDBOX_SANDBOX_PRIV_H

#include <signal.h>
#include <sys/types.h>

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

/* sandbox/order.c: what the child is told, as one text; see there. */
struct sandbox_order {
        struct arena arena;
        const char **layer, **argv, **env, **bind; /* base first; NULL-terminated */
        size_t n_layer, n_argv, n_env, n_bind;
        size_t cap_layer, cap_argv, cap_env, cap_bind;
        const char *workdir, *user, *bwrap, *place, *parent; /* place: an existing folder that may be covered */
        bool network;
};
void sandbox_order_add(struct buf *out, char kind, const char *text);
bool sandbox_order_read(sv text, struct sandbox_order *ret);

/* The child's descriptors: fixed, set by posix_spawn. */
enum { SANDBOX_ORDER_FD = 3, SANDBOX_REPORT_FD = 4, SANDBOX_FAILED = 125 };
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

/* sandbox/inside.c: pid 1 of the new namespaces. */
_Noreturn void sandbox_inside(const struct sandbox_order *o, const struct sandbox_space *space, const sigset_t *mask);

#endif
