/* resolve/set.h - interned bitsets over the candidates of one name, and their algebra. Equal sets have equal ids, so comparison is
 * a number's. Both operands are of the same width. A set knows its width (how many candidates the name has); ids are dense per struct sets. Pure, one thread. */
#ifndef RESOLVE_SET_H
#define RESOLVE_SET_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t set_id;
#define SET_NONE 0u /* no candidate, any width */
#define SET_ALL  1u /* every candidate, any width */

struct sets;
struct sets *sets_new(void);
void sets_free(struct sets *s);

/** Intern: bits beyond width must be 0. All zero gives SET_NONE, all one gives SET_ALL. words: (width + 63) / 64 of them. */
set_id sets_add(struct sets *s, const uint64_t *words, uint32_t width);
set_id sets_one(struct sets *s, uint32_t cand, uint32_t width);
bool sets_has(const struct sets *s, set_id a, uint32_t cand);
set_id sets_and(struct sets *s, set_id a, set_id b, uint32_t width);
set_id sets_or(struct sets *s, set_id a, set_id b, uint32_t width);
set_id sets_not(struct sets *s, set_id a, uint32_t width);
static inline set_id sets_minus(struct sets *s, set_id a, set_id b, uint32_t width)
{
        return sets_and(s, a, sets_not(s, b, width), width);
}
bool sets_subset(const struct sets *s, set_id a, set_id b, uint32_t width);
bool sets_disjoint(const struct sets *s, set_id a, set_id b, uint32_t width); /* without interning anything */
uint32_t sets_count(const struct sets *s, set_id a, uint32_t width);
/** The lowest candidate >= from that is in a, or width. */
uint32_t sets_next(const struct sets *s, set_id a, uint32_t from, uint32_t width);
uint64_t sets_bytes(const struct sets *s); /* memory held, for limits */

#endif
