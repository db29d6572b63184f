#include "stream/deflate_walk.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "stream/deflate_walk_priv.h"

#define WINDOW 32768
/* The fast loop runs while so much is left: it loads 8 bytes after each of two loads that take at most 7; two literals and a match of 258
 * are copied, the latter by 32 and 16 bytes. */
#define IN_MARGIN  32
#define OUT_MARGIN 304

enum stop { STOP_MARGIN, STOP_END, STOP_LITERAL, STOP_DISTANCE, STOP_FAR };
enum block { BLOCK_NONE, BLOCK_STORED, BLOCK_CODED };

typedef enum stop fast_fn(struct deflate_walk *z);

struct deflate_walk {
        sv stream;
        enum deflate_end end;
        /* Bits: `left` of them stand in `bits`, lowest first; what stands above them is the same as what follows at `in`, or zeros. Beyond
         * the stream's end follow zeros: `beyond` bytes of them were taken. */
        const uint8_t *in, *in_end;
        uint64_t bits;
        unsigned left, beyond;
        uint8_t *out, *out_begin, *out_end; /* of this call */
        enum block block;
        fast_fn *fast; /* for this machine */
        bool last, ended;
        uint64_t final_bit;        /* of the block that was begun last */
        size_t stored;             /* bytes of a stored block to come */
        unsigned length, distance; /* of a match: what did not fit */
        bool fixed;                /* the tables are those of the fixed codes */
        uint32_t literal[LITERAL_ENTRIES], far[DISTANCE_ENTRIES];
        struct deflate_meaning meaning;
        size_t n_window;
        uint8_t window[2 * WINDOW]; /* what earlier calls gave, the last byte last */
};

static int broken(struct err *e, const char *what)
{
        return err_set(e, ERR_INTEGRITY, "broken deflate stream: %s", what);
}

/* --- bits --- */

static uint64_t load64(const uint8_t *p)
{
        uint64_t v;

        memcpy(&v, p, sizeof(v));
        return le64toh(v);
}

/* At least 56 bits. */
static void fill(struct deflate_walk *z)
{
        if (z->in_end - z->in >= 8 && z->left <= 56) {
                z->bits |= load64(z->in) << z->left;
                z->in += (63 - z->left) / 8;
                z->left |= 56;
        }
        while (z->left < 56) {
                if (z->in < z->in_end)
                        z->bits |= (uint64_t)*z->in++ << z->left;
                else
                        z->beyond++;
                z->left += 8;
        }
}

static unsigned peek(const struct deflate_walk *z, unsigned n)
{
        return (unsigned)(z->bits & ((1ULL << n) - 1));
}

static void drop(struct deflate_walk *z, unsigned n)
{
        z->bits >>= n;
        z->left -= n;
}

static unsigned take(struct deflate_walk *z, unsigned n)
{
        unsigned v = peek(z, n);

        drop(z, n);
        return v;
}

static uint64_t bits_taken(const struct deflate_walk *z)
{
        size_t bytes = (size_t)(z->in - (const uint8_t *)z->stream.p) + z->beyond;

        return (uint64_t)bytes * 8 - z->left;
}

static int check_cut(const struct deflate_walk *z, struct err *e)
{
        if (z->left >= z->beyond * 8)
                return 0;
        return err_set(e, ERR_INTEGRITY, "broken deflate stream: it is cut off after %zu bytes", z->stream.n);
}

/* --- blocks --- */

static void use_fixed(struct deflate_walk *z)
{
        uint8_t length[SYMBOLS + 32];

        if (z->fixed)
                return;
        memset(length, 8, 144);
        memset(length + 144, 9, 112);
        memset(length + 256, 7, 24);
        memset(length + 280, 8, 8);
        memset(length + SYMBOLS, 5, 32);
        deflate_table(z->literal, LITERAL_BITS, length, SYMBOLS, z->meaning.literal, false);
        deflate_table(z->far, DISTANCE_BITS, length + SYMBOLS, 32, z->meaning.distance, false);
        z->fixed = true;
}

