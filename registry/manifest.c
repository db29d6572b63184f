#include "registry/manifest.h"

#include "base/cleanup.h"
#include "registry/blob_priv.h"
#include "registry/client_priv.h"

#define ACCEPT OCI_INDEX ", " OCI_MANIFEST ", " OCI_DOCKER_INDEX ", " OCI_DOCKER_MANIFEST

static const struct net_header accept_all = { SV("accept"), SV(ACCEPT) };

static struct reg_request request_of(const struct reg_repo *repo, enum net_method method, sv ref, struct arena *a)
{
        return (struct reg_request){ .repo = *repo,
                                     .actions = method == NET_PUT      ? REG_PUSH
                                                : method == NET_DELETE ? REG_DELETE
                                                                       : REG_PULL,
                                     .method = method,
                                     .path = arena_fmt(a, "manifests/%.*s", SV_ARG(ref)),
                                     .header = method == NET_DELETE ? NULL : &accept_all,
                                     .n_header = method != NET_DELETE,
                                     .phase = OP_FETCH };
}

static sv name_of(struct arena *a, const struct reg_repo *repo, sv ref)
{
        return arena_fmt(a, "%.*s%s%.*s", SV_ARG(reg_repo_text(a, repo)), sv_starts(ref, SV("sha256:")) ? "@" : ":",
                         SV_ARG(ref));
}

static int not_found(const struct reg_repo *repo, sv ref, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };

        return err_set(e, ERR_NOT_FOUND, "there is no '%.*s'", SV_ARG(name_of(&a, repo, ref)));
}

/* "application/json; charset=utf-8" → "application/json" */
static sv bare_type(sv type)
{
        ptrdiff_t semicolon = sv_find(type, ';');

        return sv_trim(semicolon < 0 ? type : sv_from_to(type, 0, (size_t)semicolon));
}

/* --- reading */

static int schema_1(const char *what, struct err *e)
{
        err_set(e, ERR_INTEGRITY, "%s is in Docker's schema 1, which is not read: it does not name its layers' content",
                what);
        err_hint(e, "convert it once: skopeo copy --format v2s2 docker://OLD docker://NEW");
        return -(int)e->code;
}

/* What the document says it is, which is what the server says it is. */
static int read_type(const struct net_answer *ans, const char *what, struct arena *a, sv *ret, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        sv said = bare_type(net_header_get(ans, "content-type")), type;
        int64_t version = 0;
        struct js *doc;

        if (js_parse(a, ans->body, &doc, &why) < 0)
                return err_set(e, ERR_INTEGRITY, "%s is not JSON: %s", what, why.cause);
        type = js_get_str(doc, "mediaType");
        if ((js_int(js_get(doc, "schemaVersion"), &version) && version == 1) ||
            sv_starts(said, SV("application/vnd.docker.distribution.manifest.v1+")))
                return schema_1(what, e);
        if (type.n && said.n && !sv_eq_nocase(type, said))
                return err_set(e, ERR_INTEGRITY, "%s says that it is '%.*s', but the server calls it '%.*s'", what,
                               SV_ARG(reg_tame(a, type)), SV_ARG(reg_tame(a, said)));
        *ret = type.n ? type : said;
        return 0;
}

/* Its digest is that of its bytes, whatever anybody says; who says something else is not believed either. */
static int check_digest(const struct net_answer *ans, sv ref, const char *what, const sha256 *got, struct arena *a,
                        struct err *e)
{
        sv said = net_header_get(ans, "docker-content-digest");
        sha256 d;

        if (sv_starts(ref, SV("sha256:")) && !(sha256_read(ref, &d) && sha256_eq(&d, got)))
                err_set(e, ERR_INTEGRITY, "what the server sent as %s is sha256:%s", what, sha256_hex(got).s);
        else if (sv_starts(said, SV("sha256:")) && !(sha256_read(said, &d) && sha256_eq(&d, got)))
                err_set(e, ERR_INTEGRITY, "the server calls %s %.*s, but what it sent is sha256:%s", what,
                        SV_ARG(reg_tame(a, said)), sha256_hex(got).s);
        else
                return 0;
        err_hint(e, "the registry, a mirror or a proxy on the way changes or damages what it passes on; try again");
        return -(int)e->code;
}

