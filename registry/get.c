/* Reading blobs: in one pass, from whichever place has them, going on where the last one broke off. What any of them sent is only believed
 * once all of it hashes to what was asked for. */
#include "base/cleanup.h"
#include "registry/blob_priv.h"

#define GET_PROGRESS ((uint64_t)1 << 20) /* a place that gave so much may be asked again */

struct get {
        struct writer w;
        struct writer *into;
        struct hash *hash;
        const struct oci_desc *want;
        uint64_t max; /* bytes it may have */
        uint64_t got; /* in `into` and in hash */
        sv subject;
};

static int get_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct get *g = (struct get *)w; /* w is its first field */

        if (n > g->max - g->got)
                return g->want->size ? err_set(e, ERR_INTEGRITY, "blob sha256:%s has more than its %llu bytes",
                                               sha256_hex(&g->want->digest).s, (unsigned long long)g->max)
                                     : err_set(e, ERR_LIMIT,
                                               "blob sha256:%s has more than the %llu bytes that are allowed here",
                                               sha256_hex(&g->want->digest).s, (unsigned long long)g->max);
        if (n && writer_write(g->into, p, n, e) < 0)
                return -(int)e->code;
        hash_add(g->hash, p, n);
        g->got += n;
        return 0;
}

static int get_finish(struct writer *w, struct err *e)
{
        (void)w;
        (void)e;
        return 0;
}

static const struct writer_ops get_ops = { "blob", get_write, get_finish };

static struct reg_request request_of(const struct get *g, const struct reg_endpoint *at, struct arena *a)
{
        return (struct reg_request){ .repo = at->repo,
                                     .actions = REG_PULL,
                                     .path = arena_fmt(a, "blobs/sha256:%s", sha256_hex(&g->want->digest).s),
                                     .subject = g->subject,
                                     .phase = OP_FETCH,
                                     .expect = g->want->size };
}

/* From one place: 0 when all that it has came, else why not. */
static int get_from(struct reg_client *c, struct get *g, const struct reg_endpoint *at, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_request r = request_of(g, at, &a);
        struct net_answer ans = { 0 };

        r.into = &g->w;
        r.keep_partial = true;
        if (g->got) { /* to the end */
                r.has_range = true;
                r.from = g->got;
        }
        if (reg_do(c, &r, &a, &ans, e) < 0) {
                if (!g->want->size || g->got < g->want->size || e->code != ERR_NET)
                        return -(int)e->code;
                err_done(e); /* all bytes are here; how the connection ended does not matter */
                return 0;
        }
        if (ans.status == 404)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' has no blob sha256:%s", SV_ARG(reg_repo_text(&a, &at->repo)),
                               sha256_hex(&g->want->digest).s);
        if (ans.status != 200 && ans.status != 206)
                return reg_status_err(c, &r, &ans,
                                      arena_fmt(&a, "fetching blob sha256:%s", sha256_hex(&g->want->digest).s).p, e);
        if (g->want->size && g->got < g->want->size)
                return err_set(e, ERR_NET, "blob sha256:%s ended after %llu of %llu bytes",
                               sha256_hex(&g->want->digest).s, (unsigned long long)g->got,
                               (unsigned long long)g->want->size);
        return 0;
}

/* Errors that another place, or the same one later, may not have. A mirror's refusal is no error of ours. */
static bool elsewhere(const struct err *e, bool mirror)
{
        return e->code == ERR_NET || e->code == ERR_NOT_FOUND || (mirror && e->code == ERR_AUTH);
}

/* All places in turn; the list is gone through again while that brings bytes. */
static int get_any(struct reg_client *c, struct get *g, const struct reg_endpoint *at, size_t n, struct err *e)
{
        struct err why = { 0 };
        uint64_t before;

        do {
                before = g->got;
                for (size_t i = 0; i < n; i++) {
                        err_done(&why);
                        if (get_from(c, g, &at[i], &why) == 0)
                                return 0;
                        if (!elsewhere(&why, at[i].mirror))
                                return err_move(e, &why);
                }
        } while (g->got - before >= GET_PROGRESS);
        return err_move(e, &why);
}

int reg_blob_get(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want, uint64_t max,
                 struct writer *into, sv subject, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(hash_freep) struct hash *hash = hash_new(HASH_SHA256);
        struct get g = { .w.ops = &get_ops,
                         .into = into,
                         .hash = hash,
                         .want = want,
                         .max = want->size ? want->size : max,
                         .subject = subject };
        struct reg_endpoint *at;
        sha256 got;
        size_t n;

        if (want->size > max)
                return err_set(e, ERR_LIMIT, "blob sha256:%s has %llu bytes, more than the %llu that are allowed here",
                               sha256_hex(&want->digest).s, (unsigned long long)want->size, (unsigned long long)max);
        if (reg_endpoints(c, repo, true, &a, &at, &n, e) < 0 || get_any(c, &g, at, n, e) < 0)
                return -(int)e->code;
        hash_end(hash, &got);
        if (sha256_eq(&got, &want->digest))
                return 0;
        err_set(e, ERR_INTEGRITY, "what '%.*s' sent as blob sha256:%s is sha256:%s", SV_ARG(reg_repo_text(&a, repo)),
                sha256_hex(&want->digest).s, sha256_hex(&got).s);
        err_hint(e, "the registry, a mirror or a proxy on the way changes or damages what it passes on; try again");
        return -(int)e->code;
}

int reg_blob_read(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want, size_t max,
                  struct arena *a, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(max);
        struct err why = { 0 };
        struct buf_writer w;

        if (reg_blob_get(c, repo, want, max, buf_writer_init(&w, &b), (sv){ 0 }, &why) == -ERR_INTEGRITY) {
                err_done(&why); /* a bit tipped over on the way, perhaps: once more */
                buf_clear(&b);
                reg_blob_get(c, repo, want, max, buf_writer_init(&w, &b), (sv){ 0 }, &why);
        }
        if (why.code)
                return err_move(e, &why);
        *ret = arena_sv(a, buf_sv(&b));
        return 0;
}
