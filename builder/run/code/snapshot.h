/* run/code/snapshot.h - the source of a run: which files (`.amlignore`, else `.gitignore`, with git's matching; `.git` never), kept by content in the
 * store, so that a second submit reads only what changed. Sorted, modes kept as 0644/0755, times 0, links kept, those that leave the folder refused. */
#ifndef RUN_CODE_SNAPSHOT_H
#define RUN_CODE_SNAPSHOT_H

#include "run/run.h"

enum run_file_kind { RUN_FILE, RUN_FILE_LINK, RUN_FILE_DIR };
struct run_file {
        sv path; /* relative, '/' between parts, sorted bytewise */
        enum run_file_kind kind;
        bool executable;
        uint64_t size;
        sha256 digest; /* RUN_FILE: its bytes, STORE_PACKAGE-like kind STORE_SOURCE_FILE of the store */
        sv target;     /* RUN_FILE_LINK */
};
struct run_snapshot {
        struct run_file *v;
        size_t n;
        uint64_t files, bytes;
        sha256 digest;                     /* of its canonical list */
        uint64_t moved_files, moved_bytes; /* what the store lacked */
};
/**
 * Look, hash what changed since last time (an index like git's, by size, mtime, ctime, inode), put what is new into the store.
 * Warnings in ctx->diags: over 300 MB or 2,000 files (with the ten largest), names that look like secrets. Top-level outputs/ and logs/ are left out.
 *
 * @return 0 · -ERR_NOT_FOUND, -ERR_IO · -ERR_USAGE: a link that leaves the folder, a file that changed while it was read
 */
int run_snapshot_take(struct run_ctx *c, struct arena *a, const char *dir, struct run_snapshot *ret, struct err *e);
/** Keep the list in the store and read it back by digest. */
int run_snapshot_save(struct run_ctx *c, const struct run_snapshot *s, struct err *e);
int run_snapshot_load(struct run_ctx *c, struct arena *a, const sha256 *digest, struct run_snapshot *ret,
                      struct err *e);
/** Make the working copy: `dir` must not exist or be empty. Reflinked where the file system can, else copied. code/outputs and code/logs become links to ../outputs, ../logs. */
int run_snapshot_place(struct run_ctx *c, const struct run_snapshot *s, const char *dir, struct err *e);
/** As an uncompressed deterministic tar below prefix ("/.envbuild/code"), with extra files (the shim): for an OCI layer. */
struct run_extra {
        const char *path, *from; /* in the tar; on this machine */
        unsigned mode;
};
int run_snapshot_tar(struct run_ctx *c, const struct run_snapshot *s, const char *prefix, const struct run_extra *extra,
                     size_t n_extra, struct writer *w, struct err *e);

#endif
