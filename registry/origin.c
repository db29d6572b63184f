/* Which scheme and host a registry's name stands for: http only on this machine, unless the user says so (specs/oci.md §3.1). */
#include <string.h>

#include "base/cleanup.h"
#include "net/url.h"
#include "registry/address.h"
#include "registry/client_priv.h"

static sv network_name(sv registry)
{
        return sv_is(registry, "docker.io") || sv_is(registry, "index.docker.io") ? SV("registry-1.docker.io")
                                                                                  : registry;
}

/* Under lock. */
static struct reg_host *host_of(struct reg_client *c, sv registry)
{
        struct reg_host *h = c->host;

        while (h && !sv_eq(h->registry, registry))
                h = h->next;
        if (!h) {
                h = arena_new(&c->arena, struct reg_host);
                h->registry = arena_sv(&c->arena, registry);
                h->next = c->host;
                c->host = h;
        }
        return h;
}

static sv bare_host(sv registry)
{
        return sv_rfind(registry, ':') > sv_rfind(registry, ']')
                       ? sv_from_to(registry, 0, (size_t)sv_rfind(registry, ':'))
                       : registry;
}

/* --insecure HOST means every port of it. */
static bool is_insecure(const struct reg_client *c, const struct reg_conf *conf, sv registry)
{
        for (size_t i = 0; i < c->opts.n_insecure; i++) {
                sv one = c->opts.insecure[i];

                if (sv_eq_nocase(one, registry) || sv_eq_nocase(one, bare_host(registry)))
                        return true;
        }
        return reg_conf_insecure(conf, registry);
}

/* Does anything speak https there? What it says of logins is learnt on the way. Lock is not held; h->busy is ours. */
static bool speaks_https(struct reg_client *c, struct reg_host *h, sv origin)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct net_request q = { .url = arena_fmt(&a, "%.*s/v2/", SV_ARG(origin)),
                                 .anonymous = true,
                                 .once = true,
                                 .max_body = REG_ERROR_BODY };
        struct reg_challenge ch;
        struct net_answer ans;

        if (net_do(c->net, &q, &a, &ans, &ignored) < 0)
                return false;
        ch = ans.status == 401 ? reg_challenge_of(&a, &ans) : (struct reg_challenge){ 0 };
        if (ch.kind != REG_UNASKED)
                reg_host_learn(c, h, &ch);
        return true;
}

/* Insecure registries are asked by https first, as containers/image does; those of this machine by http unless there are certificates for
 * them. Lock is not held; h->busy is ours. */
static int find_origin(struct reg_client *c, struct reg_host *h, sv *ret, struct arena *a, struct err *e)
{
        sv name = network_name(h->registry);
        bool insecure, loopback = address_is_loopback(address_host(name));
        sv https = arena_fmt(a, "https://%.*s", SV_ARG(name)), http = arena_fmt(a, "http://%.*s", SV_ARG(name));
        const struct reg_conf *conf;
        const char *dir;

        if (reg_conf_of(c, &conf, e) < 0)
                return -(int)e->code;
        insecure = is_insecure(c, conf, h->registry);
        dir = reg_certs_dir(c, h->registry, a);
        if (!dir && !sv_eq(name, h->registry))
                dir = reg_certs_dir(c, name, a);
        if (reg_trust(c, name, dir, true, insecure, e) < 0)
                return -(int)e->code;
        if (insecure || (loopback && c->opts.certs_dir))
                *ret = speaks_https(c, h, https) ? https : http;
        else
                *ret = loopback && !dir ? http : https;
        return op_check(c->op, e);
}

int reg_host_open(struct reg_client *c, sv registry, struct reg_host **ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_host *h;
        sv origin;
        int r = 0;

        pthread_mutex_lock(&c->lock);
        h = host_of(c, registry);
        while (!h->origin.n && h->busy)
                pthread_cond_wait(&c->turn, &c->lock);
        if (!h->origin.n) {
                h->busy = true;
                pthread_mutex_unlock(&c->lock);
                r = find_origin(c, h, &origin, &a, e);
                pthread_mutex_lock(&c->lock);
                if (r == 0)
                        h->origin = arena_sv(&c->arena, origin);
                h->busy = false;
                pthread_cond_broadcast(&c->turn);
        }
        pthread_mutex_unlock(&c->lock);
        *ret = h;
        return r;
}

sv reg_host_origin(struct reg_client *c, const struct reg_host *h)
{
        sv origin;

        pthread_mutex_lock(&c->lock);
        origin = h->origin;
        pthread_mutex_unlock(&c->lock);
        return origin;
}

/* Go's servers and nginx answer http on their https port with 400 and a text that says so; a HEAD's answer has none. */
static bool wants_https(struct reg_client *c, sv origin)
{
        static const char *const texts[] = { "to an HTTPS server", "to HTTPS port" };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct net_request q = { .url = arena_fmt(&a, "%.*s/v2/", SV_ARG(origin)), .anonymous = true, .once = true };
        struct net_answer ans;

        q.max_body = REG_ERROR_BODY;
        if (net_do(c->net, &q, &a, &ans, &ignored) < 0 || ans.status != 400)
                return false;
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
                if (sv_find_sv(ans.body, sv_from(texts[i])) >= 0)
                        return true;
        return false;
}

bool reg_host_reconsider(struct reg_client *c, struct reg_host *h, sv origin, const struct net_answer *ans)
{
        bool doubt;

        pthread_mutex_lock(&c->lock);
        doubt = ans->status == 400 && !h->sure && sv_starts(origin, SV("http:"));
        h->sure = true;
        pthread_mutex_unlock(&c->lock);
        if (!doubt || !wants_https(c, origin))
                return false;
        pthread_mutex_lock(&c->lock);
        h->origin = arena_fmt(&c->arena, "https%.*s", SV_ARG(sv_skip(origin, 4)));
        pthread_mutex_unlock(&c->lock);
        return true;
}

/* Under lock: the first to ask? */
static bool first_time(struct reg_client *c, sv host)
{
        for (size_t i = 0; i < c->n_trusted; i++)
                if (sv_eq(c->trusted[i], host))
                        return false;
        *arena_push(&c->arena, c->trusted, c->n_trusted, c->cap_trusted) = arena_sv(&c->arena, host);
        return true;
}

int reg_host_trust_other(struct reg_client *c, const struct reg_host *h, sv url, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        const struct reg_conf *conf;
        const char *dir;
        struct url u;
        sv host;
        bool first;

        if (!url_parse(url, &u) || !sv_eq_nocase(u.scheme, SV("https")))
                return 0;
        host = arena_lower(&a, u.port.n ? arena_fmt(&a, "%.*s:%.*s", SV_ARG(u.host), SV_ARG(u.port)) : u.host);
        if (sv_eq(url_origin(&a, url), url_origin(&a, reg_host_origin(c, h))))
                return 0;
        pthread_mutex_lock(&c->lock);
        first = first_time(c, host);
        pthread_mutex_unlock(&c->lock);
        if (!first)
                return 0;
        if (reg_conf_of(c, &conf, e) < 0)
                return -(int)e->code;
        dir = c->opts.certs_dir ? NULL : reg_certs_dir(c, host, &a);
        if (dir)
                return reg_trust(c, host, dir, true, is_insecure(c, conf, host), e);
        return reg_trust(c, host, reg_certs_dir(c, h->registry, &a), false, is_insecure(c, conf, host), e);
}
