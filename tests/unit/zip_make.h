/* tests/unit/zip_make.h - writes small zips in memory, right ones and wrong ones: build with zip_make(), then patch the bytes whose
 * places it tells. Deflated members are one stored block. */
#ifndef TESTS_UNIT_ZIP_MAKE_H
#define TESTS_UNIT_ZIP_MAKE_H

#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "ext/hash.h"

struct zip_file {
        const char *name, *data;
        uint32_t mode;   /* 0: 0100644 */
        uint16_t method; /* 0 or 8 */
        uint16_t flags;  /* 0x800: the name is UTF-8 */
        unsigned after;  /* bytes of data descriptor: 0, 12, 16, 20, 24 */
        bool zip64;      /* sizes and offset in a zip64 extra field */
        uint64_t n_data; /* 0: strlen(data) */
};
struct zip_made {
        struct buf buf;
        size_t local_at[64], central_at[64], dir_at, end64_at, end_at;
};
enum { ZIP_MAKE_END64 = 1 }; /* how */

static inline void zip_put(struct buf *b, uint64_t v, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                buf_byte(b, (char)(v >> 8 * i));
}

static inline void zip_patch(struct zip_made *z, size_t at, uint64_t v, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                z->buf.p[at + i] = (char)(v >> 8 * i);
}

static inline void zip_make_local(struct buf *b, const struct zip_file *f)
{
        size_t n = f->n_data ? f->n_data : strlen(f->data), packed = f->method == 8 ? n + 5 : n;
        uint32_t crc = crc32_add(0, f->data, n);
        bool late = f->after != 0;

        zip_put(b, 0x04034b50, 4);
        zip_put(b, 20, 2);
        zip_put(b, f->flags | (late ? 8 : 0), 2);
        zip_put(b, f->method, 2);
        zip_put(b, 0x00210000, 4);
        zip_put(b, late ? 0 : crc, 4);
        zip_put(b, late ? 0 : packed, 4);
        zip_put(b, late ? 0 : n, 4);
        zip_put(b, strlen(f->name), 2);
        zip_put(b, 0, 2);
        buf_add(b, sv_from(f->name));
        if (f->method == 8) {
                buf_byte(b, 1);
                zip_put(b, n, 2);
                zip_put(b, ~n, 2);
        }
        buf_add(b, (sv){ f->data, n });
        if (f->after == 16 || f->after == 24)
                zip_put(b, 0x08074b50, 4);
        if (f->after) {
                unsigned width = f->after >= 20 ? 8 : 4;
                zip_put(b, crc, 4);
                zip_put(b, packed, width);
                zip_put(b, n, width);
        }
}

static inline void zip_make_central(struct buf *b, const struct zip_file *f, size_t at)
{
        size_t n = f->n_data ? f->n_data : strlen(f->data), packed = f->method == 8 ? n + 5 : n;
        uint32_t mode = f->mode ? f->mode : 0100644;

        zip_put(b, 0x02014b50, 4);
        zip_put(b, 0x0314, 2);
        zip_put(b, 20, 2);
        zip_put(b, f->flags | (f->after ? 8 : 0), 2);
        zip_put(b, f->method, 2);
        zip_put(b, 0x00210000, 4);
        zip_put(b, crc32_add(0, f->data, n), 4);
        zip_put(b, f->zip64 ? UINT32_MAX : packed, 4);
        zip_put(b, f->zip64 ? UINT32_MAX : n, 4);
        zip_put(b, strlen(f->name), 2);
        zip_put(b, f->zip64 ? 28 : 0, 2);
        zip_put(b, 0, 8); /* comment, disk, internal attributes, half of the external ones */
        zip_put(b, mode, 2);
        zip_put(b, f->zip64 ? UINT32_MAX : at, 4);
        buf_add(b, sv_from(f->name));
        if (f->zip64) {
                zip_put(b, 1, 2);
                zip_put(b, 24, 2);
                zip_put(b, n, 8);
                zip_put(b, packed, 8);
                zip_put(b, at, 8);
        }
}

/* At most 64 files. The caller releases ret->buf. */
static inline void zip_make(struct zip_made *ret, const struct zip_file *f, size_t n, const char *comment, int how)
{
        struct buf *b = &ret->buf;
        size_t dir_size;

        *ret = (struct zip_made){ .buf = BUF_INIT((size_t)64 << 20) };
        for (size_t i = 0; i < n; i++) {
                ret->local_at[i] = b->n;
                zip_make_local(b, &f[i]);
        }
        ret->dir_at = b->n;
        for (size_t i = 0; i < n; i++) {
                ret->central_at[i] = b->n;
                zip_make_central(b, &f[i], ret->local_at[i]);
        }
        dir_size = b->n - ret->dir_at;
        if (how & ZIP_MAKE_END64) {
                ret->end64_at = b->n;
                zip_put(b, 0x06064b50, 4);
                zip_put(b, 44, 8);
                zip_put(b, 0x002d002d, 4);
                zip_put(b, 0, 8);
                zip_put(b, n, 8);
                zip_put(b, n, 8);
                zip_put(b, dir_size, 8);
                zip_put(b, ret->dir_at, 8);
                zip_put(b, 0x07064b50, 4);
                zip_put(b, 0, 4);
                zip_put(b, ret->end64_at, 8);
                zip_put(b, 1, 4);
        }
        ret->end_at = b->n;
        zip_put(b, 0x06054b50, 4);
        zip_put(b, 0, 4);
        zip_put(b, how & ZIP_MAKE_END64 ? UINT16_MAX : n, 2);
        zip_put(b, how & ZIP_MAKE_END64 ? UINT16_MAX : n, 2);
        zip_put(b, how & ZIP_MAKE_END64 ? UINT32_MAX : dir_size, 4);
        zip_put(b, how & ZIP_MAKE_END64 ? UINT32_MAX : ret->dir_at, 4);
        zip_put(b, strlen(comment), 2);
        buf_add(b, sv_from(comment));
}

#endif