static int get_from(struct reg_client *c, const struct reg_repo *repo, sv ref, unsigned actions, struct arena *a,
                    struct reg_manifest *ret, struct err *e)
{
        struct reg_request r = request_of(repo, NET_GET, ref, a);
        const char *what = arena_fmt(a, "the manifest '%.*s'", SV_ARG(name_of(a, repo, ref))).p;
        struct net_answer ans = { 0 };
        struct reg_manifest m;

        r.actions = actions;
        if (reg_do(c, &r, a, &ans, e) < 0)
                return -(int)e->code;
        if (ans.status == 404)
                return not_found(repo, ref, e);
        if (ans.status != 200)
                return reg_status_err(c, &r, &ans, arena_fmt(a, "fetching %s", what).p, e);
        m = (struct reg_manifest){ .bytes = ans.body, .digest = sha256_of(ans.body) };
        if (check_digest(&ans, ref, what, &m.digest, a, e) < 0 || read_type(&ans, what, a, &m.media_type, e) < 0)
                return -(int)e->code;
        *ret = m;
        return 0;
}

int reg_manifest_get(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a,
                     struct reg_manifest *ret, struct err *e)
{
        struct reg_endpoint *at;
        size_t n;

        if (reg_endpoints(c, repo, sv_starts(ref, SV("sha256:")), a, &at, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                struct err why = { 0 };

                if (get_from(c, &at[i].repo, ref, REG_PULL, a, ret, &why) == 0)
                        return 0;
                if (i + 1 == n ||
                    (why.code != ERR_NET && why.code != ERR_NOT_FOUND && why.code != ERR_AUTH && why.code != ERR_LIMIT))
                        return err_move(e, &why);
                err_done(&why); /* a mirror without it */
        }
        return not_found(repo, ref, e);
}

static int head_by_get(struct reg_client *c, const struct reg_repo *repo, sv ref, unsigned actions, struct arena *a,
                       struct oci_desc *ret, struct err *e)
{
        struct reg_manifest m;

        if (get_from(c, repo, ref, actions, a, &m, e) < 0)
                return -(int)e->code;
        *ret = (struct oci_desc){ .media_type = m.media_type, .digest = m.digest, .size = m.bytes.n };
        return 0;
}

static int head(struct reg_client *c, const struct reg_repo *repo, sv ref, unsigned actions, struct arena *a,
                struct oci_desc *ret, struct err *e)
{
        struct reg_request r = request_of(repo, NET_HEAD, ref, a);
        struct net_answer ans = { 0 };
        struct oci_desc d = { 0 };
        sha256 asked;

        r.actions = actions;
        if (reg_do(c, &r, a, &ans, e) < 0)
                return -(int)e->code;
        if (ans.status == 404)
                return not_found(repo, ref, e);
        if (ans.status == 401 || ans.status == 403 || ans.status == 429)
                return reg_status_err(c, &r, &ans, arena_fmt(a, "asking for '%.*s'", SV_ARG(name_of(a, repo, ref))).p,
                                      e);
        d.media_type = bare_type(net_header_get(&ans, "content-type"));
        if (ans.status != 200 || !sha256_read(net_header_get(&ans, "docker-content-digest"), &d.digest) ||
            !sv_u64(net_header_get(&ans, "content-length"), &d.size) || !d.media_type.n)
                return head_by_get(c, repo, ref, actions, a, ret, e);
        if (sha256_read(ref, &asked) && !sha256_eq(&asked, &d.digest))
                return err_set(e, ERR_INTEGRITY, "asked for '%.*s' the server speaks of sha256:%s",
                               SV_ARG(name_of(a, repo, ref)), sha256_hex(&d.digest).s);
        *ret = d;
        return 0;
}

int reg_manifest_head(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a, struct oci_desc *ret,
                      struct err *e)
{
        return head(c, repo, ref, REG_PULL, a, ret, e);
}

int reg_manifest_look(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a, struct oci_desc *ret,
                      struct err *e)
{
        return head(c, repo, ref, REG_PUSH, a, ret, e);
}

int reg_manifest_read(struct reg_client *c, const struct reg_repo *repo, sv ref, struct arena *a,
                      struct reg_manifest *ret, struct err *e)
{
        return get_from(c, repo, ref, REG_PUSH, a, ret, e);
}

/* --- writing */

/* The answer may have got lost, not the manifest. */
static bool is_there(struct reg_client *c, const struct reg_repo *repo, sv ref, const sha256 *want)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct oci_desc d;

