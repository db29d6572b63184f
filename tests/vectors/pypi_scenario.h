/* tests/vectors/pypi_scenario.h - one question to the real catalog and the real solver: an index, an environment, a requirements file. */
#ifndef TESTS_VECTORS_PYPI_SCENARIO_H
#define TESTS_VECTORS_PYPI_SCENARIO_H

#include "base/diag.h"
#include "tests/vectors/pypi_check.h"

struct scenario {
        struct vectors *v;
        struct vectors_index *index;
        const char *id;
        sv python; /* full version of the target */
        struct tags_target target;
        sv requirements;        /* text of a requirements file, its options included */
        const struct js *files; /* texts of files that it names: path → text; or NULL */
        bool pre, lowest, lowest_direct;
        const struct answer *prefer; /* an earlier answer that should stay where it may, or NULL */
};
enum scenario_end {
        SCENARIO_SOLVED,
        SCENARIO_CONFLICT,
        SCENARIO_REFUSED /* the requirements themselves */,
        SCENARIO_FAILED
};
struct scenario_result {
        enum scenario_end end;
        struct answer answer;
        struct diags ds;
        struct err e;
        char *why;  /* the explanation of a conflict */
        bool valid; /* what pypi_check.c says of the answer */
        sv invalid;
        size_t fetched; /* metadata files asked for */
};

/** "3.12" and an id such as "cp312-linux": x86_64, glibc 2.36. */
void scenario_target(struct scenario *s, sv python);
void scenario_run(const struct scenario *s, struct scenario_result *ret);
void scenario_result_done(struct scenario_result *r);

/** pypi_steps.c: pip's functional tests. */
void vectors_pypi_steps(struct vectors *v, const struct js *doc);

#endif
