/* version/conda_priv.h - what conda.c and conda_spec.c know of a version: its runs, and the key that orders it.
 *
 * conda compares lists of segments of runs in which whatever is missing counts as 0. The key is those lists written so that memcmp() gives
 * the same answer: zeros at an end are left out, and each zero or end that stays says which way the first run after it that is no zero
 * leads. Keys end themselves, so none is the beginning of another. */
#ifndef VERSION_CONDA_PRIV_H
#define VERSION_CONDA_PRIV_H

#include <string.h>

#include "version/conda.h"

struct conda_key {
        uint64_t head; /* the first 8 bytes, most significant first: decides most comparisons */
        const unsigned char *p;
        uint32_t n; /* 0: no key */
};
struct conda_version {
        struct conda_key key;
        sv text; /* trimmed, lower-case */
        sv raw;  /* trimmed: what globs are held against */
};

static inline int conda_key_cmp(const struct conda_key *a, const struct conda_key *b)
{
        int c;

        if (a->head != b->head)
                return a->head < b->head ? -1 : 1;
        c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
        return (c > 0) - (c < 0);
}

enum conda_run_kind {
        CONDA_RUN_NUM,
        CONDA_RUN_WORD,
        CONDA_RUN_POST,
        /* Only in bounds: below and above every run, and "this word or any longer one" seen from above. */
        CONDA_RUN_LOW,
        CONDA_RUN_HIGH,
        CONDA_RUN_BEYOND
};
struct conda_run {
        uint16_t at, n; /* in the text; NUM: without leading zeros, so 0 has n = 0 */
        uint8_t kind;
        bool ends; /* the last one of its segment */
};
/* A run takes a byte at least, and each segment may get a 0 put before it. */
#define CONDA_RUNS_MAX ((CONDA_VERSION_MAX * 3) / 2 + 8)
/* No run writes more than 3 bytes for each of its own ('*' between digits), and a long number 3 more than its digits. */
#define CONDA_KEY_MAX (CONDA_VERSION_MAX * 3 + 64)

struct conda_runs {
        sv text; /* trimmed, lower-case, '-' made '_' where it stood for one */
        char buf[CONDA_VERSION_MAX];
        size_t n, n_main; /* the first n_main runs are epoch and version, the others local */
        bool has_local;
        struct conda_run v[CONDA_RUNS_MAX];
};

/* White space as Python's str.strip() sees it in ASCII. */
bool conda_is_blank(char c);
sv conda_trim(sv s);

/** False: *ret_why. */
bool conda_runs_split(sv text, struct conda_runs *ret, const char **ret_why);
/** Room for CONDA_KEY_MAX in buf; the key stands at its end. */
struct conda_key conda_runs_key(const struct conda_runs *r, unsigned char *buf);
/** Make the runs of p those just below (above) everything that "p.*" matches. */
void conda_runs_bound(struct conda_runs *r, bool above);

#endif
