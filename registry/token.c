/* Asking a token server (specs/oci.md §3.3): GET with scopes in the query, or OAuth2's POST for an identity token. */
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "ext/json.h"
#include "net/url.h"
#include "registry/client_priv.h"

enum { TOKEN_LIFE_MAX = 365 * 24 * 3600, TOKEN_HOPS = 5 };

/* It goes into a header: printable ASCII without blanks. */
static bool is_token(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] <= ' ' || s.p[i] > '~')
                        return false;
        return s.n > 0;
}

int reg_token_read(struct arena *a, sv body, int64_t now, struct reg_token_answer *ret, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct js *doc;
        sv token;
        int64_t life = 0, issued;

        if (js_parse(a, body, &doc, &why) < 0)
                return err_set(e, ERR_NET, "its answer is not JSON");
        token = js_get_str(doc, "token");
        if (!token.n)
                token = js_get_str(doc, "access_token");
        if (!token.n)
                return err_set(e, ERR_NET, "its answer holds no token");
        if (!is_token(token))
                return err_set(e, ERR_NET, "its answer's token cannot be sent in a header");
        js_int(js_get(doc, "expires_in"), &life);
        *ret = (struct reg_token_answer){ .token = token, .life_s = life };
        if (ret->life_s < REG_TOKEN_MIN_LIFE)
                ret->life_s = REG_TOKEN_MIN_LIFE;
        if (ret->life_s > TOKEN_LIFE_MAX)
                ret->life_s = TOKEN_LIFE_MAX;
        /* Some servers hand out a token that they made earlier. A clock that disagrees says nothing. */
        if (time_parse(js_get_str(doc, "issued_at"), &issued) && now > issued && now - issued < ret->life_s)
                ret->age_s = now - issued;
        return 0;
}

struct ask { /* one question to a token server */
        struct reg_client *c;
        const struct reg_host *h;
        const struct reg_challenge *ch;
        const sv *scope;
        size_t n_scope;
        const struct reg_login *login; /* NULL: nobody */
        struct arena *a;               /* secrets: wiped by the caller */
};

static void add_query(const struct ask *k, struct buf *url, const char *name, sv value)
{
        buf_byte(url, sv_find(buf_sv(url), '?') < 0 ? '?' : '&');
        buf_fmt(url, "%s=%.*s", name, SV_ARG(url_encode(k->a, value)));
}

static sv get_url(const struct ask *k)
{
        AUTO(buf_done) struct buf url = BUF_INIT((size_t)1 << 20);
        sv realm = k->ch->realm;
        ptrdiff_t fragment = sv_find(realm, '#');

        buf_add(&url, fragment < 0 ? realm : sv_from_to(realm, 0, (size_t)fragment));
        if (k->ch->service.n)
                add_query(k, &url, "service", k->ch->service);
        for (size_t i = 0; i < k->n_scope; i++)
                add_query(k, &url, "scope", k->scope[i]);
        if (k->login && k->login->username.n)
                add_query(k, &url, "account", k->login->username);
        add_query(k, &url, "client_id", SV("envbuild"));
        return arena_sv(k->a, buf_sv(&url));
}

static void add_field(const struct ask *k, struct buf *form, const char *name, sv value)
{
        if (form->n)
                buf_byte(form, '&');
        buf_fmt(form, "%s=%.*s", name, SV_ARG(url_encode(k->a, value)));
}

static sv post_form(const struct ask *k)
{
        AUTO(buf_done) struct buf form = BUF_INIT((size_t)1 << 20);
        AUTO(buf_done) struct buf scopes = BUF_INIT((size_t)64 << 10);
        sv text;

        for (size_t i = 0; i < k->n_scope; i++)
                buf_fmt(&scopes, "%s%.*s", i ? " " : "", SV_ARG(k->scope[i]));
        add_field(k, &form, "grant_type", SV("refresh_token"));
        add_field(k, &form, "service", k->ch->service);
        add_field(k, &form, "client_id", SV("envbuild"));
        add_field(k, &form, "scope", buf_sv(&scopes));
        add_field(k, &form, "refresh_token", k->login->identity_token);
        text = arena_sv(k->a, buf_sv(&form));
        explicit_bzero(form.p, form.n);
        return text;
}

/* One request to the realm and wherever it sends us; secrets stay with the realm's own host. */
static int send(const struct ask *k, enum net_method method, sv url, sv basic, sv form, struct net_answer *ret,
                struct err *e)
{
        struct net_source body = net_source_bytes(&form);
        sv first = url_origin(k->a, url);

