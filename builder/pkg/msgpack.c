#include "pkg/msgpack.h"

#include <string.h>

struct msgpack msgpack_begin(sv bytes)
{
        const uint8_t *p = (const uint8_t *)(bytes.n ? bytes.p : "");

        return (struct msgpack){ p, p + bytes.n };
}

static bool take_uint(struct msgpack *m, size_t n, uint64_t *ret)
{
        *ret = 0;
        if ((size_t)(m->end - m->p) < n)
                return false;
        for (size_t i = 0; i < n; i++)
                *ret = *ret << 8 | *m->p++;
        return true;
}

static bool take_int(struct msgpack *m, size_t n, struct msgpack_item *ret)
{
        unsigned unused = 64 - 8 * (unsigned)n;
        uint64_t x;

        ret->type = MSGPACK_INT;
        if (!take_uint(m, n, &x))
                return false;
        ret->num = (int64_t)(x << unused) >> unused; /* the sign goes up */
        return true;
}

static bool take_unsigned(struct msgpack *m, size_t n, struct msgpack_item *ret)
{
        uint64_t x;

        if (!take_uint(m, n, &x))
                return false;
        ret->type = x > INT64_MAX ? MSGPACK_REAL : MSGPACK_INT;
        ret->num = (int64_t)x;
        ret->real = (double)x;
        return true;
}

static bool take_real(struct msgpack *m, size_t n, struct msgpack_item *ret)
{
        uint64_t x;
        uint32_t low;
        float single;

        ret->type = MSGPACK_REAL;
        if (!take_uint(m, n, &x))
                return false;
        if (n == 8) {
                memcpy(&ret->real, &x, 8);
                return true;
        }
        low = (uint32_t)x;
        memcpy(&single, &low, 4);
        ret->real = (double)single;
        return true;
}

static bool take_bytes(struct msgpack *m, uint64_t n, enum msgpack_type type, struct msgpack_item *ret)
{
        ret->type = type;
        if ((uint64_t)(m->end - m->p) < n)
                return false;
        ret->text = (sv){ (const char *)m->p, (size_t)n };
        m->p += n;
        return true;
}

/* Its length comes first, in n bytes. */
static bool take_long(struct msgpack *m, size_t n, enum msgpack_type type, struct msgpack_item *ret)
{
        uint64_t length;

        return take_uint(m, n, &length) && take_bytes(m, length, type, ret);
}

static bool take_ext(struct msgpack *m, uint64_t n, struct msgpack_item *ret)
{
        uint64_t type;

        return take_uint(m, 1, &type) && take_bytes(m, n, MSGPACK_EXT, ret);
}

static bool take_long_ext(struct msgpack *m, size_t n, struct msgpack_item *ret)
{
        uint64_t length;

        return take_uint(m, n, &length) && take_ext(m, length, ret);
}

static bool take_head(struct msgpack *m, uint64_t n, enum msgpack_type type, struct msgpack_item *ret)
{
        ret->type = type;
        ret->n = (uint32_t)n;
        return n * (type == MSGPACK_MAP ? 2 : 1) <= (uint64_t)(m->end - m->p); /* an item has a byte at least */
}

static bool take_long_head(struct msgpack *m, size_t n, enum msgpack_type type, struct msgpack_item *ret)
{
        uint64_t length;

        return take_uint(m, n, &length) && take_head(m, length, type, ret);
}

/* 0xc0 to 0xdf. */
static bool take_marked(struct msgpack *m, uint8_t mark, struct msgpack_item *ret)
{
        size_t size = (size_t)1 << (mark & 3); /* of most kinds there are four, of 1, 2, 4 and 8 bytes */

        switch (mark) {
        case 0xc0:
                return true;
        case 0xc2:
        case 0xc3:
                ret->type = mark == 0xc3 ? MSGPACK_TRUE : MSGPACK_FALSE;
                return true;
        case 0xc4:
        case 0xc5:
        case 0xc6:
                return take_long(m, size, MSGPACK_BYTES, ret);
        case 0xc7:
        case 0xc8:
        case 0xc9:
                return take_long_ext(m, (size_t)1 << (mark - 0xc7), ret);
        case 0xca:
        case 0xcb:
                return take_real(m, mark == 0xca ? 4 : 8, ret);
        case 0xcc:
        case 0xcd:
        case 0xce:
        case 0xcf:
                return take_unsigned(m, size, ret);
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3:
                return take_int(m, size, ret);
        case 0xd4:
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8:
                return take_ext(m, (uint64_t)1 << (mark - 0xd4), ret);
        case 0xd9:
        case 0xda:
        case 0xdb:
                return take_long(m, (size_t)1 << (mark - 0xd9), MSGPACK_TEXT, ret);
        case 0xdc:
        case 0xdd:
                return take_long_head(m, mark == 0xdc ? 2 : 4, MSGPACK_ARRAY, ret);
        case 0xde:
        case 0xdf:
                return take_long_head(m, mark == 0xde ? 2 : 4, MSGPACK_MAP, ret);
        default: /* 0xc1 is never used */
                return false;
        }
}

bool msgpack_next(struct msgpack *m, struct msgpack_item *ret)
{
        uint8_t mark;

        *ret = (struct msgpack_item){ 0 };
        if (m->p == m->end)
                return false;
        mark = *m->p++;
        if (mark < 0x80 || mark >= 0xe0) {
                ret->type = MSGPACK_INT;
                ret->num = (int8_t)mark;
                return true;
        }
        if (mark < 0x90)
                return take_head(m, mark & 0x0f, MSGPACK_MAP, ret);
        if (mark < 0xa0)
                return take_head(m, mark & 0x0f, MSGPACK_ARRAY, ret);
        if (mark < 0xc0)
                return take_bytes(m, mark & 0x1f, MSGPACK_TEXT, ret);
        return take_marked(m, mark, ret);
}

bool msgpack_skip(struct msgpack *m)
{
        struct msgpack_item item;
        uint64_t left = 1; /* items; each has a byte at least, so this stays small or ends soon */

        while (left--) {
                if (!msgpack_next(m, &item))
                        return false;
                left += item.type == MSGPACK_MAP ? 2 * (uint64_t)item.n : item.n;
                if (left > (uint64_t)(m->end - m->p))
                        return false;
        }
        return true;
}
