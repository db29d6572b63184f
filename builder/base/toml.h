/* base/toml.h - TOML 1.0 documents as trees in an arena: registries.conf, pylock.toml. Strict: whatever the specification calls invalid is a
 * fault with its line and column (from 1, in bytes). Pure; bounded by the text's size; nesting of values is limited to 64. */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/sv.h"

enum toml_type { TOML_STR, TOML_INT, TOML_FLOAT, TOML_BOOL, TOML_TIME, TOML_ARR, TOML_TABLE };

struct toml {
        enum toml_type type;
        uint32_t line, col;  /* of the value, or of the header that made the table */
        sv str;              /* TOML_STR: its value; TOML_FLOAT, TOML_TIME: as written, checked */
        int64_t num;         /* TOML_INT; TOML_BOOL: 0 or 1 */
        struct toml_member { /* TOML_ARR: keys empty; TOML_TABLE: in the order of the document */
                sv key;
                struct toml *value;
        } *v;
        size_t n, cap;
        /* The parser's own. */
        struct map index;
        uint32_t section; /* which header made it; 0: only on the way to another */
        bool dotted, closed, tables;
};
struct toml_fault {
        uint32_t line, col;
        const char *text; /* static: "a key is given twice" */
};

/** False with *ret_fault. *ret borrows nothing of text. */
bool toml_parse(struct arena *a, sv text, struct toml **ret, struct toml_fault *ret_fault);

/* Reading: NULL in gives nothing out. */
const struct toml *toml_get(const struct toml *table, const char *key); /* NULL when absent or not a table */
sv toml_get_str(const struct toml *table, const char *key);             /* empty when absent or no string */
bool toml_get_true(const struct toml *table, const char *key);
const char *toml_type_name(enum toml_type t); /* "a string" */

#endif
