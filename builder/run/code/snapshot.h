/* run/code/snapshot.h - the source of a run: which files, kept by content in the store (STORE_CODE), so that a second submit reads only what
 * changed. Modes are 0644 or 0755, times 0, links stay links. The same files give the same digest on every machine.
 *
 * Which files: with a `.amlignore` in the root all `.amlignore`s count, there and in folders below it, and no .gitignore is read; else all
 * `.gitignore`s, and the root's .git/info/exclude, which is weaker; never a user's own excludes. Patterns have git's meaning (run/code/ignore.h),
 * whatever git tracks. Left out always: `.git` at any depth, and `outputs` and `logs` in the root, which are the run's. A folder with nothing in it
 * is kept, one of which all is ignored is not. */
#ifndef RUN_CODE_SNAPSHOT_H
#define RUN_CODE_SNAPSHOT_H

#include "run/run.h"

#define RUN_SNAPSHOT_BYTES ((uint64_t)300 << 20) /* more is warned of, as Azure ML refuses it */
#define RUN_SNAPSHOT_FILES 2000

enum run_file_kind { RUN_FILE, RUN_FILE_LINK, RUN_FILE_DIR /* an empty folder */ };
struct run_file {
        sv path; /* relative, '/' between parts, sorted bytewise; any bytes but NUL */
        enum run_file_kind kind;
        bool executable;
        uint64_t size;
        sha256 digest; /* RUN_FILE: its bytes, a STORE_CODE */
        sv target;     /* RUN_FILE_LINK */
};
struct run_snapshot {
        struct run_file *v;
        size_t n;
        uint64_t files, bytes;
        sha256 digest;                     /* of its canonical list (run/code/list.h), a STORE_CODE, too */
        uint64_t moved_files, moved_bytes; /* what the store lacked */
};
/**
 * Look, hash what changed since last time (run/code/index.h), put what is new and the list into the store.
 * ctx->diags: EB520 many or large files · EB521 secrets · EB522 links that leave the folder · EB523 what cannot be read · EB524 sockets and the like ·
 * EB525 files that changed while they were read · EB526 too deep · EB527 an ignore file that is none.
 *
 * @return 0 · -ERR_NOT_FOUND: no such folder · -ERR_IO · -ERR_USAGE: errors in ctx->diags, all of them · -ERR_CANCELLED
 */
int run_snapshot_take(struct run_ctx *c, struct arena *a, const char *dir, struct run_snapshot *ret, struct err *e);
/** Keep the list in the store, for one that was not taken here; and read it back by digest. -ERR_NOT_FOUND, -ERR_INTEGRITY. */
int run_snapshot_save(struct run_ctx *c, const struct run_snapshot *s, struct err *e);
int run_snapshot_load(struct run_ctx *c, struct arena *a, const sha256 *digest, struct run_snapshot *ret,
                      struct err *e);
/** Make the working copy: `dir` must not exist or be empty. Reflinked where the file system can, else copied. dir/outputs and dir/logs become
 *  links to ../outputs, ../logs. -ERR_NOT_FOUND: the store has lost a file. */
int run_snapshot_place(struct run_ctx *c, const struct run_snapshot *s, const char *dir, struct err *e);
/** As an uncompressed deterministic tar below prefix ("/.envbuild/code"), with extra files (the shim): for an OCI layer. w is not finished. */
struct run_extra {
        const char *path, *from; /* in the tar; on this machine */
        unsigned mode;
};
int run_snapshot_tar(struct run_ctx *c, const struct run_snapshot *s, const char *prefix, const struct run_extra *extra,
                     size_t n_extra, struct writer *w, struct err *e);

#endif
