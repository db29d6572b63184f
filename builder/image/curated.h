/* image/curated.h - environments that are shipped, each a folder curated/NAME: env.yml (the definition, named NAME), NAME.lock (what was
 * resolved and built), test.py (what it promises). They are found as recipes are (base/data_dirs.h): $ENVBUILD_CURATED, the folder
 * curated/ beside the program or above it, the installed one; the first that has a name wins. A set is taken as it is locked and nothing is
 * ever written into its folder. */
#ifndef IMAGE_CURATED_H
#define IMAGE_CURATED_H

#include "base/diag.h"
#include "lock/lock.h"

struct curated_set {
        sv name;        /* "minimal" */
        sv dir;         /* its folder */
        sv file;        /* DIR/env.yml */
        sv lock_file;   /* DIR/NAME.lock */
        sv test;        /* DIR/test.py; empty: there is none */
        sv description; /* label org.opencontainers.image.description; empty until curated_open */
        struct lock *lock;
};

/** "curated/minimal" → "minimal", when it can be the name of a set. Whether there is one is not asked. */
bool curated_is_name(sv word, sv *ret_name);
/** Names of all sets, sorted, each once. */
int curated_names(struct arena *a, sv **ret, size_t *ret_n, struct err *e);
/** Where a set is. -ERR_NOT_FOUND: a hint names those that are there. */
int curated_find(struct arena *a, sv name, struct curated_set *ret, struct err *e);
/** The same with its lock. -ERR_STALE: it has none · -ERR_USAGE: its lock is that of another name, or cannot be read (ds). */
int curated_open(struct arena *a, sv name, struct diags *ds, struct curated_set *ret, struct err *e);

#endif
