#include "pkg/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

enum {
        LOCAL_SIG = 0x04034b50,
        CENTRAL_SIG = 0x02014b50,
        END_SIG = 0x06054b50,
        END64_SIG = 0x06064b50,
        LOCATOR_SIG = 0x07064b50,
        DESCRIPTOR_SIG = 0x08074b50,
};
enum {
        LOCAL_LEN = 30,
        CENTRAL_LEN = 46,
        END_LEN = 22,
        END64_LEN = 56,
        LOCATOR_LEN = 20,
        END64_EXTRA_MAX = 65536, /* of the extensible part of a zip64 end record, which nobody writes */
};
enum { METHOD_STORED = 0, METHOD_DEFLATE = 8 };
enum {
        FLAG_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13,
        FLAG_DESCRIPTOR = 1 << 3,
        FLAG_UTF8 = 1 << 11,
};
#define EXTRA_ZIP64   0x0001
#define DEFLATE_RATIO 1032 /* 258 bytes from two bits: no deflate stream holds more */

static uint16_t le16(const char *p)
{
        const unsigned char *u = (const unsigned char *)p;
        return (uint16_t)(u[0] | u[1] << 8);
}

static uint32_t le32(const char *p)
{
        return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const char *p)
{
        return le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* ---- names */

static const uint16_t cp437[128] = {
        0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
        0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
        0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
        0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
        0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
        0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
        0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
        0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
        0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
        0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

/* One byte of code page 437 as UTF-8: writes 1 to 3 bytes, returns how many. */
static size_t cp437_put(unsigned char c, char *ret)
{
        unsigned u = c < 128 ? c : cp437[c - 128];

        if (u < 0x80) {
                ret[0] = (char)u;
                return 1;
        }
        if (u < 0x800) {
                ret[0] = (char)(0xc0 | u >> 6);
                ret[1] = (char)(0x80 | (u & 0x3f));
                return 2;
        }
        ret[0] = (char)(0xe0 | u >> 12);
        ret[1] = (char)(0x80 | (u >> 6 & 0x3f));
        ret[2] = (char)(0x80 | (u & 0x3f));
        return 3;
}

static sv name_decode(struct arena *a, sv raw, uint16_t flags)
{
        char *p;
        size_t n = 0;

        if (flags & FLAG_UTF8)
                return arena_sv(a, raw);
        p = arena_array(a, char, raw.n * 3 + 1);
        for (size_t i = 0; i < raw.n; i++)
                n += cp437_put((unsigned char)raw.p[i], p + n);
        return (sv){ p, n };
}

/* Is `raw`, as the local header has it, the member's name? Both headers' bytes must be equal; code page 437 is injective, so it is
 * enough to decode. */
static bool name_same(sv raw, const struct zip_member *m)
{
        size_t at = 0, n;
        char u[3];

        if (m->flags & FLAG_UTF8)
                return sv_eq(raw, m->name);
        for (size_t i = 0; i < raw.n; i++, at += n) {
                n = cp437_put((unsigned char)raw.p[i], u);
                if (n > m->name.n - at || memcmp(m->name.p + at, u, n) != 0)
                        return false;
        }
        return at == m->name.n;
}

/* ---- the end of the archive */

struct end {
        uint64_t entries, dir_size, dir_at;
        uint64_t at; /* where the directory must end: the first of the end records */
};

static int need_more(uint64_t need, uint64_t size, uint64_t *ret_need, struct err *e)
{
        need = need < size ? need : size;
        if (ret_need)
                *ret_need = need;
        return err_set(e, ERR_LIMIT, "the last %" PRIu64 " bytes of the zip archive are needed", need);
}

/* Index in tail of the end record whose comment ends with the archive, or -1. */
static ptrdiff_t end_find(sv tail)
{
        for (size_t back = END_LEN; back <= tail.n && back <= END_LEN + UINT16_MAX; back++) {
                const char *p = tail.p + tail.n - back;
                if (p[0] == 'P' && le32(p) == END_SIG && le16(p + 20) == back - END_LEN)
                        return p - tail.p;
        }
        return -1;
}

/* A value of the short end record is either the one in the zip64 record or "look there". */
static bool end_agrees(uint64_t small, uint64_t mark, uint64_t large)
{
        return small == mark || small == large;
}

static int end64_read(sv tail, uint64_t base, const char *end, struct end *ret, uint64_t *ret_need, struct err *e)
{
        const char *locator = end - LOCATOR_LEN, *p;
        uint64_t locator_at, at;

        if (end - tail.p < LOCATOR_LEN)
                return base == 0 ? 0 : need_more(tail.n + LOCATOR_LEN + END64_LEN, tail.n + base, ret_need, e);
        if (le32(locator) != LOCATOR_SIG)
                return 0;
        locator_at = base + (uint64_t)(locator - tail.p);
        at = le64(locator + 8);
        if (at > locator_at || locator_at - at < END64_LEN || locator_at - at > END64_LEN + END64_EXTRA_MAX)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its zip64 end record is not where it should be");
        if (at < base)
                return need_more(base + tail.n - at, base + tail.n, ret_need, e);
        p = tail.p + (at - base);
        if (le32(p) != END64_SIG || le64(p + 4) != locator_at - at - 12)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its zip64 end record is not where it should be");
        if (le32(locator + 4) || le32(locator + 16) > 1 || le32(p + 16) || le32(p + 20) || le64(p + 24) != le64(p + 32))
                return err_set(e, ERR_INTEGRITY, "a zip archive in several volumes cannot be read");
        *ret = (struct end){ .entries = le64(p + 32), .dir_size = le64(p + 40), .dir_at = le64(p + 48), .at = at };
        if (!end_agrees(le16(end + 10), UINT16_MAX, ret->entries) ||
            !end_agrees(le32(end + 12), UINT32_MAX, ret->dir_size) ||
            !end_agrees(le32(end + 16), UINT32_MAX, ret->dir_at))
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its two end records disagree");
        return 0;
}

static int end_read(sv tail, uint64_t size, struct end *ret, uint64_t *ret_need, struct err *e)
{
        uint64_t base = size - tail.n;
        ptrdiff_t i = end_find(tail);
        const char *p;

        if (i < 0 && base > 0 && tail.n < END_LEN + UINT16_MAX)
                return need_more(END_LEN + UINT16_MAX + LOCATOR_LEN + END64_LEN, size, ret_need, e);
        if (i < 0)
                return err_set(e, ERR_INTEGRITY, "not a zip archive, or one that is cut short: it has no end record");
        p = tail.p + i;
        *ret = (struct end){ le16(p + 10), le32(p + 12), le32(p + 16), base + (uint64_t)i };
        if (end64_read(tail, base, p, ret, ret_need, e) < 0)
                return -(int)e->code;
        if (ret->at == base + (uint64_t)i && (le16(p + 4) || le16(p + 6) || le16(p + 8) != le16(p + 10)))
                return err_set(e, ERR_INTEGRITY, "a zip archive in several volumes cannot be read");
        if (ret->dir_at > ret->at || ret->at - ret->dir_at != ret->dir_size)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its directory is not where the end record says");
        if (ret->entries > ret->dir_size / CENTRAL_LEN)
                return err_set(e, ERR_INTEGRITY,
                               "corrupt zip: it claims %" PRIu64 " members, its directory has %" PRIu64 " bytes",
                               ret->entries, ret->dir_size);
        if (ret->dir_at < base)
                return need_more(size - ret->dir_at, size, ret_need, e);
        return 0;
}

/* ---- the central directory */

/* Takes the values that did not fit 32 bits from the zip64 extra field; false when it is not well formed. */
static bool extra_read(sv extra, struct zip_member *m)
{
        uint64_t *const want[] = { &m->size, &m->packed, &m->header_at };

        while (extra.n >= 4) {
                size_t n = le16(extra.p + 2);
                sv field = sv_from_to(extra, 4, 4 + n);

                if (field.n != n)
                        return false;
                for (size_t i = 0; le16(extra.p) == EXTRA_ZIP64 && i < 3; i++) {
                        if (*want[i] != UINT32_MAX)
                                continue;
                        if (field.n < 8)
                                return false;
                        *want[i] = le64(field.p);
                        field = sv_skip(field, 8);
                }
                extra = sv_skip(extra, 4 + n);
        }
        return true;
}

static int member_check(const struct zip_member *m, size_t raw_name, uint64_t dir_at, struct err *e)
{
        if (m->name.n == 0 || memchr(m->name.p, 0, m->name.n))
                return err_set(e, ERR_INTEGRITY, "corrupt zip: a member's name is empty or has a NUL in it");
        if (!sv_utf8(m->name))
                return err_set(e, ERR_INTEGRITY, "corrupt zip: a member's name claims to be UTF-8 and is not");
        if (m->flags & FLAG_ENCRYPTED)
                return err_set(e, ERR_INTEGRITY, "zip member '%.*s' is encrypted", SV_ARG(m->name));
        if (m->packed > dir_at || m->header_at > dir_at - m->packed ||
            dir_at - m->packed - m->header_at < LOCAL_LEN + raw_name)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: member '%.*s' reaches into the directory",
                               SV_ARG(m->name));
        if (m->method == METHOD_STORED ? m->size != m->packed
                                       : m->method == METHOD_DEFLATE && m->size / DEFLATE_RATIO > m->packed)
                return err_set(e, ERR_INTEGRITY,
                               "corrupt zip: member '%.*s' claims %" PRIu64 " bytes, which %" PRIu64
                               " packed bytes cannot hold",
                               SV_ARG(m->name), m->size, m->packed);
        return 0;
}

struct span { /* the least that a member takes of the archive */
        uint64_t at, end;
        const struct zip_member *m;
};

static int span_cmp(const void *a, const void *b)
{
        const struct span *x = a, *y = b;

        return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x->m > y->m) - (x->m < y->m);
}

