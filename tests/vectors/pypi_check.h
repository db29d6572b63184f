/* tests/vectors/pypi_check.h - an independent look at an answer: no catalog and no solver, only the packages and the rules. */
#ifndef TESTS_VECTORS_PYPI_CHECK_H
#define TESTS_VECTORS_PYPI_CHECK_H

#include "pkg/marker.h"
#include "pkg/requirement.h"
#include "pkg/tags.h"
#include "tests/vectors/pypi_index.h"

struct chosen {
        sv name; /* normalised */
        sv version;
        const struct pep440 *v;
        bool needed;            /* reached from the roots */
        bool opened;            /* an active requirement names a pre-release */
        const struct js *about; /* of the version, in the index */
        sv *extras;             /* asked for so far */
        size_t n_extras, cap_extras;
};
struct answer {
        struct chosen *v;
        size_t n, cap;
};
struct check {
        struct arena *arena;
        struct vectors_index *index;
        struct marker_env env;
        const struct tags *tags;
        bool sdist;                             /* source distributions count as installable */
        const struct requirement *root, *limit; /* requirements and constraints */
        size_t n_root, n_limit;
};

/** Every active requirement met, a usable file for each, nothing that is not needed. False with what is wrong in *ret_why. */
bool answer_holds(const struct check *c, struct answer *a, sv *ret_why);
struct chosen *answer_find(struct answer *a, sv name);

#endif
