#include "ext/inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"

#define SLICE ((size_t)1 << 30) /* zlib counts its input in an unsigned int */

struct inflate {
        z_stream s;
        sv whole;           /* inflate_whole: all of it */
        size_t given;       /* bytes of whole that zlib was shown */
        bool ended;         /* the last block ended */
        uint64_t final_bit; /* of the block that was begun last */
};

struct inflate *inflate_new(enum inflate_form form)
{
        struct inflate *z = xcalloc(1, sizeof(*z));

        if (inflateInit2(&z->s, form == INFLATE_RAW ? -MAX_WBITS : MAX_WBITS + 16) != Z_OK)
                abort(); /* only out of memory or another zlib than we were compiled for */
        return z;
}

void inflate_free(struct inflate *z)
{
        if (!z)
                return;
        inflateEnd(&z->s);
        free(z);
}

void inflate_reset(struct inflate *z)
{
        inflateReset(&z->s);
        z->s.avail_in = 0;
}

static int broken(const struct inflate *z, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "broken deflate stream: %s", z->s.msg ? z->s.msg : "invalid data");
}

int inflate_step(struct inflate *z, sv *in, void *out, size_t max, size_t *ret_n, bool *ret_end, struct err *e)
{
        size_t take = in->n < SLICE ? in->n : SLICE;
        unsigned room = max < UINT_MAX ? (unsigned)max : UINT_MAX;
        int rc;

        z->s.next_in = (z_const Bytef *)in->p;
        z->s.avail_in = (unsigned)take;
        z->s.next_out = out;
        z->s.avail_out = room;
        rc = inflate(&z->s, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
                return broken(z, e);
        *in = sv_skip(*in, take - z->s.avail_in);
        *ret_n = room - z->s.avail_out;
        *ret_end = rc == Z_STREAM_END;
        return 0;
}

void inflate_whole(struct inflate *z, sv stream)
{
        inflate_reset(z);
        z->whole = stream;
        z->given = 0;
        z->ended = false;
        z->final_bit = 0;
}

static bool bit_at(sv s, uint64_t bit)
{
        return bit / 8 < s.n && ((uint8_t)s.p[bit / 8] >> (bit % 8) & 1);
}

/* zlib stopped between two blocks: `pos` is where the next one begins, or, after the last one, where the stream ends. */
static void block_ended(struct inflate *z, uint64_t pos)
{
        if (bit_at(z->whole, z->final_bit))
                z->ended = true;
        else
                z->final_bit = pos;
}

static uint64_t bits_taken(const struct inflate *z)
{
        return ((uint64_t)z->given - z->s.avail_in) * 8 - (uint64_t)(z->s.data_type & 7);
}

static void show_more(struct inflate *z)
{
        size_t left = z->whole.n - z->given, n = left < SLICE ? left : SLICE;

        z->s.next_in = (z_const Bytef *)z->whole.p + z->given;
        z->s.avail_in = (unsigned)n;
        z->given += n;
}

static int at_end(struct inflate *z, uint64_t end_bit, struct inflate_shape *ret, struct err *e)
{
        if ((end_bit + 7) / 8 != z->whole.n)
                return err_set(e, ERR_INTEGRITY, "broken deflate stream: it ends after %llu of %zu bytes",
                               (unsigned long long)((end_bit + 7) / 8), z->whole.n);
        *ret = (struct inflate_shape){ z->final_bit, end_bit };
        return 0;
}

int inflate_next(struct inflate *z, void *out, size_t max, size_t *ret_n, struct inflate_shape *ret_shape,
                 struct err *e)
{
        unsigned room = max < UINT_MAX ? (unsigned)max : UINT_MAX;

        z->s.next_out = out;
        z->s.avail_out = room;
        while (!z->ended && z->s.avail_out) {
                uint64_t before;
                int rc;

                if (!z->s.avail_in)
                        show_more(z);
                before = z->s.avail_in + (uint64_t)z->s.avail_out;
                rc = inflate(&z->s, Z_BLOCK);
                if (rc != Z_OK && rc != Z_BUF_ERROR)
                        return broken(z, e);
                if (z->s.data_type & 128 && bits_taken(z))
                        block_ended(z, bits_taken(z));
                else if (before == z->s.avail_in + (uint64_t)z->s.avail_out && z->given == z->whole.n && !z->s.avail_in)
                        return err_set(e, ERR_INTEGRITY, "broken deflate stream: it is cut off after %zu bytes",
                                       z->whole.n);
        }
        *ret_n = room - z->s.avail_out;
        return *ret_n ? 0 : at_end(z, bits_taken(z), ret_shape, e);
}
