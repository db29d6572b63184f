/* run/code/index.h - what a source folder's files looked like last time, and their digests, so that only what changed is read. A hint: one that is
 * damaged counts as none. As in git a file that was written about when the index was is not trusted: it may have changed within the same tick
 * of the file system's clock.
 *
 * "envtree1" · time in ns (8 bytes, little-endian as all) · mark of code/ (inode, mtime, seconds: 8 each) · entries: size 8, mtime 8, ctime 8, inode 8, sha256 32, length of path 2, path · CRC-32 of all
 * that is before it. Sorted by path. */
#ifndef RUN_CODE_INDEX_H
#define RUN_CODE_INDEX_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/hex.h"
#include "store/store.h"

struct run_seen { /* what stat said; times in ns */
        uint64_t size, inode;
        int64_t mtime, ctime;
};
struct run_index {
        sv rest; /* entries not yet asked for */
        int64_t time;
        struct store_mark mark; /* when all of its files were in the store */
        bool has;               /* the entry that is next */
        sv path;
        struct run_seen seen;
        sha256 digest;
};
struct run_seen run_seen_of(const struct stat *st);
/** False: damaged. text must outlive *ret. */
bool run_index_open(sv text, struct run_index *ret);
/** The digest of a file that looks as it did. Paths must be asked for in order. */
bool run_index_find(struct run_index *x, sv path, const struct run_seen *seen, sha256 *ret);

void run_index_begin(struct buf *out, int64_t time, const struct store_mark *mark);
void run_index_add(struct buf *out, sv path, const struct run_seen *seen, const sha256 *digest);
void run_index_end(struct buf *out);

#endif
