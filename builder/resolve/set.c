#include "resolve/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define WORDS(width) (((width) + 63u) / 64u)

/* Sets 0 and 1 have no words: any width. The others lie one after the other in `word`; `slot` is an open hash table of their ids. */
struct sets {
        uint64_t *word;
        size_t n_word, cap_word;
        struct set {
                size_t at;
                uint32_t words, hash;
        } *set;
        size_t n, cap;
        uint32_t *slot;
        size_t n_slot;
        uint64_t *tmp; /* the operation's result, before it is known whether it is new */
        size_t cap_tmp;
};

struct sets *sets_new(void)
{
        struct sets *s = xcalloc(1, sizeof(*s));

        s->n_slot = 256;
        s->slot = xcalloc(s->n_slot, sizeof(*s->slot));
        s->set = xgrow(NULL, &s->cap, 2, sizeof(*s->set));
        memset(s->set, 0, 2 * sizeof(*s->set));
        s->n = 2;
        return s;
}

void sets_free(struct sets *s)
{
        if (!s)
                return;
        free(s->word);
        free(s->set);
        free(s->slot);
        free(s->tmp);
        free(s);
}

/* All bits of word i of a set that is as wide as width. */
static uint64_t full(uint32_t i, uint32_t width)
{
        return (i + 1) * 64u <= width ? UINT64_MAX : (UINT64_C(1) << (width % 64u)) - 1;
}

static uint64_t word_of(const struct sets *s, set_id a, uint32_t i, uint32_t width)
{
        if (a == SET_NONE)
                return 0;
        if (a == SET_ALL)
                return full(i, width);
        return i < s->set[a].words ? s->word[s->set[a].at + i] : 0;
}

static uint32_t hash_words(const uint64_t *w, uint32_t n, uint32_t width)
{
        uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ width;

        for (uint32_t i = 0; i < n; i++) {
                h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd);
                h ^= h >> 32;
        }
        return (uint32_t)(h ^ (h >> 29));
}

static void grow_slots(struct sets *s)
{
        size_t n = s->n_slot * 2;
        uint32_t *slot = xcalloc(n, sizeof(*slot));

        for (size_t id = 2; id < s->n; id++) {
                size_t at = s->set[id].hash & (n - 1);
                while (slot[at])
                        at = (at + 1) & (n - 1);
                slot[at] = (uint32_t)id;
        }
        free(s->slot);
        s->slot = slot;
        s->n_slot = n;
}

static set_id intern(struct sets *s, const uint64_t *w, uint32_t words, uint32_t width)
{
        uint32_t hash = hash_words(w, words, words);
        size_t at = hash & (s->n_slot - 1);
        bool none = true, all = true;

        for (uint32_t i = 0; i < words; i++) {
                none &= w[i] == 0;
                all &= w[i] == full(i, width);
        }
        if (none || all)
                return none ? SET_NONE : SET_ALL;
        for (; s->slot[at]; at = (at + 1) & (s->n_slot - 1)) {
                const struct set *x = &s->set[s->slot[at]];
                if (x->hash == hash && x->words == words && !memcmp(s->word + x->at, w, words * sizeof(*w)))
                        return s->slot[at];
        }
        s->word = xgrow(s->word, &s->cap_word, s->n_word + words, sizeof(*s->word));
        memcpy(s->word + s->n_word, w, words * sizeof(*w));
        s->set = xgrow(s->set, &s->cap, s->n + 1, sizeof(*s->set));
        s->set[s->n] = (struct set){ s->n_word, words, hash };
        s->n_word += words;
        s->slot[at] = (uint32_t)s->n;
        s->n++;
        if (s->n * 2 > s->n_slot)
                grow_slots(s);
        return (set_id)(s->n - 1);
}

static uint64_t *tmp_words(struct sets *s, uint32_t words)
{
        s->tmp = xgrow(s->tmp, &s->cap_tmp, words ? words : 1, sizeof(*s->tmp));
        return s->tmp;
}

set_id sets_add(struct sets *s, const uint64_t *words, uint32_t width)
{
        return intern(s, words, WORDS(width), width);
}

