/* ext/json.h - JSON documents as trees in an arena. Parsing is jansson's (the only includer); the tree, its builder and the
 * canonical writer are ours. For documents, not for a 200 MB repodata: the tree takes about five times the text.
 * Canonical JSON (design/layers.md): UTF-8, keys sorted bytewise, no blanks, only the escapes JSON requires, integers only. */
#ifndef EXT_JSON_H
#define EXT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sv.h"

enum js_type { JS_NULL, JS_FALSE, JS_TRUE, JS_INT, JS_REAL, JS_STR, JS_ARR, JS_OBJ };

struct js {
        enum js_type type;
        sv str;            /* JS_STR; for JS_REAL its text */
        int64_t num;       /* JS_INT */
        struct js_member { /* JS_ARR: keys empty; JS_OBJ: in document order */
                sv key;
                struct js *value;
        } *v;
        size_t n, cap;
};

/**
 * Parse a whole document; duplicate keys and trailing text are errors, depth is limited to 512.
 *
 * @return 0 · -ERR_FAILED "line 3, column 7: …": the caller adds which document
 */
int js_parse(struct arena *a, sv text, struct js **ret, struct err *e);

/* Reading: NULL in gives nothing out, so that a chain needs one check at its end. */
struct js *js_get(const struct js *obj, const char *key); /* NULL when absent or not an object */
sv js_str(const struct js *j);                            /* empty when not a string */
bool js_int(const struct js *j, int64_t *ret);
bool js_true(const struct js *j);
sv js_get_str(const struct js *obj, const char *key);

/* Building. */
struct js *js_new_obj(struct arena *a);
struct js *js_new_arr(struct arena *a);
struct js *js_new_str(struct arena *a, sv s); /* borrowed text */
struct js *js_new_int(struct arena *a, int64_t n);
struct js *js_new_bool(struct arena *a, bool b);
void js_put(struct arena *a, struct js *obj, sv key,
            struct js *value); /* replaces; key borrowed; NULL value: ignored */
void js_put_str(struct arena *a, struct js *obj, const char *key, sv s);
void js_put_int(struct arena *a, struct js *obj, const char *key, int64_t n);
void js_drop(struct js *obj, const char *key);
void js_add(struct arena *a, struct js *arr, struct js *value);

/** Canonical bytes. A JS_REAL is written as its text (a base image's config may hold one; ours never do). */
void js_write(const struct js *j, struct buf *out);
/** Indented by two, keys in document order: for people and --json. */
void js_write_pretty(const struct js *j, struct buf *out);
/** One string, quoted and escaped. */
void js_write_str(sv s, struct buf *out);

#endif
