/* version/pattern.h - the two kinds of patterns that conda's fields know: a glob ("py39*") and a regular expression as Python's re reads it
 * ("^py3[89].*$"). Pure. Texts are bytes. Matching allocates nothing; a regular expression takes time of |pattern| x |text| at most. */
#ifndef VERSION_PATTERN_H
#define VERSION_PATTERN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"

/** '*' is any text, everything else is itself. fold: the text is taken in lower case (ASCII). */
bool glob_has(sv glob, sv text, bool fold);

struct pattern; /* lives in the arena it was parsed into */
/**
 * What re.match() would find, anchored at the beginning only: characters, '.', classes, groups, '|', '*' '+' '?' '{m,n}', '^', '$' and
 * \d \w \s \D \W \S. NULL with *ret_why (static or in the arena) for what is no expression or is not judged here, such as (?...) and \1.
 */
const struct pattern *pattern_parse(struct arena *a, sv text, sv *ret_why);
bool pattern_has(const struct pattern *p, sv text, bool fold);

#endif
