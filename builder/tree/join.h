/* tree/join.h - what happens when several packages' path lists meet in one image (design/layers.md §2). Pure. */
#ifndef TREE_JOIN_H
#define TREE_JOIN_H

#include "base/diag.h"
#include "tree/paths.h"

struct join_member {
        sv name;             /* "wheel numpy 2.1.0": for messages */
        uint32_t link_order; /* who wins a disputed path: the higher one (debs: the lower one, first in dpkg order) */
        uint32_t
                layer; /* its place in the image: what stacking shows by itself is the highest layer. Members of one layer stand
                                in bucket order: the first of them keeps a path (layer_bucket) */
        const struct paths *paths;
};
struct join_winner { /* the last layer (debs: `os`) repeats this path of this member */
        uint32_t member;
        const struct entry *entry; /* as it is to be written; a hard link became the file that it names */
        const struct entry *
                source; /* where the member has its content: an entry of its list (other path when a directory of another
                                       package is a link to a directory, or for a hard link) */
};
struct join_result {
        struct join_winner *winner; /* sorted by path */
        size_t n, cap;
};

/**
 * @param first_wins  debs
 * @param ds          one warning a disputed path (EB510), naming both
 * @return 0 · -ERR_CONFLICT: a path is a file in one package and a directory in another (all are in ds as EB301)
 */
int paths_join(struct arena *a, const struct join_member *m, size_t n, bool first_wins, struct diags *ds,
               struct join_result *ret, struct err *e);

#endif
