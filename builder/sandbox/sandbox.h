/* sandbox/sandbox.h - run a command in an image without a daemon: layers unpacked once each, stacked by the kernel's overlay in a user
 * namespace of our own, bubblewrap on top (design/store.md `run`). As root and as an ordinary user. Nothing is left behind. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "base/err.h"
#include "base/op.h"
#include "store/store.h"

/** Unpack one layer blob (gzip, zstd or plain tar) into unpacked/<diff_id>, whiteouts turned into what overlay reads; verified by diff_id.
 *  Hostile input: nothing is written outside. */
int sandbox_unpack(struct store *s, const struct oci_desc *layer, const sha256 *diff_id, struct op *op, struct err *e);

/**
 * The layers as one tree of hard links, kept in the store: a start looks through one folder instead of a hundred. sandbox_run uses it when it is there.
 * Nothing depends on it: on any failure, or while another process makes it, the layers are stacked.
 */
int sandbox_merge(struct store *s, const sha256 *diff_id, size_t n, struct op *op, struct err *e);
/** It is there: the layers themselves need not be looked at. *ret: what it is called among unpacked layers. */
bool sandbox_merged(struct store *s, const sha256 *diff_id, size_t n, sha256 *ret);

struct sandbox_run {
        const sha256 *diff_id; /* base first; all unpacked */
        size_t n_diff_id;
        const char *const *argv; /* NULL-terminated */
        const char *const *env;  /* complete, NULL-terminated */
        const char *workdir;
        const char *user;           /* of the image: "", "1000", "1000:1000", "name" */
        const char *const *bind;    /* pairs source, destination; NULL-terminated */
        const char *const *bind_ro; /* the same, read-only, mounted after bind; may be NULL */
        const char *const *
                own; /* paths inside that become the user's, with all below, when we are root and he is not; may be NULL */
        uint64_t shm_size; /* bytes of /dev/shm; 0: as much as /dev has */
        bool passwd;       /* the user gets a line in /etc/passwd when the image has none for his uid */
        bool network;      /* share the host's; else loopback only */
        bool terminal; /* if stdin and stdout are the terminal we are in front of, the command gets one of its own */
};
/**
 * Runs in the foreground with our stdio. A signal sent to us goes to the command; one from the terminal has reached it already, unless the
 * command has a terminal of its own: then ours is raw until we return, and is put back whatever happened, and Ctrl-Z and Ctrl-C do to our group
 * what they did to the command.
 * For the main thread of a program whose other threads block all signals.
 *
 * @param ret_status  exit code, 128 + signal, 126 not executable, 127 not found
 * @return 0 once there is a status · -ERR_NOT_FOUND: a layer is not unpacked, a bind's source is not there · -ERR_FAILED: no bubblewrap, no
 *         user namespaces (hints), no such user in the image, past op's deadline
 */
int sandbox_run(struct store *s, const struct sandbox_run *r, struct op *op, int *ret_status, struct err *e);

/**
 * What main() calls when argv[1] is SANDBOX_CHILD: sandbox_run starts this program again to make the namespaces, since that must be done
 * by a process of one thread, and forking one that has many is not safe. Must be the first thing main() does; does not return.
 */
#define SANDBOX_CHILD "__sandbox"
int sandbox_child_main(int argc, char **argv);

#endif
