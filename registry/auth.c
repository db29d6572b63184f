/* A request's way through a login (specs/oci.md §3.2, §3.3): what the server asked for is remembered, tokens are kept by scope and renewed
 * before they end, and threads that want the same one wait for it together. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "registry/client_priv.h"

enum { TRIES_MAX = 3 };

static unsigned whole_actions(unsigned actions)
{
        return actions & REG_PUSH ? actions | REG_PULL : actions;
}

static sv mount_of(const struct reg_request *r)
{
        return r->mount ? r->mount->repository : (sv){ 0 };
}

void reg_ticket_done(struct reg_ticket *t)
{
        arena_wipe(&t->arena);
}

/* --- logins --- */

static sv keep(struct reg_client *c, sv s)
{
        return s.n ? arena_sv(&c->arena, s) : (sv){ 0 };
}

static void tell_login(struct reg_client *c, const struct reg_host *h, const struct reg_login *l)
{
        AUTO(arena_done) struct arena a = { 0 };

        op_event(c->op, OP_READ, OP_END,
                 arena_fmt(&a, "the login of '%.*s'%s%.*s out of %.*s", SV_ARG(h->registry),
                           l->username.n ? " as " : "", SV_ARG(l->username), SV_ARG(l->from)),
                 0, 0);
}

static struct reg_known_login *known_login(struct reg_host *h, sv repository)
{
        struct reg_known_login *k = h->login;

        while (k && !sv_eq(k->repository, repository))
                k = k->next;
        return k;
}

/* Lock is held and h->busy is ours; it is let go while files are read and helpers run. */
static int find_login(struct reg_client *c, struct reg_host *h, const struct reg_repo *repo, struct err *e)
{
        AUTO(arena_wipe) struct arena a = { 0 };
        AUTO(err_done) struct err why = { 0 };
        struct reg_login l = { 0 };
        struct reg_known_login *k;
        int r;

        pthread_mutex_unlock(&c->lock);
        r = login_find(&c->opts, repo, &c->helpers, c->op, &a, &l, &why);
        if (r == 0)
                tell_login(c, h, &l);
        pthread_mutex_lock(&c->lock);
        if (r < 0 && why.code != ERR_NOT_FOUND)
                return err_move(e, &why);
        k = arena_new(&c->arena, struct reg_known_login);
        k->repository = keep(c, repo->repository);
        k->found = r == 0;
        k->l = (struct reg_login){ keep(c, l.username), keep(c, l.password), keep(c, l.identity_token),
                                   keep(c, l.registry_token), keep(c, l.from) };
        k->next = h->login;
        h->login = k;
        return 0;
}

static int login_of(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, struct err *e)
{
        const struct reg_repo *repo = &t->r->repo;
        struct reg_known_login *k;
        int r = 0;

        pthread_mutex_lock(&c->lock);
        while (!(k = known_login(h, repo->repository)) && h->busy)
                pthread_cond_wait(&c->turn, &c->lock);
        if (!k) {
                h->busy = true;
                r = find_login(c, h, repo, e);
                h->busy = false;
                pthread_cond_broadcast(&c->turn);
                k = known_login(h, repo->repository);
        }
        if (k && k->found)
                t->login = k->l;
        pthread_mutex_unlock(&c->lock);
        return r;
}

/* --- tokens --- */

static void drop_text(struct reg_token *k)
{
        if (k->text)
                explicit_bzero(k->text, strlen(k->text));
        free(k->text);
        k->text = NULL;
}

void reg_tokens_done(struct reg_host *h)
{
        for (struct reg_token *k = h->token; k; k = k->next) {
                drop_text(k);
                err_done(&k->fail);
        }
        h->token = NULL;
}

static bool is_good(const struct reg_token *k, const struct reg_ticket *t)
{
        int64_t age = clock_ms() - k->made_ms;

        return k->text && !sv_is(t->refused, k->text) && age < k->life_ms / 10 * (t->r->fresh_token ? 2 : 8) &&
               (!t->extra.n || sv_eq(t->extra, k->extra));
}

