/* One upload: a session, its bytes, and what becomes of it when it breaks (specs/oci.md §3.5 "Facts on resuming"). A session that broke in
 * the middle of a request is never used again: servers differ in what is left of it, one even adds what it has already. */
#include "base/cleanup.h"
#include "net/url.h"
#include "registry/blob_priv.h"
#include "registry/client_priv.h"
#include "registry/client_priv.h"

static const struct net_header octets = { SV("content-type"), SV("application/octet-stream") };

int reg_upload_ask(struct reg_upload *u, enum net_method method, sv url, const struct net_header *h, size_t n_h,
                   const struct net_source *body, struct net_answer *ret, struct err *e)
{
        struct reg_request r = { .repo = *u->repo,
                                 .actions = REG_PUSH,
                                 .method = method,
                                 .path = url,
                                 .header = h,
                                 .n_header = n_h,
                                 .body = body,
                                 .phase = OP_PUSH,
                                 .once = true,
                                 .timeout_ms = body ? REG_WAIT_MS + (int64_t)(body->size / REG_DIGESTED) : 0,
                                 .fresh_token = body && body->size >= REG_LARGE };

        arena_done(&u->last);
        u->answer = (struct net_answer){ 0 };
        if (reg_do(u->c, &r, &u->last, &u->answer, e) < 0)
                return -(int)e->code;
        *ret = u->answer;
        return 0;
}

int reg_upload_session(struct reg_upload *u, const struct net_answer *ans, struct err *e)
{
        sv to = net_header_get(ans, "location");
        struct arena fresh = { 0 };
        uint64_t min;
        struct url parts;
        ptrdiff_t hash;

        if (!to.n)
                return err_set(e, ERR_NET, "%s: the server began an upload and did not say where (no Location)",
                               u->what);
        to = url_join(&fresh, ans->url, to);
        if ((hash = sv_find(to, '#')) >= 0)
                to = sv_from_to(to, 0, (size_t)hash);
        if (!url_parse(to, &parts) ||
            !(sv_eq_nocase(parts.scheme, SV("https")) || sv_eq_nocase(parts.scheme, SV("http")))) {
                err_set(e, ERR_NET, "%s: the server began an upload at '%.*s', which is no http address (Location)",
                        u->what, SV_ARG(reg_url_shown(&fresh, to)));
                arena_done(&fresh);
                return -(int)e->code;
        }
        if (sv_u64(net_header_get(ans, "oci-chunk-min-length"), &min))
                u->piece_min = min;
        arena_done(&u->arena);
        u->arena = fresh;
        u->at = to;
        return 0;
}

void reg_upload_cancel(struct reg_upload *u)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct net_answer ans;

        if (u->at.n)
                reg_upload_ask(u, NET_DELETE, u->at, NULL, 0, NULL, &ans, &ignored);
        u->at = (sv){ 0 };
}

static int status_err(struct reg_upload *u, const struct net_answer *ans, struct err *e)
{
        struct reg_request r = { .repo = *u->repo, .actions = REG_PUSH, .path = u->at };

        u->said = true;
        return reg_status_err(u->c, &r, ans, u->what, e);
}

/* A smaller piece than the one that was refused as too large; false: there is none. */
static bool shrink(struct reg_upload *u)
{
        uint64_t now = u->piece ? u->piece : u->want->size, next = u->piece || now <= REG_PIECE ? now / 2 : REG_PIECE;

        if (next < REG_PIECE_MIN || next < u->piece_min)
                return false;
        u->piece = next;
        return true;
}

int reg_upload_verdict(struct reg_upload *u, int r, const struct net_answer *ans, struct err *e)
{
        if (r == -ERR_NET)
                return UPLOAD_AGAIN;
        if (r < 0) { /* the bytes are not what they should be, or cannot be read: nothing of them stays there */
                if (r != -ERR_CANCELLED && r != -ERR_AUTH)
                        reg_upload_cancel(u);
                return r;
        }
        status_err(u, ans, e);
        if (ans->status == 413)
                return shrink(u) ? UPLOAD_AGAIN : -(int)e->code;
        /* Sessions get lost (404), are mixed up (400, 416), a bit tips over on the way (400 DIGEST_INVALID): begin anew. */
        if (reg_may_mend(0, ans->status) || ans->status == 400 || ans->status == 404 || ans->status == 416)
                return UPLOAD_AGAIN;
        return -(int)e->code;
}

/* The query is the server's: nothing in it is written anew. */
static sv closing_url(struct reg_upload *u)
{
        return arena_fmt(&u->arena, "%.*s%cdigest=sha256:%s", SV_ARG(u->at), sv_find(u->at, '?') < 0 ? '?' : '&',
                         sha256_hex(&u->want->digest).s);
}

