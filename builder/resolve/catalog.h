/* resolve/catalog.h - all that the solver may ask of an index (design/solver.md). The solver never sees a version, a file or a URL:
 * only dense ids. Answers do not depend on the order of the questions; ops may wait for the network, never poll a clock.
 * What the ops return is owned by the catalog and lives as long as it does. One thread asks. */
#ifndef RESOLVE_CATALOG_H
#define RESOLVE_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sv.h"
#include "resolve/set.h"

typedef uint32_t name_id; /* at most one candidate of a name is chosen */

enum cand_tier { TIER_NORMAL, TIER_PRERELEASE, TIER_YANKED };
enum cand_ban { BAN_NO, BAN_TAGS, BAN_PYTHON, BAN_NEWER, BAN_SDIST, BAN_HASH, BAN_CHANNEL, BAN_METADATA };

struct cand {             /* its index is its preference: 0 is the best */
        uint32_t version; /* equal for builds or wheels of one version; proofs speak of runs of it */
        uint8_t tier;     /* above the tier opened for the name: not offered, but known to hints */
        uint8_t ban;      /* enum cand_ban: never offered, named in proofs */
};

struct name {
        sv text;    /* "numpy", "foo[bar]", "__cuda", "libblas.so.3" */
        name_id of; /* foo[bar] → foo: decided together; itself otherwise */
        const struct cand *cand;
        uint32_t n;
        bool absent; /* no index has it */
        sv near;     /* when absent: the nearest name that exists, or empty */
        sv lack;     /* when absent: who does not have it ("the target does not have"); empty: "no index has" */
        sv have; /* of a name that is there as it is, nothing to choose from: who has it ("the target has"); or empty */
};

/* The set of a limit on a name that nobody asked for yet: conda's records limit dozens of names that an environment never needs, and their
 * candidates need not be known. Such a limit counts, and its set must be there, once name() was called for that name. */
#define SET_LATER UINT32_MAX

struct term {
        name_id name;
        set_id set; /* over the candidates of name; SET_LATER only in a limit */
};

enum rel_kind {
        REL_NEEDS, /* one of the terms holds, tried in order */
        REL_LIMITS /* for each term: if its name is chosen at all, then from its set */
};

/* Which closed tiers an active relation opens for the names of its terms (bits 1 << enum cand_tier): a specifier that names a
 * pre-release; an == pin for yanked files. */
struct rel {
        uint32_t id; /* equal relations have equal ids: candidates that say the same share one clause */
        uint8_t kind, opens;
        uint32_t n;
        const struct term *term;
        sv text, at; /* as written: "b<3"; and where: "env.yml:7:5", or what says so: "flask 2.0 METADATA" */
};

struct rels {
        const struct rel *const *v;
        uint32_t n;
};

enum {
        CATALOG_CHANGED = 1
}; /* rels(): a name's candidates changed (a URL requirement was met): the solver begins again */

struct catalog;
struct catalog_ops { /* 0, CATALOG_CHANGED, or -ERR_NET, -ERR_AUTH, -ERR_OFFLINE, … which end the solve with that error */
        int (*name)(struct catalog *c, name_id n, const struct name **ret, struct err *e); /* may wait */
        /* May wait. A candidate whose metadata turns out unusable answers 0 with no relations and has its cand.ban set by then: the
         * solver looks again after each call. */
        int (*rels)(struct catalog *c, name_id n, uint32_t cand, struct rels *ret, struct err *e);
        /* rels() would not wait. Used under ORDER_CEILING only, where it widens clauses: there the answer must not hang on how far a
         * prefetch has come, or locks would differ from run to run. */
        bool (*known)(struct catalog *c, name_id n, uint32_t cand);
        /* Every candidate of n that says rel, as cand does, without waiting; the same at any time. Then clauses are as wide as can be under
         * ORDER_CEILING. NULL: cand's neighbours are asked one by one, by known() and rels(). */
        set_id (*who)(struct catalog *c, name_id n, uint32_t cand, const struct rel *rel);
        void (*soon)(struct catalog *c, name_id n, set_id likely, uint32_t tried); /* prefetch hint; may do nothing */
        void (*text)(struct catalog *c, name_id n, set_id set,
                     struct buf *out); /* "numpy>=1.20,<2": ranges, not lists */
        void (*cand_text)(struct catalog *c, name_id n, uint32_t cand, struct buf *out); /* "numpy 1.26.4" */
        /* What is said of a candidate that is banned ("is newer than the date allows"); NULL: the solver's own words. May be NULL. */
        const char *(*ban_text)(uint8_t ban);
        /* Hints for the end of an explanation, one a line, without "hint:" ("wheels exist for cp312 only"). wanted: the candidates that
         * the proof asks for, had they been offered. May be NULL. */
        void (*hints)(struct catalog *c, name_id n, set_id wanted, struct buf *out);
        void (*free)(struct catalog *c);
};

struct catalog { /* the first member of every implementation's own struct */
        const struct catalog_ops *ops;
        struct sets *sets; /* where its set_ids live; shared with the solver */
        /* ORDER_CEILING, names that nobody requested: in the order in which relations name them, breadth first from the wants on (conda).
         * Otherwise the one with the fewest candidates first. */
        bool breadth;
};

static inline void catalog_free(struct catalog *c)
{
        if (c)
                c->ops->free(c);
}

#endif
