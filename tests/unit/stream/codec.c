#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/deflate.h"
#include "stream/deflate_walk.h"
#include "tests/unit/unit.h"

#define MAX ((size_t)8 << 20)

static char *pattern(size_t n)
{
        char *p = xmalloc(n + 1);
        uint32_t x = 1;

        for (size_t i = 0; i < n; i++) {
                x = x * 1664525 + 1013904223;
                p[i] = (char)(x >> 28 ? "abcdefgh"[x >> 29] : (int)(x >> 20));
        }
        return p;
}

static void gzip_member(sv text, struct buf *out)
{
        z_stream s = { 0 };
        size_t room = compressBound(text.n) + 64;

        assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
        s.next_in = (Bytef *)text.p;
        s.avail_in = (uInt)text.n;
        s.next_out = (Bytef *)buf_room(out, room);
        s.avail_out = (uInt)room;
        assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
        out->n += s.total_out;
        deflateEnd(&s);
}

static int decode(struct reader *(*make)(struct reader *), sv packed, struct buf *out, struct err *e)
{
        struct mem_reader m;
        struct buf_writer b;
        struct reader *r = make(mem_reader_init(&m, packed));
        int rc = reader_copy(r, buf_writer_init(&b, out), NULL, e);

        decode_reader_free(r);
        return rc;
}

