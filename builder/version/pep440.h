/* version/pep440.h - Python versions and specifiers: parsing, order, matching (PEP 440, as packaging 26 reads it; specs/pypi.md §2-4).
 * Pure. Integers are unbounded: a component that does not fit 64 bits is kept as digits. */
#ifndef VERSION_PEP440_H
#define VERSION_PEP440_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sv.h"

struct pep440; /* a parsed version; immutable, lives in the arena it was parsed into */

/** NULL when text is not a version. Everything it holds is copied into a. */
const struct pep440 *pep440_parse(struct arena *a, sv text);
/** <0, 0, >0 in PEP 440's total order, local parts included. */
int pep440_cmp(const struct pep440 *a, const struct pep440 *b);
bool pep440_is_prerelease(const struct pep440 *v); /* has a pre or dev part */
bool pep440_is_postrelease(const struct pep440 *v);
bool pep440_is_dev(const struct pep440 *v);
sv pep440_text(const struct pep440 *v);                    /* normalised */
sv pep440_public(const struct pep440 *v, struct arena *a); /* without the local part */
sv pep440_base(const struct pep440 *v, struct arena *a);   /* epoch and release only */
sv pep440_local(const struct pep440 *v);                   /* normalised local part, or empty */
/** Trailing zeros of the release removed: "1.0.0" → "1" (packaging's canonicalize_version). */
sv pep440_canonical(const struct pep440 *v, struct arena *a);
uint64_t pep440_epoch(const struct pep440 *v);
/** Release numbers as text, most significant first; returns how many there are, writes at most max. */
size_t pep440_release(const struct pep440 *v, uint64_t *ret, size_t max);

enum pep440_op {
        PEP440_EQ,
        PEP440_NE,
        PEP440_LE,
        PEP440_GE,
        PEP440_LT,
        PEP440_GT,
        PEP440_COMPATIBLE,
        PEP440_ARBITRARY
};

/* One clause: "==1.2.*". PEP440_ARBITRARY compares its text as it stands (case-insensitive); v is then NULL or what the text means. */
struct pep440_clause {
        enum pep440_op op;
        bool prefix; /* ".*" */
        const struct pep440 *v;
        sv text; /* the version as written */
};
struct pep440_spec { /* all clauses must hold; none: everything matches. Sorted by their texts, no two mean the same */
        const struct pep440_clause *v;
        uint32_t n;
};

/** Length of the one clause ("~= 1.4.2", "==1.*") that text begins with, or 0: what a requirement's grammar asks for. */
size_t pep440_clause_scan(sv text);
/** Exactly one clause, white space around it. */
bool pep440_clause_parse(struct arena *a, sv text, struct pep440_clause *ret);
/** Parse a comma list. On failure false and *ret_why is a sentence ("missing comma before '<4'"), static or in a. */
bool pep440_spec_parse(struct arena *a, sv text, struct pep440_spec *ret, sv *ret_why);
/** The way packaging prints it: "!=1.5,<2,>=1". */
void pep440_spec_write(const struct pep440_spec *s, struct buf *out);
/** Membership with pre-releases on: the pre-release rule is the caller's (tiers). text: the version as published, for ===. */
bool pep440_spec_has(const struct pep440_spec *s, const struct pep440 *v, sv text);
bool pep440_clause_has(const struct pep440_clause *c, const struct pep440 *v, sv text);
/** A clause other than != names a pre-release: such versions then count as ordinary candidates (pip's rule). */
bool pep440_spec_opens_pre(const struct pep440_spec *s);
enum pep440_pre { PEP440_PRE_DEFAULT, PEP440_PRE_YES, PEP440_PRE_NO };
struct pep440_item {
        const struct pep440 *v; /* NULL: not a version, only === and the empty list take it */
        sv text;                /* as published */
};
/**
 * The items that the clauses take, in their order: their indices in ret (room for n), their number returned. PEP440_PRE_DEFAULT:
 * pre-releases when a clause opens them, or when nothing else is taken.
 */
size_t pep440_spec_filter(const struct pep440_spec *s, enum pep440_pre pre, const struct pep440_item *v, size_t n,
                          size_t *ret);
/** An == or === pin without ".*" is among the clauses: yanked files may then be used. */
bool pep440_spec_pins(const struct pep440_spec *s);

#endif
