/* tree/entry.h - one path of a layer, and sources of them. Paths have no leading slash and no trailing one, no "." or ".." parts, and
 * are UTF-8 ("opt/env/bin/python"). Sizes are bytes, times seconds since 1970. Pure. */
#ifndef TREE_ENTRY_H
#define TREE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/sv.h"

#define ENTRY_PATH_MAX    4095      /* bytes: PATH_MAX without its NUL */
#define ENTRY_MTIME_FLOOR 315532800 /* 1980-01-01: what generated and wheel entries carry */

enum entry_type { ENTRY_FILE = 'f', ENTRY_DIR = 'd', ENTRY_SYMLINK = 'l', ENTRY_HARDLINK = 'h' };

struct entry {
        sv path;
        enum entry_type type;
        uint32_t mode; /* permission bits, 07777 */
        uint32_t uid, gid;
        int64_t mtime;
        uint64_t size;  /* ENTRY_FILE */
        sv target;      /* ENTRY_SYMLINK: as written; ENTRY_HARDLINK: a path of the same layer */
        sha256 sha256;  /* ENTRY_FILE: zero until somebody hashed it */
        bool generated; /* made by us: part 0 when a package is split */
};

/* Where a file's bytes are. Exactly entry.size bytes when read. */
enum content_kind {
        CONTENT_NONE,    /* not a file, or an empty one */
        CONTENT_BYTES,   /* p, n: in memory */
        CONTENT_DEFLATE, /* p, n: raw deflate stream as a zip holds it; crc is of the inflated bytes */
        CONTENT_STORED,  /* p, n: as CONTENT_BYTES, but of a zip member: crc must be checked */
        CONTENT_STREAM /* read() until it gave entry.size bytes; must be read or skipped before the next entry is asked for */
};
struct content {
        enum content_kind kind;
        const void *p;
        size_t n;
        uint32_t crc;
        void *arg;
        int (*read)(void *arg, void *p, size_t max, size_t *ret_n, struct err *e); /* *ret_n 0: end */
};

/* A package's entries in body order (design/layers.md §4), directories included where a package ships one: the consumer keeps those
 * that are empty or that carry attributes of their own. One pass; memory bounded by the source. */
struct entry_source;
struct entry_source_ops {
        /** 1 and the next entry (owned by the source until it is freed), or 0 at the end, or -code. The consumer writes entry->sha256
         *  of every file before it asks for the next one: generated entries (RECORD) are made from them. */
        int (*next)(struct entry_source *s, struct entry **ret, struct content *ret_content, struct err *e);
        /** Begin again. A first pass may look at paths and sizes only: it reads no contents and sets no sha256, so what is generated from
         *  digests may have another size then, but the same path. */
        int (*rewind)(struct entry_source *s, struct err *e);
        void (*free)(struct entry_source *s);
};
struct entry_source {
        const struct entry_source_ops *ops;
};
static inline void entry_source_freep(struct entry_source **s)
{
        if (*s)
                (*s)->ops->free(*s);
}

/** A safe relative path: no empty part, ".", "..", leading slash, NUL, ".wh." name; valid UTF-8. *ret_why says what is wrong. */
bool entry_path_safe(sv path, const char **ret_why);
/** The same, but whiteouts (".wh.NAME") are fine: what a layer of ours may hold. */
bool entry_path_layer(sv path, const char **ret_why);
/** As archives write it: "./usr/bin/" → "usr/bin", "." → empty. */
sv entry_path_plain(sv path);
/** The directory it lies in: "a/b" of "a/b/c", empty at the top. */
sv entry_parent(sv path);
/** Bytewise by path. */
int entry_cmp(const void *a, const void *b);

#endif
