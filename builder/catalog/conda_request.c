#include "base/cleanup.h"
#include "catalog/conda_subdir.h"

/* How a channel is asked: with its login and token, or at a mirror. What is kept and told is its own URL. */

/* The channel's own URL as it is asked: user:password@ before the host, /t/TOKEN before the channel's name. */
static sv own_base(struct arena *a, const struct conda_channel *c)
{
        ptrdiff_t at = sv_find_sv(c->url, SV("://"));
        sv rest, name = arena_fmt(a, "/%.*s", SV_ARG(c->name));
        size_t host;

        if (at < 0)
                return c->url;
        rest = sv_skip(c->url, (size_t)at + 3);
        if (sv_ends(rest, name)) /* an alias may have a path of its own */
                host = rest.n - name.n;
        else
                host = sv_find(rest, '/') < 0 ? rest.n : (size_t)sv_find(rest, '/');
        return arena_fmt(a, "%.*s%.*s%s%.*s%s%.*s%.*s", (int)at + 3, c->url.p, SV_ARG(c->login), c->login.n ? "@" : "",
                         (int)host, rest.p, c->token.n ? "/t/" : "", SV_ARG(c->token), SV_ARG(sv_skip(rest, host)));
}

static sv no_slash(sv url)
{
        while (url.n && url.p[url.n - 1] == '/')
                url.n--;
        return url;
}

const sv *conda_bases(struct arena *a, const struct conda_channel *c, const struct conda_mirror *mirror,
                      size_t n_mirror, size_t *ret_n)
{
        sv *v = NULL;
        size_t n = 0, cap = 0;

        for (size_t i = 0; i < n_mirror; i++)
                if (sv_eq(no_slash(mirror[i].channel), c->url))
                        *arena_push(a, v, n, cap) = arena_sv(a, no_slash(mirror[i].url));
        if (!n)
                *arena_push(a, v, n, cap) = own_base(a, c);
        *ret_n = n;
        return v;
}

sv conda_rebase(struct arena *a, sv url, sv channel_url, sv base)
{
        if (!sv_starts(url, channel_url) || url.n == channel_url.n || url.p[channel_url.n] != '/')
                return url;
        return arena_fmt(a, "%.*s%.*s", SV_ARG(base), SV_ARG(sv_skip(url, channel_url.n)));
}

bool conda_request_url(struct arena *a, sv url, const struct conda_channels_opts *o, size_t i, sv *ret)
{
        const struct conda_channel *best = NULL;
        const sv *base;
        size_t n;

        for (size_t k = 0; k < o->n_channel; k++) { /* one channel's URL may begin as another's */
                const struct conda_channel *c = &o->channel[k];

                if (sv_starts(url, c->url) && url.n > c->url.n && url.p[c->url.n] == '/' &&
                    (!best || c->url.n > best->url.n))
                        best = c;
        }
        *ret = url;
        if (!best)
                return i == 0;
        base = conda_bases(a, best, o->mirror, o->n_mirror, &n);
        if (i < n)
                *ret = conda_rebase(a, url, best->url, base[i]);
        return i < n;
}
