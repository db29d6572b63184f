#include "ext/deflate.h"

#include <libdeflate.h>
#include <stdlib.h>

#include "base/alloc.h"

struct deflate {
        struct libdeflate_compressor *c;
};

struct deflate *deflate_new(int level)
{
        struct deflate *d = xmalloc(sizeof(*d));

        d->c = libdeflate_alloc_compressor(level);
        if (!d->c)
                abort(); /* out of memory: base/alloc.h */
        return d;
}

void deflate_free(struct deflate *d)
{
        if (!d)
                return;
        libdeflate_free_compressor(d->c);
        free(d);
}

size_t deflate_bound(struct deflate *d, size_t n)
{
        return libdeflate_deflate_compress_bound(d->c, n);
}

size_t deflate_run(struct deflate *d, const void *p, size_t n, void *out, size_t max)
{
        return libdeflate_deflate_compress(d->c, p, n, out, max);
}
