/* resolve/resolve.h - the solver (design/solver.md): conflict-driven, one core for conda, PyPI and Debian. Pure: all it knows of the
 * world comes through struct catalog. Deterministic: same answers, same resolution. */
#ifndef RESOLVE_RESOLVE_H
#define RESOLVE_RESOLVE_H

#include "base/arena.h"
#include "base/op.h"
#include "resolve/catalog.h"

enum resolve_order {
        ORDER_CEILING, /* conda, Debian: requested names first, in the order given; lexicographic best over them */
        ORDER_CULPRIT /* PyPI: as discovered; after 5 conflicts of a pair the rejected one goes first, the culprit last */
};

struct resolve_want {
        struct rel rel; /* rel.at is the user's file:line:column */
        bool direct; /* a line of the user's (counts for minimal explanations); false: a constraint or a fixed name */
};

struct resolve_opts {
        enum resolve_order order;
        bool lowest;               /* candidates worst first */
        bool lowest_direct;        /* only for names of direct wants */
        uint8_t open;              /* tiers open for every name (--pre), bits 1 << tier */
        const struct term *prefer; /* the old lock: tried first, never required; sets of one candidate */
        size_t n_prefer;
        uint32_t max_conflicts; /* 0: 200,000 */
        size_t max_bytes;       /* of the solver's own memory; 0: 1 GiB */
};

struct pick {
        name_id name;
        uint32_t cand;
        const struct rel *because; /* the first relation that asked for it */
        name_id by;                /* whose relation that is; NAME_ROOT for a want */
};
#define NAME_ROOT UINT32_MAX

struct proof; /* why there is none: read by resolve/explain.h */

struct resolution {
        struct pick *pick; /* sorted by name text; only names that are needed */
        size_t n;
        struct proof *proof;                    /* set when there is no solution */
        uint32_t conflicts, decisions, visited; /* visited: candidates whose relations were asked */
};

/**
 * @param want  lines of the user's and constraints, in file order
 * @param a     everything in *ret lives here
 * @return 0 · -ERR_CONFLICT: (*ret)->proof is set, e's cause is one line · -ERR_LIMIT with the best explanation so far
 *         · -ERR_CANCELLED · whatever an op of the catalog failed with
 */
int resolve(struct catalog *c, const struct resolve_want *want, size_t n, const struct resolve_opts *o, struct op *op,
            struct arena *a, struct resolution **ret, struct err *e);

/**
 * Explain a failed resolution to its user: a minimal set of the user's lines (none can be dropped), one chain, ranges instead of
 * lists, what exists, hints last. Solves again on subsets of the wants: the catalog's metadata is cached by then.
 * The text ends with a newline; a story in tests/cases/resolve pins it to the letter.
 */
int explain(struct catalog *c, const struct resolve_want *want, size_t n, const struct resolve_opts *o, struct op *op,
            const struct resolution *r, struct buf *out, struct err *e);

#endif
