#include "base/cleanup.h"
#include "net/net_priv.h"

static sv host_of(sv url)
{
        struct url u;

        return url_parse(url, &u) ? u.host : url;
}

static const char *verb(const struct net_job *j)
{
        return j->r.method == NET_GET || j->r.method == NET_HEAD ? "fetch" : j->r.body ? "send to" : "ask";
}

static void set_resolve(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': the host '%.*s' is not known", verb(j), SV_ARG(shown),
                SV_ARG(host_of(j->url)));
        err_hint(e, "check the spelling and the network; behind a proxy set HTTPS_PROXY; --offline uses what was "
                    "fetched before");
}

static void set_proxy(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': the proxy cannot be used: %s", verb(j), SV_ARG(shown), j->t.detail);
        err_hint(e, "look at HTTPS_PROXY, HTTP_PROXY, PIP_PROXY and NO_PROXY");
}

static void set_connect(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': cannot connect to '%.*s': %s", verb(j), SV_ARG(shown),
                SV_ARG(host_of(j->url)), j->t.detail);
        err_hint(e, "is the server up, and is the port right? Behind a proxy set HTTPS_PROXY");
}

static void set_timeout(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': '%.*s' did not answer in time: %s", verb(j), SV_ARG(shown),
                SV_ARG(host_of(j->url)), j->t.detail);
        err_hint(e,
                 "the server or the network is slow, or a firewall drops the packets; behind a proxy set HTTPS_PROXY");
}

static void set_cert(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': the certificate of '%.*s' is not trusted: %s", verb(j), SV_ARG(shown),
                SV_ARG(host_of(j->url)), j->t.detail);
        if (j->r.anonymous)
                err_hint(
                        e,
                        "put the certificate of who signed it into /etc/containers/certs.d/HOST:PORT/ca.crt, or into a "
                        "file that SSL_CERT_FILE names");
        else
                err_hint(e, "if your company's proxy or index signs certificates itself, name its CA file: "
                            "SSL_CERT_FILE=/path/ca.pem");
}

static void set_ca(const struct net_job *j, sv shown, struct err *e)
{
        if (j->t.n_ca_pem) {
                err_set(e, ERR_NET, "cannot %s '%.*s': the certificates to trust '%.*s' by cannot be used: %s", verb(j),
                        SV_ARG(shown), SV_ARG(host_of(j->url)), j->t.detail);
                err_hint(e, "the *.crt of its certs.d folder, and the file that SSL_CERT_FILE names, must hold "
                            "certificates in "
                            "PEM form");
                return;
        }
        err_set(e, ERR_NET, "cannot %s '%.*s': the CA file '%s' cannot be used", verb(j), SV_ARG(shown),
                j->t.ca_file ? j->t.ca_file : "of the system");
        err_hint(e, "it must hold certificates in PEM form; PIP_CERT, SSL_CERT_FILE, REQUESTS_CA_BUNDLE and "
                    "CURL_CA_BUNDLE name it, else ssl_verify of .condarc");
}

static void set_key(const struct net_job *j, sv shown, struct err *e)
{
        if (j->t.cert)
                err_set(e, ERR_NET, "cannot %s '%.*s': the client certificate '%s' is of no use: %s", verb(j),
                        SV_ARG(shown), j->t.cert, j->t.detail);
        else
                err_set(e, ERR_NET, "cannot %s '%.*s': '%.*s' wants a client certificate: %s", verb(j), SV_ARG(shown),
                        SV_ARG(host_of(j->url)), j->t.detail);
        err_hint(e, "it stands as client.cert, with its key as client.key, in /etc/containers/certs.d/HOST:PORT/");
}

static void set_tls(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': no secure connection: %s", verb(j), SV_ARG(shown), j->t.detail);
        err_hint(e, "is it really https that answers on this port? TLS 1.2 is the least that is spoken");
}

static void set_broken(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': the transfer broke off after %llu bytes: %s", verb(j), SV_ARG(shown),
                (unsigned long long)(j->r.body ? j->t.body_at : j->received + j->body.n), j->t.detail);
        if (j->t.asked && j->status == 0 && sv_starts(j->url, SV("https:")))
                err_hint(e, "try again; a server that wants a client certificate may break off like this, too: "
                            "client.cert and "
                            "client.key in /etc/containers/certs.d/HOST:PORT/");
        else
                err_hint(e, "try again; if it always breaks at the same place, a proxy or scanner on the way may be "
                            "cutting it");
}

static void set_other(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "cannot %s '%.*s': %s", verb(j), SV_ARG(shown), j->t.detail);
}

static const char *status_text(long status)
{
        static const struct {
                long status;
                const char *text;
        } rows[] = { { 400, " Bad Request" },
                     { 401, " Unauthorized" },
                     { 403, " Forbidden" },
                     { 404, " Not Found" },
                     { 408, " Request Timeout" },
                     { 413, " Content Too Large" },
                     { 407, " Proxy Authentication Required" },
                     { 410, " Gone" },
                     { 416, " Range Not Satisfiable" },
                     { 429, " Too Many Requests" },
                     { 500, " Internal Server Error" },
                     { 502, " Bad Gateway" },
                     { 503, " Service Unavailable" },
                     { 504, " Gateway Timeout" } };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (rows[i].status == status)
                        return rows[i].text;
        return "";
}

static void set_status(const struct net_job *j, sv shown, struct err *e)
{
        err_set(e, ERR_NET, "'%.*s' answered %ld%s, %u times", SV_ARG(shown), j->status, status_text(j->status),
                j->tries);
        err_hint(e, j->status == 429
                            ? "the server limits how much you may ask: wait a while, or use a mirror or cache near you"
                            : "the server has a fault of its own: try again later");
}

int net_fault_set(struct net_job *j, struct err *e)
{
        static void (*const rows[])(const struct net_job *, sv, struct err *) = {
                [CURL_FAULT_NONE] = set_status,     [CURL_FAULT_RESOLVE] = set_resolve,
                [CURL_FAULT_PROXY] = set_proxy,     [CURL_FAULT_CONNECT] = set_connect,
                [CURL_FAULT_TIMEOUT] = set_timeout, [CURL_FAULT_CERT] = set_cert,
                [CURL_FAULT_CA] = set_ca,           [CURL_FAULT_TLS] = set_tls,
                [CURL_FAULT_BROKEN] = set_broken,   [CURL_FAULT_STOPPED] = set_other,
                [CURL_FAULT_KEY] = set_key,         [CURL_FAULT_URL] = set_other,
                [CURL_FAULT_OTHER] = set_other,
        };
        AUTO(arena_done) struct arena a = { 0 };

        rows[j->t.fault](j, url_masked(&a, j->r.url), e);
        return -(int)e->code;
}

int net_status_err(const struct net_answer *a, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        sv shown = url_masked(&tmp, a->url);
        const char *text = status_text(a->status);

        if (a->status == 401 || a->status == 403) {
                err_set(e, ERR_AUTH, "'%.*s' answered %ld%s", SV_ARG(shown), a->status, text);
                err_hint(e, "put 'machine %.*s login NAME password TOKEN' into ~/.netrc (or the file that NETRC names)",
                         SV_ARG(host_of(a->url)));
        } else {
                err_set(e, a->status == 404 || a->status == 410 ? ERR_NOT_FOUND : ERR_NET, "'%.*s' answered %ld%s",
                        SV_ARG(shown), a->status, text);
        }
        return -(int)e->code;
}
