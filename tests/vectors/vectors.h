/* tests/vectors/vectors.h - `build/tests/vectors [-d CORPUS] ECOSYSTEM/STEM FILE…` runs vector and scenario files whose kind is known,
 * prints each failure in a line and last "N passed, N failed". A kind is a row of a table; one case is one pass or one failure. */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "ext/json.h"

struct vectors {
        const char *corpus; /* folder that cases refer to: …/corpus/pypi */
        const char *file;   /* the file that is run */
        struct arena arena; /* released after each file */
        size_t passed, failed;
};
struct vectors_kind {
        const char *name; /* "pypi/version_order" */
        void (*run)(struct vectors *v, const struct js *doc);
};

void vectors_pass(struct vectors *v);
void vectors_fail(struct vectors *v, const char *id, const char *fmt, ...) PRINTF(3, 4);
/** pass when ok, else fail with the text. */
void vectors_check(struct vectors *v, bool ok, const char *id, const char *fmt, ...) PRINTF(4, 5);
/** The bytes of a file of the corpus (plain or .zst); false and one failure when it can't be read. */
bool vectors_read(struct vectors *v, const char *path, struct buf *out);
/**
 * A file of the corpus (plain or .zst), parsed into v->arena; NULL and one failure when it can't be read. By its name it is JSON, or lines:
 * .jsonl an array of values, .tsv of arrays of fields, .txt of texts; of .yml, .yaml, .lock and .toml it is the text.
 */
const struct js *vectors_load(struct vectors *v, const char *path);

/* Each file tests/vectors/<x>.c gives a table that ends with a NULL name; vectors.c lists the tables. */
extern const struct vectors_kind vectors_pypi_rules[];    /* versions, specifiers, requirements, markers, tags, names */
extern const struct vectors_kind vectors_pypi_files[];    /* wheel_select, index-pages, requirements-txt */
extern const struct vectors_kind vectors_pypi_solve[];    /* scenarios */
extern const struct vectors_kind vectors_oci[];           /* image-spec */
extern const struct vectors_kind vectors_pypi_wheels[];   /* wheels/cases */
extern const struct vectors_kind vectors_conda_install[]; /* install-expect, EXPECT */
extern const struct vectors_kind vectors_conda_rules[];   /* versions, version specs, match specs, channels */
extern const struct vectors_kind vectors_conda_solve[];   /* solve cases, large and small */
extern const struct vectors_kind vectors_conda_definitions[]; /* env, explicit, locks */
extern const struct vectors_kind vectors_run_jobs[];          /* descriptions of runs */

#endif