static int span_cmp_name(const void *a, const void *b)
{
        return sv_cmp(((const struct span *)a)->m->name, ((const struct span *)b)->m->name);
}

static int member_read(struct arena *a, sv *dir, uint64_t dir_at, struct zip_member *m, struct span *ret, struct err *e)
{
        const char *p = dir->p;
        size_t n_name, n_extra, n_all;
        sv raw;

        if (dir->n < CENTRAL_LEN || le32(p) != CENTRAL_SIG)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its directory has fewer members than it claims");
        n_name = le16(p + 28);
        n_extra = le16(p + 30);
        n_all = CENTRAL_LEN + n_name + n_extra + le16(p + 32);
        if (n_all > dir->n)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its directory is cut short");
        raw = sv_from_to(*dir, CENTRAL_LEN, CENTRAL_LEN + n_name);
        *m = (struct zip_member){ .flags = le16(p + 8),
                                  .method = le16(p + 10),
                                  .crc = le32(p + 16),
                                  .packed = le32(p + 20),
                                  .size = le32(p + 24),
                                  .mode = le32(p + 38) >> 16,
                                  .header_at = le32(p + 42) };
        m->name = name_decode(a, raw, m->flags);
        m->dir = sv_ends(m->name, SV("/"));
        if (!extra_read(sv_from_to(*dir, CENTRAL_LEN + n_name, CENTRAL_LEN + n_name + n_extra), m))
                return err_set(e, ERR_INTEGRITY, "corrupt zip: member '%.*s' has a malformed extra field",
                               SV_ARG(m->name));
        if (member_check(m, n_name, dir_at, e) < 0)
                return -(int)e->code;
        *ret = (struct span){ m->header_at, m->header_at + LOCAL_LEN + n_name + m->packed, m };
        *dir = sv_skip(*dir, n_all);
        return 0;
}

