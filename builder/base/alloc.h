/* base/alloc.h - heap memory that never fails: out of memory ends the process here and nowhere else.
 * Sizes are bytes. Whoever reads input bounds it first (buf.max, readers' limits), so a failure here is the machine's. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size); /* zeroed; an overflow of n * size ends the process too */
void *xrealloc(void *p, size_t n);
/** Grow an array of *cap elements of `size` bytes so that it holds at least `need`; contents kept, new part not zeroed. */
void *xgrow(void *p, size_t *cap, size_t need, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

#endif