        return reg_manifest_look(c, repo, ref, &a, &d, &ignored) == 0 && sha256_eq(&d.digest, want);
}

static int put_done(const struct net_answer *ans, const struct reg_manifest *m, const char *what, bool *ret_subject,
                    struct arena *a, struct err *e)
{
        sv said = net_header_get(ans, "docker-content-digest");
        sha256 d;

        if (sv_starts(said, SV("sha256:")) && !(sha256_read(said, &d) && sha256_eq(&d, &m->digest)))
                return err_set(e, ERR_INTEGRITY, "%s: the server stored %.*s instead of sha256:%s", what,
                               SV_ARG(reg_tame(a, said)), sha256_hex(&m->digest).s);
        if (ret_subject)
                *ret_subject = net_header_get(ans, "oci-subject").n > 0;
        return 0;
}

int reg_manifest_put(struct reg_client *c, const struct reg_repo *repo, sv ref, const struct reg_manifest *m,
                     bool *ret_subject, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct net_header type = { SV("content-type"), m->media_type };
        struct net_source body = net_source_bytes(&m->bytes);
        struct reg_request r = request_of(repo, NET_PUT, ref, &a);
        const char *what = arena_fmt(&a, "pushing the manifest '%.*s'", SV_ARG(name_of(&a, repo, ref))).p;
        struct net_answer ans = { 0 };

        if (m->bytes.n > OCI_DOC_MAX)
                return err_set(e, ERR_LIMIT, "%s: it has %zu bytes, more than the %zu that registries take", what,
                               m->bytes.n, OCI_DOC_MAX);
        r.header = &type;
        r.body = &body;
        r.once = true;
        if (ret_subject)
                *ret_subject = false;
        for (unsigned tried = 0;; tried++) {
                struct err why = { 0 };
                int ret = reg_do(c, &r, &a, &ans, &why);

                if (ret == 0 && (ans.status == 201 || ans.status == 200 || ans.status == 202))
                        return put_done(&ans, m, what, ret_subject, &a, e);
                if (!reg_may_mend(ret, ans.status)) {
                        if (ret == 0)
                                return reg_status_err(c, &r, &ans, what, e);
                        err_move(e, &why);
                        return err_while(e, "%s", what);
                }
                if (is_there(c, repo, ref, &m->digest)) {
                        err_done(&why);
                        return 0;
                }
                if (tried + 1 >= REG_TRIES) {
                        if (ret == 0)
                                return reg_status_err(c, &r, &ans, what, e);
                        err_move(e, &why);
                        return err_while(e, "%s, for the %dth time", what, REG_TRIES);
                }
                err_done(&why);
                if (reg_pause(c, tried, ret == 0 ? &ans : NULL, e) < 0)
                        return -(int)e->code;
        }
}

int reg_manifest_delete(struct reg_client *c, const struct reg_repo *repo, sv ref, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_request r = request_of(repo, NET_DELETE, ref, &a);
        sv name = name_of(&a, repo, ref);
        struct net_answer ans = { 0 };

        if (reg_do(c, &r, &a, &ans, e) < 0)
                return -(int)e->code;
        if (ans.status == 202 || ans.status == 200 || ans.status == 204)
                return 0;
        if (ans.status == 404)
                return not_found(repo, ref, e);
        if (ans.status == 405 || (ans.status == 400 && sv_find_sv(ans.body, SV("UNSUPPORTED")) >= 0)) {
                err_set(e, ERR_FAILED, "the registry does not delete '%.*s' (%ld)", SV_ARG(name), ans.status);
                err_hint(e,
                         sv_starts(ref, SV("sha256:"))
                                 ? "its owner must allow it: REGISTRY_STORAGE_DELETE_ENABLED=true for docker-registry"
                                 : "this one may delete by digest only: %.*s@sha256:…",
                         SV_ARG(reg_repo_text(&a, repo)));
                return -(int)e->code;
        }
        return reg_status_err(c, &r, &ans, arena_fmt(&a, "deleting '%.*s'", SV_ARG(name)).p, e);
}