static int spans_check(struct span *v, size_t n, struct err *e)
{
        qsort(v, n, sizeof(*v), span_cmp_name);
        for (size_t i = 1; i < n; i++)
                if (sv_eq(v[i - 1].m->name, v[i].m->name))
                        return err_set(e, ERR_INTEGRITY, "corrupt zip: it has two members '%.*s'",
                                       SV_ARG(v[i].m->name));
        qsort(v, n, sizeof(*v), span_cmp);
        for (size_t i = 1; i < n; i++)
                if (v[i].at < v[i - 1].end)
                        return err_set(e, ERR_INTEGRITY, "corrupt zip: members '%.*s' and '%.*s' overlap",
                                       SV_ARG(v[i - 1].m->name), SV_ARG(v[i].m->name));
        return 0;
}

int zip_open(struct arena *a, sv tail, uint64_t size, struct zip *ret, uint64_t *ret_need, struct err *e)
{
        AUTO(free_ptr) struct span *spans = NULL;
        struct zip z = { 0 };
        struct end end = { 0 };
        sv dir;

        if (tail.n > size)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: it is longer than its stated size");
        if (end_read(tail, size, &end, ret_need, e) < 0)
                return -(int)e->code;
        dir = (sv){ tail.p + (end.dir_at - (size - tail.n)), end.dir_size };
        z.n = end.entries; /* fits: bounded by the directory's bytes */
        z.directory_at = end.dir_at;
        z.v = arena_array(a, struct zip_member, z.n);
        spans = xcalloc(z.n ? z.n : 1, sizeof(*spans));
        for (size_t i = 0; i < z.n; i++)
                if (member_read(a, &dir, end.dir_at, &z.v[i], &spans[i], e) < 0)
                        return -(int)e->code;
        if (dir.n)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: its directory has more than the %zu members it claims",
                               z.n);
        if (spans_check(spans, z.n, e) < 0)
                return -(int)e->code;
        *ret = z;
        return 0;
}

