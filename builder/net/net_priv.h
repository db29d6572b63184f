/* net/net_priv.h - shared by net.c (what callers see), io.c (the I/O thread), fault.c (texts of errors), transport.c (opening net.so). */
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "ext/curl.h"
#include "net/net.h"
#include "net/url.h"

enum {
        NET_HOPS = 10,               /* redirects of one request */
        NET_HEADERS_MAX = 256 << 10, /* bytes of one answer's headers */
        NET_ERROR_BODY = 64 << 10,   /* of an answer that is not a 200 or 206 */
        NET_UNREAD_MAX = 1 << 20,    /* of its rest is read, so that the connection can be used again */
        NET_BACKOFF_MS = 250,        /* before the second try; doubles */
        NET_BACKOFF_MAX_MS = 10000,
        NET_RETRY_AFTER_MAX_MS = 60000,
        NET_CONNECT_MAX_MS = 20000,
        NET_DIGEST_SPEED = 20000, /* bytes a millisecond that a server may take over a body before it answers */
        NET_PER_HOST = 32,        /* connections to one host at once */
        NET_KEPT = 96             /* connections held, idle ones included */
};

struct net_job {
        struct net_job *next; /* in the inbox */
        struct net_request r;
        uint64_t seq;
        bool is_running;      /* with the transport; the I/O thread's */
        struct arena asked;   /* texts of r; the current hop */
        sv first, url;        /* of the first and of the current hop, without credentials and fragment */
        bool foreign;         /* a redirect led to another origin: no Authorization, no Cookie */
        unsigned hops, tries; /* tries: failed or running ones; a redirect followed is none */
        int64_t not_before;   /* of the next try */
        struct curl_transfer t;

        /* Of the current try; reset before each. */
        struct arena got;
        struct net_header *header;
        size_t n_header, cap_header;
        size_t header_bytes;
        long status;
        bool begun_body, unread, no_resume; /* body looked at; stopped on purpose; resuming gave something else */
        uint64_t skip;                      /* bytes of a full answer that `into` has already */
        uint64_t passed;                    /* bytes of an answer that is not a 200 or 206 */
        struct buf body;

        uint64_t received; /* bytes handed to `into`, over all tries */
        uint64_t sent;     /* bytes of the body, over all tries */
        sv validator;      /* for If-Range; in asked */
        uint64_t expect;
        int64_t told_ms; /* last OP_STEP */
        bool told;

        struct err err;
        /* Under net->lock. */
        bool done, dropped;
};

struct net_login {
        sv origin; /* "https://host:443" */
        const char *user, *password;
};

struct net {
        struct op *op;
        bool offline;
        unsigned parallel, tries;
        int64_t timeout_ms, backoff_ms;
        const char *ca_file, *netrc, *proxy, *http_proxy;
        const char *const *insecure;
        struct arena arena; /* of the texts above; caller's thread */

        const struct curl_table *table;
        void *module; /* dlopen's, NULL when the table was given */
        struct curl_io *io;
        pthread_t thread;
        bool has_thread;

        pthread_mutex_t lock;
        pthread_cond_t done; /* some job is done */
        struct net_job *inbox;
        bool stop, drops;
        uint64_t finished, seq;
        struct arena known; /* under lock, like these: */
        struct net_login *login;
        size_t n_login, cap_login;
        struct net_tls *tls;
        size_t n_tls, cap_tls;
        atomic_uint count;

        /* The I/O thread's. */
        struct net_job **job; /* waiting and running */
        size_t n_job, cap_job;
        unsigned running;
};

/* What the caller lent must not be touched once net_drop has returned. */
static inline bool net_job_borrows(const struct net_job *j)
{
        return j->r.into || j->r.body;
}

/** net_new over a table of the caller's (tests) and with a backoff of its own. */
int net_new_over(const struct net_opts *o, struct op *op, const struct curl_table *table, int64_t backoff_ms,
                 struct net **ret, struct err *e);

/* transport.c */
int net_transport_open(struct net *n, struct err *e); /* sets table and module */
void net_transport_close(struct net *n);

/* tls.c */
void net_tls_set(struct net *n, struct net_job *j); /* what holds for the host of j->url, into j->t */

/* answer.c */
void net_answer_reset(struct net_job *j);
sv net_answer_header(const struct net_job *j, const char *name); /* the last one of the name; empty when absent */
uint64_t net_first_byte(const struct net_job *j);                /* of the range that was asked for */
bool net_on_header(void *job, const char *p, size_t n);
bool net_on_body(void *job, const char *p, size_t n);

/* redirect.c */
bool net_is_followed(const struct net_job *j); /* its status is a redirect that we follow */
int net_follow(struct net_job *j);             /* 0: j->url is where to ask next; else the error is in the job */

/* try.c */
bool net_is_repeatable(const struct net_job *j);
bool net_try_start(struct net *n, struct net_job *j); /* false: it ended at once */
void net_tell(struct net *n, const struct net_job *j, enum op_state state);

/* io.c */
void *net_io_main(void *net);
void net_job_free(struct net_job *j);

/* fault.c */
/** What ended the last try of j, as an error of the job: fault of the transport, or a status worth another try. */
int net_fault_set(struct net_job *j, struct err *e);

#endif
