#include "tests/fuzz/deflate_ref.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/deflate.h"
#include "tests/unit/unit.h"

#define MAX ((size_t)4 << 20)

/* --- streams, bit by bit --- */

struct bits {
        struct buf buf;
        unsigned used; /* of the last byte */
        uint32_t seed;
};

static unsigned some(struct bits *b, unsigned below)
{
        b->seed = b->seed * 1664525 + 1013904223;
        return (b->seed >> 8) % below;
}

static void put(struct bits *b, uint32_t value, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                if (!b->used)
                        buf_add(&b->buf, (sv){ "", 1 });
                b->buf.p[b->buf.n - 1] |= (char)(((i < 32 ? value >> i : 0) & 1) << b->used);
                b->used = (b->used + 1) % 8;
        }
}

static void put_code(struct bits *b, uint32_t code, unsigned n)
{
        while (n--)
                put(b, code >> n & 1, 1);
}

static void codes_of(const uint8_t *length, unsigned n, uint16_t *ret)
{
        unsigned count[17] = { 0 }, next[17] = { 0 };

        for (unsigned i = 0; i < n; i++)
                count[length[i]]++;
        count[0] = 0;
        for (unsigned len = 1; len <= 15; len++)
                next[len + 1] = (next[len] + count[len]) * 2;
        for (unsigned i = 0; i < n; i++)
                ret[i] = (uint16_t)(length[i] ? next[length[i]]++ : 0);
}

/* Lengths of a complete code with k of n symbols, at most `max` long. */
static void complete(struct bits *b, uint8_t *length, unsigned n, unsigned k, unsigned max)
{
        uint8_t leaf[288] = { 0 };
        unsigned have = 1;

        memset(length, 0, n);
        for (unsigned tries = 0; have < k && tries < 4000; tries++) {
                unsigned at = some(b, 3) ? have - 1 : some(b, have);

                if (leaf[at] == max)
                        at = some(b, have);
                if (leaf[at] < max)
                        leaf[have++] = ++leaf[at];
        }
        for (unsigned i = 0; i < have; i++) {
                unsigned at = some(b, n);

                while (length[at])
                        at = (at + 1) % n;
                length[at] = leaf[i];
        }
}

struct codes {
        uint8_t length[320]; /* literals, then distances */
        unsigned n_literal, n_distance;
        uint16_t literal[288], distance[32];
};

static void put_block(struct bits *b, bool last, unsigned type)
{
        put(b, last, 1);
        put(b, type, 2);
}

/* A header of the plainest kind: 16 lengths in 4 bits each. */
static void put_codes(struct bits *b, struct codes *c)
{
        static const uint8_t order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };

        put(b, c->n_literal - 257, 5);
        put(b, c->n_distance - 1, 5);
        put(b, 15, 4);
        for (unsigned i = 0; i < 19; i++)
                put(b, order[i] < 16 ? 4 : 0, 3);
        for (unsigned i = 0; i < c->n_literal + c->n_distance; i++)
                put_code(b, c->length[i], 4);
        codes_of(c->length, c->n_literal, c->literal);
        codes_of(c->length + c->n_literal, c->n_distance, c->distance);
}

static void put_literal(struct bits *b, const struct codes *c, unsigned symbol)
{
        put_code(b, c->literal[symbol], c->length[symbol]);
}

/* The same with runs of lengths, in a random complete code. */
static void put_codes_packed(struct bits *b, struct codes *c)
{
        static const uint8_t order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
        unsigned n = c->n_literal + c->n_distance;
        uint16_t code[19];
        uint8_t length[19];

        put(b, c->n_literal - 257, 5);
        put(b, c->n_distance - 1, 5);
        put(b, 15, 4);
        complete(b, length, 19, 19, 7);
        codes_of(length, 19, code);
        for (unsigned i = 0; i < 19; i++)
                put(b, length[order[i]], 3);
        for (unsigned i = 0, k; i < n; i += k) {
                uint8_t v = c->length[i];

                for (k = 1; i + k < n && c->length[i + k] == v && k < 138; k++)
                        ;
                if (v == 0 && k >= 3) {
                        unsigned symbol = k < 11 ? 17 : 18;

                        put_code(b, code[symbol], length[symbol]);
                        put(b, k - (k < 11 ? 3 : 11), k < 11 ? 3 : 7);
                } else if (i && c->length[i - 1] == v && k >= 3) {
                        k = k > 6 ? 6 : k;
                        put_code(b, code[16], length[16]);
                        put(b, k - 3, 2);
                } else {
                        k = 1;
                        put_code(b, code[v], length[v]);
                }
        }
        codes_of(c->length, c->n_literal, c->literal);
        codes_of(c->length + c->n_literal, c->n_distance, c->distance);
}

