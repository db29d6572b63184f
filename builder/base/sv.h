/* base/sv.h - borrowed text: not NUL-terminated, valid as long as its owner. A zeroed sv is the empty text. */
#ifndef BASE_SV_H
#define BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
        const char *p;
        size_t n;
} sv;

#define SV(lit)   ((sv){ "" lit, sizeof(lit) - 1 })
#define SV_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

sv sv_from(const char *s); /* NULL gives the empty text */
bool sv_eq(sv a, sv b);
bool sv_is(sv a, const char *s);
bool sv_eq_nocase(sv a, sv b); /* ASCII */
int sv_cmp(sv a, sv b);        /* bytewise; shorter first on a tie */
bool sv_starts(sv s, sv prefix);
bool sv_ends(sv s, sv suffix);
/** Takes "a" off "a,b": *ret_head = "a", *rest = "b"; false when *rest is empty. */
bool sv_cut(sv *rest, char sep, sv *ret_head);
/** One line without its "\n" or "\r\n"; false at the end. */
bool sv_line(sv *rest, sv *ret_line);
/** Offset of c (or of the text), or -1. */
ptrdiff_t sv_find(sv s, char c);
ptrdiff_t sv_rfind(sv s, char c);
ptrdiff_t sv_find_sv(sv s, sv what);
sv sv_from_to(sv s, size_t from, size_t to); /* clamped */
sv sv_skip(sv s, size_t n);                  /* without its first n bytes, clamped */
sv sv_trim(sv s);                            /* without ASCII white space at both ends */
sv sv_basename(sv path);                     /* after the last '/' */
sv sv_dirname(sv path);                      /* before it; "." when there is none, "/" of "/x" */
/** Decimal digits only, the whole text; false on anything else or overflow. */
bool sv_u64(sv s, uint64_t *ret);
/** True when s is valid UTF-8 (no surrogates, no overlong forms). */
bool sv_utf8(sv s);
uint64_t sv_hash(sv s); /* FNV-1a: stable between runs, not against an enemy */
/** Damerau-Levenshtein distance, at most `max` + 1: what "did you mean" needs. Texts over 64 bytes give max + 1. */
unsigned sv_distance(sv a, sv b, unsigned max);
/** qsort comparator over arrays of sv, bytewise. */
int sv_qsort(const void *a, const void *b);

#endif
