/* Uploads in pieces: for servers and proxies that refuse large bodies, and where a link breaks too often for whole ones. Only here can an
 * upload go on after a break: at a border that the server has said yes to. */
#include <stdlib.h>

#include "registry/blob_priv.h"

int reg_piece_wanted(uint64_t *ret, struct err *e)
{
        static const struct {
                char letter;
                unsigned shift;
        } units[] = { { 'k', 10 }, { 'K', 10 }, { 'm', 20 }, { 'M', 20 }, { 'g', 30 }, { 'G', 30 } };
        const char *env = getenv("ENVBUILD_PUSH_CHUNK");
        sv text = sv_from(env), digits = text;
        unsigned shift = 0;
        uint64_t n = 0;

        *ret = 0;
        if (!text.n)
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
                if (text.p[text.n - 1] == units[i].letter) {
                        shift = units[i].shift;
                        digits = sv_from_to(text, 0, text.n - 1);
                }
        if (!sv_u64(digits, &n) || n == 0 || n > UINT64_MAX >> 1 >> shift) {
                err_set(e, ERR_USAGE, "ENVBUILD_PUSH_CHUNK is '%.*s', which is not a size", SV_ARG(text));
                err_hint(e, "ENVBUILD_PUSH_CHUNK=64M sends blobs in pieces of 64 MiB");
                return -(int)e->code;
        }
        *ret = n << shift;
        return 0;
}

/* "0-1023": so many bytes are there. "0-0" is one byte or none: servers differ, so it says nothing. */
static bool stored(const struct net_answer *ans, uint64_t *ret)
{
        sv v = net_header_get(ans, "range"), first;
        uint64_t from, to;

        if (sv_starts(v, SV("bytes=")))
                v = sv_skip(v, 6);
        if (!sv_cut(&v, '-', &first) || !sv_u64(sv_trim(first), &from) || !sv_u64(sv_trim(v), &to) || from != 0 ||
            to == 0 || to == UINT64_MAX)
                return false;
        *ret = to + 1;
        return true;
}

/* A PATCH of bytes from…end - 1 broke. The session lives only if its state is one that we know: all of the piece, or nothing of it. */
static bool look(struct reg_upload *u, uint64_t from, uint64_t end, uint64_t *ret)
{
        struct err ignored = { 0 };
        struct net_answer ans = { 0 };
        uint64_t have = 0;
        bool ok = reg_upload_ask(u, NET_GET, u->at, NULL, 0, NULL, &ans, &ignored) == 0 && ans.status == 204 &&
                  stored(&ans, &have) && (have == from || have == end);

        if (ok && net_header_get(&ans, "location").n)
                ok = reg_upload_session(u, &ans, &ignored) == 0;
        err_done(&ignored);
        *ret = have;
        return ok;
}

/* One PATCH: *ret_next is where the next one begins. */
static int send_piece(struct reg_upload *u, uint64_t from, uint64_t n, uint64_t *ret_next, struct err *e)
{
        const struct net_header h[2] = { { SV("content-type"), SV("application/octet-stream") },
                                         reg_upload_range(u, from, from + n) };
        struct net_answer ans = { 0 };
        int r = reg_upload_ask(u, NET_PATCH, u->at, h, 2, reg_source_piece(u->src, from, n), &ans, e);

        if (r == 0 && ans.status == 202) {
                *ret_next = from + n; /* whatever Range says: what was acknowledged is there */
                return net_header_get(&ans, "location").n ? reg_upload_session(u, &ans, e) : 0;
        }
        if (from && (reg_may_mend(r, ans.status) || (r == 0 && ans.status == 416)) &&
            look(u, from, from + n, ret_next)) {
                err_done(e);
                return 0;
        }
        return reg_upload_verdict(u, r, &ans, e);
}

int reg_upload_pieces(struct reg_upload *u, struct err *e)
{
        uint64_t at = 0, next = 0;
        unsigned stuck = 0;

        while (u->want->size - at > u->piece) {
                int r = send_piece(u, at, u->piece, &next, e);

                if (r != 0)
                        return r;
                stuck = next == at ? stuck + 1 : 0;
                if (stuck >= REG_TRIES) {
                        err_set(e, ERR_NET, "the server does not take the bytes behind the first %llu",
                                (unsigned long long)at);
                        return UPLOAD_AGAIN;
                }
                if (stuck && reg_pause(u->c, stuck, NULL, e) < 0)
                        return -(int)e->code;
                at = next;
        }
        return reg_upload_close(u, at, e);
}
