/* spec/fields.h - YAML maps with a fixed set of keys, read strictly by a table: recipes, and what maintainer scripts do. Every fault goes
 * to struct diags with file:line:column: EB140 unknown key, EB141 bad value, EB142 missing key, EB143 duplicate. Pure. */
#ifndef SPEC_FIELDS_H
#define SPEC_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "ext/yaml.h"

struct fields {
        struct arena *a;
        struct diags *ds;
        sv file;
        const char *what; /* "a recipe" */
};

enum field_kind {
        FIELD_TEXT,     /* sv, not empty */
        FIELD_ANY_TEXT, /* sv */
        FIELD_ID,       /* uint32_t, 0 to 65534 */
        FIELD_INT,      /* int64_t */
        FIELD_MODE,     /* uint32_t, octal, up to 07777 */
        FIELD_DATE,     /* int64_t, seconds since 1970 */
        FIELD_URL,      /* sv: http or https, slashes at its end cut off */
        FIELD_PATH,     /* sv: absolute, no "." or ".." part */
        FIELD_BESIDE,   /* sv: a path, relative to the file's folder */
        FIELD_ONE,      /* nothing: the format's version, 1 */
        FIELD_NODE      /* const struct yaml *: for the caller to read */
};
struct field {
        const char *name;
        enum field_kind kind;
        void *ret; /* left alone when the key is absent or its value bad */
        bool needed;
};

void fields_read(struct fields *f, const struct yaml *map, const struct field *v, size_t n);
#define FIELDS_READ(f, y, ...)                                                                                         \
        do {                                                                                                           \
                const struct field fields_[] = { __VA_ARGS__ };                                                        \
                fields_read(f, y, fields_, sizeof(fields_) / sizeof(fields_[0]));                                      \
        } while (0)
/** Elements of a list, or 0 with a fault. NULL: 0. */
size_t fields_list(struct fields *f, const struct yaml *y);
/** A list of texts, none twice. */
sv *fields_texts(struct fields *f, const struct yaml *y, size_t *ret_n);
/** Adds an error at y; value may be empty. Returns false. */
bool fields_fault(struct fields *f, const struct yaml *y, const char *code, const char *what, sv value);
/** A user or group name: lower-case letters, digits, _ and -, at most 32. */
bool fields_user_name(sv name);
/** No ':' and no line end: fits into a field of passwd. */
bool fields_passwd_text(sv s);

#endif
