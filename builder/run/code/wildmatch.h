/* run/code/wildmatch.h - the wildcards of gitignore(5): '*', '?', '[…]', '\', and '**' between slashes. Pure. */
#ifndef RUN_CODE_WILDMATCH_H
#define RUN_CODE_WILDMATCH_H

#include "base/arena.h"
#include "base/sv.h"

struct run_wild; /* a pattern, read once */
/** path: a '/' is matched by nothing but itself and a '**' of its own; else by everything. Never fails: what git takes for no pattern at all
 *  (an open '[', an unknown [:class:]) matches nothing. */
struct run_wild *run_wild_new(struct arena *a, sv pattern, bool path);
/** Takes at most (length of the pattern × length of the text) steps, whatever they are. */
bool run_wild_match(const struct run_wild *w, sv text);

#endif
