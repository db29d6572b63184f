#include <inttypes.h>

#include "ext/hash.h"
#include "install/wheel_priv.h"

static int deflate_read(struct wheel *w, const struct zip_member *m, sv packed, char *to, struct err *e)
{
        uint64_t have = 0;
        char beyond;
        size_t n;

        deflate_walk_begin(w->walk, packed, DEFLATE_CLOSED);
        do {
                bool full = have == m->size;
                if (deflate_walk_next(w->walk, full ? &beyond : to + have, full ? 1 : m->size - have, &n, NULL, e) < 0)
                        return err_while(e, "reading member '%.*s'", SV_ARG(m->name));
                if (full && n)
                        return err_set(e, ERR_INTEGRITY,
                                       "corrupt zip: member '%.*s' is larger than the %" PRIu64 " bytes it claims",
                                       SV_ARG(m->name), m->size);
                have += n;
        } while (n);
        if (have != m->size)
                return err_set(e, ERR_INTEGRITY, "corrupt zip: member '%.*s' has %" PRIu64 " bytes and claims %" PRIu64,
                               SV_ARG(m->name), have, m->size);
        return 0;
}

int wheel_member_read(struct wheel *w, const struct zip_member *m, size_t max, struct buf *out, struct err *e)
{
        sv packed;
        char *to;

        if (m->size > max)
                return err_set(e, ERR_LIMIT,
                               "member '%.*s' has %" PRIu64 " bytes; at most %zu can be taken into memory",
                               SV_ARG(m->name), m->size, max);
        if (zip_data(w->archive, m, &packed, e) < 0)
                return -(int)e->code;
        buf_clear(out);
        to = buf_room(out, m->size + 1);
        if (!to)
                return buf_check(out, e);
        if (m->method == 0)
                buf_add(out, packed);
        else if (deflate_read(w, m, packed, to, e) < 0)
                return -(int)e->code;
        else
                out->n = m->size;
        if (crc32_add(0, to, m->size) != m->crc)
                return err_set(e, ERR_INTEGRITY,
                               "corrupt zip: member '%.*s' has another checksum than its directory says",
                               SV_ARG(m->name));
        return 0;
}

int wheel_member_peek(struct wheel *w, const struct zip_member *m, char *ret, size_t max, size_t *ret_n, struct err *e)
{
        sv packed;

        if (zip_data(w->archive, m, &packed, e) < 0)
                return -(int)e->code;
        if (m->method == 0) {
                packed = sv_from_to(packed, 0, max);
                for (size_t i = 0; i < packed.n; i++)
                        ret[i] = packed.p[i];
                *ret_n = packed.n;
                return 0;
        }
        deflate_walk_begin(w->walk, packed, DEFLATE_CLOSED);
        if (deflate_walk_next(w->walk, ret, max, ret_n, NULL, e) < 0)
                return err_while(e, "reading member '%.*s'", SV_ARG(m->name));
        return 0;
}

int wheel_text_read(struct wheel *w, const char *name, sv *ret, struct err *e)
{
        sv path = arena_fmt(&w->arena, "%.*s/%s", SV_ARG(w->dist_info), name);
        const struct zip_member *m = zip_find(&w->zip, path);
        struct buf text = BUF_INIT(WHEEL_TEXT_MAX + 1);
        int rc;

        if (!m)
                return -ERR_NOT_FOUND;
        rc = wheel_member_read(w, m, WHEEL_TEXT_MAX, &text, e);
        if (rc == 0)
                *ret = arena_sv(&w->arena, buf_sv(&text));
        buf_done(&text);
        return rc;
}