static void bits_done(struct bits *b)
{
        buf_done(&b->buf);
}

/* --- one fault a row --- */

static void lone(struct codes *c)
{
        *c = (struct codes){ .n_literal = 257, .n_distance = 1 };
        c->length[256] = 1;
}

/* "a", then three more of it by the one distance code, and the end. */
static void small(struct codes *c)
{
        *c = (struct codes){ .n_literal = 258, .n_distance = 1 };
        c->length['a'] = c->length[256] = 2;
        c->length[257] = 1;
        c->length[258] = 1;
}

static void put_small(struct bits *b, const struct codes *c)
{
        put_literal(b, c, 'a');
        put_literal(b, c, 257);
        put(b, 0, 1);
        put_literal(b, c, 256);
}

static void make_row(struct bits *b, const char *name)
{
        struct codes c;

        put_block(b, true, 2);
        if (!strcmp(name, "lone code")) {
                lone(&c);
                put_codes(b, &c);
                put(b, 0, 1);
        } else if (!strcmp(name, "lone code, the other bit")) {
                lone(&c);
                put_codes(b, &c);
                put(b, 1, 1);
        } else if (!strcmp(name, "lone code of two bits")) {
                lone(&c);
                c.length[256] = 2;
                put_codes(b, &c);
                put(b, 0, 2);
        } else if (!strcmp(name, "lone distance")) {
                small(&c);
                put_codes(b, &c);
                put_small(b, &c);
        } else if (!strcmp(name, "lone distance, the other bit")) {
                small(&c);
                put_codes(b, &c);
                put_literal(b, &c, 'a');
                put_literal(b, &c, 257);
                put(b, 1, 1);
                put_literal(b, &c, 256);
        } else if (!strcmp(name, "no distance")) {
                small(&c);
                c.length[258] = 0;
                put_codes(b, &c);
                put_small(b, &c);
        } else if (!strcmp(name, "lone distance of two bits")) {
                small(&c);
                c.length[258] = 2;
                put_codes(b, &c);
                put_small(b, &c);
        } else if (!strcmp(name, "too far back")) {
                small(&c);
                put_codes(b, &c);
                put_literal(b, &c, 257);
                put(b, 0, 1);
                put_literal(b, &c, 256);
        } else if (!strcmp(name, "no end of block")) {
                small(&c);
                c.length[256] = 0;
                c.length['b'] = 2;
                put_codes(b, &c);
                put_small(b, &c);
        } else if (!strcmp(name, "over-subscribed")) {
                small(&c);
                c.length['b'] = 2;
                put_codes(b, &c);
                put_small(b, &c);
        } else if (!strcmp(name, "incomplete")) {
                small(&c);
                c.length['a'] = 3;
                put_codes(b, &c);
                put_small(b, &c);
        } else if (!strcmp(name, "287 symbols")) {
                small(&c);
                c.n_literal = 287;
                put_codes(b, &c);
        } else if (!strcmp(name, "31 distances")) {
                small(&c);
                c.n_distance = 31;
                put_codes(b, &c);
        } else if (!strcmp(name, "repeats nothing")) {
                put(b, 0, 14);
                put(b, 1, 3); /* of 16, 17, 18, 0: two codes of one bit */
                put(b, 1, 3);
                put(b, 0, 6);
                put(b, 0, 64);
        } else if (!strcmp(name, "no lengths code")) {
                put(b, 0, 14 + 12 + 300);
        }
}

static void each_fault_is_told(void **state)
{
        static const struct {
                const char *name, *fault;
        } rows[] = {
                { "lone code", NULL },
                { "lone code, the other bit", "invalid literal/length code" },
                { "lone code of two bits", "invalid literal/lengths set" },
                { "lone distance", NULL },
                { "lone distance, the other bit", "invalid distance code" },
                { "no distance", "invalid distance code" },
                { "lone distance of two bits", "invalid distances set" },
                { "too far back", "invalid distance too far back" },
                { "no end of block", "missing end-of-block" },
                { "over-subscribed", "invalid literal/lengths set" },
                { "incomplete", "invalid literal/lengths set" },
                { "287 symbols", "too many length or distance symbols" },
                { "31 distances", "too many length or distance symbols" },
                { "repeats nothing", "invalid bit length repeat" },
                { "no lengths code", "invalid code lengths set" }, /* zlib goes on to "missing end-of-block" */
        };
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                AUTO(bits_done) struct bits b = { .buf = BUF_INIT(MAX) };
                AUTO(err_done) struct err e = { 0 };
                const char *differs;
                char out[16];
                size_t n = 1;
                int rc = 0;

                make_row(&b, rows[i].name);
                deflate_walk_begin(z, buf_sv(&b.buf), DEFLATE_CLOSED);
                while (rc == 0 && n)
                        rc = deflate_walk_next(z, out, sizeof(out), &n, NULL, &e);
                differs = ref_differs(buf_sv(&b.buf), 10, MAX);
                if (differs || (rc < 0) != (rows[i].fault != NULL) || (rc < 0 && !strstr(e.cause, rows[i].fault)))
                        bad++, print_error("%s: %s, %s\n", rows[i].name, e.cause, differs ? differs : "as zlib");
        }
        assert_int_equal(bad, 0);
}

