/* run/code/list.h - the canonical list of a snapshot: its digest names the snapshot. Pure. Records, each ended by a NUL, sorted by path:
 *
 *   "envbuild snapshot 1"
 *   "f SHA256 SIZE PATH"   a file, 0644     "x SHA256 SIZE PATH"   a file, 0755
 *   "l PATH", "TARGET"     a link           "d PATH"               an empty folder
 */
#ifndef RUN_CODE_LIST_H
#define RUN_CODE_LIST_H

#include "run/code/snapshot.h"

#define RUN_LIST_MAX ((size_t)256 << 20)
#define RUN_PATH_MAX 3840 /* bytes of a path, or of a link's target: room is left for where it is put */

void run_list_write(const struct run_snapshot *s, struct buf *out);
/** Strict, as it decides where files are written: what is read is written as the same text. Fuzzed. -ERR_INTEGRITY. text must outlive *ret. */
int run_list_parse(struct arena *a, sv text, struct run_snapshot *ret, struct err *e);
/** The one with this path, or NULL. */
const struct run_file *run_list_find(const struct run_snapshot *s, sv path);
/** Names in the root that are the run's own: "outputs", "logs". */
bool run_path_is_reserved(sv path);
int run_file_cmp(const void *a, const void *b); /* by path */

/** The first link, from *at on, through which a path may lead out of the folder (links that are followed on the way counted); *at is put behind it. */
const struct run_file *run_link_leaves(const struct run_snapshot *s, size_t *at);

#endif
