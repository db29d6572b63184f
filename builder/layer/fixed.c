#include "layer/fixed.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define WINDOW    32768
#define ROOM      65536 /* bytes of a run that may wait to be encoded, at least MATCH_MAX + 2 */
#define MATCH_MAX 258
#define TABLE     4096
#define HEADERS   3
#define OUT       4096

struct fixed {
        struct writer *out;
        uint8_t buf[WINDOW + ROOM]; /* the window, then what is not yet encoded */
        uint64_t at;                /* offset of buf[0] */
        size_t pos, n;              /* next byte to encode, bytes in buf */
        uint64_t header[HEADERS];   /* offsets of the last header blocks, oldest first */
        unsigned n_header;
        uint32_t distance[HEADERS]; /* candidates of the open run, oldest header first */
        unsigned n_distance;
        uint64_t last[TABLE]; /* offset + 1 of the last place of this run with that index; 0: none */
        uint64_t bits;
        unsigned n_bits;
        uint8_t packed[OUT];
        size_t n_packed;
        uint16_t code[288]; /* fixed Huffman codes, first bit lowest */
};

static unsigned code_length(unsigned symbol)
{
        return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}

static unsigned reversed(unsigned code, unsigned n)
{
        unsigned r = 0;

        while (n--) {
                r = r << 1 | (code & 1);
                code >>= 1;
        }
        return r;
}

/* RFC 1951, 3.2.6 */
static unsigned code_of(unsigned s)
{
        return s < 144 ? 0x30 + s : s < 256 ? 0x190 + s - 144 : s < 280 ? s - 256 : 0xc0 + s - 280;
}

struct fixed *fixed_new(void)
{
        struct fixed *f = xcalloc(1, sizeof(*f));

        for (unsigned s = 0; s < 288; s++)
                f->code[s] = (uint16_t)reversed(code_of(s), code_length(s));
        return f;
}

void fixed_free(struct fixed *f)
{
        free(f);
}

void fixed_begin(struct fixed *f, struct writer *out)
{
        f->out = out;
        f->at = 0;
        f->pos = f->n = 0;
        f->n_header = f->n_distance = 0;
        f->bits = 0;
        f->n_bits = 0;
        f->n_packed = 0;
}

/* --- bits --- */

static int flush(struct fixed *f, struct err *e)
{
        size_t n = f->n_packed;

        f->n_packed = 0;
        return n ? writer_write(f->out, f->packed, n, e) : 0;
}

/* At most 32 bits; room for them is made by the caller (OUT - 64 before each symbol). */
static void put(struct fixed *f, uint64_t value, unsigned n)
{
        f->bits |= value << f->n_bits;
        f->n_bits += n;
        while (f->n_bits >= 8) {
                f->packed[f->n_packed++] = (uint8_t)f->bits;
                f->bits >>= 8;
                f->n_bits -= 8;
        }
}

static void put_symbol(struct fixed *f, unsigned symbol)
{
        put(f, f->code[symbol], code_length(symbol));
}

/* RFC 1951, 3.2.5: for a length or distance less its smallest, the code and its extra bits follow from the place of the top bit.
 * `keep` bits below it are part of the code: 2 for lengths, 1 for distances. */
static unsigned extra_bits(unsigned v, unsigned keep)
{
        unsigned top = v < (2U << keep) ? keep : 31 - (unsigned)__builtin_clz(v);

        return top - keep;
}

static void put_length(struct fixed *f, unsigned length)
{
        unsigned v = length - 3, extra = extra_bits(v, 2);

        if (length == MATCH_MAX) {
                put_symbol(f, 285);
                return;
        }
        put_symbol(f, 257 + (extra << 2) + (v >> extra));
        put(f, v & ((1U << extra) - 1), extra);
}

static void put_distance(struct fixed *f, unsigned distance)
{
        unsigned v = distance - 1, extra = extra_bits(v, 1);

        put(f, reversed((extra << 1) + (v >> extra), 5), 5);
        put(f, v & ((1U << extra) - 1), extra);
}

/* --- matches --- */

struct match {
        unsigned length, distance;
};

static unsigned common(const uint8_t *a, const uint8_t *b, unsigned max)
{
        unsigned n = 0;

        for (; n + 8 <= max; n += 8) {
                uint64_t x, y;

                memcpy(&x, a + n, 8);
                memcpy(&y, b + n, 8);
                if (x != y)
                        break;
        }
        while (n < max && a[n] == b[n])
                n++;
        return n;
}

