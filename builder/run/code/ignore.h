/* run/code/ignore.h - gitignore(5) patterns with git's own answers: what `git check-ignore` says of an untracked path, case counting. Pure. */
#ifndef RUN_CODE_IGNORE_H
#define RUN_CODE_IGNORE_H

#include "base/arena.h"
#include "base/sv.h"

struct run_ignore; /* a stack of pattern files, outermost first */
struct run_ignore *run_ignore_new(struct arena *a);
/** Patterns of one file, text borrowed; dir: where it stands, relative to the root ("" or "a/b"). The last one added has the last word. */
void run_ignore_add(struct run_ignore *g, sv dir, sv text);
/** How many files are on the stack, and back to so many: for who leaves a folder. */
size_t run_ignore_depth(const struct run_ignore *g);
void run_ignore_cut(struct run_ignore *g, size_t depth);
/** Is this path (relative to the root) ignored by itself? A folder that is, is not entered: nothing below can come back. */
bool run_ignore_match(const struct run_ignore *g, sv path, bool is_dir);

#endif
