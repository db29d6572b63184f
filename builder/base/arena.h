/* base/arena.h - one lifetime, one release; zeroed memory. Out of memory ends the process (base/alloc.h).
 * A zeroed struct is a valid empty arena. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"
#include "base/sv.h"

struct arena_block;
struct arena {
        struct arena_block *last; /* the block that is being filled */
        size_t bytes;             /* handed out so far, for limits and statistics */
};

/** Zeroed memory; align is a power of two <= 16. Lives until arena_done. */
void *arena_alloc(struct arena *a, size_t size, size_t align);
#define arena_new(a, type)      ((type *)arena_alloc((a), sizeof(type), _Alignof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), arena_mul((n), sizeof(type)), _Alignof(type)))
/** Copies; the copy is also NUL-terminated, so .p can be given to libc when it holds no NUL of its own. */
sv arena_sv(struct arena *a, sv s);
char *arena_str(struct arena *a, sv s);
sv arena_lower(struct arena *a, sv s); /* ASCII */
sv arena_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/** A larger copy of an array of n elements; the old one stays allocated. Used by arena_push. */
void *arena_regrow(struct arena *a, const void *p, size_t n, size_t *cap, size_t size);
/** Append an element to an arena array {v, n, cap} and return the place: *arena_push(a, v, n, cap) = x; */
#define arena_push(a, v, n, cap)                                                                                       \
        ((n) == (cap) ? (void)((v) = arena_regrow((a), (v), (n), &(cap), sizeof(*(v)))) : (void)0, &(v)[(n)++])
size_t arena_mul(size_t n, size_t size); /* ends the process on overflow */
void arena_done(struct arena *a);
/** arena_done over an arena that holds secrets: its memory is overwritten first. */
void arena_wipe(struct arena *a);

#endif
