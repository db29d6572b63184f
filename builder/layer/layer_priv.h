/* layer/layer_priv.h - the stages between entries and a blob, one struct each: pipe (digests of tar bytes), out (offsets of packed
 * bytes), body (a package's entries as deflate), frame (one gzip member around bodies), dirs (which directories a layer has). */
#ifndef LAYER_LAYER_PRIV_H
#define LAYER_LAYER_PRIV_H

#include <pthread.h>

#include "base/map.h"
#include "ext/hash.h"
#include "stream/deflate_walk.h"
#include "layer/fixed.h"
#include "layer/gzip.h"
#include "layer/layer.h"
#include "layer/tar.h"

/* --- layer/pipe.c: tar bytes on their way to digests, on a thread of their own once that pays. Bytes are written in place (pipe_room),
 * so what was inflated is not copied. One thread fills, one (or the same) digests. */
#define PIPE_SLOT  ((size_t)128 << 10)
#define PIPE_SLOTS 6

struct pipe_slot {
        uint8_t *p;
        size_t n;
        bool file; /* also part of the file's digest */
};
struct pipe {
        struct hash *tar;  /* borrowed; NULL: nobody asks */
        struct hash *file; /* of the file that is being written */
        bool inline_file;  /* a small one: digested by who fills */
        bool big_file;
        bool may_thread, threaded, stop;
        struct pipe_slot slot[PIPE_SLOTS];
        size_t fill, drain,
                waiting; /* slot being filled, slot next to be digested, how many wait (the last two under lock) */
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t more, fewer;
};
void pipe_init(struct pipe *p, struct hash *tar, bool may_thread);
void pipe_done(struct pipe *p); /* accepts {0} */
/** Where the next bytes go; *ret_room >= 1. */
uint8_t *pipe_room(struct pipe *p, size_t *ret_room);
void pipe_took(struct pipe *p, size_t n); /* n bytes were written there */
void pipe_add(struct pipe *p, const void *bytes, size_t n);
void pipe_file_begin(struct pipe *p, uint64_t size);
sha256 pipe_file_end(struct pipe *p);
void pipe_wait(struct pipe *p); /* until everything is digested */

/* --- layer/out.c: gathers small pieces and counts */
struct out {
        struct writer w;
        size_t n;
        uint64_t total; /* offset of the next byte */
        uint8_t piece[65536];
};
struct writer *out_init(struct out *o, struct writer *next);
int out_flush(struct out *o, struct err *e); /* finish does it too */

/* --- layer/splice.c: a raw deflate stream, copied so that another one can follow: BFINAL of its last block is cleared, unused bits are
 * 0, an empty stored block aligns it. Raw bytes as stored blocks. */
int splice_deflate(struct writer *w, sv stream, const struct deflate_shape *shape, struct err *e);
int splice_stored(struct writer *w, sv bytes, struct err *e);

/* --- layer/chunk.c: LAYER_CHUNK. 1 MiB pieces at fixed offsets, compressed in parallel, written in order. */
struct chunks;
struct chunks *chunks_new(struct writer *out, struct op *op);
void chunks_free(struct chunks *c); /* NULL is fine */
int chunks_add(struct chunks *c, const void *p, size_t n, struct err *e);
int chunks_end(struct chunks *c, struct err *e);

/* --- layer/gzip.c: one member around deflate that has no last block; and, for a tar of which only another encoding is left, the whole of
 * it in chunks (as valid as the first gzip form, with a digest of its own; layer/gzip.h). */
int gzip_begin(struct writer *w, struct err *e);
int gzip_end(struct writer *w, uint32_t crc, uint64_t size, struct err *e);

/* --- layer/body.c */
struct body {
        enum layer_style style;
        struct writer *out; /* borrowed */
        struct op *op;
        struct fixed *fixed;   /* LAYER_JOIN */
        struct chunks *chunks; /* LAYER_CHUNK */
        struct deflate_walk *walk;
        struct pipe pipe;
        bool run_open;     /* LAYER_JOIN */
        unsigned pad;      /* zeros that the last content needs, not yet written */
        uint64_t tar_size; /* so far, without pad */
        uint32_t
                tar_crc; /* the same; that of a zip's member is checked, then joined to it, so that no byte is looked at twice */
};
/** tar: gets the tar bytes too; borrowed, may be NULL. */
void body_begin(struct body *b, enum layer_style style, struct writer *out, struct hash *tar, struct op *op);
/** Header and content; en->sha256 of a file is set. en is as it shall be written; directories are not for bodies. */
int body_entry(struct body *b, struct entry *en, const struct content *c, struct err *e);
/** Afterwards tar_size and tar_crc are final. */
int body_end(struct body *b, struct err *e);
void body_done(struct body *b); /* accepts {0} */

/* --- layer/dirs.c */
/** Directories that a layer with these entries has: the list's own (type d), ancestors, root + "/env"; sorted. The list is sorted.
 *  -ERR_INTEGRITY when something lies below what is no directory, or outside of root. */
int dirs_of(struct arena *a, const struct layer_make *m, const struct paths *list, struct paths *ret, struct err *e);

/* --- layer/frame.c */
struct frame {
        struct store *store;
        struct store_put put;
        struct out *out;
        struct fixed *fixed;
        struct hash *tar; /* diff_id */
        uint32_t crc;
        uint64_t tar_size;
        struct op *op;
};
/** Gzip header and the directories. */
int frame_begin(struct frame *f, struct store *s, const struct paths *dirs, struct op *op, struct err *e);
/** A body was written to f->out while f->tar saw its tar bytes. */
void frame_joined(struct frame *f, uint32_t crc, uint64_t tar_size);
/** Copy a finished body, inflating it for the diff_id; it must be what tar_size and tar_crc say. */
int frame_copy(struct frame *f, sv body, uint64_t tar_size, uint32_t tar_crc, struct err *e);
/** End blocks, trailer, commit: diff_id and the gzip encoding of *ret are set. */
int frame_end(struct frame *f, struct layer_fact *ret, struct err *e);
void frame_done(struct frame *f); /* accepts {0} */

/** Store a path list, and the fact that names it. What an older fact of the key knows besides (a layer, encodings) is kept in *f;
 *  -ERR_INTEGRITY when it has another diff_id. */
int layer_fact_keep(struct store *s, struct layer_fact *f, const struct paths *list, struct err *e);
/** The bytes of a body, mapped; -ERR_NOT_FOUND. */
int layer_body_map(struct store *s, const struct layer_body *b, struct fs_map *ret_map, sv *ret, struct err *e);

/* --- layer/check.c: what sources give, made safe */
/** A copy with mode, mtime and links as a layer has them; -ERR_INTEGRITY for an unsafe path or target, or a contradiction. */
int layer_entry_check(const struct layer_make *m, const struct entry *en, const struct content *c, struct entry *ret,
                      struct err *e);

#endif