static void gunzip_reads_members_and_nothing_else(void **state)
{
        size_t n = 3 << 20;
        AUTO(free_ptr) char *text = pattern(n);
        AUTO(buf_done) struct buf packed = BUF_INIT(MAX), out = BUF_INIT(MAX);
        struct err e = { 0 };

        (void)state;
        gzip_member((sv){ text, 1000 }, &packed);
        gzip_member((sv){ text + 1000, 0 }, &packed);
        gzip_member((sv){ text + 1000, n - 1000 }, &packed);
        assert_int_equal(decode(gunzip_reader_new, buf_sv(&packed), &out, &e), 0);
        assert_int_equal(out.n, n);
        assert_memory_equal(out.p, text, n);
        buf_clear(&out);
        assert_int_equal(decode(gunzip_reader_new, sv_from_to(buf_sv(&packed), 0, packed.n - 1), &out, &e),
                         -ERR_INTEGRITY);
        err_done(&e);
        buf_clear(&out);
        assert_int_equal(decode(gunzip_reader_new, (sv){ 0 }, &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        buf_clear(&out);
        packed.p[packed.n - 6] ^= 1; /* its CRC */
        assert_int_equal(decode(gunzip_reader_new, buf_sv(&packed), &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        packed.p[packed.n - 6] ^= 1;
        buf_clear(&out);
        buf_add(&packed, SV("x"));
        assert_int_equal(decode(gunzip_reader_new, buf_sv(&packed), &out, &e), -ERR_INTEGRITY);
        err_done(&e);
}

static int unzstd(sv packed, size_t step, uint64_t max, struct buf *out, struct err *e)
{
        struct buf_writer b;
        struct writer *w = unzstd_writer_new(buf_writer_init(&b, out), max);
        int r = 0;

        buf_clear(out);
        for (size_t i = 0; i < packed.n && r == 0; i += step)
                r = writer_write(w, packed.p + i, packed.n - i < step ? packed.n - i : step, e);
        if (r == 0)
                r = writer_finish(w, e);
        unzstd_writer_free(w);
        return r;
}

/* The same by pushing, in pieces of any size. */
static void unzstd_pushes(void **state)
{
        size_t n = 3 << 20;
        AUTO(free_ptr) char *text = pattern(n);
        AUTO(buf_done) struct buf packed = BUF_INIT(MAX), out = BUF_INIT(MAX);
        struct err e = { 0 };
        struct buf_writer b;
        struct writer *w = zstd_writer_new(buf_writer_init(&b, &packed), 3, 1);
        static const size_t steps[] = { 1, 1000, 1 << 20 };

        (void)state;
        for (int frame = 0; frame < 2; frame++)
                assert_int_equal(writer_write(w, text, n, &e) + writer_finish(w, &e), 0);
        zstd_writer_free(w);
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
                assert_int_equal(unzstd(buf_sv(&packed), steps[i], 2 * n, &out, &e), 0);
                assert_int_equal(out.n, 2 * n);
                assert_memory_equal(out.p + n, text, n);
                assert_int_equal(unzstd(buf_sv(&packed), steps[i], 2 * n - 1, &out, &e), -ERR_LIMIT);
                err_done(&e);
                assert_int_equal(unzstd(sv_from_to(buf_sv(&packed), 0, packed.n - 1), steps[i], 2 * n, &out, &e),
                                 -ERR_INTEGRITY);
                err_done(&e);
        }
        assert_int_equal(unzstd((sv){ 0 }, 1, 10, &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(unzstd(SV("no zstd at all"), 100, 10, &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        unzstd_writer_free(NULL);
}

static void zstd_comes_back_and_breaks_loudly(void **state)
{
        size_t n = 3 << 20;
        AUTO(free_ptr) char *text = pattern(n);
        AUTO(buf_done) struct buf packed = BUF_INIT(MAX), out = BUF_INIT(MAX);
        struct err e = { 0 };
        struct buf_writer b;
        struct writer *w = zstd_writer_new(buf_writer_init(&b, &packed), 3, 1);
        size_t one;

        (void)state;
        assert_int_equal(writer_write(w, text, 1000, &e), 0);
        assert_int_equal(writer_write(w, text + 1000, n - 1000, &e), 0);
        assert_int_equal(writer_finish(w, &e), 0);
        zstd_writer_free(w);
        assert_int_equal(decode(zstd_reader_new, buf_sv(&packed), &out, &e), 0);
        assert_int_equal(out.n, n);
        assert_memory_equal(out.p, text, n);
        one = packed.n;
        assert_non_null(buf_room(&packed, one));
        memcpy(packed.p + one, packed.p, one); /* a second frame */
        packed.n += one;
        buf_clear(&out);
        assert_int_equal(decode(zstd_reader_new, buf_sv(&packed), &out, &e), 0);
        assert_int_equal(out.n, 2 * n);
        buf_clear(&out);
        assert_int_equal(decode(zstd_reader_new, sv_from_to(buf_sv(&packed), 0, one - 1), &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(decode(zstd_reader_new, (sv){ 0 }, &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(decode(zstd_reader_new, SV("no zstd at all"), &out, &e), -ERR_INTEGRITY);
        err_done(&e);
        zstd_writer_free(NULL);
        decode_reader_free(NULL);
}

/* Reads a raw stream in steps of `step` bytes. */
static int whole(sv stream, size_t step, struct buf *out, struct deflate_shape *ret, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        size_t n = 1;

        deflate_walk_begin(z, stream, DEFLATE_CLOSED);
        while (n) {
                char *room = buf_room(out, step);

                assert_non_null(room);
                if (deflate_walk_next(z, room, step, &n, ret, e) < 0)
                        return -(int)e->code;
                out->n += n;
        }
        return 0;
}

static void raw_streams_show_their_last_block(void **state)
{
        size_t n = 600000, room;
        AUTO(free_ptr) char *text = pattern(n), *packed = NULL;
        struct deflate *d = deflate_new(6);
        struct deflate_shape shape[3];
        struct err e = { 0 };
        size_t packed_n;

        (void)state;
        room = deflate_bound(d, n);
        packed = xmalloc(room);
        packed_n = deflate_run(d, text, n, packed, room);
        deflate_free(d);
        for (size_t i = 0; i < 3; i++) {
                static const size_t step[] = { 1 << 20, 1000, 7 };
                AUTO(buf_done) struct buf out = BUF_INIT(MAX);

                assert_int_equal(whole((sv){ packed, packed_n }, step[i], &out, &shape[i], &e), 0);
                assert_int_equal(out.n, n);
                assert_memory_equal(out.p, text, n);
                assert_int_equal(shape[i].final_bit, shape[0].final_bit);
                assert_int_equal(shape[i].end_bit, shape[0].end_bit);
        }
        assert_true(shape[0].final_bit > 0 && (packed[shape[0].final_bit / 8] >> (shape[0].final_bit % 8) & 1));
        assert_int_equal((shape[0].end_bit + 7) / 8, packed_n);
        for (size_t cut = 0; cut < 3; cut++) {
                AUTO(buf_done) struct buf out = BUF_INIT(MAX);

                assert_int_equal(whole((sv){ packed, cut == 2 ? packed_n - 1 : cut }, 4096, &out, &shape[0], &e),
                                 -ERR_INTEGRITY);
                err_done(&e);
        }
}

static void raw_streams_end_where_their_memory_ends(void **state)
{
        static const char two[] = "\x03\x00\x03\x00";
        AUTO(buf_done) struct buf out = BUF_INIT(MAX);
        struct deflate_shape shape;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(whole((sv){ two, 2 }, 10, &out, &shape, &e), 0);
        assert_int_equal(out.n, 0);
        assert_int_equal(shape.final_bit, 0);
        assert_int_equal(shape.end_bit, 10);
        assert_int_equal(whole((sv){ two, 4 }, 10, &out, &shape, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(whole(SV("\x01\x05\x00\xfa\xffhello"), 3, &out, &shape, &e), 0); /* stored */
        assert_true(sv_is(buf_sv(&out), "hello"));
        assert_int_equal(shape.end_bit, 80);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(gunzip_reads_members_and_nothing_else),
                cmocka_unit_test(unzstd_pushes),
                cmocka_unit_test(zstd_comes_back_and_breaks_loudly),
                cmocka_unit_test(raw_streams_show_their_last_block),
                cmocka_unit_test(raw_streams_end_where_their_memory_ends),
        };
        return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
