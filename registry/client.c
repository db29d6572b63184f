#include "registry/client_priv.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "net/url.h"
#include "oci/oci.h"

enum { WARNINGS_MAX = 20 };

static const char *keep_text(struct arena *a, const char *s)
{
        return s ? arena_str(a, sv_from(s)) : NULL;
}

int reg_client_new(struct net *net, const struct reg_opts *o, struct op *op, struct reg_client **ret, struct err *e)
{
        struct reg_client *c = xcalloc(1, sizeof(*c));
        sv *insecure = arena_array(&c->arena, sv, o->n_insecure);

        (void)e;
        for (size_t i = 0; i < o->n_insecure; i++)
                insecure[i] = arena_lower(&c->arena, o->insecure[i]);
        c->net = net;
        c->op = op;
        c->opts = (struct reg_opts){ .auth_file = keep_text(&c->arena, o->auth_file),
                                     .username = arena_sv(&c->arena, o->username),
                                     .password = arena_sv(&c->arena, o->password),
                                     .certs_dir = keep_text(&c->arena, o->certs_dir),
                                     .insecure = insecure,
                                     .n_insecure = o->n_insecure,
                                     .registries_conf = keep_text(&c->arena, o->registries_conf) };
        pthread_mutex_init(&c->lock, NULL);
        pthread_cond_init(&c->turn, NULL);
        c->helpers = (struct helper_cache){ .lock = &c->lock, .a = &c->arena };
        *ret = c;
        return 0;
}

void reg_client_free(struct reg_client *c)
{
        if (!c)
                return;
        for (struct reg_host *h = c->host; h; h = h->next)
                reg_tokens_done(h);
        pthread_mutex_destroy(&c->lock);
        pthread_cond_destroy(&c->turn);
        arena_wipe(&c->arena);
        free(c);
}

struct op *reg_op(const struct reg_client *c)
{
        return c->op;
}

static bool is_absolute(sv path)
{
        return sv_find_sv(path, SV("://")) >= 0;
}

/* A registry behind a proxy that ends TLS often does not know that it is https: its own Locations are taken back onto the wire they came
 * from. */
static sv upgraded(struct arena *a, sv origin, sv url)
{
        struct url from, to;

        if (url_parse(origin, &from) && url_parse(url, &to) && sv_is(from.scheme, "https") &&
            sv_eq_nocase(to.scheme, SV("http")) && sv_eq_nocase(from.host, to.host) &&
            (!to.port.n || sv_is(to.port, "80") || sv_eq(to.port, from.port))) {
                ptrdiff_t slash = sv_find(sv_skip(url, 7), '/');

                return arena_fmt(a, "%.*s%.*s", SV_ARG(origin),
                                 SV_ARG(slash < 0 ? (sv){ 0 } : sv_skip(url, 7 + (size_t)slash)));
        }
        return url;
}

static int url_of(const struct reg_request *r, sv origin, struct arena *a, sv *ret, struct err *e)
{
        const char *why;

        if (!is_absolute(r->path)) {
                *ret = arena_fmt(a, "%.*s/v2/%.*s%s%.*s", SV_ARG(origin), SV_ARG(r->repo.repository),
                                 r->repo.repository.n ? "/" : "", SV_ARG(r->path));
                return 0;
        }
        *ret = upgraded(a, origin, r->path);
        why = reg_url_refused(origin, *ret);
        return why ? err_set(e, ERR_NET, "'%.*s' sends us to '%.*s': %s", SV_ARG(r->repo.registry),
                             SV_ARG(reg_url_shown(a, *ret)), why)
                   : 0;
}

/* Warning: 299 - "text" */
static sv warning_text(sv value)
{
        ptrdiff_t begin = sv_find(value, '"'), end = sv_rfind(value, '"');

        if (!sv_starts(value, SV("299 ")) || begin < 0 || end <= begin)
                return (sv){ 0 };
        return sv_from_to(value, (size_t)begin + 1, (size_t)end);
}

static bool is_new_warning(struct reg_client *c, sv text)
{
        bool known;

        pthread_mutex_lock(&c->lock);
        known = c->n_warned >= WARNINGS_MAX;
        for (size_t i = 0; i < c->n_warned && !known; i++)
                known = sv_eq(c->warned[i], text);
        if (!known)
                *arena_push(&c->arena, c->warned, c->n_warned, c->cap_warned) = arena_sv(&c->arena, text);
        pthread_mutex_unlock(&c->lock);
        return !known;
}

