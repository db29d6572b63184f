#include "registry/blob_priv.h"

#include "base/cleanup.h"

static sv blob_path(struct arena *a, const sha256 *d)
{
        return arena_fmt(a, "blobs/sha256:%s", sha256_hex(d).s);
}

static int head(struct reg_client *c, const struct reg_repo *repo, const sha256 *d, unsigned actions, bool once,
                uint64_t *ret_size, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_request r = {
                .repo = *repo, .actions = actions, .method = NET_HEAD, .path = blob_path(&a, d), .once = once
        };
        struct net_answer ans = { 0 };
        uint64_t size = 0;

        if (reg_do(c, &r, &a, &ans, e) < 0)
                return -(int)e->code;
        if (ans.status == 404)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' has no blob sha256:%s", SV_ARG(reg_repo_text(&a, repo)),
                               sha256_hex(d).s);
        if (ans.status != 200)
                return reg_status_err(c, &r, &ans, arena_fmt(&a, "asking for blob sha256:%s", sha256_hex(d).s).p, e);
        if (ret_size)
                *ret_size = sv_u64(net_header_get(&ans, "content-length"), &size) ? size : 0;
        return 0;
}

int reg_blob_head(struct reg_client *c, const struct reg_repo *repo, const sha256 *d, uint64_t *ret_size, struct err *e)
{
        return head(c, repo, d, REG_PULL, false, ret_size, e);
}

int reg_blob_look(struct reg_client *c, const struct reg_repo *repo, const sha256 *d, bool once, uint64_t *ret_size,
                  struct err *e)
{
        return head(c, repo, d, REG_PUSH, once, ret_size, e);
}

bool reg_bytes_here(const struct reg_bytes *b, uint64_t size)
{
        return b && (b->path || b->text.n || size == 0);
}

/* --- mounting */

enum { MOUNT_NO, MOUNT_YES };

/* One candidate: MOUNT_*, or -ERR_CANCELLED. No answer but "created" says more than "no": what is wrong shows when the blob is sent.
 * Instead of mounting, a server may begin an upload; it is kept for the bytes. */
static int mount(struct reg_upload *u, const struct reg_repo *from, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err why = { 0 };
        struct reg_request r = { .repo = *u->repo,
                                 .actions = REG_PUSH,
                                 .mount = from,
                                 .method = NET_POST,
                                 .path = arena_fmt(&a, "blobs/uploads/?mount=sha256:%s&from=%.*s",
                                                   sha256_hex(&u->want->digest).s, SV_ARG(from->repository)),
                                 .once = true };
        struct net_answer ans = { 0 };
        int ret = reg_do(u->c, &r, &a, &ans, &why);

        if (ret == -ERR_CANCELLED)
                return err_move(e, &why);
        if (ret < 0) { /* its answer may have got lost */
                err_done(&why);
                return ret == -ERR_NET && reg_blob_look(u->c, u->repo, &u->want->digest, true, NULL, &why) == 0;
        }
        if (ans.status == 201)
                return MOUNT_YES;
        if (ans.status == 202) {
                reg_upload_cancel(u); /* of the candidate before */
                reg_upload_session(u, &ans, &why);
        }
        return MOUNT_NO;
}

static int mount_any(struct reg_upload *u, const struct reg_repo *from, size_t n_from, struct err *e)
{
        int r = MOUNT_NO;

        for (size_t i = 0; i < n_from && r == MOUNT_NO; i++)
                if (sv_eq(from[i].registry, u->repo->registry) && !sv_eq(from[i].repository, u->repo->repository))
                        r = mount(u, &from[i], e);
        return r;
}

/* --- sending */

static int not_here(const struct reg_upload *u, sv name, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };

        err_set(e, ERR_NOT_FOUND, "the bytes of %.*s (sha256:%s) are neither here nor in '%.*s'", SV_ARG(name),
                sha256_hex(&u->want->digest).s, SV_ARG(reg_repo_text(&a, u->repo)));
        return -(int)e->code;
}

static int send_bytes(struct reg_upload *u, const struct reg_bytes *bytes, sv subject, uint64_t *ret_sent,
                      struct err *e)
{
        struct reg_source src;
        int r;

        if (reg_source_open(&src, bytes, u->want, subject, reg_op(u->c), e) < 0 || reg_piece_wanted(&u->piece, e) < 0) {
                reg_upload_cancel(u);
                reg_source_close(&src, false);
                return -(int)e->code;
        }
        u->src = &src;
        r = reg_upload_run(u, e);
        if (ret_sent)
                *ret_sent += src.sent;
        reg_source_close(&src, r == 0);
        return r;
}

int reg_blob_send(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want,
                  const struct reg_bytes *bytes, const struct reg_repo *from, size_t n_from, sv subject,
                  enum reg_how *ret_how, uint64_t *ret_sent, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv name = subject.n ? subject : arena_fmt(&a, "blob sha256:%s", sha256_hex(&want->digest).s);
        struct reg_upload u = { .c = c, .repo = repo, .want = want };
        int r;

        u.what = arena_fmt(&a, "pushing %.*s to %.*s", SV_ARG(name), SV_ARG(reg_repo_text(&a, repo))).p;
        r = mount_any(&u, from, n_from, e);
        if (r == MOUNT_NO && !reg_bytes_here(bytes, want->size)) {
                reg_upload_cancel(&u);
                r = not_here(&u, name, e);
        } else if (r == MOUNT_NO) {
                r = send_bytes(&u, bytes, subject, ret_sent, e);
                if (r == 0 && ret_how)
                        *ret_how = REG_SENT;
        } else if (r == MOUNT_YES) {
                r = 0;
                if (ret_how)
                        *ret_how = REG_MOUNTED;
        }
        arena_done(&u.last);
        arena_done(&u.arena);
        return r;
}

int reg_blob_ensure(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want,
                    const struct reg_bytes *bytes, const struct reg_repo *from, size_t n_from, sv subject,
                    enum reg_how *ret_how, uint64_t *ret_sent, struct err *e)
{
        struct err missing = { 0 };

        if (ret_sent)
                *ret_sent = 0;
        if (reg_blob_look(c, repo, &want->digest, false, NULL, &missing) == 0) {
                if (ret_how)
                        *ret_how = REG_PRESENT;
                return 0;
        }
        if (missing.code != ERR_NOT_FOUND)
                return err_move(e, &missing);
        err_done(&missing);
        return reg_blob_send(c, repo, want, bytes, from, n_from, subject, ret_how, ret_sent, e);
}
