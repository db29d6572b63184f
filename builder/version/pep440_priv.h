/* version/pep440_priv.h - what pep440.c and pep440_spec.c know of a version. */
#ifndef VERSION_PEP440_PRIV_H
#define VERSION_PEP440_PRIV_H

#include "version/pep440.h"

struct pep440_num { /* unbounded: digits has no leading zeros and is empty when the value fits n */
        uint64_t n;
        sv digits;
};
enum pep440_stage { PEP440_ALPHA, PEP440_BETA, PEP440_RC, PEP440_FINAL };

struct pep440_local { /* one segment; word is lower-case and empty when the segment is a number */
        struct pep440_num num;
        sv word;
};
struct pep440 {
        struct pep440_num epoch, pre, post, dev;
        struct pep440_num *release;
        struct pep440_local *local;
        uint32_t n_release, n_significant; /* n_significant: without trailing zeros */
        uint32_t n_local;
        uint8_t stage;
        bool has_post, has_dev;
        sv text, local_text;
};

int pep440_num_cmp(const struct pep440_num *a, const struct pep440_num *b);
/** Component i of the release, 0 past its end. */
const struct pep440_num *pep440_release_at(const struct pep440 *v, uint32_t i);
int pep440_release_cmp(const struct pep440 *a, const struct pep440 *b);
/** The order without local parts. */
int pep440_public_cmp(const struct pep440 *a, const struct pep440 *b);

/* The grammar, shared with specifiers. Each takes what it finds off the front of *rest. */
sv pep440_blank_skip(sv s); /* white space as Python's \s sees it */
sv pep440_blank_trim(sv s);
bool pep440_take_release(sv *rest, uint32_t *ret_n); /* v? (N!)? N(.N)*; ret_n: how many components */
void pep440_take_suffix(sv *rest);                   /* pre, post and dev parts, as far as they are there */
bool pep440_take_local(sv *rest);                    /* +local */

#endif