/* The code that the lengths of the other two are written in. */
static int read_lengths_code(struct deflate_walk *z, uint32_t *table, unsigned n, struct err *e)
{
        static const uint8_t order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
        uint8_t length[sizeof(order)] = { 0 };

        for (unsigned i = 0; i < n; i++) {
                fill(z);
                length[order[i]] = (uint8_t)take(z, 3);
        }
        if (!deflate_table(table, LENGTHS_BITS, length, sizeof(order), z->meaning.length, false))
                return broken(e, "invalid code lengths set");
        return 0;
}

static int read_lengths(struct deflate_walk *z, uint8_t *length, unsigned n, unsigned n_code, struct err *e)
{
        static const uint8_t extra[] = { 2, 3, 7 }, least[] = { 3, 3, 11 };
        uint32_t table[LENGTHS_ENTRIES];

        if (read_lengths_code(z, table, n_code, e) < 0)
                return -(int)e->code;
        for (unsigned have = 0; have < n;) {
                unsigned symbol, times, value = 0;
                uint32_t entry;

                fill(z);
                entry = table[peek(z, LENGTHS_BITS)];
                drop(z, entry & 0xff);
                symbol = entry >> 16;
                if (symbol < 16) {
                        length[have++] = (uint8_t)symbol;
                        continue;
                }
                times = least[symbol - 16] + take(z, extra[symbol - 16]);
                if (symbol == 16 && have)
                        value = length[have - 1];
                if ((symbol == 16 && !have) || times > n - have)
                        return broken(e, "invalid bit length repeat");
                memset(length + have, (int)value, times);
                have += times;
        }
        return 0;
}

static int read_codes(struct deflate_walk *z, struct err *e)
{
        unsigned n_literal = 257 + take(z, 5), n_distance = 1 + take(z, 5), n_code = 4 + take(z, 4);
        uint8_t length[SYMBOLS + 32];

        if (n_literal > 286 || n_distance > 30)
                return broken(e, "too many length or distance symbols");
        if (read_lengths(z, length, n_literal + n_distance, n_code, e) < 0)
                return -(int)e->code;
        if (!length[256])
                return broken(e, "invalid code -- missing end-of-block");
        z->fixed = false;
        if (!deflate_table(z->literal, LITERAL_BITS, length, n_literal, z->meaning.literal, true))
                return broken(e, "invalid literal/lengths set");
        if (!deflate_table(z->far, DISTANCE_BITS, length + n_literal, n_distance, z->meaning.distance, true))
                return broken(e, "invalid distances set");
        return 0;
}

static int begin_stored(struct deflate_walk *z, struct err *e)
{
        unsigned n, inverse;

        drop(z, z->left % 8);
        fill(z);
        n = take(z, 16);
        inverse = take(z, 16);
        if (n != (inverse ^ 0xffff))
                return check_cut(z, e) < 0 ? -(int)e->code : broken(e, "invalid stored block lengths");
        if (check_cut(z, e) < 0)
                return -(int)e->code;
        z->in -= z->left / 8 - z->beyond; /* whole bytes: back into the stream */
        z->bits = z->left = z->beyond = 0;
        z->stored = n;
        z->block = BLOCK_STORED;
        return 0;
}

static int begin_block(struct deflate_walk *z, struct err *e)
{
        unsigned type;

        z->final_bit = bits_taken(z);
        fill(z);
        z->last = take(z, 1);
        type = take(z, 2);
        if (check_cut(z, e) < 0)
                return -(int)e->code;
        if (z->last && z->end == DEFLATE_OPEN)
                return broken(e, "it has a last block, and shall go on");
        if (type == 0)
                return begin_stored(z, e);
        if (type == 3)
                return broken(e, "invalid block type");
        if (type == 1)
                use_fixed(z);
        else if (read_codes(z, e) < 0)
                return -(int)e->code;
        z->block = BLOCK_CODED;
        return check_cut(z, e);
}

static void end_block(struct deflate_walk *z)
{
        z->block = BLOCK_NONE;
        z->ended = z->last;
}

