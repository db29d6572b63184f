/* ext/curl.h - HTTP by libcurl's multi interface, as one table in a shared module (net.so) that builder/net/ opens when it is first
 * needed: a warm start never loads libcurl, and a test can put a table of its own in its place. The only includer of <curl/curl.h>.
 * No redirects, retries or policy here: one transfer is one request. One thread calls everything but wake(). Times are milliseconds. */
#ifndef EXT_CURL_H
#define EXT_CURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum curl_fault {
        CURL_FAULT_NONE,
        CURL_FAULT_RESOLVE, /* the host's name is not known */
        CURL_FAULT_PROXY,   /* the proxy cannot be reached or said no */
        CURL_FAULT_CONNECT,
        CURL_FAULT_TIMEOUT,
        CURL_FAULT_CERT, /* the server's certificate is not trusted */
        CURL_FAULT_CA,   /* the CA file, or ca_pem, cannot be used */
        CURL_FAULT_KEY,  /* the client's certificate or key cannot be used, or the server refuses it or misses one */
        CURL_FAULT_TLS,
        CURL_FAULT_BROKEN,  /* the connection ended early, or what came is not HTTP */
        CURL_FAULT_STOPPED, /* a callback returned false */
        CURL_FAULT_URL,
        CURL_FAULT_OTHER
};

struct curl_transfer { /* owned by the caller; texts must live until it is finished or dropped */
        const char *url;
        const char *method; /* "GET", "HEAD", "PUT", ... */
        bool has_body;      /* a body is sent, maybe an empty one */
        bool once;          /* never sent twice, not even when a kept connection turns out to be dead */
        uint64_t body_size;
        const char *range;         /* "0-99", "-500", or NULL */
        const char *const *header; /* "Name: value" */
        size_t n_header;
        const char *user, *password; /* NULL: by netrc; never sent to another host, since redirects are not followed */
        const char *proxy;           /* NULL: as the environment says */
        const char *netrc, *ca_file; /* NULL: none; the system's */
        const char *ca_pem;          /* certificates trusted besides, or NULL */
        size_t n_ca_pem;
        const char *cert, *key;       /* files of a client's certificate, PEM, or NULL */
        bool insecure;                /* do not check the certificate */
        bool compressed;              /* the body may be sent compressed: it is unpacked on the way */
        int64_t connect_ms, stall_ms; /* stall: no byte either way */
        int64_t answer_ms;            /* the same once the body is whole and the server works on it */
        bool (*on_header)(void *arg, const char *line, size_t n); /* without line end; status lines too */
        bool (*on_body)(void *arg, const char *p, size_t n);
        int64_t (*on_send)(void *arg, uint64_t at, char *p,
                           size_t n); /* 1...n bytes of the body from `at`, or -1 to stop */
        void *arg;
        /* Set when it is finished. */
        enum curl_fault fault;
        long status; /* 0: no answer */
        bool asked;  /* a connection stood and the request may have gone out */
        uint64_t body_at,
                sent; /* where in the body it is, also on the way; bytes of it given away, again ones included */
        char detail[256];
        void *running; /* the table's own */
};

struct curl_io;
struct curl_table {
        uint32_t version; /* CURL_TABLE_VERSION */
        struct curl_io *(*open)(unsigned per_host,
                                unsigned kept); /* connections to one host at once, and kept for later; NULL: out of
                                                                      memory */
        void (*close)(struct curl_io *io);      /* all transfers were finished or dropped */
        bool (*begin)(struct curl_io *io, struct curl_transfer *t); /* false: refused, t->fault and t->detail say why */
        void (*drop)(struct curl_io *io,
                     struct curl_transfer *t); /* stop one under way; no callback comes afterwards */
        /** Let things happen for at most so long, until wake(); gives a finished transfer, or NULL. */
        struct curl_transfer *(*turn)(struct curl_io *io, int timeout_ms);
        void (*wake)(struct curl_io *io); /* any thread: ends a turn() */
};
#define CURL_TABLE_VERSION 2u
#define CURL_TABLE_SYMBOL  "envbuild_curl_table"
extern const struct curl_table envbuild_curl_table;

#endif