set_id sets_one(struct sets *s, uint32_t cand, uint32_t width)
{
        uint64_t *w = tmp_words(s, WORDS(width));

        memset(w, 0, WORDS(width) * sizeof(*w));
        if (cand < width)
                w[cand / 64u] = UINT64_C(1) << (cand % 64u);
        return intern(s, w, WORDS(width), width);
}

bool sets_has(const struct sets *s, set_id a, uint32_t cand)
{
        if (a <= SET_ALL)
                return a == SET_ALL;
        return cand / 64u < s->set[a].words && (s->word[s->set[a].at + cand / 64u] >> (cand % 64u) & 1u);
}

set_id sets_and(struct sets *s, set_id a, set_id b, uint32_t width)
{
        uint64_t *w;

        if (a == b || b == SET_ALL)
                return width ? a : SET_NONE;
        if (a == SET_ALL)
                return width ? b : SET_NONE;
        if (a == SET_NONE || b == SET_NONE)
                return SET_NONE;
        w = tmp_words(s, WORDS(width));
        for (uint32_t i = 0; i < WORDS(width); i++)
                w[i] = word_of(s, a, i, width) & word_of(s, b, i, width);
        return intern(s, w, WORDS(width), width);
}

set_id sets_or(struct sets *s, set_id a, set_id b, uint32_t width)
{
        uint64_t *w;

        if (a == b || b == SET_NONE)
                return width ? a : SET_NONE;
        if (a == SET_NONE)
                return width ? b : SET_NONE;
        if (a == SET_ALL || b == SET_ALL)
                return width ? SET_ALL : SET_NONE;
        w = tmp_words(s, WORDS(width));
        for (uint32_t i = 0; i < WORDS(width); i++)
                w[i] = word_of(s, a, i, width) | word_of(s, b, i, width);
        return intern(s, w, WORDS(width), width);
}

set_id sets_not(struct sets *s, set_id a, uint32_t width)
{
        uint64_t *w;

        if (a <= SET_ALL || width == 0)
                return a == SET_NONE && width ? SET_ALL : SET_NONE;
        w = tmp_words(s, WORDS(width));
        for (uint32_t i = 0; i < WORDS(width); i++)
                w[i] = ~word_of(s, a, i, width) & full(i, width);
        return intern(s, w, WORDS(width), width);
}

/* The two that propagation lives on: words side by side, without a call for each. */
bool sets_subset(const struct sets *s, set_id a, set_id b, uint32_t width)
{
        if (a == b || a == SET_NONE || b == SET_ALL || width == 0)
                return true;
        if (a == SET_ALL || b == SET_NONE) /* ids above 1 hold some candidates, not all */
                return false;
        const uint64_t *x = s->word + s->set[a].at, *y = s->word + s->set[b].at;
        for (uint32_t i = 0; i < s->set[a].words; i++)
                if (x[i] & ~y[i])
                        return false;
        return true;
}

bool sets_disjoint(const struct sets *s, set_id a, set_id b, uint32_t width)
{
        if (a == SET_NONE || b == SET_NONE)
                return true;
        if (a == SET_ALL || b == SET_ALL)
                return width == 0;
        const uint64_t *x = s->word + s->set[a].at, *y = s->word + s->set[b].at;
        for (uint32_t i = 0; i < s->set[a].words; i++)
                if (x[i] & y[i])
                        return false;
        return true;
}

uint32_t sets_count(const struct sets *s, set_id a, uint32_t width)
{
        uint32_t n = 0;

        if (a <= SET_ALL)
                return a == SET_ALL ? width : 0;
        for (uint32_t i = 0; i < s->set[a].words; i++)
                n += (uint32_t)__builtin_popcountll(s->word[s->set[a].at + i]);
        return n;
}

uint32_t sets_next(const struct sets *s, set_id a, uint32_t from, uint32_t width)
{
        while (from < width) {
                uint64_t w = word_of(s, a, from / 64u, width) >> (from % 64u);
                if (w)
                        return from + (uint32_t)__builtin_ctzll(w);
                from = (from / 64u + 1) * 64u;
        }
        return width;
}

uint64_t sets_bytes(const struct sets *s)
{
        return s->cap_word * sizeof(*s->word) + s->cap * sizeof(*s->set) + s->n_slot * sizeof(*s->slot);
}