static int copy_stored(struct deflate_walk *z, struct err *e)
{
        size_t n = (size_t)(z->out_end - z->out), have = (size_t)(z->in_end - z->in);

        if (n > z->stored)
                n = z->stored;
        if (n > have)
                return err_set(e, ERR_INTEGRITY, "broken deflate stream: it is cut off after %zu bytes", z->stream.n);
        if (n)
                memcpy(z->out, z->in, n);
        z->in += n;
        z->out += n;
        z->stored -= n;
        if (!z->stored)
                end_block(z);
        return 0;
}

/* --- matches --- */

static bool reaches(const struct deflate_walk *z, const uint8_t *out, unsigned distance)
{
        return distance <= (size_t)(out - z->out_begin) + z->n_window;
}

/* As much of a match as there is room for, from the window and from what this call wrote. */
static uint8_t *copy_bytes(const struct deflate_walk *z, uint8_t *out, unsigned n, unsigned distance)
{
        size_t here = (size_t)(out - z->out_begin);

        if (here < distance) {
                size_t back = distance - here, k = n < back ? n : back;

                memcpy(out, z->window + z->n_window - back, k);
                out += k;
                n -= (unsigned)k;
        }
        for (; n; n--, out++)
                *out = out[-(ptrdiff_t)distance];
        return out;
}

static void copy_match(struct deflate_walk *z)
{
        size_t room = (size_t)(z->out_end - z->out);
        unsigned n = z->length < room ? z->length : (unsigned)room;

        z->out = copy_bytes(z, z->out, n, z->distance);
        z->length -= n;
}

/* Only with OUT_MARGIN of room: writes up to 32 bytes more than it shall. */
static inline void copy_fast(uint8_t *out, unsigned n, unsigned distance)
{
        const uint8_t *from = out - distance;
        uint8_t *end = out + n;

        if (distance >= 16) {
                memcpy(out, from, 16);
                memcpy(out + 16, from + 16, 16);
                for (out += 32, from += 32; out < end; out += 16, from += 16)
                        memcpy(out, from, 16);
        } else if (distance == 1) {
                uint64_t same = *from * 0x0101010101010101ULL;

                for (; out < end; out += 16) {
                        memcpy(out, &same, 8);
                        memcpy(out + 8, &same, 8);
                }
        } else {
                /* each step repeats whole distances (8 bytes are loaded before they are stored) */
                unsigned step = distance < 8 ? distance : 8;

                for (; out < end; out += step, from += step) {
                        uint64_t v;

                        memcpy(&v, from, 8);
                        memcpy(out, &v, 8);
                }
        }
}

/* --- symbols --- */

static int stop_fault(enum stop s, struct err *e)
{
        if (s == STOP_LITERAL)
                return broken(e, "invalid literal/length code");
        return broken(e, s == STOP_FAR ? "invalid distance too far back" : "invalid distance code");
}

static uint32_t code_entry(struct deflate_walk *z, const uint32_t *table, unsigned bits)
{
        uint32_t entry = table[peek(z, bits)];

        if (!(entry & ENTRY_SECOND))
                return entry;
        drop(z, entry & 0xff);
        return table[(entry >> 16) + peek(z, entry >> 8 & 15)];
}

#define EXTRA(bits, entry) (unsigned)(((bits) & ((1ULL << (uint8_t)(entry)) - 1)) >> (uint8_t)((entry) >> 8))

static unsigned base_and_extra(struct deflate_walk *z, uint32_t entry)
{
        unsigned v = (entry >> 16) + EXTRA(z->bits, entry);

        drop(z, entry & 0xff);
        return v;
}

/* One symbol with its match, whatever is left of input and room. */
static enum stop one_symbol(struct deflate_walk *z)
{
        uint32_t entry;

        fill(z);
        entry = code_entry(z, z->literal, LITERAL_BITS);
        if (entry & ENTRY_LITERAL) {
                drop(z, entry & 0xff);
                *z->out++ = (uint8_t)(entry >> 16);
                return STOP_MARGIN;
        }
        if (entry & ENTRY_SPECIAL) {
                drop(z, entry & 0xff);
                return entry & ENTRY_END ? STOP_END : STOP_LITERAL;
        }
        z->length = base_and_extra(z, entry);
        entry = code_entry(z, z->far, DISTANCE_BITS);
        if (entry & ENTRY_SPECIAL) {
                z->length = 0;
                return STOP_DISTANCE;
        }
        z->distance = base_and_extra(z, entry);
        if (!reaches(z, z->out, z->distance))
                return STOP_FAR;
        copy_match(z);
        return STOP_MARGIN;
}

