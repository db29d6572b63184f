#include "catalog/wheel_metadata.h"

#include "base/cleanup.h"
#include "ext/hash.h"
#include "stream/deflate_walk.h"

enum { LOCAL_SIZE = 30 };

static unsigned u16(sv s, size_t at)
{
        return (unsigned)(unsigned char)s.p[at] | (unsigned)(unsigned char)s.p[at + 1] << 8;
}

/* "a" of "a.dist-info/METADATA" at the top; empty for any other member. */
static sv stem_of(sv name)
{
        ptrdiff_t slash = sv_find(name, '/');
        sv dir = sv_from_to(name, 0, slash < 0 ? 0 : (size_t)slash);

        if (slash < 0 || !sv_is(sv_skip(name, (size_t)slash + 1), "METADATA") || !sv_ends(dir, SV(".dist-info")))
                return (sv){ 0 };
        return sv_from_to(dir, 0, dir.n - 10);
}

/* "foo_bar-1.0" of a wheel's name: old wheels differ from it in case and in what stands for "-". */
static bool same_stem(sv a, sv filename)
{
        if (filename.n <= a.n || filename.p[a.n] != '-')
                return false;
        for (size_t i = 0; i < a.n; i++) {
                char x = a.p[i], y = filename.p[i];

                x = (char)(x >= 'A' && x <= 'Z' ? x + 32 : x == '-' || x == '.' ? '_' : x);
                y = (char)(y >= 'A' && y <= 'Z' ? y + 32 : y == '-' || y == '.' ? '_' : y);
                if (x != y)
                        return false;
        }
        return true;
}

const struct zip_member *wheel_metadata_find(const struct zip *z, sv filename)
{
        const struct zip_member *only = NULL;
        size_t n = 0;

        for (size_t i = 0; i < z->n; i++) {
                sv stem = stem_of(z->v[i].name);

                if (!stem.n)
                        continue;
                if (same_stem(stem, filename))
                        return &z->v[i];
                only = &z->v[i];
                n++;
        }
        return n == 1 ? only : NULL;
}

static int inflate_all(struct arena *a, sv packed, uint64_t size, sv *ret, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        char *out = arena_alloc(a, (size_t)size + 1, 1);
        size_t have = 0, n = 1;

        deflate_walk_begin(z, packed, DEFLATE_CLOSED);
        while (n) {
                /* One byte more than it may be: a longer member is told from one that fits. */
                if (deflate_walk_next(z, out + have, (size_t)size + 1 - have, &n, NULL, e) < 0)
                        return -(int)e->code;
                have += n;
                if (have > size)
                        return err_set(e, ERR_INTEGRITY, "METADATA is not what the archive's directory says");
        }
        *ret = (sv){ out, have };
        return 0;
}

int wheel_metadata_unpack(struct arena *a, const struct zip_member *m, sv piece, sv *ret, uint64_t *ret_need,
                          struct err *e)
{
        uint64_t at;
        sv packed, text;

        *ret_need = LOCAL_SIZE;
        if (piece.n < LOCAL_SIZE)
                return err_set(e, ERR_LIMIT, "the local header is cut off");
        if (!sv_starts(piece, SV("PK\3\4")))
                return err_set(e, ERR_INTEGRITY, "no local header where the archive's directory says there is one");
        if (m->size > WHEEL_METADATA_MAX || m->packed > WHEEL_METADATA_MAX)
                return err_set(e, ERR_INTEGRITY, "METADATA has %llu bytes", (unsigned long long)m->size);
        at = LOCAL_SIZE + (uint64_t)u16(piece, 26) + u16(piece, 28);
        *ret_need = at + m->packed;
        if (piece.n < *ret_need)
                return err_set(e, ERR_LIMIT, "METADATA is cut off");
        packed = sv_from_to(piece, (size_t)at, (size_t)*ret_need);
        if (m->method == 8) {
                if (inflate_all(a, packed, m->size, &text, e) < 0)
                        return -(int)e->code;
        } else if (m->method == 0) {
                text = arena_sv(a, packed);
        } else {
                return err_set(e, ERR_INTEGRITY, "METADATA is packed by method %u", m->method);
        }
        if (text.n != m->size || crc32_add(0, text.p, text.n) != m->crc)
                return err_set(e, ERR_INTEGRITY,
                               "METADATA does not have the checksum that the archive's directory says");
        *ret = text;
        return 0;
}

int wheel_metadata_read(struct arena *a, sv archive, sv filename, sv *ret, struct err *e)
{
        const struct zip_member *m;
        struct zip z;
        uint64_t need;

        if (zip_open(a, archive, archive.n, &z, NULL, e) < 0)
                return err_while(e, "reading '%.*s'", SV_ARG(filename));
        if (!(m = wheel_metadata_find(&z, filename)) || m->header_at > archive.n)
                return err_set(e, ERR_INTEGRITY, "'%.*s' has no METADATA", SV_ARG(filename));
        if (wheel_metadata_unpack(a, m, sv_skip(archive, (size_t)m->header_at), ret, &need, e) < 0) {
                if (e->code == ERR_LIMIT)
                        e->code = ERR_INTEGRITY; /* the archive is whole: its directory lies */
                return err_while(e, "reading '%.*s'", SV_ARG(filename));
        }
        return 0;
}
