/* lock/lock_priv.h - reading a lock: one value at a time, every fault told with its place. */
#ifndef LOCK_LOCK_PRIV_H
#define LOCK_LOCK_PRIV_H

#include "ext/yaml.h"
#include "lock/lock.h"

struct lock_read {
        struct arena *a;
        struct diags *ds;
        sv file;
};

void lock_fault(struct lock_read *r, const struct yaml *at, const char *code, const char *fmt, ...) PRINTF(4, 5);

/** False, told as EB122, unless y is a mapping. Keys that are not in `known` (NULL at its end) are told as EB121. */
bool lock_is_map(struct lock_read *r, const struct yaml *y, const char *what, const char *const *known);

/* The value of a key of a mapping. A key that is absent leaves *ret; `must` tells that as EB122. A value of the wrong form is told. */
void lock_get_text(struct lock_read *r, const struct yaml *map, const char *key, bool must, sv *ret);
void lock_get_u64(struct lock_read *r, const struct yaml *map, const char *key, bool must, uint64_t *ret);
void lock_get_bool(struct lock_read *r, const struct yaml *map, const char *key, bool *ret);
void lock_get_time(struct lock_read *r, const struct yaml *map, const char *key, bool must, int64_t *ret);
void lock_get_mode(struct lock_read *r, const struct yaml *map, const char *key, uint32_t *ret);
void lock_get_hash(struct lock_read *r, const struct yaml *map, const char *key, bool must,
                   sha256 *ret); /* 64 digits */
void lock_get_digest(struct lock_read *r, const struct yaml *map, const char *key, bool must,
                     sha256 *ret); /* "sha256:" before */
void lock_get_list(struct lock_read *r, const struct yaml *map, const char *key, sv **ret, size_t *ret_n,
                   bool *ret_has);
void lock_get_pairs(struct lock_read *r, const struct yaml *map, const char *key, struct lock_pair **ret,
                    size_t *ret_n);
/** The members of a list of mappings (NULL, 0 when absent). */
const struct yaml *lock_get_seq(struct lock_read *r, const struct yaml *map, const char *key);
/** "glibc 2.41" → "glibc", "2.41". */
void lock_get_two(struct lock_read *r, const struct yaml *map, const char *key, sv *ret_a, sv *ret_b);

/* Forms of texts; each tells EB122. Empty texts pass: that they are absent was told before. */
void lock_check_path(struct lock_read *r, const struct yaml *map, const char *key, sv path, bool absolute);
void lock_check_word(struct lock_read *r, const struct yaml *map, const char *key,
                     sv word); /* no blanks, slashes, control bytes */
void lock_check_clean(struct lock_read *r, const struct yaml *map, const char *key, sv text); /* no control bytes */

void lock_read_platforms(struct lock_read *r, const struct yaml *y, struct lock *l); /* parse_platform.c */
void lock_read_image(struct lock_read *r, const struct yaml *y, struct lock *l);     /* parse_image.c */

/* find.c */
sv lock_spec_name(sv need); /* the package of a MatchSpec as channels write them: "python >=3.12" → "python" */

#endif
