/* version/pattern.h - the two kinds of patterns that conda's fields know: a glob ("py39*") and a regular expression as Python's re reads it
 * ("^py3[89].*$"). Pure. A pattern lives in the arena; matching takes memory on the stack only and time of |pattern| x |text|. */
#ifndef VERSION_PATTERN_H
#define VERSION_PATTERN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"

struct pattern;
/** '*' is any text, everything else is itself. NULL only when it is too long. */
const struct pattern *pattern_glob(struct arena *a, sv text);
/**
 * What re.match() would find, anchored at the beginning only: characters, '.', classes, groups, '|', '*' '+' '?' '{m,n}', '^', '$' and
 * \d \w \s \D \W \S. NULL with *ret_why (static or in the arena) for what is no expression or is not judged here, such as (?...) and \1.
 */
const struct pattern *pattern_regex(struct arena *a, sv text, sv *ret_why);
bool pattern_has(const struct pattern *p, sv text);

#endif