#define MORE()                                                                                                         \
        do {                                                                                                           \
                bits |= load64(in) << (left & 63);                                                                     \
                in += 7 - (left >> 3 & 7);                                                                             \
                left |= 56;                                                                                            \
        } while (0)
#define DROP(n) (bits >>= (n) & 63, left -= (n))

/* The same while input and room have their margins. Of `left` only the low byte counts here: whole entries are taken off it. Before each
 * iteration at least 56 bits are there and its entry is loaded. Three literals of the first table take 33 of them, two and a length 42. */
static inline __attribute__((always_inline)) enum stop fast(struct deflate_walk *z)
{
        const uint8_t *in = z->in, *const in_last = z->in_end - IN_MARGIN;
        uint8_t *out = z->out, *const out_last = z->out_end - OUT_MARGIN;
        const uint32_t *const literal = z->literal, *const far = z->far;
        uint64_t bits = z->bits;
        unsigned left = z->left;
        enum stop stop = STOP_MARGIN;
        uint32_t entry;

        MORE();
        entry = literal[bits & ((1 << LITERAL_BITS) - 1)];
        while (in <= in_last && out <= out_last) {
                unsigned n, distance;
                uint64_t saved;

                if (entry & ENTRY_LITERAL) {
                        *out++ = (uint8_t)(entry >> 16);
                        DROP(entry);
                        entry = literal[bits & ((1 << LITERAL_BITS) - 1)];
                        if (entry & ENTRY_LITERAL) {
                                *out++ = (uint8_t)(entry >> 16);
                                DROP(entry);
                                entry = literal[bits & ((1 << LITERAL_BITS) - 1)];
                                if (entry & ENTRY_LITERAL) {
                                        *out++ = (uint8_t)(entry >> 16);
                                        DROP(entry);
                                        entry = literal[bits & ((1 << LITERAL_BITS) - 1)];
                                        MORE();
                                        continue;
                                }
                        }
                }
                saved = bits;
                DROP(entry);
                if (entry & ENTRY_SPECIAL) {
                        if (entry & ENTRY_SECOND) {
                                entry = literal[(entry >> 16) + (bits & ((1U << (entry >> 8 & 15)) - 1))];
                                saved = bits;
                                DROP(entry);
                        }
                        if (entry & ENTRY_LITERAL) {
                                *out++ = (uint8_t)(entry >> 16);
                                entry = literal[bits & ((1 << LITERAL_BITS) - 1)];
                                MORE();
                                continue;
                        }
                        if (entry & ENTRY_SPECIAL) {
                                stop = entry & ENTRY_END ? STOP_END : STOP_LITERAL;
                                break;
                        }
                }
                n = (entry >> 16) + EXTRA(saved, entry);
                entry = far[bits & ((1 << DISTANCE_BITS) - 1)];
                MORE();
                if (entry & ENTRY_SPECIAL) {
                        if (entry & ENTRY_SECOND) {
                                DROP(entry);
                                entry = far[(entry >> 16) + (bits & ((1U << (entry >> 8 & 15)) - 1))];
                        }
                        if (entry & ENTRY_SPECIAL) {
                                stop = STOP_DISTANCE;
                                break;
                        }
                }
                distance = (entry >> 16) + EXTRA(bits, entry);
                DROP(entry);
                entry = literal[bits & ((1 << LITERAL_BITS) - 1)];
                MORE();
                if (distance <= (size_t)(out - z->out_begin)) {
                        copy_fast(out, n, distance);
                } else if (reaches(z, out, distance)) {
                        copy_bytes(z, out, n, distance);
                } else {
                        stop = STOP_FAR;
                        break;
                }
                out += n;
        }
        z->in = in;
        z->out = out;
        z->bits = bits;
        z->left = left & 63;
        return stop;
}

