/* tree/paths.h - path lists: what a layer holds, one canonical JSON object a line, sorted bytewise by path (design/layers.md §2).
 * Media type application/vnd.envbuild.paths.v1+jsonl. Pure. */
#ifndef TREE_PATHS_H
#define TREE_PATHS_H

#include "base/arena.h"
#include "base/buf.h"
#include "tree/entry.h"

#define PATHS_MEDIA_TYPE "application/vnd.envbuild.paths.v1+jsonl"

struct paths {
        struct entry *v; /* sorted by path */
        size_t n, cap;
};

void paths_add(struct arena *a, struct paths *p, const struct entry *en); /* texts borrowed */
void paths_sort(struct paths *p);
void paths_write(const struct paths *p, struct buf *out);
/** -ERR_INTEGRITY with the line that is wrong. */
int paths_parse(struct arena *a, sv text, struct paths *ret, struct err *e);
const struct entry *paths_find(const struct paths *p, sv path);

#endif
