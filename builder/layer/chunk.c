#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "ext/deflate.h"
#include "layer/layer_priv.h"

#define CHUNK   ((size_t)1 << 20)
#define LEVEL   6
#define AT_ONCE 4 /* chunks in memory: 2 MiB each with their packed form */

struct chunk {
        uint8_t *p, *packed;
        size_t n, n_packed;
        struct deflate_shape shape;
        struct deflate *deflate;
        struct deflate_walk *walk;
};

struct chunks {
        struct writer *out;
        struct op *op;
        struct chunk v[AT_ONCE];
        size_t n, max; /* v[n] is being filled; so many at once */
        size_t bound;
};

struct chunks *chunks_new(struct writer *out, struct op *op)
{
        struct chunks *c = xcalloc(1, sizeof(*c));

        c->out = out;
        c->op = op;
        c->max = op && op->jobs > 1 ? op->jobs : 1;
        if (c->max > AT_ONCE)
                c->max = AT_ONCE;
        return c;
}

void chunks_free(struct chunks *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < AT_ONCE; i++) {
                deflate_free(c->v[i].deflate);
                deflate_walk_free(c->v[i].walk);
                free(c->v[i].p);
                free(c->v[i].packed);
        }
        free(c);
}

static void prepare(struct chunks *c, struct chunk *k)
{
        if (k->p)
                return;
        k->deflate = deflate_new(LEVEL);
        k->walk = deflate_walk_new();
        k->p = xmalloc(CHUNK);
        c->bound = deflate_bound(k->deflate, CHUNK);
        k->packed = xmalloc(c->bound);
}

/* libdeflate does not say where its last block begins: inflating does, and checks its work. */
static int walk(struct chunk *k, struct err *e)
{
        uint8_t piece[32768];
        size_t n = 1;
        uint32_t crc = 0;

        deflate_walk_begin(k->walk, (sv){ (const char *)k->packed, k->n_packed }, DEFLATE_CLOSED);
        while (n) {
                if (deflate_walk_next(k->walk, piece, sizeof(piece), &n, &k->shape, e) < 0)
                        return -(int)e->code;
                crc = crc32_add(crc, piece, n);
        }
        if (crc != crc32_add(0, k->p, k->n))
                return err_set(e, ERR_INTEGRITY, "libdeflate gave a stream that is not what was compressed");
        return 0;
}

static int compress(void *arg, struct err *e)
{
        struct chunk *k = arg;

        k->n_packed = deflate_run(k->deflate, k->p, k->n, k->packed, deflate_bound(k->deflate, CHUNK));
        return walk(k, e);
}

static int write_all(struct chunks *c, struct err *e)
{
        struct pool_job job[AT_ONCE];
        size_t n = c->n;

        for (size_t i = 0; i < n; i++)
                job[i] = (struct pool_job){ 0, compress, &c->v[i] };
        c->n = 0;
        if (n == 1 ? compress(&c->v[0], e) < 0 : pool_run(c->op, job, n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                struct chunk *k = &c->v[i];

                if (splice_deflate(c->out, (sv){ (const char *)k->packed, k->n_packed }, &k->shape, e) < 0)
                        return -(int)e->code;
                k->n = 0;
        }
        return 0;
}

int chunks_add(struct chunks *c, const void *p, size_t n, struct err *e)
{
        const uint8_t *from = p;

        while (n) {
                struct chunk *k = &c->v[c->n];
                size_t take;

                prepare(c, k);
                take = n < CHUNK - k->n ? n : CHUNK - k->n;
                memcpy(k->p + k->n, from, take);
                k->n += take;
                from += take;
                n -= take;
                if (k->n == CHUNK && ++c->n == c->max && write_all(c, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

int chunks_end(struct chunks *c, struct err *e)
{
        if (c->n < c->max && c->v[c->n].n)
                c->n++;
        return c->n ? write_all(c, e) : 0;
}
