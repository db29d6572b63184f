/* The frozen encoder: whatever the runs, inflating gives them back, and how they were cut up does not matter. Input: steps, each one byte
 * (bit 0: payload, bits 1-7: a header at 4 times that offset, 0: none), two bytes length, that many bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "layer/layer_priv.h"

#define MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void encode(sv in, size_t piece, struct buf *ret_packed, struct buf *ret_plain)
{
        struct fixed *f = fixed_new();
        AUTO(err_done) struct err e = { 0 };
        struct buf_writer out;

        fixed_begin(f, buf_writer_init(&out, ret_packed));
        while (in.n >= 3) {
                const uint8_t *p = (const uint8_t *)in.p;
                size_t n = (size_t)p[1] | (size_t)p[2] << 8;
                uint64_t header = p[0] & 1 || p[0] < 2 ? FIXED_NO_HEADER : ret_plain->n + (uint64_t)(p[0] >> 1) * 4;
                bool payload = p[0] & 1;
                sv rest;

                in = sv_skip(in, 3);
                rest = sv_from_to(in, 0, n);
                in = sv_skip(in, n);
                buf_add(ret_plain, rest);
                if (payload) {
                        fixed_pass(f, rest.p, rest.n);
                        if (splice_stored(&out.w, rest, &e) < 0)
                                abort();
                        continue;
                }
                fixed_run(f, header);
                if (header != FIXED_NO_HEADER)
                        fixed_header(f, header);
                for (; rest.n; rest = sv_skip(rest, piece))
                        if (fixed_add(f, rest.p, rest.n < piece ? rest.n : piece, &e) < 0)
                                abort();
                if (fixed_end(f, &e) < 0)
                        abort();
        }
        fixed_free(f);
        buf_add(ret_packed, (sv){ "\x03\x00", 2 });
}

static void inflates_to(const struct buf *packed, const struct buf *plain)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        AUTO(err_done) struct err e = { 0 };
        uint8_t piece[4096];
        size_t at = 0, k = 1;

        deflate_walk_begin(z, buf_sv(packed), DEFLATE_CLOSED);
        while (k) {
                if (deflate_walk_next(z, piece, sizeof(piece), &k, NULL, &e) < 0 || k > plain->n - at ||
                    (k && memcmp(piece, plain->p + at, k) != 0))
                        abort();
                at += k;
        }
        if (at != plain->n)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(buf_done) struct buf one = BUF_INIT(MAX), two = BUF_INIT(MAX), plain = BUF_INIT(MAX),
                                  again = BUF_INIT(MAX);

        encode((sv){ (const char *)p, n }, 1 << 20, &one, &plain);
        encode((sv){ (const char *)p, n }, 7, &two, &again);
        if (!sv_eq(buf_sv(&one), buf_sv(&two)))
                abort();
        inflates_to(&one, &plain);
        return 0;
}
