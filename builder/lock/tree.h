/* lock/tree.h - what needs what in one platform of a lock, as text for people: `tree`, and `why NAME` the other way round. Pure.
 *   requests 2.34.2
 *   ├── certifi 2026.1.4
 *   └── idna 3.20 (*)
 * "(*)" marks what has its branch further up; rings of packages that need each other end there too. */
#ifndef LOCK_TREE_H
#define LOCK_TREE_H

#include "lock/lock.h"

/** Everything that somebody asked for by name, what that needs below it; then what is left (it hangs on the recipe). */
void lock_tree(const struct lock_platform *p, struct buf *out);

/**
 * Who asked for a package: up to the lines of the definition.
 *
 * @param name  as the user writes it: "PyJWT" finds pyjwt
 * @return 0 · -ERR_NOT_FOUND, with a hint when a name like it is there
 */
int lock_why(const struct lock_platform *p, sv name, struct buf *out, struct err *e);

#endif
