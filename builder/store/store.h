/* store/store.h - the content-addressed store (design/store.md): plain files and renames, no daemon, no database, no locks. Any number of
 * processes and hosts may use it at once; a kill at any moment leaves it valid. A struct store may be shared by threads.
 * Everything here is found by sha256; sizes are bytes. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/hex.h"
#include "base/op.h"
#include "oci/oci.h"
#include "stream/stream.h"

struct store;

/**
 * Open (and make, when writing) the store: $ENVBUILD_CACHE_DIR, else $XDG_CACHE_HOME/envbuild, else ~/.cache/envbuild. The first root is
 * read-write; $ENVBUILD_CACHE_RO (a ':' list) adds read-only ones. Opening for writing heals oci/index.json when refs/ says otherwise.
 */
int store_open(const char *root, bool write, struct op *op, struct store **ret, struct err *e);
void store_close(struct store *s);
static inline void store_closep(struct store **s)
{
        store_close(*s);
}
const char *store_root(const struct store *s); /* the read-write one */

/* What kind of thing: each has a folder. */
enum store_kind {
        STORE_BLOB,    /* oci/blobs/sha256/: image blobs */
        STORE_PACKAGE, /* packages/: downloaded artifacts */
        STORE_BODY,    /* layers/bodies/: bodies of bucketed packages, by the sha256 of their bytes */
        STORE_INDEX, /* indexes/: repodata of conda channels, unpacked, and what was made of it to be mapped; notes name them */
        STORE_CODE /* code/: files of runs' sources, and lists of them (run/code/) */
};

/* Writing a new thing. begin gives a writer that hashes as it goes; commit renames it to its digest (fsync file and folder). */
struct store_put {
        struct store *store;
        enum store_kind kind;
        int fd;
        char *tmp;
        struct hash_writer hash;
        struct fd_writer file;
};
int store_put_begin(struct store *s, enum store_kind kind, struct store_put *ret, struct writer **ret_w, struct err *e);
/** want: NULL, or the digest it must have (-ERR_INTEGRITY, nothing kept). Afterwards put->hash.digest and .size say what it is. */
int store_put_commit(struct store_put *put, const sha256 *want, struct err *e);
void store_put_abort(struct store_put *put); /* does nothing after commit; accepts {0} */

/** Whole thing from memory. */
int store_put_bytes(struct store *s, enum store_kind kind, sv bytes, sha256 *ret, struct err *e);
/** True when it is there (in any root); touches it so that prune keeps it; looks in trash/ too. *ret_size may be NULL. */
bool store_has(struct store *s, enum store_kind kind, const sha256 *d, uint64_t *ret_size);
/** Heap path of a thing that is there; NULL when it is not. */
char *store_find(struct store *s, enum store_kind kind, const sha256 *d);
int store_map(struct store *s, enum store_kind kind, const sha256 *d, struct fs_map *ret,
              struct err *e); /* -ERR_NOT_FOUND */
int store_read(struct store *s, enum store_kind kind, const sha256 *d, struct buf *ret, struct err *e);
int store_drop(struct store *s, enum store_kind kind, const sha256 *d, struct err *e);

/* Many small things at once (store/batch.c): each is written as it is added; commit makes their bytes durable, then gives them their names. Those are not
 * waited for: a power cut may take things that were whole, never leaves halves. */
struct store_batch;
int store_batch_begin(struct store *s, enum store_kind kind, struct store_batch **ret, struct err *e);
/** Any thread. -ERR_INTEGRITY: what r gives is not d; the batch goes on without it. */
int store_batch_add(struct store_batch *b, const sha256 *d, struct reader *r, struct err *e);
int store_batch_commit(struct store_batch *b, struct err *e);
void store_batch_free(struct store_batch *b); /* what was not committed is gone; NULL is fine */
static inline void store_batch_freep(struct store_batch **b)
{
        store_batch_free(*b);
}
/** store_has of n things, faster: what was touched within the hour is not touched again. */
void store_have(struct store *s, enum store_kind kind, const sha256 *d, size_t n, bool *ret);
/* That nothing came to a folder or left it since: what was there then is there now. */
struct store_mark {
        uint64_t inode;
        int64_t mtime_ns, taken; /* taken: seconds since 1970 */
};
struct store_mark store_mark(struct store *s, enum store_kind kind);
/** False, too, when it is so old that what is in use should be touched again (store_have does it). */
bool store_mark_holds(struct store *s, enum store_kind kind, const struct store_mark *m);

