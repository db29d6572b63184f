/* ext/yaml.h - YAML as a tree whose nodes know their line and column. Parsing is libyaml's events (the only includer).
 * Every scalar keeps its text: 3.10 stays "3.10", only a plain (unquoted) one counts as null, true or a number.
 * Anchors and aliases are resolved (at most 100,000 nodes in all, so that no alias bomb opens); merge keys `<<` too. */
#ifndef EXT_YAML_H
#define EXT_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/sv.h"

enum yaml_type { YAML_SCALAR, YAML_SEQ, YAML_MAP };

struct yaml {
        enum yaml_type type;
        uint32_t line, col; /* of its first byte, from 1 */
        sv text;            /* YAML_SCALAR */
        bool plain;         /* YAML_SCALAR without quotes and not a block scalar */
        struct yaml_pair {  /* YAML_SEQ: key NULL; YAML_MAP: in document order, key a scalar */
                struct yaml *key, *value;
        } *v;
        size_t n, cap;
};

/**
 * Parse one document. An empty one gives a plain scalar with the text "". A byte order mark, CRLF and a leading "---" are fine.
 * Faults (syntax, a second document, duplicate keys, keys that are not scalars, unknown aliases) go to ds as EB100 and EB104.
 *
 * @param file  names the text in diagnostics
 * @return 0 with *ret set · -ERR_USAGE when ds got an error (e: "N faults in 'file'" is the caller's to say)
 */
int yaml_parse(struct arena *a, sv text, sv file, struct diags *ds, struct yaml **ret, struct err *e);

struct yaml *yaml_get(const struct yaml *map, const char *key); /* NULL when absent or not a map */
bool yaml_is_null(const struct yaml *y);                        /* plain and empty, ~, null */

/* Writing: we emit YAML by hand so that every key stands on a line of its own; this quotes one scalar when it needs quotes to
 * come back as the same text (plain where that is safe, else double-quoted JSON style). flow: also safe inside [ ] and { }. */
void yaml_write_scalar(sv s, bool flow, struct buf *out);

#endif
