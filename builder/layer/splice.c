#include "layer/layer_priv.h"

#define STORED_MAX 65535

/* The last byte without its unused bits, and the empty stored block: three zero bits (in a byte of their own when fewer are free), LEN,
 * NLEN. It is there even when the stream ends at a byte's end, so that the rule has no cases. */
static int write_end(struct writer *w, uint8_t last, unsigned used, struct err *e)
{
        uint8_t end[6] = { 0 };
        size_t n = 0;

        end[n++] = used == 8 ? last : (uint8_t)(last & ((1U << used) - 1));
        if (8 - used < 3)
                end[n++] = 0;
        end[n++] = 0;
        end[n++] = 0;
        end[n++] = 0xff;
        end[n++] = 0xff;
        return writer_write(w, end, n, e);
}

int splice_deflate(struct writer *w, sv stream, const struct deflate_shape *shape, struct err *e)
{
        size_t final = (size_t)(shape->final_bit / 8), last = stream.n - 1;
        unsigned used = (unsigned)((shape->end_bit - 1) % 8) + 1;
        uint8_t cleared = (uint8_t)((uint8_t)stream.p[final] & ~(1U << (shape->final_bit % 8)));

        if (final && writer_write(w, stream.p, final, e) < 0)
                return -(int)e->code;
        if (final == last)
                return write_end(w, cleared, used, e);
        if (writer_write(w, &cleared, 1, e) < 0)
                return -(int)e->code;
        if (last > final + 1 && writer_write(w, stream.p + final + 1, last - final - 1, e) < 0)
                return -(int)e->code;
        return write_end(w, (uint8_t)stream.p[last], used, e);
}

int splice_stored(struct writer *w, sv bytes, struct err *e)
{
        while (bytes.n) {
                unsigned n = bytes.n < STORED_MAX ? (unsigned)bytes.n : STORED_MAX;
                uint8_t head[5] = { 0, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8) };

                if (writer_write(w, head, sizeof(head), e) < 0 || writer_write(w, bytes.p, n, e) < 0)
                        return -(int)e->code;
                bytes = sv_skip(bytes, n);
        }
        return 0;
}
