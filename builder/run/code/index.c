#include "run/code/index.h"

#include <string.h>

#include "ext/hash.h"

#define MAGIC  "envtree1"
#define HEAD   40
#define FIXED  66         /* of an entry, without its path */
#define MARGIN 2000000000 /* ns: the coarsest clock of a file system, FAT's */

static void put(struct buf *out, uint64_t v, size_t n)
{
        char b[8];

        for (size_t i = 0; i < n; i++)
                b[i] = (char)(v >> 8 * i);
        buf_add(out, (sv){ b, n });
}

static uint64_t get(const char *p, size_t n)
{
        uint64_t v = 0;

        for (size_t i = n; i-- > 0;)
                v = v << 8 | (unsigned char)p[i];
        return v;
}

static int64_t ns_of(struct timespec t)
{
        return (int64_t)((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
}

struct run_seen run_seen_of(const struct stat *st)
{
        return (struct run_seen){ (uint64_t)st->st_size, st->st_ino, ns_of(st->st_mtim), ns_of(st->st_ctim) };
}

static void next(struct run_index *x)
{
        const char *p = x->rest.p;
        size_t n;

        x->has = false;
        if (x->rest.n < FIXED)
                return;
        n = (size_t)get(p + 64, 2);
        if (n > x->rest.n - FIXED) {
                x->rest.n = 0;
                return;
        }
        x->seen = (struct run_seen){ .size = get(p, 8),
                                     .mtime = (int64_t)get(p + 8, 8),
                                     .ctime = (int64_t)get(p + 16, 8),
                                     .inode = get(p + 24, 8) };
        memcpy(x->digest.b, p + 32, sizeof(x->digest.b));
        x->path = (sv){ p + FIXED, n };
        x->rest = sv_skip(x->rest, FIXED + n);
        x->has = true;
}

bool run_index_open(sv text, struct run_index *ret)
{
        if (text.n < HEAD + 4 || memcmp(text.p, MAGIC, 8) != 0 ||
            crc32_add(0, text.p, text.n - 4) != get(text.p + text.n - 4, 4))
                return false;
        *ret = (struct run_index){ .rest = sv_from_to(text, HEAD, text.n - 4),
                                   .time = (int64_t)get(text.p + 8, 8),
                                   .mark = { get(text.p + 16, 8), (int64_t)get(text.p + 24, 8),
                                             (int64_t)get(text.p + 32, 8) } };
        next(ret);
        return true;
}

bool run_index_find(struct run_index *x, sv path, const struct run_seen *seen, sha256 *ret)
{
        int64_t young = x->time > INT64_MIN + MARGIN ? x->time - MARGIN : INT64_MIN;
        int order = 1;

        while (x->has && (order = sv_cmp(x->path, path)) < 0)
                next(x);
        if (!x->has || order != 0 || x->seen.size != seen->size || x->seen.inode != seen->inode ||
            x->seen.mtime != seen->mtime || x->seen.ctime != seen->ctime || seen->mtime >= young ||
            seen->ctime >= young)
                return false;
        *ret = x->digest;
        return true;
}

void run_index_begin(struct buf *out, int64_t time, const struct store_mark *mark)
{
        buf_add(out, SV(MAGIC));
        put(out, (uint64_t)time, 8);
        put(out, mark->inode, 8);
        put(out, (uint64_t)mark->mtime_ns, 8);
        put(out, (uint64_t)mark->taken, 8);
}

void run_index_add(struct buf *out, sv path, const struct run_seen *seen, const sha256 *digest)
{
        put(out, seen->size, 8);
        put(out, (uint64_t)seen->mtime, 8);
        put(out, (uint64_t)seen->ctime, 8);
        put(out, seen->inode, 8);
        buf_add(out, (sv){ (const char *)digest->b, sizeof(digest->b) });
        put(out, path.n, 2);
        buf_add(out, path);
}

void run_index_end(struct buf *out)
{
        put(out, crc32_add(0, out->p, out->n), 4);
}
