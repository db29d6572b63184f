/* catalog/conda_record.h - one record of a repodata.json or of a shard → struct conda_record. Any bytes are safe. Texts are borrowed from the
 * record's bytes where they stand there as they are, else they live in the arena. Pure. */
#ifndef CATALOG_CONDA_RECORD_H
#define CATALOG_CONDA_RECORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"
#include "pkg/conda_record.h"

/** {"name": …}. ret keeps what it holds for keys that the record does not have. False: it cannot be used, and *ret_why says why. */
bool conda_record_decode(struct arena *a, sv json, struct conda_record *ret, const char **ret_why);
/** Only its "name", as written; false when there is none. */
bool conda_record_name(struct arena *a, sv json, sv *ret);
/** A JSON string's bytes between its quotes → text; false: broken escapes, control characters, no UTF-8. */
bool conda_text_decode(struct arena *a, sv raw, sv *ret);
/** The string under a key of an object ("base_url" of info); empty when there is none. */
sv conda_object_text(struct arena *a, sv json, const char *key);

/* The parts, for both encodings: a value that was read, to be put under its key. */
enum conda_value_type {
        CONDA_NULL,
        CONDA_TRUE,
        CONDA_FALSE,
        CONDA_INT,
        CONDA_TEXT,
        CONDA_BYTES,
        CONDA_TEXTS,
        CONDA_OTHER
};
struct conda_value {
        enum conda_value_type type;
        sv text;     /* CONDA_TEXT, CONDA_BYTES */
        int64_t num; /* CONDA_INT; fractions are cut off */
        sv *v;       /* CONDA_TEXTS: a list of nothing but texts */
        size_t n;
};
enum conda_field {
        CONDA_F_NONE, /* nothing that we read */
        CONDA_F_NAME,
        CONDA_F_VERSION,
        CONDA_F_BUILD,
        CONDA_F_BUILD_NUMBER,
        CONDA_F_DEPENDS,
        CONDA_F_CONSTRAINS,
        CONDA_F_MD5,
        CONDA_F_SHA256,
        CONDA_F_SIZE,
        CONDA_F_SUBDIR,
        CONDA_F_TIMESTAMP,
        CONDA_F_INDEXED,
        CONDA_F_NOARCH,
        CONDA_F_TRACK,
        CONDA_F_LICENSE,
        CONDA_F_FAMILY,
        CONDA_F_SITE
};
enum conda_field conda_field_find(sv key);
/** False: a value that makes the record useless. */
bool conda_field_set(enum conda_field f, const struct conda_value *v, struct arena *a, struct conda_record *r);
/** What a whole record must be; the file name is checked, too. NULL, or why it cannot be used. */
const char *conda_record_check(struct arena *a, struct conda_record *r);
/** A package's name in lower case; empty when it cannot be one. */
sv conda_name_fold(struct arena *a, sv name);

#endif