static bool is_for(const struct reg_token *k, const struct reg_request *r)
{
        return sv_eq(k->repo.repository, r->repo.repository) && k->actions == whole_actions(r->actions) &&
               sv_eq(k->mount.repository, mount_of(r));
}

static bool is_enough(const struct reg_token *k, const struct reg_request *r)
{
        sv mount = mount_of(r);

        return sv_eq(k->repo.repository, r->repo.repository) && (whole_actions(r->actions) & ~k->actions) == 0 &&
               (!mount.n || sv_eq(k->mount.repository, mount));
}

/* Under lock. A token that is good for t: its own, else one that allows more. */
static struct reg_token *good_token(struct reg_host *h, const struct reg_ticket *t)
{
        struct reg_token *found = NULL;

        for (struct reg_token *k = h->token; k; k = k->next)
                if (is_enough(k, t->r) && is_good(k, t) && (!found || is_for(k, t->r)))
                        found = k;
        return found;
}

static struct reg_token *own_token(struct reg_client *c, struct reg_host *h, const struct reg_request *r)
{
        struct reg_token *k = h->token;

        while (k && !is_for(k, r))
                k = k->next;
        if (!k) {
                k = arena_new(&c->arena, struct reg_token);
                k->repo.repository = keep(c, r->repo.repository);
                k->mount.repository = keep(c, mount_of(r));
                k->actions = whole_actions(r->actions);
                k->next = h->token;
                h->token = k;
        }
        return k;
}

/* What we ask for: ours first, since some servers look at the first scope only. */
static size_t scopes_of(struct arena *a, const struct reg_request *r, sv extra, sv *scope)
{
        size_t n = 0;
        sv one;

        scope[n] = reg_scope_text(a, &r->repo, r->actions);
        n += scope[n].n > 0;
        if (r->mount) {
                scope[n] = reg_scope_text(a, r->mount, REG_PULL);
                n += scope[n].n > 0;
        }
        while (n < REG_TOKEN_SCOPES && sv_cut(&extra, ' ', &one))
                scope[n++] = one;
        return n;
}

static void share_failure(struct reg_token *k, const struct err *e)
{
        err_done(&k->fail);
        k->failures++;
        err_set(&k->fail, e->code, "%s", e->cause);
        if (e->hint)
                err_hint(&k->fail, "%s", e->hint);
}

/* Lock is held and k->busy is ours; it is let go while the token server is asked. */
static int renew(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, struct reg_token *k, struct err *e)
{
        AUTO(arena_wipe) struct arena a = { 0 };
        struct reg_challenge ch = h->ask;
        struct reg_token_answer got = { 0 };
        sv scope[REG_TOKEN_SCOPES], extra;
        size_t n;
        int r;

        if (t->extra.n && !sv_eq(t->extra, k->extra))
                k->extra = keep(c, t->extra);
        extra = k->extra;
        pthread_mutex_unlock(&c->lock);
        n = scopes_of(&a, t->r, extra, scope);
        r = reg_token_get(c, h, &ch, scope, n, t->login.from.n ? &t->login : NULL, &a, &got, e);
        pthread_mutex_lock(&c->lock);
        drop_text(k);
        if (r < 0) {
                share_failure(k, e);
                return r;
        }
        k->text = xstrndup(got.token.p, got.token.n);
        k->got_ms = clock_ms();
        k->made_ms = k->got_ms - got.age_s * 1000;
        k->life_ms = got.life_s * 1000;
        return 0;
}

static int wait_for(struct reg_client *c, struct reg_token *k, struct err *e)
{
        unsigned failures = k->failures;

        while (k->busy)
                pthread_cond_wait(&c->turn, &c->lock);
        if (k->failures == failures)
                return 0;
        err_set(e, k->fail.code, "%s", k->fail.cause);
        if (k->fail.hint)
                err_hint(e, "%s", k->fail.hint);
        return -(int)e->code;
}

