/* registry/blob_priv.h - what sending a blob is made of: bytes that are hashed on their way out (source.c), a pause between tries (retry.c),
 * one upload and what becomes of it when it breaks (upload.c, piece.c), asking and mounting before (blob.c). */
#ifndef REGISTRY_BLOB_PRIV_H
#define REGISTRY_BLOB_PRIV_H

#include "registry/blob.h"
#include "registry/manifest.h"

enum {
        REG_TRIES = 5,            /* of one blob or manifest, restarts included */
        REG_BACKOFF_MS = 250,     /* before the second; doubles */
        REG_RETRY_MAX_MS = 60000, /* what a server may ask us to wait */
        REG_WAIT_MS = 30000,      /* without a byte, in a body and for its answer, to which comes: */
        REG_DIGESTED = 16 << 10   /* bytes a ms that even a slow server reads again before it answers */
};
#define REG_PIECE     ((uint64_t)64 << 20) /* bytes of a PATCH where pieces are needed */
#define REG_PIECE_MIN ((uint64_t)1 << 20)  /* a server that refuses even this refuses everything */
#define REG_LARGE     ((uint64_t)8 << 20)  /* from here on a token is fetched anew before it is needed for minutes */

/* --- registry/retry.c */
/** Wait before try number `tried` + 1, as long as ans says (NULL: no answer) or by our own measure. 0, or op_check's error. */
int reg_pause(struct reg_client *c, unsigned tried, const struct net_answer *ans, struct err *e);
/** A fault that another try may mend: no answer, 408, 429, 5xx. */
bool reg_may_mend(int r, long status);
/** A manifest was refused for something that was there a moment ago. Where others push the same, docker-registry 2 reads a link while it is
 *  half written; looking again after a pause, which sends only what is missing, is all it takes. */
bool reg_is_half_written(const struct err *e);

/* --- registry/source.c: read on the I/O thread by one request at a time */
struct reg_source {
        struct net_source piece; /* what a request is given */
        uint64_t base;           /* where in the blob that piece begins */
        const struct oci_desc *want;
        sv text;
        int fd;
        const char *path;
        struct hash *hash;
        uint64_t hashed; /* so many bytes, from the first on, are in hash */
        uint64_t sent;   /* handed out, repetitions included */
        struct op *op;
        sv subject; /* of OP_PUSH events, empty: none */
        int64_t told_ms;
        bool told;
};
/** -ERR_INTEGRITY: another size than want's. Give the last byte away only when all of them are what want says (-ERR_INTEGRITY). */
int reg_source_open(struct reg_source *s, const struct reg_bytes *bytes, const struct oci_desc *want, sv subject,
                    struct op *op, struct err *e);
/** Accepts {0}. arrived: the blob is there, which ends its events; else the error does. */
void reg_source_close(struct reg_source *s, bool arrived);
/** What a request sends: bytes from…from + n - 1. */
const struct net_source *reg_source_piece(struct reg_source *s, uint64_t from, uint64_t n);

/* --- registry/upload.c */
enum { UPLOAD_AGAIN = 1 }; /* nothing is lost: begin anew, *e says why */
struct reg_upload {
        struct reg_client *c;
        const struct reg_repo *repo;
        const struct oci_desc *want;
        struct reg_source *src;
        const char *what;         /* "pushing numpy 2.1.0 to team/train": in messages */
        struct arena arena;       /* of `at` */
        sv at;                    /* URL of the open session; empty: none */
        uint64_t piece;           /* bytes a PATCH; 0: all in one PUT */
        uint64_t piece_min;       /* the server's */
        bool said;                /* the error in hand says what was done: it is a server's answer */
        struct arena last;        /* of `answer` */
        struct net_answer answer; /* that failed, for its Retry-After */
};
/** One request of the session, never repeated by net. body: NULL or a piece of the source. */
int reg_upload_ask(struct reg_upload *u, enum net_method method, sv url, const struct net_header *h, size_t n_h,
                   const struct net_source *body, struct net_answer *ret, struct err *e);
/** Take over the session that an answer names. -ERR_NET: it names none, or none that is http. */
int reg_upload_session(struct reg_upload *u, const struct net_answer *ans, struct err *e);
/** DELETE it; what comes of that does not matter. */
void reg_upload_cancel(struct reg_upload *u);
/** Content-Range of bytes from…end - 1: without a unit, unlike HTTP's own. */
struct net_header reg_upload_range(struct reg_upload *u, uint64_t from, uint64_t end);
/** PUT with the last n bytes (or all) and the digest: 0, UPLOAD_AGAIN, -code. */
int reg_upload_close(struct reg_upload *u, uint64_t from, struct err *e);
/** What an answer or a broken request means for the upload: UPLOAD_AGAIN or -code, *e says why. */
int reg_upload_verdict(struct reg_upload *u, int r, const struct net_answer *ans, struct err *e);
/** Send it, beginning with u->at if that is set, restarting as often as it makes sense. */
int reg_upload_run(struct reg_upload *u, struct err *e);

/* --- registry/piece.c: all in PATCHes of u->piece bytes, the last one in the PUT: 0, UPLOAD_AGAIN, -code */
int reg_upload_pieces(struct reg_upload *u, struct err *e);
/** ENVBUILD_PUSH_CHUNK ("64M"), 0 when it is not set. */
int reg_piece_wanted(uint64_t *ret, struct err *e);

/* --- registry/blob.c */
/** reg_blob_ensure without asking first: the caller knows that it is not there. */
int reg_blob_send(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want,
                  const struct reg_bytes *bytes, const struct reg_repo *from, size_t n_from, sv subject,
                  enum reg_how *ret_how, uint64_t *ret_sent, struct err *e);
/** reg_blob_head for who is about to push; once: a broken request is not repeated. */
int reg_blob_look(struct reg_client *c, const struct reg_repo *repo, const sha256 *d, bool once, uint64_t *ret_size,
                  struct err *e);
bool reg_bytes_here(const struct reg_bytes *b, uint64_t size);

/* --- registry/manifest.c */
/** reg_manifest_head for who is about to push: one token does for both. */
int reg_manifest_look(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a, struct oci_desc *ret,
                      struct err *e);
/** GET, asked of the registry itself by who will push. */
int reg_manifest_read(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a,
                      struct reg_manifest *ret, struct err *e);

#endif
