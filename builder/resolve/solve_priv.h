/* resolve/solve_priv.h - one attempt of the solver: multi-valued clause learning.
 * A variable is a name, or a relation with several terms (its values: which term). Its domain is a set of candidates, and "none":
 * not chosen at all. A literal says "the variable's value is in this set"; a clause is a disjunction of literals over different
 * variables; it propagates when all but one are false. Clauses are never dropped: with what they were derived from they are the proof. */
#ifndef RESOLVE_SOLVE_PRIV_H
#define RESOLVE_SOLVE_PRIV_H

#include "resolve/resolve.h"

#define NO_VAR    UINT32_MAX
#define NO_CAND   UINT32_MAX
#define NO_CLAUSE UINT32_MAX
#define NO_STEP   UINT32_MAX

struct lit {
        uint32_t var;
        set_id set;
        bool none; /* "not chosen" satisfies it too */
};

enum clause_kind {
        CLAUSE_WANT,   /* rel is the want's */
        CLAUSE_REL,    /* rel is said by candidates of `by`: lit (by, not W) or the term */
        CLAUSE_TERM,   /* value i of a several-term variable needs its term i */
        CLAUSE_HAVE,   /* what the index offers of a name: candidates that are not banned, their tiers open */
        CLAUSE_SAME,   /* foo[x] is foo */
        CLAUSE_LEARNED /* the resolvent of `from`, in order */
};

struct clause {
        uint8_t kind;
        bool direct;           /* CLAUSE_WANT: a line of the user's */
        uint32_t n;            /* literals; the first two are watched */
        uint32_t by;           /* CLAUSE_REL: the variable that says so */
        const struct rel *rel; /* CLAUSE_WANT, CLAUSE_REL */
        uint32_t n_from;
        const uint32_t *from;
        struct lit *lit;
};

struct var {
        name_id id; /* NAME_ROOT for a relation with several terms */
        const struct name *name;
        const struct rel *any; /* the relation with several terms, or NULL */
        const uint32_t *term;  /* its terms' variables */
        uint32_t n;            /* width of its sets */
        uint32_t of;           /* foo[x]: foo's variable; itself otherwise */
        uint32_t extra;        /* next one with the same `of`, or NO_VAR */
        set_id set, yanked;    /* domain now; candidates that are the last choice */
        bool none;
        bool direct, lowest, early, late, met;
        uint32_t last; /* last step on the trail, or UINT32_MAX */
        uint32_t prefer, tried;
        set_id asked_soon; /* what soon() was last told */
        uint32_t *watch;
        size_t n_watch, cap_watch;
        uint64_t *visited;
};

struct step {
        uint32_t var, prev, level;
        uint32_t reason; /* clause, NO_CLAUSE: decision, or foo[x] is foo */
        uint32_t same;   /* the other variable of such a step, or NO_VAR */
        set_id same_set;
        set_id set; /* domain before */
        bool none;
};

struct work_lit {
        set_id set;
        bool none, in;
        uint32_t step; /* that made it false, or UINT32_MAX: never was true */
};

struct vec {
        uint32_t *v;
        size_t n, cap;
};

struct later {                          /* a limit on a name that has no variable yet */
        uint32_t var, cand, term, next; /* next: index + 1 of another one on that name, 0: none */
        const struct rel *rel;
};

struct breadth { /* breadth.c: variables in the order in which they were met */
        struct vec met;
        size_t at; /* met.v[at] is being looked at, from its relation `rel` on */
        uint32_t rel;
        size_t wants; /* so many wants are done */
        bool stale;   /* the search jumped back: begin again */
};

struct table { /* open hash of three numbers; value 0: free, so users store what they have plus one */
        struct table_slot {
                uint32_t a, b, c, value;
        } *slot;
        size_t n, size;
};

struct solver {
        struct catalog *c;
        struct sets *sets;
        const struct resolve_opts *o;
        const struct resolve_want *want;
        size_t n_want;
        const uint8_t *open; /* tiers opened, by name id */
        size_t n_open;
        struct op *op;

        struct arena arena;
        struct var *var;
        size_t n_var, cap_var;
        struct clause **clause;
        size_t n_clause, cap_clause;
        struct step *trail;
        size_t n_trail, cap_trail, head;
        struct vec level;  /* where on the trail each begins; level 0 at 0 */
        struct vec forced; /* required variables with one candidate left, to be visited */
        size_t forced_head;
        struct vec pending;  /* clauses to look at again */
        struct vec needed;   /* variables that became required: prefetch */
        struct vec want_var; /* per want: its variable, or NO_VAR */
        struct table by_name, by_rel, by_any, pairs;
        struct table by_later; /* name → index + 1 in later */
        struct later *later;
        size_t n_later, cap_later;
        struct breadth breadth;
        struct work_lit *work;
        size_t cap_work;
        struct vec in_work; /* variables of the clause that is being derived */
        struct vec from;
        uint64_t bytes_before; /* of sets, when the attempt began */
        uint32_t conflicts, decisions, asked;
        bool changed;        /* the catalog's candidates changed while it was only looked at */
        uint32_t refutation; /* the empty clause, or the best one when a limit ended it */
};

