/* pkg/pyname.h - names of Python distributions and of their files (PEP 503, 508, 427, 625; specs/pypi.md §1, §8). Pure. */
#ifndef PKG_PYNAME_H
#define PKG_PYNAME_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"
#include "version/pep440.h"

bool pyname_valid(sv name); /* letters, digits, . _ -, beginning and ending with a letter or digit */
/** PEP 503: lower case, runs of - _ . become one "-". Any text has a normal form; only pyname_valid() ones are names. */
sv pyname_normalise(struct arena *a, sv name);

struct wheel_name {
        sv name;    /* normalised */
        sv version; /* as in the file name, "_" turned to "-" in it as pip does; parsed in v */
        const struct pep440 *v;
        uint64_t build_num; /* build tag "1local" → 1, "local"; has_build false: lowest */
        sv build_rest;
        bool has_build;
        sv python, abi, platform; /* dot-compressed sets as written */
};
struct sdist_name {
        sv name, version; /* name normalised */
        const struct pep440 *v;
};

/** "name-1.0-py3-none-any.whl", percent-decoded before. strict: packaging 26's verdict; else what PyPI really serves is taken. */
bool wheel_name_parse(struct arena *a, sv file, bool strict, struct wheel_name *ret, sv *ret_why);
/** <0 when a is preferred to b (pip's order): newer version, better rank of its tags (tags_rank), higher build tag. */
int wheel_name_cmp(const struct wheel_name *a, int64_t rank_a, const struct wheel_name *b, int64_t rank_b);
/** project: the normalised name it must be of; any archive that PyPI has served (.tar.gz, .zip, .tar.bz2, .tgz, …) is taken.
 *  Empty when not known: packaging 26's verdict (.tar.gz or .zip, the last "-" splits). */
bool sdist_name_parse(struct arena *a, sv file, sv project, struct sdist_name *ret, sv *ret_why);

#endif
