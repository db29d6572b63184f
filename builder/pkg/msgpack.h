/* pkg/msgpack.h - MessagePack, read item by item: what sharded repodata is written in (CEP 16). Debian's package of libmsgpack changes its
 * name with the release, and the format takes a page. Pure. Any bytes are safe; nothing is copied. */
#ifndef PKG_MSGPACK_H
#define PKG_MSGPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

enum msgpack_type {
        MSGPACK_NIL,
        MSGPACK_FALSE,
        MSGPACK_TRUE,
        MSGPACK_INT,
        MSGPACK_REAL, /* and integers over INT64_MAX */
        MSGPACK_TEXT,
        MSGPACK_BYTES,
        MSGPACK_ARRAY, /* n items follow */
        MSGPACK_MAP,   /* n pairs of items follow */
        MSGPACK_EXT
};
struct msgpack_item {
        enum msgpack_type type;
        int64_t num; /* MSGPACK_INT */
        double real;
        sv text; /* MSGPACK_TEXT, MSGPACK_BYTES, MSGPACK_EXT (without its type) */
        uint32_t n;
};
struct msgpack {
        const uint8_t *p, *end;
};
struct msgpack msgpack_begin(sv bytes);
/** The next item, of an array or a map only its head. False: cut off, or no MessagePack. More than are left of bytes never follow. */
bool msgpack_next(struct msgpack *m, struct msgpack_item *ret);
/** The next item with everything in it. */
bool msgpack_skip(struct msgpack *m);

#endif
