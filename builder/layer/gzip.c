#include "layer/layer_priv.h"

int gzip_begin(struct writer *w, struct err *e)
{
        static const uint8_t head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 }; /* no flags, no time, no system */

        return writer_write(w, head, sizeof(head), e);
}

int gzip_end(struct writer *w, uint32_t crc, uint64_t size, struct err *e)
{
        uint8_t end[10] = { 3, 0 }; /* the last block: fixed codes, empty */

        for (int i = 0; i < 4; i++) {
                end[2 + i] = (uint8_t)(crc >> (8 * i));
                end[6 + i] = (uint8_t)(size >> (8 * i));
        }
        return writer_write(w, end, sizeof(end), e);
}

static int gzip_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct gzip_writer *g = (struct gzip_writer *)w;

        if (!g->size && gzip_begin(w->next, e) < 0)
                return -(int)e->code;
        g->size += n;
        g->crc = crc32_add(g->crc, p, n);
        return chunks_add(g->chunks, p, n, e);
}

static int gzip_finish(struct writer *w, struct err *e)
{
        struct gzip_writer *g = (struct gzip_writer *)w;

        if (!g->size && gzip_begin(w->next, e) < 0)
                return -(int)e->code;
        if (chunks_end(g->chunks, e) < 0 || gzip_end(w->next, g->crc, g->size, e) < 0)
                return -(int)e->code;
        return writer_finish(w->next, e);
}

static const struct writer_ops gzip_ops = { "gzip", gzip_write, gzip_finish };

struct writer *gzip_writer_init(struct gzip_writer *g, struct writer *next, struct op *op)
{
        *g = (struct gzip_writer){ { &gzip_ops, next }, chunks_new(next, op), 0, 0 };
        return &g->w;
}

void gzip_writer_done(struct gzip_writer *g)
{
        chunks_free(g->chunks);
        g->chunks = NULL;
}
