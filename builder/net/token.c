#include "net/net_priv.h"

void net_token_add(struct net *n, sv shown, sv real)
{
        bool known = false;

        pthread_mutex_lock(&n->lock);
        for (size_t i = 0; i < n->n_token && !known; i++)
                known = sv_eq(n->token[i].shown, shown);
        if (!known)
                *arena_push(&n->logins, n->token, n->n_token, n->cap_token) =
                        (struct net_token){ arena_sv(&n->logins, shown), arena_sv(&n->logins, real) };
        pthread_mutex_unlock(&n->lock);
}

static bool below(sv url, sv top)
{
        return sv_starts(url, top) && (url.n == top.n || url.p[top.n] == '/' || url.p[top.n] == '?');
}

static sv swap(struct net *n, struct arena *a, sv url, bool to_real)
{
        sv from = { 0 }, to = { 0 };

        pthread_mutex_lock(&n->lock);
        for (size_t i = 0; i < n->n_token; i++) {
                const struct net_token *t = &n->token[i];
                sv one = to_real ? t->shown : t->real;

                if (one.n > from.n && below(url, one)) {
                        from = one;
                        to = to_real ? t->real : t->shown;
                }
        }
        pthread_mutex_unlock(&n->lock);
        return from.n ? arena_fmt(a, "%.*s%.*s", SV_ARG(to), SV_ARG(sv_skip(url, from.n))) : url;
}

sv net_token_real(struct net *n, struct arena *a, sv url)
{
        return swap(n, a, url, true);
}

sv net_token_shown(struct net *n, struct arena *a, sv url)
{
        return swap(n, a, url, false);
}
