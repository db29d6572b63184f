#include "layer/fixed.h"
#include "tests/unit/layer/lib.h"

/* One step of a body: a run (with or without a header at its offset `header`), or payload. */
struct step {
        bool payload;
        sv bytes;
        uint64_t header; /* offset in the run of its first header block; FIXED_NO_HEADER */
};

/* piece: how many bytes at once */
static void encode(const struct step *v, size_t n, size_t piece, struct buf *ret)
{
        struct fixed *f = fixed_new();
        struct buf_writer out;
        struct err e = { 0 };
        uint64_t at = 0;

        fixed_begin(f, buf_writer_init(&out, ret));
        for (size_t i = 0; i < n; i++) {
                sv rest = v[i].bytes;

                if (!v[i].payload)
                        fixed_run(f, v[i].header == FIXED_NO_HEADER ? FIXED_NO_HEADER : at + v[i].header);
                if (!v[i].payload && v[i].header != FIXED_NO_HEADER)
                        fixed_header(f, at + v[i].header);
                while (rest.n) {
                        size_t k = rest.n < piece ? rest.n : piece;

                        if (v[i].payload)
                                fixed_pass(f, rest.p, k);
                        else
                                assert_int_equal(fixed_add(f, rest.p, k, &e), 0);
                        rest = sv_skip(rest, k);
                }
                if (v[i].payload)
                        assert_int_equal(splice_stored(&out.w, v[i].bytes, &e), 0);
                else
                        assert_int_equal(fixed_end(f, &e), 0);
                at += v[i].bytes.n;
        }
        fixed_free(f);
}