static int take_token(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, struct err *e)
{
        struct reg_token *k;
        int r = 0;

        pthread_mutex_lock(&c->lock);
        while (r == 0 && !(k = good_token(h, t))) {
                k = own_token(c, h, t->r);
                if (k->busy) {
                        r = wait_for(c, k, e);
                        continue;
                }
                k->busy = true;
                r = renew(c, h, t, k, e);
                k->busy = false;
                pthread_cond_broadcast(&c->turn);
                if (r == 0)
                        break; /* whatever its life: it is the newest there is */
        }
        if (r == 0) {
                t->token = arena_sv(&t->arena, sv_from(k->text));
                t->fresh = k->got_ms >= t->start_ms;
        }
        pthread_mutex_unlock(&c->lock);
        return r;
}

/* --- one request --- */

static sv basic_header(struct arena *a, const struct reg_login *l)
{
        AUTO(buf_done) struct buf coded = BUF_INIT((size_t)1 << 20);
        sv plain = arena_fmt(a, "%.*s:%.*s", SV_ARG(l->username), SV_ARG(l->password)), text;

        base64_write(plain, &coded);
        text = arena_fmt(a, "Basic %.*s", SV_ARG(buf_sv(&coded)));
        explicit_bzero(coded.p, coded.n);
        return text;
}

/* GET /v2/: how does it want to know us? */
static int ping(struct reg_client *c, const struct reg_host *h, struct arena *a, struct reg_challenge *ret,
                struct err *e)
{
        sv origin = reg_host_origin(c, h);
        struct net_request q = { .url = arena_fmt(a, "%.*s/v2/", SV_ARG(origin)),
                                 .anonymous = true,
                                 .max_body = REG_ERROR_BODY };
        struct net_answer ans;

        if (net_do(c->net, &q, a, &ans, e) < 0)
                return err_while(e, "asking '%.*s' how to log in", SV_ARG(h->registry));
        *ret = ans.status == 401 ? reg_challenge_of(a, &ans) : (struct reg_challenge){ 0 };
        return 0;
}

/* What it asks for now. A realm that changes makes the tokens of the old one worthless. */
void reg_host_learn(struct reg_client *c, struct reg_host *h, const struct reg_challenge *ch)
{
        pthread_mutex_lock(&c->lock);
        if (ch->kind != h->ask.kind || !sv_eq(ch->realm, h->ask.realm) || !sv_eq(ch->service, h->ask.service))
                h->ask = (struct reg_challenge){
                        ch->kind, keep(c, ch->scheme), keep(c, ch->realm), keep(c, ch->service), { 0 }, { 0 }
                };
        pthread_mutex_unlock(&c->lock);
}

static struct reg_challenge asked(struct reg_client *c, const struct reg_host *h)
{
        struct reg_challenge ch;

        pthread_mutex_lock(&c->lock);
        ch = h->ask;
        pthread_mutex_unlock(&c->lock);
        return ch;
}

/* It has answered something of ours and did not ask who we are. */
static bool asks_nobody(struct reg_client *c, const struct reg_host *h)
{
        bool sure;

        pthread_mutex_lock(&c->lock);
        sure = h->sure;
        pthread_mutex_unlock(&c->lock);
        return sure;
}

int reg_ticket_header(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, sv *ret, struct err *e)
{
        struct reg_challenge ch = asked(c, h);

        *ret = (sv){ 0 };
        t->sent = REG_UNASKED;
        /* A ping is cheaper than a large body that is sent for nothing; the POST before an upload has been one already. */
        if (ch.kind == REG_UNASKED && t->r->fresh_token && !asks_nobody(c, h)) {
                if (ping(c, h, &t->arena, &ch, e) < 0)
                        return -(int)e->code;
                if (ch.kind != REG_UNASKED)
                        reg_host_learn(c, h, &ch);
        }
        if (ch.kind < REG_BASIC)
                return 0;
        if (login_of(c, h, t, e) < 0)
                return -(int)e->code;
        if (ch.kind == REG_BASIC && t->login.username.n) {
                *ret = basic_header(&t->arena, &t->login);
                t->sent = REG_BASIC;
        } else if (ch.kind == REG_BEARER) {
                t->as_is = t->login.registry_token.n > 0;
                if (t->as_is)
                        t->token = t->login.registry_token;
                else if (take_token(c, h, t, e) < 0)
                        return -(int)e->code;
                *ret = arena_fmt(&t->arena, "Bearer %.*s", SV_ARG(t->token));
                t->sent = REG_BEARER;
        }
        return 0;
}