/* What a server wants its users to know, once each. */
static void show_warnings(struct reg_client *c, const struct reg_host *h, const struct net_answer *ans)
{
        AUTO(arena_done) struct arena a = { 0 };

        for (size_t i = 0; i < ans->n_header; i++) {
                sv text = sv_is(ans->header[i].name, "warning") ? reg_tame(&a, warning_text(ans->header[i].value))
                                                                : (sv){ 0 };

                if (text.n && is_new_warning(c, arena_fmt(&a, "%.*s: %.*s", SV_ARG(h->registry), SV_ARG(text))))
                        op_say(c->op, OP_WARN, "'%.*s' says: %.*s", SV_ARG(h->registry), SV_ARG(text));
        }
}

/* net/ does not know that a registry's certificates have a place of their own. */
static int unreachable(struct reg_client *c, sv url, struct err *why, struct err *e)
{
        sv at = sv_skip(url, SV("https://").n), host = { 0 };

        if (why->code != ERR_NET || !why->cause || sv_find_sv(sv_from(why->cause), SV("is not trusted")) < 0)
                return err_move(e, why);
        sv_cut(&at, '/', &host);
        err_set(e, ERR_NET, "%s", why->cause);
        if (c->opts.certs_dir)
                err_hint(e, "'%s' must hold the certificate of who signed it, as a file whose name ends in .crt",
                         c->opts.certs_dir);
        else
                err_hint(e,
                         "put the certificate of who signed it into ~/.config/containers/certs.d/%.*s/ca.crt, or name "
                         "its folder: --cert-dir DIR",
                         SV_ARG(host));
        return -ERR_NET;
}

static int one_try(struct reg_client *c, const struct reg_request *r, sv url, sv authorization, struct arena *a,
                   struct net_answer *ret, struct err *e)
{
        AUTO(arena_wipe) struct arena tmp = { 0 };
        struct net_header *header = arena_array(&tmp, struct net_header, r->n_header + 1);
        struct net_request q = { .url = url,
                                 .method = r->method,
                                 .header = header,
                                 .into = r->into,
                                 .max_body = r->max_body ? r->max_body
                                             : r->into   ? 0
                                                         : OCI_DOC_MAX,
                                 .has_range = r->has_range,
                                 .range_open = r->has_range && !r->to,
                                 .from = r->from,
                                 .to = r->to,
                                 .keep_partial = r->keep_partial,
                                 .subject = r->subject,
                                 .phase = r->phase,
                                 .expect = r->expect,
                                 .priority = r->priority,
                                 .body = r->body,
                                 .once = r->once,
                                 .timeout_ms = r->timeout_ms,
                                 .anonymous = true };

        AUTO(err_done) struct err why = { 0 };

        for (size_t i = 0; i < r->n_header; i++)
                header[q.n_header++] = r->header[i];
        if (authorization.n)
                header[q.n_header++] = (struct net_header){ SV("authorization"), authorization };
        return net_do(c->net, &q, a, ret, &why) < 0 ? unreachable(c, url, &why, e) : 0;
}

static int foreign_401(const struct reg_host *h, sv url, struct arena *a, struct err *e)
{
        return err_set(e, ERR_AUTH, "'%.*s', where '%.*s' sent us, answered 401", SV_ARG(reg_url_shown(a, url)),
                       SV_ARG(h->registry));
}

/* One attempt: 0 with *ret_again when it is to be made again with what was learnt. */
static int attempt(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, struct arena *a,
                   struct net_answer *ret, bool *ret_again, struct err *e)
{
        sv url, authorization = { 0 }, origin = reg_host_origin(c, h);
        bool ours;

        *ret_again = false;
        if (url_of(t->r, origin, a, &url, e) < 0 || reg_host_trust_other(c, h, url, e) < 0)
                return -(int)e->code;
        ours = sv_eq(url_origin(a, url), url_origin(a, origin));
        if ((ours && reg_ticket_header(c, h, t, &authorization, e) < 0) ||
            one_try(c, t->r, url, authorization, a, ret, e) < 0)
                return -(int)e->code;
        show_warnings(c, h, ret);
        *ret_again = ours && !t->r->body && reg_host_reconsider(c, h, origin, ret);
        if (*ret_again)
                return 0;
        if (ret->status != 401)
                return 0;
        if (!ours)
                return foreign_401(h, url, a, e);
        *ret_again = true;
        return reg_ticket_refused(c, h, t, ret, e);
}

int reg_do(struct reg_client *c, const struct reg_request *r, struct arena *a, struct net_answer *ret, struct err *e)
{
        struct reg_request there = *r;
        AUTO(reg_ticket_done) struct reg_ticket t = { .r = &there, .start_ms = clock_ms() };
        struct reg_host *h;
        bool again = true;

        if (reg_place(c, &r->repo, a, &there.repo, e) < 0 || reg_host_open(c, there.repo.registry, &h, e) < 0)
                return -(int)e->code;
        while (again)
                if (attempt(c, h, &t, a, ret, &again, e) < 0)
                        return -(int)e->code;
        return 0;
}
