/* catalog/conda_repodata.h - the repodata.json of a subdir on the network, fetched into the store and kept there unpacked: repodata.json.zst, else
 * repodata.json, else .bz2. What HTTP says of its lifetime, and its index, are in a note (docs/internals/conda.md). One thread. */
#ifndef CATALOG_CONDA_REPODATA_H
#define CATALOG_CONDA_REPODATA_H

#include "catalog/conda_whole.h"
#include "catalog/page_cache.h"

enum conda_form { CONDA_ZST, CONDA_JSON, CONDA_BZ2, CONDA_ABSENT /* none of them is there */ };

struct conda_note {
        enum conda_form form;
        int64_t made, until; /* seconds since 1970 */
        sv etag, modified;
        sha256 text, index;         /* STORE_INDEX; index: zero when it is made each time */
        sha256 old_text, old_index; /* what was before: somebody may still be reading it */
};
/** False: nothing is kept, or not all that it names is there. Texts live in *a. */
bool conda_note_get(struct store *s, const sha256 *key, struct arena *a, struct conda_note *ret);
void conda_note_put(struct keeper *k, const sha256 *key, const struct conda_note *n);

struct conda_repodata { /* {0} at first */
        struct page_cache *c;
        struct op *op;
        sv folder;  /* URL of the subdir, '/' at its end: what is kept and told */
        sv asked;   /* the same as it is asked: with a token, a login, or of a mirror */
        sv subject; /* "conda-forge/linux-64" */
        struct arena arena;
        struct conda_note note;
        bool kept;  /* note is what the store has */
        bool dirty; /* note is to be written */
        enum conda_form form;
        struct net_job *job;
        struct store_put put;
        struct writer *unzstd;
        bool done, absent;
        struct err err; /* when done */
};
/** Look into the store and begin to ask, unless what is there is fresh. Texts are borrowed. */
void conda_repodata_begin(struct conda_repodata *t, struct page_cache *c, struct op *op, sv folder, sv asked,
                          sv subject);
/** Go on as far as no waiting is needed; sets done. */
void conda_repodata_step(struct conda_repodata *t);
/** Once it is done, and neither absent nor failed: open text and index. r->place is the caller's. */
int conda_repodata_open(struct conda_repodata *t, struct conda_whole *r, struct err *e);
void conda_repodata_drop(struct conda_repodata *t);

/* catalog/conda_unpack.c */
/** A file, packed in a form, into the store as STORE_INDEX. */
int conda_unpack_file(struct store *s, const char *path, enum conda_form form, sha256 *ret, struct err *e);
/** Small zstd data from memory. -ERR_LIMIT by out->max. */
int conda_unzstd(sv packed, struct buf *out, struct err *e);
/** Open a text of the store as r's; -ERR_NOT_FOUND. */
int conda_whole_open_text(struct store *s, const sha256 *text, struct conda_whole *r, struct err *e);
/** Open r's index: the one of the store, else a new one, which is put there when the text is large: *index then says its name. */
int conda_whole_open_index(struct store *s, const sha256 *source, sha256 *index, struct conda_whole *r, struct op *op,
                           struct err *e);

#endif