const struct zip_member *zip_find(const struct zip *z, sv name)
{
        for (size_t i = 0; i < z->n; i++)
                if (sv_eq(z->v[i].name, name))
                        return &z->v[i];
        return NULL;
}

/* ---- local headers */

struct local {
        uint64_t data_at, data_end;
        uint16_t flags;
        uint32_t crc, packed, size; /* zeros when a data descriptor follows */
};

static int local_read(sv archive, const struct zip_member *m, struct local *ret, struct err *e)
{
        const char *p;
        uint64_t data_at;
        sv raw;

        if (m->header_at > archive.n || archive.n - m->header_at < LOCAL_LEN)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: member '%.*s' is not there", SV_ARG(m->name));
        p = archive.p + m->header_at;
        data_at = m->header_at + LOCAL_LEN + le16(p + 26) + le16(p + 28);
        if (le32(p) != LOCAL_SIG)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: member '%.*s' has no local header", SV_ARG(m->name));
        if (data_at > archive.n || archive.n - data_at < m->packed)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: member '%.*s' is cut short", SV_ARG(m->name));
        raw = sv_from_to(archive, m->header_at + LOCAL_LEN, m->header_at + LOCAL_LEN + le16(p + 26));
        if (!name_same(raw, m) || le16(p + 8) != m->method)
                return err_set(e, ERR_INTEGRITY,
                               "corrupt zip: the directory and the local header of member '%.*s' disagree",
                               SV_ARG(m->name));
        *ret = (struct local){ .data_at = data_at,
                               .data_end = data_at + m->packed,
                               .flags = le16(p + 6) | m->flags,
                               .crc = le32(p + 14),
                               .packed = le32(p + 18),
                               .size = le32(p + 22) };
        if (ret->flags & FLAG_ENCRYPTED)
                return err_set(e, ERR_INTEGRITY, "zip member '%.*s' is encrypted", SV_ARG(m->name));
        return 0;
}

int zip_data(sv archive, const struct zip_member *m, sv *ret_packed, struct err *e)
{
        struct local l = { 0 };

        if (local_read(archive, m, &l, e) < 0)
                return -(int)e->code;
        *ret_packed = sv_from_to(archive, l.data_at, l.data_end);
        return 0;
}

/* The bytes between a member's data and what follows: nothing, or a data descriptor in one of its four lengths. Some writers set the
 * flag and write none; then the local header must have told all. */
static bool gap_fine(sv gap, const struct local *l, const struct zip_member *m)
{
        bool wide;

        if (!(l->flags & FLAG_DESCRIPTOR))
                return gap.n == 0;
        if (gap.n == 0)
                return l->crc == m->crc && (l->packed == m->packed || l->packed == UINT32_MAX) &&
                       (l->size == m->size || l->size == UINT32_MAX);
        if (gap.n == 16 || gap.n == 24) {
                if (le32(gap.p) != DESCRIPTOR_SIG)
                        return false;
                gap = sv_skip(gap, 4);
        }
        if (gap.n != 12 && gap.n != 20)
                return false;
        wide = gap.n == 20;
        return le32(gap.p) == m->crc && (wide ? le64(gap.p + 4) : le32(gap.p + 4)) == m->packed &&
               (wide ? le64(gap.p + 12) : le32(gap.p + 8)) == m->size;
}

int zip_check(sv archive, const struct zip *z, struct err *e)
{
        AUTO(free_ptr) struct span *v = xcalloc(z->n ? z->n : 1, sizeof(*v));
        uint64_t first = z->directory_at;

        if (z->directory_at > archive.n)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: it is shorter than its directory says");
        for (size_t i = 0; i < z->n; i++)
                v[i] = (struct span){ z->v[i].header_at, 0, &z->v[i] };
        qsort(v, z->n, sizeof(*v), span_cmp);
        if (z->n)
                first = v[0].at;
        if (first != 0)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: %" PRIu64 " bytes stand before its first member", first);
        for (size_t i = 0; i < z->n; i++) {
                uint64_t next = i + 1 < z->n ? v[i + 1].at : z->directory_at;
                struct local l = { 0 };

                if (local_read(archive, v[i].m, &l, e) < 0)
                        return -(int)e->code;
                if (l.data_end > next || !gap_fine(sv_from_to(archive, l.data_end, next), &l, v[i].m))
                        return err_set(
                                e, ERR_INTEGRITY,
                                "corrupt zip: what follows member '%.*s' is neither a member nor its data descriptor",
                                SV_ARG(v[i].m->name));
        }
        return 0;
}
