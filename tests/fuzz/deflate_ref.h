/* tests/fuzz/deflate_ref.h - zlib's word on a raw deflate stream: what it inflates to, where its last block begins and where it ends. The
 * walk (stream/deflate_walk.h) must say the same. */
#ifndef TESTS_FUZZ_DEFLATE_REF_H
#define TESTS_FUZZ_DEFLATE_REF_H

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "stream/deflate_walk.h"

static inline bool ref_bit(sv s, uint64_t bit)
{
        return bit / 8 < s.n && ((uint8_t)s.p[bit / 8] >> (bit % 8) & 1);
}

/* zlib is shown everything at once and stops after each header and block (Z_BLOCK): data_type then says how far it is, to the bit. False:
 * refused, or bytes follow its end. Output beyond `max` is not looked at: *ret_much. */
static inline bool ref_inflate(sv stream, size_t max, struct buf *out, struct deflate_shape *ret, bool *ret_much)
{
        z_stream s = { 0 };
        bool ended = false, moved = true;
        uint64_t final_bit = 0, end = 0;
        int rc = Z_OK;

        *ret_much = false;
        if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
                abort();
        s.next_in = (z_const Bytef *)stream.p;
        s.avail_in = (uInt)stream.n;
        while (!ended && moved && rc == Z_OK && out->n <= max) {
                size_t room = 4096;
                uInt before = s.avail_in;

                s.next_out = (Bytef *)buf_room(out, room);
                s.avail_out = (uInt)room;
                if (!s.next_out)
                        abort();
                rc = inflate(&s, Z_BLOCK);
                if (rc == Z_BUF_ERROR)
                        rc = Z_OK;
                out->n += room - s.avail_out;
                end = ((uint64_t)stream.n - s.avail_in) * 8 - (uint64_t)(s.data_type & 7);
                moved = before != s.avail_in || s.avail_out != room || (s.data_type & 128 && end != final_bit);
                if (s.data_type & 128 && end && rc == Z_OK) {
                        ended = ref_bit(stream, final_bit);
                        final_bit = ended ? final_bit : end;
                }
        }
        inflateEnd(&s);
        *ret_much = out->n > max;
        *ret = (struct deflate_shape){ final_bit, end };
        return rc == Z_OK && ended && (end + 7) / 8 == stream.n;
}

/* The walk, in calls for `step` bytes at most. */
static inline bool walk_all(sv stream, enum deflate_end how, size_t step, size_t max, struct buf *out,
                            struct deflate_shape *ret)
{
        struct deflate_walk *z = deflate_walk_new();
        struct err e = { 0 };
        size_t n = 1;
        int rc = 0;

        deflate_walk_begin(z, stream, how);
        while (n && rc == 0 && out->n <= max) {
                char *room = buf_room(out, step);

                if (!room)
                        abort();
                rc = deflate_walk_next(z, room, step, &n, ret, &e);
                out->n += rc == 0 ? n : 0;
        }
        if ((rc < 0) != (e.code == ERR_INTEGRITY))
                abort();
        err_done(&e);
        deflate_walk_free(z);
        return rc == 0;
}

/* NULL, or how they differ. */
static inline const char *ref_differs(sv stream, size_t step, size_t max)
{
        struct buf want = BUF_INIT(max * 2 + (1 << 20)), got = BUF_INIT(max * 2 + (1 << 20));
        struct deflate_shape a = { 0 }, b = { 0 };
        const char *fault = NULL;
        bool much, yes = ref_inflate(stream, max, &want, &a, &much),
                   walked = walk_all(stream, DEFLATE_CLOSED, step, max, &got, &b);

        if (much)
                fault = got.n > max && !memcmp(want.p, got.p, max) ? NULL : "the first bytes of many";
        else if (yes != walked)
                fault = yes ? "zlib accepts, the walk refuses" : "zlib refuses, the walk accepts";
        else if (yes && (want.n != got.n || (want.n && memcmp(want.p, got.p, want.n))))
                fault = "other bytes";
        else if (yes && (a.final_bit != b.final_bit || a.end_bit != b.end_bit))
                fault = "other places";
        buf_done(&want);
        buf_done(&got);
        return fault;
}

#endif
