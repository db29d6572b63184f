/* run/code/ignore.h - gitignore(5) patterns with git's own answers. Pure. */
#ifndef RUN_CODE_IGNORE_H
#define RUN_CODE_IGNORE_H

#include "base/arena.h"
#include "base/sv.h"

struct run_ignore; /* a stack of pattern files, outermost first */
struct run_ignore *run_ignore_new(struct arena *a);
/** Patterns of one file; dir: where it stands, relative to the root ("" or "a/b"). */
void run_ignore_add(struct run_ignore *g, sv dir, sv text);
/** Is this path (relative to the root) ignored by itself? A folder that is, is not entered: nothing below can come back. */
bool run_ignore_match(const struct run_ignore *g, sv path, bool is_dir);

#endif
