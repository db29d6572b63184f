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

struct sandbox_run {
        const sha256 *diff_id; /* base first; all unpacked */
        size_t n_diff_id;
        const char *const *argv; /* NULL-terminated */
        const char *const *env;  /* complete, NULL-terminated */
        const char *workdir;
        const char *user;        /* of the image: "", "1000", "1000:1000", "name" */
        const char *const *bind; /* pairs source, destination; NULL-terminated */
        bool network;            /* share the host's; else loopback only */
};
/** Runs in the foreground with our stdio; *ret_status: exit code, 128 + signal, 126 not executable, 127 not found. */
int sandbox_run(struct store *s, const struct sandbox_run *r, struct op *op, int *ret_status, struct err *e);

#endif
