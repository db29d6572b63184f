/* Reading: the API where the server has it, else the index under the tag of the tag schema. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "net/url.h"
#include "registry/client_priv.h"
#include "registry/link.h"
#include "registry/referrers_priv.h"

enum { PAGES_MAX = 1000 };

sv referrers_tag(struct arena *a, const sha256 *subject)
{
        return arena_fmt(a, "sha256-%s", sha256_hex(subject).s);
}

struct found {
        struct arena *a;
        struct reg_referrer *v;
        size_t n, cap;
};

/* "manifests": null, as servers in Go write an empty list. */
static bool is_null(struct arena *a, sv text)
{
        AUTO(err_done) struct err ignored = { 0 };
        const struct js *list = NULL;
        struct js *doc;

        if (js_parse(a, text, &doc, &ignored) == 0)
                list = js_get(doc, "manifests");
        return list && list->type == JS_NULL;
}

static int add_index(struct found *f, sv text, const char *what, sv type, struct err *e)
{
        struct oci_index x = { 0 };

        if (is_null(f->a, text))
                return 0;
        if (oci_index_parse(f->a, text, what, &x, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < x.n; i++)
                if (!type.n || sv_eq(type, x.v[i].artifact_type))
                        *arena_push(f->a, f->v, f->n, f->cap) = (struct reg_referrer){ x.v[i], x.v[i].artifact_type };
        return 0;
}

static int by_digest(const void *a, const void *b)
{
        const struct reg_referrer *x = a, *y = b;

        return sha256_cmp(&x->desc.digest, &y->desc.digest);
}

static void sort(struct found *f)
{
        size_t n = 0;

        if (f->n)
                qsort(f->v, f->n, sizeof(*f->v), by_digest);
        for (size_t i = 0; i < f->n; i++)
                if (n == 0 || !sha256_eq(&f->v[n - 1].desc.digest, &f->v[i].desc.digest))
                        f->v[n++] = f->v[i];
        f->n = n;
}

/* Servers of before the API answer 404, some of them 400 or 405. */
static bool has_no_api(long status)
{
        return status == 404 || status == 405 || status == 400 || status == 501;
}

int referrers_listed(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject, sv type, struct arena *a,
                     struct reg_referrer **ret, size_t *ret_n, bool *ret_has, struct err *e)
{
        const char *what = arena_fmt(a, "the list of what hangs on '%.*s@sha256:%s'", SV_ARG(reg_repo_text(a, repo)),
                                     sha256_hex(subject).s)
                                   .p;
        static const struct net_header accept = { SV("accept"), SV(OCI_INDEX) };
        struct reg_request r = { .repo = *repo, .actions = REG_PULL, .header = &accept, .n_header = 1 };
        struct found f = { .a = a };

        r.path = type.n ? arena_fmt(a, "referrers/sha256:%s?artifactType=%.*s", sha256_hex(subject).s,
                                    SV_ARG(url_encode(a, type)))
                        : arena_fmt(a, "referrers/sha256:%s", sha256_hex(subject).s);
        for (unsigned page = 0; page < PAGES_MAX; page++) {
                struct net_answer ans = { 0 };
                sv next;

                if (reg_do(c, &r, a, &ans, e) < 0)
                        return -(int)e->code;
                if (page == 0 && has_no_api(ans.status)) {
                        *ret_has = false;
                        return 0;
                }
                if (ans.status != 200)
                        return reg_status_err(c, &r, &ans, arena_fmt(a, "reading %s", what).p, e);
                if (add_index(&f, ans.body, what, type, e) < 0) /* filtered by us too: not every server does */
                        return -(int)e->code;
                if (!link_next(a, ans.url, net_header_get(&ans, "link"), &next)) {
                        sort(&f);
                        *ret = f.v;
                        *ret_n = f.n;
                        *ret_has = true;
                        return 0;
                }
                if (!next.n)
                        return err_set(e, ERR_INTEGRITY, "%s goes on at another host", what);
                r.path = next;
        }
        return err_set(e, ERR_LIMIT, "%s has more than %d pages", what, PAGES_MAX);
}

int referrers_tagged(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject, struct arena *a,
                     sv *ret_text, struct err *e)
{
        sv tag = referrers_tag(a, subject);
        struct err missing = { 0 };
        struct reg_manifest m;

        if (reg_manifest_get(c, repo, tag, a, &m, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                *ret_text = (sv){ 0 };
                return 0;
        }
        if (!sv_is(m.media_type, OCI_INDEX)) {
                err_set(e, ERR_INTEGRITY, "the tag '%.*s:%.*s' is a '%.*s', not the index of what hangs on an image",
                        SV_ARG(reg_repo_text(a, repo)), SV_ARG(tag), SV_ARG(reg_tame(a, m.media_type)));
                err_hint(e, "somebody uses the tag for something else: delete it there, or move that elsewhere");
                return -(int)e->code;
        }
        *ret_text = m.bytes;
        return 0;
}

int reg_referrers(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject, sv artifact_type,
                  struct arena *a, struct reg_referrer **ret, size_t *ret_n, struct err *e)
{
        struct found f = { .a = a };
        bool has;
        sv text;

        if (referrers_listed(c, repo, subject, artifact_type, a, ret, ret_n, &has, e) < 0)
                return -(int)e->code;
        if (has)
                return 0;
        if (referrers_tagged(c, repo, subject, a, &text, e) < 0 ||
            (text.n && add_index(&f, text, arena_fmt(a, "the index '%.*s'", SV_ARG(referrers_tag(a, subject))).p,
                                 artifact_type, e) < 0))
                return -(int)e->code;
        sort(&f);
        *ret = f.v;
        *ret_n = f.n;
        return 0;
}
