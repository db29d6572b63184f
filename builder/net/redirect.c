#include "net/net_priv.h"

/* Redirects are ours, not libcurl's: what may go along is decided here. */

static bool is_redirect(long status)
{
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 301, 302 and 303 would turn another method into a GET: the caller should know. */
bool net_is_followed(const struct net_job *j)
{
        bool plain = j->r.method == NET_GET || j->r.method == NET_HEAD;

        return is_redirect(j->status) && !j->r.no_follow && net_answer_header(j, "location").n &&
               (plain || j->status == 307 || j->status == 308);
}

int net_follow(struct net_job *j)
{
        sv to = url_join(&j->asked, j->url, net_answer_header(j, "location")), before = url_origin(&j->asked, j->url);
        struct url u;

        if (++j->hops > NET_HOPS)
                return err_set(&j->err, ERR_NET, "'%.*s' is redirected more than %d times",
                               SV_ARG(url_masked(&j->asked, j->r.url)), NET_HOPS);
        if (!url_parse(to, &u) || !(sv_eq_nocase(u.scheme, SV("https")) || sv_eq_nocase(u.scheme, SV("http"))))
                return err_set(&j->err, ERR_NET, "'%.*s' is redirected to '%.*s', which is not an http URL",
                               SV_ARG(url_masked(&j->asked, j->r.url)), SV_ARG(url_masked(&j->asked, to)));
        if (sv_starts(before, SV("https:")) && !sv_eq_nocase(u.scheme, SV("https")))
                return err_set(&j->err, ERR_NET, "'%.*s' is redirected to '%.*s', which is not encrypted",
                               SV_ARG(url_masked(&j->asked, j->r.url)), SV_ARG(url_masked(&j->asked, to)));
        j->url = url_public(&j->asked, to);
        if (u.fragment.n)
                j->url = sv_from_to(j->url, 0, (size_t)sv_find(j->url, '#'));
        if (!sv_eq(url_origin(&j->asked, j->url), before))
                j->foreign = true; /* for good: a chain must not lead back with the caller's secrets */
        j->tries--;                /* the hop worked */
        j->not_before = 0;
        return 0;
}
