/* resolve/story_priv.h - a proof made short enough to be told: its facts, and the order in which they bring each other down. */
#ifndef RESOLVE_STORY_PRIV_H
#define RESOLVE_STORY_PRIV_H

#include "resolve/solve_priv.h"

/* What a user can check: a line of his, what candidates say, what the index offers. lit[0] is what is asked for (object), lit[1], if
 * it is there, who says so: the candidates that are NOT in its set. */
struct fact {
        uint8_t kind;       /* enum clause_kind, never CLAUSE_LEARNED */
        bool direct, mixed; /* mixed: several relations that say almost the same, as one */
        bool alike;  /* several that ask for different things, none of which there is: rel is the first of them */
        uint32_t by; /* NO_VAR: a want, or the index */
        const struct rel *rel;
        struct lit lit[2];
        uint32_t n;
        bool used; /* by the refutation that was found */
        bool told;
};

struct story {
        struct catalog *c;
        const struct proof *p;
        struct arena *a;
        struct fact *fact;
        size_t n, cap;
};

/** The facts of a proof; the used ones are marked and in the order of telling. False when the facts do not refute themselves without
 *  trying cases: then nothing is marked. */
bool story_make(struct story *st, struct catalog *c, const struct proof *p, struct arena *a);
/** The candidates that say a fact. */
set_id fact_who(const struct story *st, const struct fact *f);

/* tell.c */
void tell_story(const struct story *st, struct buf *out);  /* facts that refute themselves */
void tell_lemmas(const struct story *st, struct buf *out); /* step by step, as it was found */
/** Hints on the names whose lack is told: one line each, after "hint: ". */
void tell_hints(const struct story *st, struct buf *out);

#endif
