/* tests/vectors/pypi_rules.h - how the corpus writes environments: shared by rules, files and scenarios. */
#ifndef TESTS_VECTORS_PYPI_RULES_H
#define TESTS_VECTORS_PYPI_RULES_H

#include "pkg/marker.h"
#include "pkg/tags.h"
#include "tests/vectors/vectors.h"

/** {"python_version": "3.12", …}; borrowed texts. */
void vectors_marker_env(const struct js *markers, struct marker_env *ret);
/** {"python": "3.12", "arch": …, "libc": …, "libc_version": …}; borrowed texts. */
bool vectors_tags_target(const struct js *env, struct tags_target *ret);

#endif
