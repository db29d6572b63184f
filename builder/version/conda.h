/* version/conda.h - conda's versions and version specs: order and match exactly as conda says (CEP 33, CEP 29; specs/conda.md §4, §5).
 * Pure. Parsed things live in the arena and borrow nothing from the text given. Comparing allocates nothing. */
#ifndef VERSION_CONDA_H
#define VERSION_CONDA_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"

#define CONDA_VERSION_MAX 1024 /* bytes of one version; CEP 26 allows 64, old channels have more */

struct conda_version;
/** NULL when it is none; *ret_why (may be NULL) says what is wrong: a static text. */
const struct conda_version *conda_version_parse(struct arena *a, sv text, const char **ret_why);
int conda_version_cmp(const struct conda_version *a, const struct conda_version *b);
sv conda_version_text(const struct conda_version *v); /* as written, trimmed and lower-cased */

struct conda_spec; /* "1.7.*|>=2,<3": a tree of clauses */
/** NULL when it is none; *ret_why: what is wrong, in the arena or static; *ret_at: byte it was noticed at. Both may be NULL. */
const struct conda_spec *conda_spec_parse(struct arena *a, sv text, sv *ret_why, size_t *ret_at);
bool conda_spec_has(const struct conda_spec *s, const struct conda_version *v);
bool conda_spec_any(const struct conda_spec *s); /* "*": every version */
sv conda_spec_text(const struct conda_spec *s);  /* canonical, as conda prints it */

#endif