/* layers/<key>: small JSON documents, "facts" about what a key gives (layer/fact.h reads and writes them); images/<lock digest>: the
 * manifest that a lock gave; http/<name>: pages; texts/<sha256>: small files of
 * packages that an image's config depends on; origins/<sha256>: see store_origin_add; sources/<sha256>: what an image was
 * made from (image/origin.h); trees/<sha256 of a path>: what a source folder's files looked like last time (run/code/index.h), a hint: not
 * synced, so that after a power cut it may be any bytes. Replaced atomically. */
enum store_note { STORE_FACT, STORE_IMAGE, STORE_HTTP, STORE_TEXT, STORE_ORIGIN, STORE_SOURCE, STORE_TREE };
int store_note_get(struct store *s, enum store_note kind, const sha256 *key, struct buf *ret,
                   struct err *e); /* -ERR_NOT_FOUND */
int store_note_put(struct store *s, enum store_note kind, const sha256 *key, sv text, struct err *e);
int store_note_drop(struct store *s, enum store_note kind, const sha256 *key, struct err *e);

/* Repositories of registries that have a blob ("docker.io/library/python"): an image may have layers that are not here (design/store.md,
 * "Sparse images"); a push mounts them. Nobody is asked again whether it is still true. */
int store_origin_add(struct store *s, const sha256 *blob, sv repo, struct err *e);
/** Latest first; none is no error. */
void store_origin_list(struct store *s, const sha256 *blob, struct arena *a, sv **ret, size_t *ret_n);

/* Names of images. index.json is derived from refs/. */
struct store_ref {
        sv name;              /* "train", "train:v1" */
        struct oci_desc desc; /* of the manifest or index */
        sv from; /* dev.envbuild.from: sparse image, its layers are elsewhere: repositories, a blank between
                               two; empty: whole */
};
int store_ref_put(struct store *s, sv name, const struct oci_desc *d, sv from, struct err *e);
int store_ref_get(struct store *s, struct arena *a, sv name, struct store_ref *ret, struct err *e); /* -ERR_NOT_FOUND */
int store_ref_drop(struct store *s, sv name, struct err *e);
int store_ref_list(struct store *s, struct arena *a, struct store_ref **ret, size_t *ret_n,
                   struct err *e); /* sorted by name */

/* Claims: who makes what. Two makers are harmless; a claim only saves work. */
struct store_claim {
        struct store *store;
        char *path, *text;
};
/** 0: ours; POOL_AGAIN (1): somebody alive holds it. A dead one is taken over: its process is gone from this machine, or its mtime
 *  is unchanged for 60 s of our clock. */
int store_claim_take(struct store *s, const sha256 *key, struct store_claim *ret, struct err *e);
void store_claim_drop(struct store_claim *c); /* accepts {0} */

/* A lease keeps what a build or run uses from being pruned (design/store.md). One per command. */
struct store_lease;
int store_lease_take(struct store *s, struct store_lease **ret, struct err *e);
int store_lease_add(struct store_lease *l, const sha256 *d, size_t n, struct err *e);
void store_lease_drop(struct store_lease *l);
static inline void store_lease_dropp(struct store_lease **l)
{
        store_lease_drop(*l);
}

/** A fresh folder under tmp/ (heap path), for unpacking and the like: rename it away or fs_remove it. */
int store_tmp_dir(struct store *s, char **ret, struct err *e);
/** Where store_tmp_dir makes them: an existing folder, on the file system of unpacked/. */
const char *store_tmp(const struct store *s);
/** unpacked/<diff_id>: its path (heap), and whether it is there. On network file systems it lives in $ENVBUILD_SCRATCH. */
char *store_unpacked(struct store *s, const sha256 *diff_id, bool *ret_there);
/** Rename a finished tmp folder to its place; losing a race is success. */
int store_unpacked_put(struct store *s, const sha256 *diff_id, const char *tmp, struct err *e);

/* store/verify.c, store/size.c */
struct store_damage {
        enum store_kind kind;
        sha256 name;
        uint64_t size;
};
/** Hash everything again; what is damaged is dropped and reported. */
int store_verify(struct store *s, struct op *op, struct arena *a, struct store_damage **ret, size_t *ret_n,
                 uint64_t *ret_checked, struct err *e);
struct store_usage {
        const char *what; /* "blobs", "packages", "bodies", "pages", "texts", "indexes", "code", "unpacked" */
        uint64_t files, bytes;
};
int store_usage(struct store *s, struct store_usage ret[static 8], size_t *ret_n, struct err *e);

#endif
