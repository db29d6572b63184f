/* pkg/marker_priv.h - the tree that marker_parse.c makes and marker_eval.c walks. */
#ifndef PKG_MARKER_PRIV_H
#define PKG_MARKER_PRIV_H

#include "pkg/marker.h"
#include "version/pep440.h"

/* Beyond enum marker_var: set-valued, for lock files. */
enum { MARKER_EXTRAS = MARKER_N_VARS, MARKER_GROUPS, MARKER_LITERAL };

enum marker_op {
        MARKER_EQ,
        MARKER_NE,
        MARKER_LE,
        MARKER_GE,
        MARKER_LT,
        MARKER_GT,
        MARKER_COMPATIBLE,
        MARKER_ARBITRARY,
        MARKER_IN,
        MARKER_NOT_IN
};
extern const char *const marker_op_text[];

struct marker_side {
        int var; /* enum marker_var, MARKER_EXTRAS, MARKER_GROUPS or MARKER_LITERAL */
        sv text; /* the literal's text, or the variable's name */
};
struct marker { /* kids: a list joined by and/or, in the order written; none: a comparison */
        struct marker **kid;
        bool *is_or; /* is_or[i]: "or" stands before kid i */
        size_t n, cap, cap_or;
        enum marker_op op;
        struct marker_side left, right;
        struct pep440_clause clause; /* op and right, when left wants a version and they make one */
        bool has_clause;
};

/** Which variable has this name (not an older spelling); MARKER_LITERAL: none. */
int marker_var_find(sv name);
bool marker_var_is_version(int var);
/** op and version as one clause of a specifier; false when they make none. */
bool marker_clause(struct arena *a, enum marker_op op, sv version, struct pep440_clause *ret);

/* Grammar, shared with requirements: a marker from *at on, up to something that is no part of it. */
bool marker_parse_at(struct arena *a, sv text, size_t *at, struct marker **ret, sv *ret_why);

#endif