/* Who we were there, for messages. */
static sv who(struct arena *a, const struct reg_login *l)
{
        return arena_fmt(a, "%.*s (out of %.*s)", SV_ARG((l->username.n ? l->username : SV("the holder of its token"))),
                         SV_ARG(l->from));
}

static int denied(struct reg_client *c, const struct reg_ticket *t, const struct net_answer *ans, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        const struct reg_repo *repo = &t->r->repo;
        const char *verb = reg_action_text(t->r->actions);
        sv said = reg_answer_text(&a, ans);
        sv why = arena_fmt(&a, "%s%.*s", said.n ? ": " : "", SV_ARG(said));

        if (!repo->repository.n)
                err_set(e, ERR_AUTH, "'%.*s' does not take the login of %.*s%.*s", SV_ARG(repo->registry),
                        SV_ARG(who(&a, &t->login)), SV_ARG(why));
        else if (t->login.from.n)
                err_set(e, ERR_AUTH, "'%.*s' does not let %.*s %s '%.*s'%.*s", SV_ARG(repo->registry),
                        SV_ARG(who(&a, &t->login)), verb, SV_ARG(repo->repository), SV_ARG(why));
        else
                err_set(e, ERR_AUTH, "'%.*s' wants a login before you may %s '%.*s'%.*s", SV_ARG(repo->registry), verb,
                        SV_ARG(repo->repository), SV_ARG(why));
        reg_login_hint(c, repo->registry, e);
        return -ERR_AUTH;
}

static int not_spoken(const struct reg_host *h, const struct reg_challenge *ch, struct err *e)
{
        if (ch->kind == REG_OTHER)
                return err_set(e, ERR_AUTH, "'%.*s' wants logins of the kind '%.*s', which envbuild does not speak",
                               SV_ARG(h->registry), SV_ARG(sv_from_to(ch->scheme, 0, 40)));
        return err_set(e, ERR_AUTH, "'%.*s' answered 401 without saying how to log in", SV_ARG(h->registry));
}

static int bearer_refused(struct reg_client *c, struct reg_ticket *t, const struct reg_challenge *ch,
                          const struct net_answer *ans, struct err *e)
{
        sv scope[REG_TOKEN_SCOPES], extra;
        bool more, final;

        extra = reg_scope_missing(&t->arena, ch->scope, scope, scopes_of(&t->arena, t->r, (sv){ 0 }, scope));
        more = extra.n && !sv_eq(extra, t->extra);
        /* A fresh token that allows too little is an answer; one that a server does not know yet may be a matter of moments. */
        final = t->fresh && !more && (sv_is(ch->error, "insufficient_scope") || t->doubted);
        if (t->sent == REG_BEARER && (t->as_is || final))
                return denied(c, t, ans, e);
        t->doubted = t->fresh && !more;
        if (extra.n)
                t->extra = extra;
        t->refused = t->token;
        return 0;
}

int reg_ticket_refused(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, const struct net_answer *ans,
                       struct err *e)
{
        struct reg_challenge ch = reg_challenge_of(&t->arena, ans);

        if (ch.kind < REG_BASIC && asked(c, h).kind >= REG_BASIC)
                ch = asked(c, h);
        if (ch.kind == REG_UNASKED && ping(c, h, &t->arena, &ch, e) < 0)
                return -(int)e->code;
        if (ch.kind < REG_BASIC)
                return not_spoken(h, &ch, e);
        reg_host_learn(c, h, &ch);
        if (++t->tries > TRIES_MAX)
                return denied(c, t, ans, e);
        if (ch.kind == REG_BEARER)
                return bearer_refused(c, t, &ch, ans, e);
        if (t->sent != REG_BASIC && login_of(c, h, t, e) < 0)
                return -(int)e->code;
        return t->sent == REG_BASIC || !t->login.username.n ? denied(c, t, ans, e) : 0;
}