/* clause.c */
uint32_t clause_add(struct solver *s, struct clause head, const struct lit *lit, uint32_t n);
enum clause_state { CLAUSE_TRUE, CLAUSE_OPEN, CLAUSE_UNIT, CLAUSE_FALSE };
/** The state now; for CLAUSE_UNIT *ret_lit is the literal that must hold. */
enum clause_state clause_look(const struct solver *s, const struct clause *c, const struct lit **ret_lit);
bool lit_false(const struct solver *s, const struct lit *l);
bool lit_true(const struct solver *s, const struct lit *l);
/** The step that made it false (it is false now), or NO_STEP: it never was anything else. */
uint32_t lit_since(const struct solver *s, const struct lit *l);
void clause_watch(struct solver *s, uint32_t id);
uint32_t vec_push(struct vec *v, uint32_t x);
uint32_t table_get(const struct table *t, uint32_t a, uint32_t b, uint32_t c); /* 0: none */
void table_put(struct table *t, uint32_t a, uint32_t b, uint32_t c, uint32_t value);

/* trail.c */
void trail_set(struct solver *s, uint32_t var, set_id set, bool none, uint32_t reason, uint32_t same, set_id same_set);
/** The clause that binds foo and foo[x] in a set: from one of them to the other. */
uint32_t trail_same(struct solver *s, uint32_t from, set_id set, uint32_t to);
void trail_back(struct solver *s, uint32_t level);
uint32_t trail_level(const struct solver *s);
void trail_decide(struct solver *s, uint32_t var, uint32_t cand);
bool trail_decided(const struct solver *s, const struct var *v); /* its last step is a decision */
/** Everything that follows. A clause that is false, or NO_CLAUSE. */
uint32_t propagate(struct solver *s);

/* learn.c */
/** From a false clause: learn, jump back, assert. False when it is false for good: s->refutation is set. */
bool learn(struct solver *s, uint32_t conflict);

/* visit.c */
int var_of(struct solver *s, name_id id, uint32_t *ret, struct err *e);
int visit_wants(struct solver *s, struct err *e);
int visit(struct solver *s, uint32_t var, uint32_t cand, struct err *e);
bool var_visited(const struct var *v, uint32_t cand);
void visit_soon(struct solver *s);

/* decide.c */
/** The next variable to decide, or NO_VAR when all that is required is decided. 0, or what an op of the catalog failed with. */
int decide_var(struct solver *s, uint32_t *ret, struct err *e);
uint32_t decide_cand(struct solver *s, uint32_t var);
/** Names that keep rejecting each other: after 5 times the rejected one goes first. Jumps back when that changes the order.
 *  clause: just learned; var: whose literal it asserts. */
void decide_conflict(struct solver *s, uint32_t clause, uint32_t var);
/** Its only candidate when it is required and one is left, else NO_CAND. */
uint32_t var_only(const struct solver *s, const struct var *v);

/* breadth.c */
/** The first variable that is needed and undecided, breadth first from the wants on; NO_VAR when there is none among single terms. */
int breadth_next(struct solver *s, uint32_t *ret, struct err *e);
void breadth_done(struct breadth *b);

/* solve.c */
enum solve_end { SOLVE_FOUND, SOLVE_NONE, SOLVE_LIMIT, SOLVE_CHANGED };
/** An attempt; *ret_end on 0. s: zeroed but for its inputs. */
int solve(struct solver *s, enum solve_end *ret_end, struct err *e);
void solve_done(struct solver *s);

/* proof.c - what a refutation is made of, in an order where every clause comes after those it was derived from. */
struct proof_var {
        name_id id;
        const struct name *name; /* NULL: a relation with several terms */
        const struct rel *any;
        uint32_t of, n;
};
struct proof_node {
        uint8_t kind;
        bool direct;
        uint32_t by, n, n_from;
        const struct rel *rel;
        const struct lit *lit;
        const uint32_t *from; /* nodes */
};
struct proof {
        const struct proof_var *var;
        size_t n_var;
        const struct proof_node *node; /* the last one is what is proved */
        size_t n;
        bool limit; /* the search was given up: the last one is not the empty clause */
};
struct proof *proof_new(const struct solver *s, struct arena *a);

#endif