/* A server that says what it stored must have stored this. */
static int check_stored(struct reg_upload *u, const struct net_answer *ans, struct err *e)
{
        sv said = net_header_get(ans, "docker-content-digest");
        sha256 d;

        if (!sv_starts(said, SV("sha256:")) || (sha256_read(said, &d) && sha256_eq(&d, &u->want->digest)))
                return 0;
        return err_set(e, ERR_INTEGRITY, "%s: the server stored %.*s instead of sha256:%s", u->what,
                       SV_ARG(reg_tame(&u->last, said)), sha256_hex(&u->want->digest).s);
}

struct net_header reg_upload_range(struct reg_upload *u, uint64_t from, uint64_t end)
{
        return (struct net_header){ SV("content-range"), arena_fmt(&u->arena, "%llu-%llu", (unsigned long long)from,
                                                                   (unsigned long long)(end - 1)) };
}

int reg_upload_close(struct reg_upload *u, uint64_t from, struct err *e)
{
        uint64_t n = u->want->size - from;
        const struct net_source *body = n ? reg_source_piece(u->src, from, n) : NULL;
        struct net_header h[2] = { octets };
        struct net_answer ans = { 0 };
        size_t n_h = 1;
        int r;

        if (from && n)
                h[n_h++] = reg_upload_range(u, from, u->want->size);
        r = reg_upload_ask(u, NET_PUT, closing_url(u), h, n_h, body, &ans, e);
        if (r == 0 && (ans.status == 201 || ans.status == 200 || ans.status == 204))
                return check_stored(u, &ans, e);
        return reg_upload_verdict(u, r, &ans, e);
}

static int begin(struct reg_upload *u, struct err *e)
{
        struct net_answer ans = { 0 };
        int r = reg_upload_ask(u, NET_POST, SV("blobs/uploads/"), NULL, 0, NULL, &ans, e);

        if (r == 0 && ans.status == 202)
                return reg_upload_session(u, &ans, e);
        if (r < 0)
                return r == -ERR_NET ? UPLOAD_AGAIN : r;
        status_err(u, &ans, e);
        if (ans.status == 404)
                e->code = ERR_NET; /* "not found" is said of blobs, and sends callers looking elsewhere */
        return reg_may_mend(0, ans.status) ? UPLOAD_AGAIN : -(int)e->code;
}

static int once(struct reg_upload *u, struct err *e)
{
        int r;

        if (!u->at.n && (r = begin(u, e)) != 0)
                return r;
        /* Who names a least size of pieces has a reason to want them. */
        if (!u->piece && u->piece_min && u->piece_min < u->want->size)
                u->piece = u->piece_min > REG_PIECE ? u->piece_min : REG_PIECE;
        if (u->piece && u->piece < u->piece_min)
                u->piece = u->piece_min;
        return u->piece && u->piece < u->want->size ? reg_upload_pieces(u, e) : reg_upload_close(u, 0, e);
}

/* The answer may have got lost, not the blob. */
static bool is_there(struct reg_upload *u)
{
        AUTO(err_done) struct err ignored = { 0 };
        uint64_t size;

        return reg_blob_look(u->c, u->repo, &u->want->digest, true, &size, &ignored) == 0 && size == u->want->size;
}

static int say_why(const struct reg_upload *u, int r, struct err *why, struct err *e)
{
        err_move(e, why);
        if (r == UPLOAD_AGAIN && u->said)
                return err_while(e, "trying it for the %dth time", REG_TRIES);
        if (r == UPLOAD_AGAIN)
                return err_while(e, "%s, for the %dth time", u->what, REG_TRIES);
        return u->said ? -(int)e->code : err_while(e, "%s", u->what);
}

int reg_upload_run(struct reg_upload *u, struct err *e)
{
        struct err why = { 0 };
        int r;

        for (unsigned tried = 0;; tried++) {
                uint64_t piece = u->piece;

                err_done(&why);
                u->said = false;
                r = once(u, &why);
                if (r == 0 || (r == UPLOAD_AGAIN && is_there(u))) {
                        r = 0;
                        break;
                }
                if (r < 0 || tried + 1 >= REG_TRIES)
                        break;
                u->at = (sv){ 0 };
                if (u->piece == piece && reg_pause(u->c, tried, &u->answer, e) < 0) {
                        r = -(int)e->code;
                        err_done(&why);
                        break;
                }
        }
        if (r != 0 && why.code)
                r = say_why(u, r, &why, e);
        err_done(&why);
        arena_done(&u->last);
        arena_done(&u->arena);
        return r;
}
