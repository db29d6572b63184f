#include <string.h>

#include "stream/deflate_walk_priv.h"

/* RFC 1951, 3.2.5. Symbols of the fixed codes that mean nothing stay ENTRY_NONE. */
void deflate_meaning_init(struct deflate_meaning *m)
{
        for (unsigned s = 0; s < 256; s++)
                m->literal[s] = ENTRY_LITERAL | s << 16;
        m->literal[256] = ENTRY_SPECIAL | ENTRY_END;
        for (unsigned s = 257, base = 3; s < 285; s++) {
                unsigned extra = s < 265 ? 0 : (s - 261) / 4;

                m->literal[s] = base << 16 | extra;
                base += 1U << extra;
        }
        m->literal[285] = 258U << 16;
        m->literal[286] = m->literal[287] = ENTRY_NONE;
        for (unsigned s = 0, base = 1; s < 30; s++) {
                unsigned extra = s < 4 ? 0 : s / 2 - 1;

                m->distance[s] = base << 16 | extra;
                base += 1U << extra;
        }
        m->distance[30] = m->distance[31] = ENTRY_NONE;
        for (unsigned s = 0; s < 19; s++)
                m->length[s] = s << 16;
}

/* Symbols by length, then value; next[] is where each length begins. */
static void sort_symbols(const uint8_t *length, unsigned n, const uint16_t *count, uint16_t *sorted)
{
        uint16_t next[CODE_MAX + 2] = { 0 };

        for (unsigned len = 0; len <= CODE_MAX; len++)
                next[len + 1] = next[len] + count[len];
        for (unsigned s = 0; s < n; s++)
                sorted[next[length[s]]++] = (uint16_t)s;
}

/* More than 0: codes are left over; less: there are too many of them. */
static int codes_left(const uint16_t *count)
{
        int left = 1;

        for (unsigned len = 1; len <= CODE_MAX && left >= 0; len++)
                left = left * 2 - count[len];
        return left;
}

/* Codes are read from their first bit, which is the lowest of an index: the one that follows, with its bits in that order. */
static unsigned code_after(unsigned code, unsigned len)
{
        unsigned ones = code ^ ((1U << len) - 1), bit;

        if (!ones)
                return 0; /* that was the last one */
        bit = 1U << (31 - (unsigned)__builtin_clz(ones));
        return (code & (bit - 1)) | bit;
}

static uint32_t entry_of(uint32_t meaning, unsigned bits)
{
        return meaning + bits * 0x101;
}

/* How wide the second table must be that begins with a code of `len` bits: until the codes that are left fill it. */
static unsigned second_width(const uint16_t *count, unsigned len, unsigned done, unsigned bits)
{
        unsigned width = len - bits;
        unsigned used = count[len] - done;

        while (used < 1U << width && bits + width < CODE_MAX) {
                width++;
                used = used * 2 + count[bits + width];
        }
        return width;
}

struct filling {
        uint32_t *table;
        unsigned bits;
        const uint16_t *count, *sorted;
        const uint32_t *meaning;
        unsigned code; /* the next one */
};

/* The first table, grown from one bit to `bits`: each half repeats the one before, since longer codes differ there. */
static void fill_first(struct filling *f)
{
        for (unsigned len = 1; len <= f->bits; len++) {
                unsigned half = 1U << (len - 1);

                memcpy(f->table + half, f->table, half * sizeof(*f->table));
                for (unsigned i = 0; i < f->count[len]; i++) {
                        f->table[f->code] = entry_of(f->meaning[*f->sorted++], len);
                        f->code = code_after(f->code, len);
                }
        }
}

static void fill_second(struct filling *f)
{
        unsigned first = (1U << f->bits) - 1, begin = 0, end = 1U << f->bits, width = 0, prefix = ~0U;

        for (unsigned len = f->bits + 1; len <= CODE_MAX; len++)
                for (unsigned i = 0; i < f->count[len]; i++) {
                        uint32_t entry = entry_of(f->meaning[*f->sorted++], len - f->bits);

                        if ((f->code & first) != prefix) {
                                prefix = f->code & first;
                                width = second_width(f->count, len, i, f->bits);
                                begin = end;
                                end += 1U << width;
                                f->table[prefix] = begin << 16 | ENTRY_SPECIAL | ENTRY_SECOND | width << 8 | f->bits;
                        }
                        for (unsigned at = f->code >> f->bits; at < 1U << width; at += 1U << (len - f->bits))
                                f->table[begin + at] = entry;
                        f->code = code_after(f->code, len);
                }
}

bool deflate_table(uint32_t *table, unsigned bits, const uint8_t *length, unsigned n, const uint32_t *meaning,
                   bool lone)
{
        uint16_t count[CODE_MAX + 1] = { 0 }, sorted[SYMBOLS];
        unsigned longest = CODE_MAX;
        struct filling f;
        int left;

        for (unsigned s = 0; s < n; s++)
                count[length[s]]++;
        left = codes_left(count);
        while (longest && !count[longest])
                longest--;
        if (left < 0 || (left > 0 && !(lone && longest <= 1)))
                return false;
        sort_symbols(length, n, count, sorted);
        f = (struct filling){ table, bits, count, sorted + count[0], meaning, 0 };
        table[0] = entry_of(ENTRY_NONE, 1); /* stays where a lone code leaves room */
        fill_first(&f);
        fill_second(&f);
        return true;
}