static enum stop fast_plain(struct deflate_walk *z)
{
        return fast(z);
}

#if defined(__x86_64__)
/* With shifts by any register. */
__attribute__((target("bmi2"))) static enum stop fast_bmi2(struct deflate_walk *z)
{
        return fast(z);
}

static fast_fn *fast_here(void)
{
        return __builtin_cpu_supports("bmi2") ? fast_bmi2 : fast_plain;
}
#else
static fast_fn *fast_here(void)
{
        return fast_plain;
}
#endif

static int walk_coded(struct deflate_walk *z, struct err *e)
{
        enum stop stop = STOP_MARGIN;

        if (z->in_end - z->in >= IN_MARGIN && z->out_end - z->out >= OUT_MARGIN)
                stop = z->fast(z);
        while (stop == STOP_MARGIN && z->out < z->out_end) {
                stop = one_symbol(z);
                if (check_cut(z, e) < 0)
                        return -(int)e->code;
        }
        if (stop > STOP_END)
                return stop_fault(stop, e);
        if (stop == STOP_END)
                end_block(z);
        return 0;
}

/* --- calls --- */

struct deflate_walk *deflate_walk_new(void)
{
        struct deflate_walk *z = xcalloc(1, sizeof(*z));

        deflate_meaning_init(&z->meaning);
        z->fast = fast_here();
        return z;
}

void deflate_walk_free(struct deflate_walk *z)
{
        free(z);
}

void deflate_walk_begin(struct deflate_walk *z, sv stream, enum deflate_end end)
{
        z->stream = stream;
        z->end = end;
        z->in = (const uint8_t *)stream.p;
        z->in_end = z->in + stream.n;
        z->bits = z->left = z->beyond = 0;
        z->block = BLOCK_NONE;
        z->last = z->ended = false;
        z->final_bit = 0;
        z->length = 0;
        z->n_window = 0;
}

static void keep_window(struct deflate_walk *z)
{
        size_t n = (size_t)(z->out - z->out_begin), keep = z->n_window < WINDOW ? z->n_window : WINDOW;

        if (n >= WINDOW) {
                memcpy(z->window, z->out - WINDOW, WINDOW);
                z->n_window = WINDOW;
                return;
        }
        if (n > sizeof(z->window) - z->n_window) {
                memmove(z->window, z->window + z->n_window - keep, keep);
                z->n_window = keep;
        }
        memcpy(z->window + z->n_window, z->out_begin, n);
        z->n_window += n;
}

static int at_end(const struct deflate_walk *z, struct deflate_shape *ret, struct err *e)
{
        uint64_t end = bits_taken(z);

        if ((end + 7) / 8 != z->stream.n)
                return err_set(e, ERR_INTEGRITY, "broken deflate stream: it ends after %llu of %zu bytes",
                               (unsigned long long)((end + 7) / 8), z->stream.n);
        if (ret)
                *ret = (struct deflate_shape){ z->end == DEFLATE_OPEN ? end : z->final_bit, end };
        return 0;
}

static int step(struct deflate_walk *z, struct err *e)
{
        if (z->length) {
                copy_match(z);
                return 0;
        }
        if (z->block == BLOCK_STORED)
                return copy_stored(z, e);
        if (z->block == BLOCK_CODED)
                return walk_coded(z, e);
        if (z->end == DEFLATE_OPEN && bits_taken(z) == (uint64_t)z->stream.n * 8) {
                z->ended = true;
                return 0;
        }
        return begin_block(z, e);
}

int deflate_walk_next(struct deflate_walk *z, void *out, size_t max, size_t *ret_n, struct deflate_shape *ret_shape,
                      struct err *e)
{
        z->out = z->out_begin = out;
        z->out_end = z->out + max;
        while (!z->ended && z->out < z->out_end)
                if (step(z, e) < 0)
                        return -(int)e->code;
        *ret_n = (size_t)(z->out - z->out_begin);
        if (!*ret_n)
                return at_end(z, ret_shape, e);
        if (!z->ended)
                keep_window(z);
        return 0;
}
