/* base/toml_priv.h - shared by toml.c (keys, tables, the document), toml_value.c (values), toml_string.c and toml_number.c. */
#ifndef BASE_TOML_PRIV_H
#define BASE_TOML_PRIV_H

#include "base/toml.h"

enum { TOML_DEPTH = 64 };

struct toml_reader {
        struct arena *a;
        const char *start, *p, *end;
        const char *counted, *line_start; /* where `line` is */
        uint32_t line;
        uint32_t section; /* counts headers and tables in braces */
        unsigned depth;
        struct toml_fault *fault;
};

/** Sets the fault at `at` (the first one wins); always false. */
bool toml_bad(struct toml_reader *r, const char *at, const char *text);
static inline bool toml_at(const struct toml_reader *r, char c)
{
        return r->p < r->end && *r->p == c;
}
void toml_blanks(struct toml_reader *r); /* spaces and tabs */
/** Blanks and a comment up to the line's end, which is consumed; false with a fault when something else stands there. */
bool toml_line_end(struct toml_reader *r);
/** Blanks, comments and line ends, as between an array's elements. */
bool toml_space(struct toml_reader *r);
struct toml *toml_new(struct toml_reader *r, enum toml_type type, const char *at);

/* toml_string.c: at the opening quote. */
bool toml_string(struct toml_reader *r, bool may_span, sv *ret);
/* toml_number.c: numbers, times, true and false. */
bool toml_scalar(struct toml_reader *r, struct toml **ret);
/* toml_value.c */
bool toml_value(struct toml_reader *r, struct toml **ret);
/* toml.c: key = value, dotted keys included, into a table. */
bool toml_assignment(struct toml_reader *r, struct toml *table);

#endif
