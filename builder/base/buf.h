/* base/buf.h - growing bytes with a ceiling; keeps its first failure, which buf_take() and buf_check() report once.
 * p is always NUL-terminated after n bytes once anything was added. Sizes are bytes. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/sv.h"

struct buf {
        char *p;
        size_t n, cap, max;
        bool over; /* the ceiling was reached: what was added last was dropped, and so is all that follows */
};
#define BUF_INIT(limit) { .max = (limit) }

void buf_add(struct buf *b, sv s);
void buf_byte(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/** Room for n more bytes at b->p + b->n, for the caller to fill and add to b->n; NULL when that is over the ceiling. */
char *buf_room(struct buf *b, size_t n);
sv buf_sv(const struct buf *b);
void buf_clear(struct buf *b); /* empty, memory kept */
/** 0, or -ERR_LIMIT when the ceiling was reached. */
int buf_check(const struct buf *b, struct err *e);
/** Caller frees *ret_text (NUL-terminated, never NULL); -ERR_LIMIT when the ceiling was reached. */
int buf_take(struct buf *b, char **ret_text, struct err *e);
void buf_done(struct buf *b);

#endif
