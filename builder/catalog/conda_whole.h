/* catalog/conda_whole.h - one subdir of one channel, whose repodata.json is here as a whole: text, index, and where its packages are. */
#ifndef CATALOG_CONDA_WHOLE_H
#define CATALOG_CONDA_WHOLE_H

#include "base/arena.h"
#include "base/fs.h"
#include "catalog/conda_index.h"
#include "catalog/conda_near.h"
#include "catalog/conda_source.h"

struct conda_place { /* what a record gets from where it was found */
        sv channel, subdir;
        uint32_t channel_no;
        sv base; /* URL of the folder with the package files, '/' at its end; no credentials */
};
/**
 * Where the packages of a subdir are (CEP 15).
 *
 * @param folder    URL of the subdir, '/' at its end
 * @param base_url  info.base_url: empty, absolute, or relative to the folder
 * @return 0 · -ERR_INTEGRITY: a base_url that no channel of this kind may have (a file:// one of a channel on the network)
 */
int conda_place_base(struct arena *a, sv folder, sv base_url, sv *ret, struct err *e);

struct conda_bytes { /* of a file: mapped, or on the heap */
        struct fs_map map;
        void *heap;
        size_t n;
};
sv conda_bytes_sv(const struct conda_bytes *b);
void conda_bytes_done(struct conda_bytes *b);

/* Its own: the index's bytes, and the text, in memory or as an open file of which pieces are read. Mapped only while the index is made: what
 * somebody cuts off behind our back is then an error, and what was read once does not count as memory for ever. */
struct conda_whole {
        struct conda_place place;
        struct conda_bytes bytes;
        struct conda_index index;
        char *text; /* heap; NULL: in the file */
        int fd;     /* when text is NULL */
        uint64_t text_size;
        uint64_t *marks; /* of the names, once near was asked */
};
void conda_whole_done(struct conda_whole *r);
/** The text under an info key, such as "base_url"; empty when it is not said. */
int conda_whole_info(const struct conda_whole *r, const char *key, struct arena *a, sv *ret, struct err *e);
/** Make the index of the text into r->bytes and open it. */
int conda_whole_index(struct conda_whole *r, const sha256 *source, struct op *op, struct err *e);

/* Records of one name, while they are gathered. */
struct conda_list {
        struct conda_record *v;
        size_t n, cap;
        size_t left_out; /* records that cannot be used */
};
/** Adds one subdir's records of a name, sorted by file name; texts are borrowed from the repo or live in the arena. -ERR_IO. */
int conda_whole_add(const struct conda_whole *r, sv name, struct arena *a, struct conda_list *list, struct err *e);
/** Takes what was decoded since `from` in order: sorted by file name, of equal ones the last. Sets urls. */
void conda_list_close(struct conda_list *list, size_t from, const struct conda_place *p, struct arena *a);

void conda_whole_near(struct conda_whole *r, struct conda_near *n);

#endif
