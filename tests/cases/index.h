/* tests/cases/index.h - a text plays the index: struct catalog over lines such as
 *     app 2: lib>=1,<3 tool|saw !old<2
 *     app 2rc1 pre
 *     lib 1 ban=tags
 *     app[gui] 2: qt
 * A line is a candidate: name, version, flags (pre, yanked, ban=REASON, late=REASON: only rels() finds out), and after the colon
 * what it needs (`a|b`: one of them) or limits (`!a<2`). Candidates of a name are ordered by version; equal versions (builds) by
 * line. foo[x] has foo's candidates, needs the same foo and what its own lines add. A name without a line is absent. */
#ifndef TESTS_CASES_INDEX_H
#define TESTS_CASES_INDEX_H

#include "base/arena.h"
#include "resolve/resolve.h"

struct index;
/** -ERR_USAGE with the line when the text is no index. */
int index_parse(sv text, struct index **ret, struct err *e);
struct catalog *index_catalog(struct index *x);
/** "lib>=1,<3", "tool|saw", "!old<2": valid as long as the index. */
int index_rel(struct index *x, sv text, sv at, const struct rel **ret, struct err *e);
/** rels() answers CATALOG_CHANGED for the first `times` questions. */
void index_change(struct index *x, uint32_t times);
uint32_t index_names(const struct index *x);

#endif