static void inflates_to(const struct buf *packed, const struct step *v, size_t n)
{
        AUTO(buf_done) struct buf whole = BUF_INIT(TEST_MAX), plain = BUF_INIT(TEST_MAX), got = BUF_INIT(TEST_MAX);
        uint32_t crc, size;

        buf_add(&whole, (sv){ "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10 });
        buf_add(&whole, buf_sv(packed));
        for (size_t i = 0; i < n; i++)
                buf_add(&plain, v[i].bytes);
        crc = (uint32_t)crc32(0, (Bytef *)plain.p, (uInt)plain.n);
        size = (uint32_t)plain.n;
        buf_add(&whole, (sv){ "\x03\x00", 2 });
        buf_add(&whole, (sv){ (char *)&crc, 4 });
        buf_add(&whole, (sv){ (char *)&size, 4 });
        gunzip_one(buf_sv(&whole), &got);
        assert_int_equal(got.n, plain.n);
        assert_memory_equal(got.p, plain.p, plain.n);
}

static void hex_is(const struct buf *b, const char *want)
{
        char text[2 * 64 + 1];

        assert_true(b->n <= 64);
        hex_write(b->p, b->n, text);
        assert_string_equal(text, want);
}

static void one_run(sv bytes, uint64_t header, const char *want)
{
        AUTO(buf_done) struct buf b = BUF_INIT(TEST_MAX);
        struct step s = { .bytes = bytes, .header = header };

        encode(&s, 1, 1 << 20, &b);
        hex_is(&b, want);
        inflates_to(&b, &s, 1);
}

/* 0, 01 (fixed codes), the codes, 0000000 (end of block), 000 and padding, 0000ffff; fixed_ref.py agrees. */
static void bytes_of_small_runs(void **state)
{
        static const char zeros[1024];

        (void)state;
        one_run(SV(""), FIXED_NO_HEADER, "02000000ffff");
        one_run(SV("a"), FIXED_NO_HEADER, "4a04000000ffff");
        one_run(SV("aaaa"), FIXED_NO_HEADER, "4a040200000000ffff"); /* 3 long at distance 1: taken */
        one_run((sv){ zeros, 1024 }, FIXED_NO_HEADER, "621805a360148c5800000000ffff");
}

#define STEPS 12

static void random_steps(struct arena *a, uint32_t seed, size_t max, struct step *ret)
{
        uint32_t x = seed;

        for (size_t i = 0; i < STEPS; i++) {
                size_t n;

                x = x * 1664525 + 1013904223;
                n = x >> 24 < 16 ? 0 : x >> 24 < 200 ? (x >> 8) % 3000 : (x >> 8) % max;
                ret[i] = (struct step){ i % 2 == 1, some_bytes(a, n, x),
                                        i % 2 == 0 && n > 600 ? (x >> 5) % 512 : FIXED_NO_HEADER };
        }
}

static void runs_of_any_kind_come_back(void **state)
{
        struct arena a = { 0 };

        (void)state;
        for (uint32_t seed = 1; seed < 30; seed++) {
                AUTO(buf_done) struct buf one = BUF_INIT(TEST_MAX), two = BUF_INIT(TEST_MAX);
                struct step v[STEPS];

                random_steps(&a, seed, 200000, v);
                encode(v, STEPS, 1 << 20, &one);
                encode(v, STEPS, 1 + seed * 37, &two);
                assert_int_equal(one.n, two.n); /* however it was cut up */
                assert_memory_equal(one.p, two.p, one.n);
                inflates_to(&one, v, STEPS);
        }
        arena_done(&a);
}

/* The same header in two runs costs two matches, because its distance is a candidate. */
static void headers_of_earlier_runs_are_found(void **state)
{
        struct arena a = { 0 };
        sv head = some_bytes(&a, 512, 7), payload = some_bytes(&a, 5000, 9), far = some_bytes(&a, 40000, 5);
        struct step near_steps[] = { { false, head, 0 }, { true, payload, 0 }, { false, head, 0 } };
        struct step far_steps[] = { { false, head, 0 }, { true, far, 0 }, { false, head, 0 } };
        struct step blind_steps[] = { { false, head, 0 }, { true, payload, 0 }, { false, head, FIXED_NO_HEADER } };
        AUTO(buf_done) struct buf near = BUF_INIT(TEST_MAX);
        AUTO(buf_done) struct buf beyond = BUF_INIT(TEST_MAX);
        AUTO(buf_done) struct buf blind = BUF_INIT(TEST_MAX);
        AUTO(buf_done) struct buf first = BUF_INIT(TEST_MAX);

        (void)state;
        encode(near_steps, 1, 1 << 20, &first);
        encode(near_steps, 3, 1 << 20, &near);
        encode(far_steps, 3, 1 << 20, &beyond);
        encode(blind_steps, 3, 1 << 20, &blind);
        assert_int_equal(near.n - first.n - 5005, 13);
        assert_int_equal(beyond.n - first.n - 40005, first.n); /* over 32,768: as if it were the first */
        assert_int_equal(blind.n - first.n - 5005, first.n);
        inflates_to(&near, near_steps, 3);
        arena_done(&a);
}

/* Only the last three header blocks are candidates. */
static void a_fourth_header_is_forgotten(void **state)
{
        struct arena a = { 0 };
        sv head[4], payload = some_bytes(&a, 100, 3);
        struct step v[9];
        AUTO(buf_done) struct buf before = BUF_INIT(TEST_MAX), second = BUF_INIT(TEST_MAX), oldest = BUF_INIT(TEST_MAX);

        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                head[i] = some_bytes(&a, 512, 100 + i);
                v[2 * i] = (struct step){ false, head[i], 0 };
                v[2 * i + 1] = (struct step){ true, payload, 0 };
        }
        encode(v, 8, 1 << 20, &before);
        v[8] = (struct step){ false, head[1], 0 };
        encode(v, 9, 1 << 20, &second);
        v[8] = (struct step){ false, head[0], 0 };
        encode(v, 9, 1 << 20, &oldest);
        assert_int_equal(second.n - before.n, 12);
        assert_true(oldest.n - before.n > 100);
        arena_done(&a);
}

/* For judge.py: cases with what came out, each step as a line "payload header length", then the bytes. */
static int write_cases(const char *dir)
{
        struct arena a = { 0 };
        struct err e = { 0 };

        for (uint32_t seed = 1; seed <= 6; seed++) {
                AUTO(buf_done) struct buf packed = BUF_INIT(TEST_MAX), in = BUF_INIT(TEST_MAX);
                AUTO(free_ptr) char *in_path = fs_path("%s/%u.steps", dir, seed),
                                    *out_path = fs_path("%s/%u.deflate", dir, seed);
                struct step v[STEPS];

                random_steps(&a, seed * 77, 9000, v);
                encode(v, STEPS, 5000, &packed);
                for (size_t i = 0; i < STEPS; i++) {
                        buf_fmt(&in, "%d %lld %zu\n", v[i].payload, (long long)v[i].header, v[i].bytes.n);
                        buf_add(&in, v[i].bytes);
                }
                if (fs_write(in_path, buf_sv(&in), 0644, &e) < 0 || fs_write(out_path, buf_sv(&packed), 0644, &e) < 0)
                        return 1;
        }
        arena_done(&a);
        return 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bytes_of_small_runs),
                cmocka_unit_test(runs_of_any_kind_come_back),
                cmocka_unit_test(headers_of_earlier_runs_are_found),
                cmocka_unit_test(a_fourth_header_is_forgotten),
        };
        if (argc > 1)
                return write_cases(argv[1]);
        return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
