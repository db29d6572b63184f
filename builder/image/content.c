/* The bytes of one entry of a package, whatever form they have there, held in memory: for the few files that a build looks into. */
#include <string.h>

#include "base/cleanup.h"
#include "image/image_priv.h"
#include "stream/deflate_walk.h"

static int read_all(const struct entry *en, const struct content *c, char *p, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = c->kind == CONTENT_DEFLATE ? deflate_walk_new() : NULL;

        if (z)
                deflate_walk_begin(z, (sv){ c->p, c->n }, DEFLATE_CLOSED);
        for (size_t done = 0, n = 0; done < en->size; done += n) {
                int r = z ? deflate_walk_next(z, p + done, en->size - done, &n, NULL, e)
                          : c->read(c->arg, p + done, en->size - done, &n, e);
                if (r < 0)
                        return r;
                if (n == 0)
                        return err_set(e, ERR_INTEGRITY, "'%.*s' ends early", SV_ARG(en->path));
        }
        return 0;
}

int content_hold(const struct entry *en, const struct content *c, struct arena *a, struct content *ret, struct err *e)
{
        char *p;

        *ret = (struct content){ 0 };
        if (en->size == 0)
                return 0;
        if (en->size > CONTENT_HOLD_MAX)
                return err_set(e, ERR_LIMIT, "'%.*s' is too large (%llu bytes) to be held in memory", SV_ARG(en->path),
                               (unsigned long long)en->size);
        p = arena_alloc(a, en->size, 1);
        if (c->kind == CONTENT_DEFLATE || c->kind == CONTENT_STREAM) {
                if (read_all(en, c, p, e) < 0)
                        return -(int)e->code;
        } else {
                memcpy(p, c->p, en->size);
        }
        *ret = (struct content){ .kind = CONTENT_BYTES, .p = p, .n = en->size };
        return 0;
}