        for (int hops = 0;; hops++) {
                AUTO(err_done) struct err why_not = { 0 };
                struct net_header header[2];
                struct net_request q = { .url = url,
                                         .method = method,
                                         .header = header,
                                         .max_body = REG_TOKEN_BODY,
                                         .anonymous = true,
                                         .no_follow = true };
                const char *why = reg_url_refused(reg_host_origin(k->c, k->h), url);
                bool home = sv_eq(url_origin(k->a, url), first);

                if (why)
                        return err_set(e, ERR_AUTH, "'%.*s' wants us to get a token from '%.*s': %s",
                                       SV_ARG(k->h->registry), SV_ARG(reg_url_shown(k->a, url)), why);
                if (reg_host_trust_other(k->c, k->h, url, e) < 0)
                        return -(int)e->code;
                if (basic.n && home)
                        header[q.n_header++] = (struct net_header){ SV("authorization"), basic };
                if (method == NET_POST) {
                        header[q.n_header++] =
                                (struct net_header){ SV("content-type"), SV("application/x-www-form-urlencoded") };
                        q.body = &body;
                }
                if (net_do(k->c->net, &q, k->a, ret, &why_not) < 0)
                        return why_not.code == ERR_LIMIT
                                       ? err_set(e, ERR_NET, "the token server '%.*s' sends more than %d KiB",
                                                 SV_ARG(reg_url_shown(k->a, url)), REG_TOKEN_BODY >> 10)
                                       : err_move(e, &why_not);
                if (ret->status < 300 || ret->status > 399 || !net_header_get(ret, "location").n)
                        return 0;
                url = url_join(k->a, url, net_header_get(ret, "location"));
                if (method == NET_POST &&
                    ((ret->status != 307 && ret->status != 308) || !sv_eq(url_origin(k->a, url), first)))
                        return 0; /* the form holds a secret: it goes nowhere else */
                if (hops == TOKEN_HOPS)
                        return err_set(e, ERR_NET, "the token server '%.*s' sends us on and on",
                                       SV_ARG(reg_url_shown(k->a, k->ch->realm)));
        }
}

static sv basic_of(const struct ask *k)
{
        AUTO(buf_done) struct buf plain = BUF_INIT((size_t)64 << 10), coded = BUF_INIT((size_t)128 << 10);
        const struct reg_login *l = k->login;
        sv user, secret, text;

        if (!l)
                return (sv){ 0 };
        user = l->username.n ? l->username : SV("<token>");
        secret = l->password.n ? l->password : l->identity_token;
        buf_fmt(&plain, "%.*s:%.*s", SV_ARG(user), SV_ARG(secret));
        base64_write(buf_sv(&plain), &coded);
        text = arena_fmt(k->a, "Basic %.*s", SV_ARG(buf_sv(&coded)));
        explicit_bzero(plain.p, plain.n);
        explicit_bzero(coded.p, coded.n);
        return text;
}

static int refused(const struct ask *k, const struct net_answer *ans, struct err *e)
{
        const struct reg_login *l = k->login;
        sv realm = reg_url_shown(k->a, k->ch->realm), said = reg_answer_text(k->a, ans);
        sv why = arena_fmt(k->a, "'%.*s' answered %ld%s%.*s", SV_ARG(realm), ans->status, said.n ? ": " : "",
                           SV_ARG(said));

        if (ans->status != 401 && ans->status != 403)
                return err_set(e, ERR_NET, "the token server %.*s", SV_ARG(why));
        if (l)
                err_set(e, ERR_AUTH, "'%.*s' does not take the login of %.*s (out of %.*s): its token server %.*s",
                        SV_ARG(k->h->registry), SV_ARG((l->username.n ? l->username : SV("the holder of its token"))),
                        SV_ARG(l->from), SV_ARG(why));
        else
                err_set(e, ERR_AUTH, "'%.*s' wants a login: its token server %.*s", SV_ARG(k->h->registry),
                        SV_ARG(why));
        reg_login_hint(k->c, k->h->registry, e);
        return -(int)e->code;
}

static int ask(const struct ask *k, struct reg_token_answer *ret, struct err *e)
{
        struct net_answer ans;
        bool again = true;

        if (k->login && k->login->identity_token.n) {
                if (send(k, NET_POST, k->ch->realm, (sv){ 0 }, post_form(k), &ans, e) < 0)
                        return -(int)e->code;
                again = ans.status == 404 || ans.status == 405;
        }
        if (again && send(k, NET_GET, get_url(k), basic_of(k), (sv){ 0 }, &ans, e) < 0)
                return -(int)e->code;
        if (ans.status != 200)
                return refused(k, &ans, e);
        if (reg_token_read(k->a, ans.body, clock_unix(), ret, e) < 0)
                return err_while(e, "reading what the token server '%.*s' answered",
                                 SV_ARG(reg_url_shown(k->a, k->ch->realm)));
        return 0;
}

int reg_token_get(struct reg_client *c, const struct reg_host *h, const struct reg_challenge *ch, const sv *scope,
                  size_t n, const struct reg_login *login, struct arena *a, struct reg_token_answer *ret, struct err *e)
{
        struct ask k = { c, h, ch, scope, n, login, a };

        if (ask(&k, ret, e) < 0)
                return err_while(e, "asking for a token of '%.*s'", SV_ARG(h->registry));
        return 0;
}
