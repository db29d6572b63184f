#include "net/net_priv.h"

/* How each server is trusted. */

static const char *text_or_null(struct arena *a, const char *s)
{
        return s ? arena_str(a, sv_from(s)) : NULL;
}

void net_tls_add(struct net *n, const struct net_tls *t)
{
        struct arena *a = &n->known;

        pthread_mutex_lock(&n->lock);
        *arena_push(a, n->tls, n->n_tls, n->cap_tls) = (struct net_tls){
                .host = arena_lower(a, t->host),
                .ca_pem = arena_sv(a, t->ca_pem),
                .cert = text_or_null(a, t->cert),
                .key = text_or_null(a, t->key),
                .insecure = t->insecure,
        };
        pthread_mutex_unlock(&n->lock);
}

/* --trusted-host: a host means all of its ports. */
static bool is_insecure(const struct net *n, sv url)
{
        struct url u;

        if (!n->insecure || !url_parse(url, &u))
                return false;
        for (size_t i = 0; n->insecure[i]; i++) {
                sv host, want = sv_from(n->insecure[i]);

                if (sv_eq_nocase(want, u.host))
                        return true;
                if (u.port.n && sv_cut(&want, ':', &host) && sv_eq_nocase(host, u.host) && sv_eq(want, u.port))
                        return true;
        }
        return false;
}

void net_tls_set(struct net *n, struct net_job *j)
{
        sv origin = url_origin(&j->asked, j->url), host = sv_skip(origin, sizeof("https://") - 1);

        j->t.ca_file = n->ca_file;
        j->t.insecure = is_insecure(n, j->url);
        if (!sv_starts(origin, SV("https://")))
                return;
        pthread_mutex_lock(&n->lock);
        for (size_t i = n->n_tls; i--;) {
                const struct net_tls *t = &n->tls[i];

                if (!sv_eq(t->host, host))
                        continue;
                j->t.ca_pem = t->ca_pem.n ? t->ca_pem.p : NULL; /* the texts stay where they are */
                j->t.n_ca_pem = t->ca_pem.n;
                j->t.cert = t->cert;
                j->t.key = t->key;
                j->t.insecure |= t->insecure;
                break;
        }
        pthread_mutex_unlock(&n->lock);
}
