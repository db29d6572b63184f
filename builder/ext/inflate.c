#include "ext/inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"

#define SLICE ((size_t)1 << 30) /* zlib counts its input in an unsigned int */

struct inflate {
        z_stream s;
};

struct inflate *inflate_new(void)
{
        struct inflate *z = xcalloc(1, sizeof(*z));

        if (inflateInit2(&z->s, MAX_WBITS + 16) != Z_OK)
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
        return err_set(e, ERR_INTEGRITY, "broken gzip stream: %s", z->s.msg ? z->s.msg : "invalid data");
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