static void consider(const struct fixed *f, uint64_t distance, unsigned max, struct match *best)
{
        unsigned n;

        if (!distance || distance > WINDOW || distance > f->at + f->pos)
                return;
        n = common(f->buf + f->pos - distance, f->buf + f->pos, max);
        if (n > best->length)
                *best = (struct match){ n, (unsigned)distance };
}

static unsigned table_index(const uint8_t *p)
{
        uint32_t three = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

        return (three * 2654435761U) >> 20;
}

static struct match find(const struct fixed *f, unsigned max)
{
        struct match best = { 0 };
        uint64_t last;

        consider(f, 1, max, &best);
        consider(f, 512, max, &best);
        for (unsigned i = 0; i < f->n_distance; i++)
                consider(f, f->distance[i], max, &best);
        last = max >= 3 ? f->last[table_index(f->buf + f->pos)] : 0;
        if (last)
                consider(f, f->at + f->pos - (last - 1), max, &best);
        if (best.length >= 4 || (best.length == 3 && best.distance <= 1024))
                return best;
        return (struct match){ 0 };
}

/* Go on by n bytes, all of which become places of this run. */
static void advance(struct fixed *f, unsigned n)
{
        for (; n; n--, f->pos++)
                if (f->n - f->pos >= 3)
                        f->last[table_index(f->buf + f->pos)] = f->at + f->pos + 1;
}

static void encode_one(struct fixed *f)
{
        size_t left = f->n - f->pos;
        struct match m = find(f, left < MATCH_MAX ? (unsigned)left : MATCH_MAX);

        if (m.length) {
                put_length(f, m.length);
                put_distance(f, m.distance);
                advance(f, m.length);
        } else {
                put_symbol(f, f->buf[f->pos]);
                advance(f, 1);
        }
}

/* Encode while `ahead` bytes are left: what a match and the table may look at, so that it does not matter how the run was cut up. */
static int encode(struct fixed *f, size_t ahead, struct err *e)
{
        while (f->n - f->pos > ahead) {
                if (f->n_packed > OUT - 64 && flush(f, e) < 0)
                        return -(int)e->code;
                encode_one(f);
        }
        return 0;
}

static void slide(struct fixed *f)
{
        size_t drop = f->pos > WINDOW ? f->pos - WINDOW : 0;

        memmove(f->buf, f->buf + drop, f->n - drop);
        f->at += drop;
        f->pos -= drop;
        f->n -= drop;
}

/* --- runs --- */

void fixed_run(struct fixed *f, uint64_t first_header)
{
        f->n_distance = 0;
        if (first_header != FIXED_NO_HEADER)
                for (unsigned i = 0; i < f->n_header; i++)
                        if (first_header - f->header[i] <= WINDOW)
                                f->distance[f->n_distance++] = (uint32_t)(first_header - f->header[i]);
        memset(f->last, 0, sizeof(f->last));
        put(f, 0, 1); /* not the last block */
        put(f, 1, 2); /* fixed Huffman codes */
}

void fixed_header(struct fixed *f, uint64_t at)
{
        if (f->n_header == HEADERS) {
                memmove(f->header, f->header + 1, sizeof(f->header) - sizeof(*f->header));
                f->n_header--;
        }
        f->header[f->n_header++] = at;
}

int fixed_add(struct fixed *f, const void *p, size_t n, struct err *e)
{
        const uint8_t *from = p;

        while (n) {
                size_t take = sizeof(f->buf) - f->n;

                if (!take) {
                        if (encode(f, MATCH_MAX + 2, e) < 0)
                                return -(int)e->code;
                        slide(f);
                        continue;
                }
                if (take > n)
                        take = n;
                memcpy(f->buf + f->n, from, take);
                f->n += take;
                from += take;
                n -= take;
        }
        return 0;
}

int fixed_end(struct fixed *f, struct err *e)
{
        if (encode(f, 0, e) < 0)
                return -(int)e->code;
        put_symbol(f, 256);
        put(f, 0, 3); /* an empty stored block, which begins at the next byte */
        if (f->n_bits)
                put(f, 0, 8 - f->n_bits);
        put(f, 0xffff0000, 32);
        return flush(f, e);
}

void fixed_pass(struct fixed *f, const void *p, size_t n)
{
        const uint8_t *from = p;

        if (n >= WINDOW) {
                f->at += f->n + n - WINDOW;
                memcpy(f->buf, from + n - WINDOW, WINDOW);
                f->n = f->pos = WINDOW;
                return;
        }
        if (n > sizeof(f->buf) - f->n)
                slide(f); /* between two runs pos is n: only the window stays */
        memcpy(f->buf + f->n, from, n);
        f->n += n;
        f->pos = f->n;
}
