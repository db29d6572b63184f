/* net/net.h - transfers: one I/O thread runs curl_multi for everybody (HTTP/2, many at once). Retries, redirects, netrc, proxies and
 * certificates are dealt with here; caching is the caller's. Texts are borrowed for the time of a call. Times are milliseconds.
 * The transport is a table (ext/curl.h), opened when first needed, so that a warm start does not load libcurl and tests can fake it. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/op.h"
#include "base/sv.h"
#include "stream/stream.h"

struct net;

struct net_opts {
        bool offline;      /* every request fails with ERR_OFFLINE, naming what is missing */
        unsigned parallel; /* transfers at once; 0: 32 */
        unsigned tries;    /* per request, first one included; 0: 5 */
        const char *
                ca_file; /* where none of PIP_CERT, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE names one; NULL: the system's */
        const char *netrc;           /* NULL: $NETRC, else ~/.netrc */
        int64_t timeout_ms;          /* no byte for so long ends a try; 0: 30,000 */
        const char *const *insecure; /* hosts whose certificates are not checked (--trusted-host), NULL-terminated */
};
int net_new(const struct net_opts *o, struct op *op, struct net **ret, struct err *e);
void net_free(struct net *n); /* every job was waited for or dropped before */
static inline void net_freep(struct net **n)
{
        net_free(*n);
}

struct net_header {
        sv name, value; /* name in lower case */
};
enum net_method { NET_GET, NET_HEAD, NET_POST, NET_PUT, NET_PATCH, NET_DELETE };

/* What a request sends: read on the I/O thread, from any place, as often as needed (a second try, a 307, a login): never in memory as a
 * whole. */
struct net_source {
        uint64_t size;
        int64_t (*read)(void *arg, uint64_t at, void *p, size_t n,
                        struct err *e); /* 1…n bytes, or -code, which ends the request with that error */
        void *arg;
};
struct net_source net_source_bytes(const sv *bytes); /* borrowed */

struct net_request {
        sv url; /* http:// or https://; user:password@ in it is used and never shown */
        enum net_method method;
        const struct net_header *header; /* extra ones */
        size_t n_header;
        bool has_range; /* bytes from…to (inclusive); last: the last `to` bytes */
        bool range_last;
        bool range_open; /* from `from` to the end; a 200 is as good: what it has before `from` does not reach `into` */
        uint64_t from, to;
        struct writer
                *into; /* body of a 200 or 206 goes here (called on the I/O thread); NULL: kept in the answer's body */
        size_t max_body; /* ceiling for a kept body; 0: 64 MiB; also enforced for `into` when not 0 */
        bool keep_partial; /* a retry resumes `into` by range where it stopped (needs a validator); else a broken body is final */
        sv subject;          /* for OP_FETCH events; empty: none are sent */
        uint64_t expect;     /* size for the events, 0: from Content-Length */
        int priority;        /* higher first among those that wait */
        enum op_phase phase; /* of the events; OP_READ (0) means OP_FETCH */
        const struct net_source *
                body; /* the struct is copied, what it reads is borrowed; NULL: none (Content-Length: 0 for POST, PUT) */
        bool once;    /* no second try: the caller decides what a broken request or a 5xx means (an upload) */
        bool repeatable; /* a POST or PATCH that may arrive twice: tried again like the other methods. Else only when it can't have
                            been acted on: no connection, or one of 408, 429 and 503 */
        int64_t timeout_ms; /* no byte for so long ends a try; 0: net_opts' (an answer that takes the server a while) */
        bool anonymous; /* only the headers given here: no netrc, no login of a URL (a registry client brings its own Authorization) */
        bool no_follow; /* a redirect is an answer. Else GET and HEAD follow all of them, the others 307 and 308 with their body sent again */
};

struct net_answer {
        long status;               /* 200, 304, 404, …: every answer of a server is an answer, not an error */
        sv url;                    /* after redirects: base of relative links; credentials removed */
        struct net_header *header; /* last answer's */
        size_t n_header;
        sv body; /* NUL-terminated; when `into` was NULL, or for a status other than 200 and 206 (cut at 64 KiB);
                             * empty when a range was asked without `into` and a 200 came: the transfer is stopped there */
        uint64_t received;
        uint64_t sent; /* bytes of bodies, all tries */
        bool ranged;   /* 206 */
};
sv net_header_get(const struct net_answer *a, const char *name); /* empty when absent */

/* One transfer under way. Begin many, then wait for each: order of waiting is free. */
struct net_job;
struct net_job *net_begin(struct net *n,
                          const struct net_request *r); /* r and its texts are copied, `into` is borrowed */
/**
 * Wait for a transfer and release it.
 *
 * @param a  everything in *ret lives here
 * @return 0 with any HTTP status but the ones below · -ERR_NET after all tries (connect, timeout, TLS, 5xx, 408, 429), hint says what to
 *         look at; where the first try is the only one (`once`, or a POST that may have been acted on) these statuses are answers too
 *         · -ERR_OFFLINE · -ERR_CANCELLED · -ERR_LIMIT body over the ceiling · what `into` or `body` failed with
 */
int net_wait(struct net *n, struct net_job *j, struct arena *a, struct net_answer *ret, struct err *e);
bool net_ready(struct net *n, struct net_job *j); /* net_wait would not block */
/** Wait until some transfer has ended since *seen (0 at first) and count it in there: for loops over many jobs. 0 or op_check's error. */
int net_next(struct net *n, uint64_t *seen, struct err *e);
void net_drop(struct net *n, struct net_job *j); /* cancel and release */
/** net_begin and net_wait. */
int net_do(struct net *n, const struct net_request *r, struct arena *a, struct net_answer *ret, struct err *e);
/** Use the user:password@ of a URL for every request to its scheme, host and port that names none (URLs given to net_begin are
 *  remembered by themselves). A redirect to another host never takes them along. Any thread. */
void net_login_add(struct net *n, sv url);
/* How to trust one server: certs.d, --insecure. Added before its first request. */
struct net_tls {
        sv host;                /* "localhost:5000", lower case, port always written */
        sv ca_pem;              /* certificates trusted besides the system's; empty: none */
        const char *cert, *key; /* files of a client certificate, or NULL */
        bool insecure;          /* any certificate */
};
void net_tls_add(struct net *n, const struct net_tls *t); /* copied; any thread; the last one for a host holds */
/** -ERR_AUTH for 401 and 403 (hint: netrc), -ERR_NOT_FOUND for 404 and 410, -ERR_NET otherwise: for callers to whom a status is an error. */
int net_status_err(const struct net_answer *a, struct err *e);
bool net_offline(const struct net *n);
unsigned net_count(const struct net *n); /* requests sent so far, retries included: for tests and -v */

#endif
