/* run/record/record_priv.h - shared inside run/record/: run.json as text, and the folders that hold runs. */
#ifndef RUN_RECORD_RECORD_PRIV_H
#define RUN_RECORD_RECORD_PRIV_H

#include "run/record/record.h"

enum {
        RUN_FORMAT = 1,              /* of run.json; a higher one is refused */
        RUN_ID_MAX = 40,             /* bytes of an id */
        RUN_RANK_MAX = 1 << 20,      /* more ranks than any record is believed to have */
        RUN_RANK_SIZE_MAX = 1 << 16, /* bytes of a rank-N.json */
};
#define RUN_JSON_MAX ((size_t)16 << 20)

/** run.json as text: the facts that a list shows first, a line each, then the rest, then the description. */
void run_doc_write(const struct run_record *r, struct buf *out);
/** And back. dir: the folder it was read from (borrowed). -ERR_INTEGRITY. */
int run_doc_parse(struct arena *a, sv text, sv dir, struct run_record **ret, struct err *e);
/** Only what a list shows. -ERR_INTEGRITY. ret borrows from text unless the slow way had to be taken. whole: text is all of the file, else its
 *  beginning, and 1 is the answer when that is not enough. */
int run_doc_row(struct arena *a, sv text, bool whole, struct run_row *ret, struct err *e);
/** rank-N.json. False: it is not one of rank `want`. */
bool run_rank_parse(struct arena *a, sv text, unsigned want, struct run_rank *ret);

/** Every folder that may hold runs, each once: run_root, and run_root of the profiles. */
int run_roots(struct run_ctx *c, struct arena *a, sv **ret, size_t *ret_n, struct err *e);
sv run_git_url(struct arena *a, sv url); /* without user and password */
sv run_maker_here(struct arena *a, sv host);
/** Could a folder of this name be a run's? */
bool run_id_ok(sv id);

#endif
