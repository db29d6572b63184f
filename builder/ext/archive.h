/* ext/archive.h - tar and ar archives by libarchive, read once from front to back, as one table in a shared module (archive.so) that
 * archive_load() opens when it is first needed: a start that unpacks nothing never loads libarchive. archive.c is the only includer of
 * <archive.h>. v7, ustar, PAX, GNU (long names, base-256 numbers, sparse files) and Unix ar are read.
 * Nothing here judges a path: it may be absolute, hold "..", NUL-free rubbish or no UTF-8. Sizes are bytes. One thread an archive. */
#ifndef EXT_ARCHIVE_H
#define EXT_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

enum archive_type {
        ARCHIVE_FILE = 'f',
        ARCHIVE_DIR = 'd',
        ARCHIVE_SYMLINK = 'l',
        ARCHIVE_HARDLINK = 'h',
        ARCHIVE_FIFO = 'p',
        ARCHIVE_CHAR = 'c',
        ARCHIVE_BLOCK = 'b'
};

struct archive_item {
        sv path; /* as written ("./a/", "/a", "../a"); NUL-terminated */
        enum archive_type type;
        uint32_t mode; /* permission bits, 07777 */
        uint64_t uid, gid;
        int64_t mtime;
        uint32_t mtime_ns;
        uint64_t size; /* ARCHIVE_FILE: what read() will give */
        sv link;       /* ARCHIVE_SYMLINK: as written; ARCHIVE_HARDLINK: a path of this archive; NUL-terminated */
        uint32_t major, minor; /* ARCHIVE_CHAR, ARCHIVE_BLOCK */
        struct archive_xattr {
                sv name, value; /* name NUL-terminated */
        } *xattr;
        size_t n_xattr;
};

enum archive_flags {
        ARCHIVE_TAR = 1,
        ARCHIVE_AR = 2,
        ARCHIVE_DECODE = 4, /* gzip, bzip2, xz, zstd are taken off first; without it the bytes are the archive */
        ARCHIVE_RAW = 8     /* no archive: one file "data" of unknown size, which max_bytes does not bound */
};

struct archive_opts {
        unsigned flags;
        uint64_t max_items; /* entries; 0: 16 million */
        uint64_t max_bytes; /* contents of all files together; 0: no limit */
        /* Where the bytes come from: `bytes`, or a function that gives some (*ret_n 0: end) and keeps its error in e. */
        sv bytes;
        int (*read)(void *arg, void *p, size_t max, size_t *ret_n, struct err *e);
        void *arg;
};

struct archive_reader;
struct archive_table {
        uint32_t version; /* ARCHIVE_TABLE_VERSION */
        /** *o is copied; o->bytes must live until close. */
        int (*open)(const struct archive_opts *o, struct archive_reader **ret, struct err *e);
        /**
         * The next entry; what is left of the last one is skipped.
         *
         * @param ret  borrowed until the next call
         * @return 1 · 0 at the end · -ERR_INTEGRITY: no archive, damaged, cut off · -ERR_LIMIT · what o->read failed with
         */
        int (*next)(struct archive_reader *r, const struct archive_item **ret, struct err *e);
        /** Contents of the entry that next() gave, holes as zeros; *ret_n 0: its end. */
        int (*read)(struct archive_reader *r, void *p, size_t max, size_t *ret_n, struct err *e);
        void (*close)(struct archive_reader *r); /* NULL is fine */
};
#define ARCHIVE_TABLE_VERSION 1u
#define ARCHIVE_TABLE_SYMBOL  "envbuild_archive_table"
extern const struct archive_table envbuild_archive_table;

/**
 * The table: the one that is linked into the program (tests), else that of archive.so: in $ENVBUILD_LIBDIR, beside the program, where
 * the build tree has it, or where it is installed. It is never unloaded.
 *
 * @return 0 · -ERR_FAILED: no archive.so, or one of another version
 */
int archive_load(const struct archive_table **ret, struct err *e);

#endif