/* --- streams made at random --- */

static void put_distance(struct bits *b, const struct codes *c, unsigned symbol)
{
        put_code(b, c->distance[symbol], c->length[c->n_literal + symbol]);
        put(b, some(b, 1 << 14), symbol < 4 ? 0 : symbol / 2 - 1);
}

/* Symbols that have codes; near distances most of the time, so that not every stream is refused for one. */
static void put_symbols(struct bits *b, const struct codes *c, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                unsigned s = some(b, c->n_literal), d = some(b, some(b, 40) ? 12 : c->n_distance);

                if (s == 256 || !c->length[s] || (i < 40 && s > 256))
                        continue;
                if (s < 256) {
                        put_literal(b, c, s);
                        continue;
                }
                for (unsigned k = 0; k < 30 && (d >= c->n_distance || !c->length[c->n_literal + d]); k++)
                        d = (d + 1) % 30;
                if (d >= c->n_distance || !c->length[c->n_literal + d])
                        continue;
                put_literal(b, c, s);
                put(b, some(b, 32), s < 265 || s == 285 ? 0 : (s - 261) / 4);
                put_distance(b, c, d);
        }
        put_literal(b, c, 256);
}

static void random_codes(struct bits *b, struct codes *c)
{
        unsigned k = 2 + some(b, some(b, 2) ? 20 : 200), d = some(b, 31);

        c->n_literal = 257 + some(b, 30);
        c->n_distance = 1 + some(b, 30);
        complete(b, c->length, c->n_literal, k, 2 + some(b, 14) + (k > 4 ? 6 : 0) > 15 ? 15 : 9);
        if (!c->length[256]) { /* most sets shall have an end */
                unsigned at = some(b, c->n_literal);

                while (!c->length[at])
                        at = (at + 1) % c->n_literal;
                c->length[256] = c->length[at];
                c->length[at] = 0;
        }
        memset(c->length + c->n_literal, 0, c->n_distance);
        if (d > 1 && c->n_distance > 1)
                complete(b, c->length + c->n_literal, c->n_distance, d < c->n_distance ? d : c->n_distance, 15);
        else if (d)
                c->length[c->n_literal + some(b, c->n_distance)] = 1;
        if (!some(b, 12))
                c->length[some(b, c->n_literal + c->n_distance)] = (uint8_t)some(b, 16);
}

static void put_stored(struct bits *b)
{
        unsigned n = some(b, some(b, 3) ? 40 : 3000);

        while (b->used)
                put(b, some(b, 2), 1);
        put(b, n, 16);
        put(b, some(b, 50) ? ~n & 0xffff : n, 16);
        for (unsigned i = 0; i < n; i++)
                put(b, some(b, 256), 8);
}

static void put_random_block(struct bits *b, bool last)
{
        struct codes c = { 0 };
        unsigned type = some(b, 60) ? some(b, 8) : 9;

        put_block(b, last, type > 8 ? 3 : type > 2 ? 2 : type);
        if (type == 0) {
                put_stored(b);
        } else if (type == 1) {
                c = (struct codes){ .n_literal = 288, .n_distance = 32 };
                for (unsigned s = 0; s < 288; s++)
                        c.length[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
                memset(c.length + 288, 5, 32);
                codes_of(c.length, 288, c.literal);
                codes_of(c.length + 288, 32, c.distance);
                if (some(b, 8))
                        c.length[286] = c.length[287] = 0;
                put_symbols(b, &c, some(b, 300));
        } else {
                random_codes(b, &c);
                if (some(b, 2))
                        put_codes(b, &c);
                else
                        put_codes_packed(b, &c);
                put_symbols(b, &c, some(b, some(b, 4) ? 100 : 3000));
        }
}

static void made_streams_are_what_zlib_says(void **state)
{
        static const size_t step[] = { 131072, 700, 1, 310, 32768 };
        unsigned bad = 0, accepted = 0;

        (void)state;
        for (unsigned i = 0; i < 4000 && bad < 5; i++) {
                AUTO(bits_done) struct bits b = { .buf = BUF_INIT(MAX), .seed = i * 7919 + 1 };
                struct buf got = BUF_INIT(MAX * 2);
                struct deflate_shape shape;
                const char *differs;
                unsigned blocks = 1 + some(&b, 4);

                for (unsigned k = 1; k <= blocks; k++)
                        put_random_block(&b, k == blocks);
                if (!some(&b, 10))
                        b.buf.n -= some(&b, (unsigned)(b.buf.n < 30 ? b.buf.n : 30));
                else if (!some(&b, 10))
                        buf_add(&b.buf, SV("more"));
                else if (!some(&b, 10))
                        b.buf.p[some(&b, (unsigned)b.buf.n)] ^= (char)(1 << some(&b, 8));
                differs = ref_differs(buf_sv(&b.buf), step[i % 5], MAX);
                if (differs)
                        bad++, print_error("stream %u: %s\n", i, differs);
                accepted += walk_all(buf_sv(&b.buf), DEFLATE_CLOSED, 65536, MAX, &got, &shape);
                buf_done(&got);
        }
        assert_int_equal(bad, 0);
        assert_true(accepted > 1000 && accepted < 3500); /* both sides are tried */
}

/* --- streams that compressors make --- */

static char *mixed(size_t n)
{
        char *p = xmalloc(n + 1);
        uint32_t x = 1;
        size_t i = 0;

        while (i < n) {
                size_t run, back;

                x = x * 1664525 + 1013904223;
                run = 1 + (x >> 8) % 400;
                back = 1 + (x >> 4) % 40000;
                for (size_t k = 0; k < run && i < n; k++, i++) {
                        x = x * 1664525 + 1013904223;
                        p[i] = run % 3 == 0 && i >= back ? p[i - back]
                               : run % 3 == 1            ? "etaoin shrdlu\n"[(x >> 20) % 14]
                                                         : (char)(x >> 24);
                }
        }
        return p;
}

static void pack_zlib(sv text, int level, int memory, int strategy, struct buf *out)
{
        z_stream s = { 0 };
        size_t room = compressBound(text.n) + 4096;

        assert_int_equal(deflateInit2(&s, level, Z_DEFLATED, -15, memory, strategy), Z_OK);
        s.next_in = (Bytef *)text.p;
        s.avail_in = (uInt)text.n;
        s.next_out = (Bytef *)buf_room(out, room);
        s.avail_out = (uInt)room;
        assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
        out->n += s.total_out;
        deflateEnd(&s);
}

static void compressors_streams_are_what_zlib_says(void **state)
{
        static const int strategy[] = { Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED };
        size_t n = 300000;
        AUTO(free_ptr) char *text = mixed(n);

        (void)state;
        for (int level = 0; level < 10; level++)
                for (size_t k = 0; k < 4; k++) {
                        AUTO(buf_done) struct buf packed = BUF_INIT(MAX);

                        pack_zlib((sv){ text, n >> k }, level, 1 + (level + (int)k) % 9, strategy[k], &packed);
                        assert_null(ref_differs(buf_sv(&packed), 131072, MAX));
                        assert_null(ref_differs(buf_sv(&packed), 5000, MAX));
                }
        for (int level = 1; level <= 12; level++) {
                AUTO(free_ptr) char *packed = NULL;
                struct deflate *d = deflate_new(level);
                size_t room = deflate_bound(d, n);

                packed = xmalloc(room);
                room = deflate_run(d, text, n, packed, room);
                deflate_free(d);
                assert_null(ref_differs((sv){ packed, room }, 131072, MAX));
                assert_null(ref_differs((sv){ packed, room }, 33000, MAX));
        }
}

static void open_streams_end_between_blocks(void **state)
{
        static const struct {
                sv stream;
                bool fine;
                uint64_t end;
        } rows[] = {
                { SV(""), true, 0 },
                { SV("\0\0\0\xff\xff"), true, 40 },
                { SV("\0\1\0\xfe\xffx\0\0\0\xff\xff"), true, 88 },
                { SV("\2\0\0\0\xff\xff"), true, 48 }, /* an empty fixed block, an empty stored one */
                { SV("\2\0"), false, 0 },             /* ends in the middle of a byte */
                { SV("\1\0\0\xff\xff"), false, 0 },   /* a last block */
                { SV("\0\2\0\xfd\xffx"), false, 0 },
                { SV("\0\0\0\xff\xff\2"), false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                AUTO(buf_done) struct buf out = BUF_INIT(MAX);
                struct deflate_shape shape = { 0 };

                assert_int_equal(walk_all(rows[i].stream, DEFLATE_OPEN, 100, MAX, &out, &shape), rows[i].fine);
                if (rows[i].fine)
                        assert_int_equal(shape.end_bit, rows[i].end);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_fault_is_told),
                cmocka_unit_test(made_streams_are_what_zlib_says),
                cmocka_unit_test(compressors_streams_are_what_zlib_says),
                cmocka_unit_test(open_streams_end_between_blocks),
        };
        return cmocka_run_group_tests_name("deflate_walk", tests, NULL, NULL);
}
