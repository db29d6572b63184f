#include "ext/curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The system's certificates and some of a server's own, as one text for libcurl. */
struct trust {
        struct trust *next;
        const char *ca_file, *pem; /* the caller's; live as long as the curl_io */
        char *text;
        size_t n;
};

struct curl_io {
        CURLM *multi;
        struct trust *trust;
        struct running *paused;
};

/* A transfer under way. */
struct running {
        struct curl_transfer *t;
        struct curl_io *io;
        CURL *easy;
        struct curl_slist *list;
        curl_socket_t fd;
        struct running *next_paused;
        uint64_t looked_at; /* place in the body where an answer was looked for before more was sent */
        uint64_t moved;     /* bytes both ways */
        int64_t moved_ms;   /* when the last of them did */
        bool answered;      /* the headers of a final answer are here */
        bool unwanted;      /* and say that the rest of the body need not come */
        bool heard;         /* something was answered since the request went out last */
        bool stale;         /* a kept connection was dead, and `once` forbade another */
        enum { STALLED_NOT, STALLED_BYTES, STALLED_ANSWER } stalled;
};

enum {
        LARGE_BODY = 256 << 10,
        CA_FILE_MAX = 64 << 20,
        BODY_CHUNK = 256 << 10, /* for sending: each upload under way holds one; 2 MiB, libcurl's most, are no faster */
        RECEIVE_CHUNK = 512 << 10 /* and for receiving */
};

static struct curl_io *io_open(unsigned per_host, unsigned kept)
{
        struct curl_io *io;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(io = calloc(1, sizeof(*io))))
                return NULL;
        if (!(io->multi = curl_multi_init())) {
                free(io);
                return NULL;
        }
        curl_multi_setopt(io->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
        curl_multi_setopt(io->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
        curl_multi_setopt(io->multi, CURLMOPT_MAXCONNECTS, (long)kept);
        return io;
}

static void io_close(struct curl_io *io)
{
        curl_multi_cleanup(io->multi);
        for (struct trust *t = io->trust, *next; t; t = next) {
                next = t->next;
                free(t->text);
                free(t);
        }
        free(io);
        /* No curl_global_cleanup(): OpenSSL is shared with the rest of the program. */
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
        struct running *r = arg;
        size_t len = size * n, cut = len;

        r->heard = true;
        while (cut && (p[cut - 1] == '\n' || p[cut - 1] == '\r'))
                cut--;
        if (cut == 0) {
                curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &r->t->status);
                r->answered = r->t->status >= 200;
        }
        return cut == 0 || r->t->on_header(r->t->arg, p, cut) ? len : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
        struct running *r = arg;

        return r->t->on_body(r->t->arg, p, size * n) ? size * n : 0;
}

/* A server that says no before the body is whole often goes away at once: its answer must be read before a send fails. */
static bool answer_may_wait(struct running *r)
{
        struct pollfd p = { .fd = r->fd, .events = POLLIN };

        if (r->t->body_at == 0 || r->looked_at == r->t->body_at || r->fd < 0 || poll(&p, 1, 0) <= 0)
                return false;
        r->looked_at = r->t->body_at; /* it may be something else: a TLS ticket, an HTTP/2 window */
        r->next_paused = r->io->paused;
        r->io->paused = r;
        return true;
}

static void resume_paused(struct curl_io *io)
{
        struct running *r;

        while ((r = io->paused)) {
                io->paused = r->next_paused;
                curl_easy_pause(r->easy, CURLPAUSE_CONT);
        }
}

static void forget_paused(const struct running *r)
{
        for (struct running **p = &r->io->paused; *p; p = &(*p)->next_paused)
                if (*p == r) {
                        *p = r->next_paused;
                        return;
                }
}

/* Fills all that is asked for: a send of 2 MiB costs as much as one of 16 KiB. */
static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
        struct running *r = arg;
        struct curl_transfer *t = r->t;
        uint64_t left = t->body_size - t->body_at;
        size_t want = size * n < left ? size * n : (size_t)left, got = 0;

        if (r->answered && t->status >= 300) {
                r->unwanted = true; /* a redirect: libcurl would send all the rest */
                return CURL_READFUNC_ABORT;
        }
        while (got < want) {
                int64_t some = t->on_send(t->arg, t->body_at + got, p + got, want - got);

                if (some <= 0)
                        return CURL_READFUNC_ABORT;
                got += (size_t)some;
        }
        if (answer_may_wait(r)) /* looked for as late as can be */
                return CURL_READFUNC_PAUSE;
        t->body_at += got;
        t->sent += got;
        return got;
}

static int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Called at every turn and whenever bytes passed; not before the connection stands does time run. */
static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
        struct running *r = arg;
        bool whole = (uint64_t)up >= r->t->body_size;
        int64_t now = now_ms(), most = whole ? r->t->answer_ms : r->t->stall_ms;

        (void)down_all, (void)up_all;
        if (!r->t->asked)
                return 0;
        if (r->moved_ms == 0 || r->moved != (uint64_t)(up + down)) {
                r->moved = (uint64_t)(up + down);
                r->moved_ms = now;
        }
        if (now - r->moved_ms < most)
                return 0;
        r->stalled = whole ? STALLED_ANSWER : STALLED_BYTES;
        return 1;
}

static int on_seek(void *arg, curl_off_t to, int origin)
{
        struct running *r = arg;

        if (origin != SEEK_SET || to < 0 || (uint64_t)to > r->t->body_size)
                return CURL_SEEKFUNC_FAIL;
        r->t->body_at = (uint64_t)to;
        return CURL_SEEKFUNC_OK;
}

/* Called when a connection stands, before the request goes out; libcurl begins again by itself when a kept one was dead. */
static int on_ready(void *arg, char *to, char *from, int to_port, int from_port)
{
        struct running *r = arg;
        curl_socket_t fd = CURL_SOCKET_BAD;

        (void)to, (void)from, (void)to_port, (void)from_port;
        if (curl_easy_getinfo(r->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK)
                r->fd = fd;
        r->stale = r->t->once && r->t->asked && !r->heard; /* after a 407 it is another request */
        r->heard = r->answered = false;
        r->t->asked = true;
        r->moved_ms = 0;
        return r->stale ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool add_header(struct running *r, const char *line)
{
        struct curl_slist *next = curl_slist_append(r->list, line);

        if (next)
                r->list = next;
        return next != NULL;
}

static bool set_headers(struct running *r)
{
        for (size_t i = 0; i < r->t->n_header; i++)
                if (!add_header(r, r->t->header[i]))
                        return false;
        if (r->t->has_body && !add_header(r, "Expect:")) /* no waiting for a "100 Continue" */
                return false;
        return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->list) == CURLE_OK;
}

static bool set_method(struct running *r)
{
        if (strcmp(r->t->method, "HEAD") == 0)
                return curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
        if (r->t->has_body) {
                curl_easy_setopt(r->easy, CURLOPT_UPLOAD, 1L);
                curl_easy_setopt(r->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->t->body_size);
                curl_easy_setopt(r->easy, CURLOPT_READFUNCTION, on_read);
                curl_easy_setopt(r->easy, CURLOPT_READDATA, r);
                curl_easy_setopt(r->easy, CURLOPT_SEEKFUNCTION, on_seek);
                curl_easy_setopt(r->easy, CURLOPT_SEEKDATA, r);
                if (r->t->body_size > LARGE_BODY)
                        curl_easy_setopt(r->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BODY_CHUNK);
        }
        return strcmp(r->t->method, "GET") == 0 ||
               curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, r->t->method) == CURLE_OK;
}

/* Appends a file to t->text, and a line end. */
static bool add_file(struct trust *t, const char *path)
{
        FILE *f = fopen(path, "re");
        size_t cap = t->n, got = 1;

        while (f && got && t->n < CA_FILE_MAX) {
                char *grown = t->n + 65536 > cap ? realloc(t->text, cap = (t->n + 65536) * 2) : t->text;

                if (!grown)
                        break;
                t->text = grown;
                t->n += got = fread(t->text + t->n, 1, 65535, f);
        }
        if (!f || ferror(f) || got) {
                if (f)
                        fclose(f);
                return false;
        }
        fclose(f);
        t->text[t->n++] = '\n';
        return true;
}

static const struct trust *trust_of(struct curl_io *io, const struct curl_transfer *t)
{
        const char *file = t->ca_file ? t->ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;
        struct trust *x;
        char *grown;

        for (x = io->trust; x; x = x->next)
                if (x->ca_file == t->ca_file && x->pem == t->ca_pem)
                        return x;
        if (!(x = calloc(1, sizeof(*x))))
                return NULL;
        *x = (struct trust){ .ca_file = t->ca_file, .pem = t->ca_pem };
        /* A system without a bundle of its own trusts the server's alone. */
        if ((file && !add_file(x, file) && t->ca_file) || !(grown = realloc(x->text, x->n + t->n_ca_pem))) {
                free(x->text);
                free(x);
                return NULL;
        }
        x->text = grown;
        memcpy(x->text + x->n, t->ca_pem, t->n_ca_pem);
        x->n += t->n_ca_pem;
        x->next = io->trust;
        io->trust = x;
        return x;
}

static bool set_ca(struct running *r)
{
        const struct trust *trust;
        struct curl_blob blob;

        if (!r->t->n_ca_pem)
                return !r->t->ca_file || curl_easy_setopt(r->easy, CURLOPT_CAINFO, r->t->ca_file) == CURLE_OK;
        if (!(trust = trust_of(r->io, r->t))) {
                r->t->fault = CURL_FAULT_CA;
                snprintf(r->t->detail, sizeof(r->t->detail), "cannot read '%.200s'", r->t->ca_file);
                return false;
        }
        blob = (struct curl_blob){ trust->text, trust->n, CURL_BLOB_NOCOPY };
        return curl_easy_setopt(r->easy, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
}

/* All of this is among what libcurl compares before it uses a connection again. */
static bool set_tls(struct running *r)
{
        bool ok = set_ca(r);

        if (r->t->cert)
                ok = ok && curl_easy_setopt(r->easy, CURLOPT_SSLCERT, r->t->cert) == CURLE_OK;
        if (r->t->key)
                ok = ok && curl_easy_setopt(r->easy, CURLOPT_SSLKEY, r->t->key) == CURLE_OK;
        if (r->t->insecure) {
                curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 0L);
                curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        curl_easy_setopt(r->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        return ok;
}

static bool set_login(const struct running *r)
{
        bool ok = true;

        curl_easy_setopt(r->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        if (r->t->user)
                ok = curl_easy_setopt(r->easy, CURLOPT_USERNAME, r->t->user) == CURLE_OK;
        if (r->t->password)
                ok = ok && curl_easy_setopt(r->easy, CURLOPT_PASSWORD, r->t->password) == CURLE_OK;
        if (r->t->netrc && !(r->t->user && r->t->password)) {
                curl_easy_setopt(r->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
                ok = ok && curl_easy_setopt(r->easy, CURLOPT_NETRC_FILE, r->t->netrc) == CURLE_OK;
        }
        if (r->t->proxy)
                ok = ok && curl_easy_setopt(r->easy, CURLOPT_PROXY, r->t->proxy) == CURLE_OK;
        curl_easy_setopt(r->easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
        return ok;
}

/* Many small requests share an HTTP/2 connection rather than open 32. A large body gets an HTTP/1.1 connection of its own: a window of
 * HTTP/2 holds 64 KiB at many servers, for a round trip, and framing costs three times the CPU. */
static void set_version(const struct running *r)
{
        bool own = r->t->body_size > LARGE_BODY;

        curl_easy_setopt(r->easy, CURLOPT_HTTP_VERSION, (long)(own ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
        curl_easy_setopt(r->easy, CURLOPT_PIPEWAIT, own ? 0L : 1L);
}

static bool set_up(struct running *r)
{
        curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->t->detail);
        curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
        curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
        set_version(r);
        curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)r->t->connect_ms);
        curl_easy_setopt(r->easy, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(r->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(r->easy, CURLOPT_XFERINFODATA, r);
        /* Looked at every second, over a window of five: what makes libcurl call on_progress(), and the last resort. */
        curl_easy_setopt(r->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(r->easy, CURLOPT_LOW_SPEED_TIME, (long)(r->t->answer_ms / 1000 + 2));
        curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
        curl_easy_setopt(r->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
        if (strcmp(r->t->method, "GET") == 0) /* other answers are small, and each request holds such a buffer */
                curl_easy_setopt(r->easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_CHUNK);
        curl_easy_setopt(r->easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(r->easy, CURLOPT_PREREQFUNCTION, on_ready);
        curl_easy_setopt(r->easy, CURLOPT_PREREQDATA, r);
        if (r->t->range && curl_easy_setopt(r->easy, CURLOPT_RANGE, r->t->range) != CURLE_OK)
                return false;
        if (r->t->compressed && curl_easy_setopt(r->easy, CURLOPT_ACCEPT_ENCODING, "") != CURLE_OK)
                return false;
        return curl_easy_setopt(r->easy, CURLOPT_URL, r->t->url) == CURLE_OK && set_method(r) && set_headers(r) &&
               set_tls(r) && set_login(r);
}

static void drop(struct curl_io *io, struct curl_transfer *t)
{
        struct running *r = t->running;

        if (!r)
                return;
        t->running = NULL;
        forget_paused(r);
        if (r->easy) {
                curl_multi_remove_handle(io->multi, r->easy);
                curl_easy_cleanup(r->easy);
        }
        curl_slist_free_all(r->list);
        free(r);
}

static bool begin(struct curl_io *io, struct curl_transfer *t)
{
        struct running *r = calloc(1, sizeof(*r));

        t->fault = CURL_FAULT_NONE;
        t->status = 0;
        t->detail[0] = '\0';
        t->asked = false;
        t->body_at = t->sent = 0;
        t->running = r;
        if (r)
                *r = (struct running){ .t = t, .io = io, .easy = curl_easy_init(), .fd = CURL_SOCKET_BAD };
        if (r && r->easy && set_up(r) && curl_multi_add_handle(io->multi, r->easy) == CURLM_OK)
                return true;
        if (!t->fault)
                t->fault = CURL_FAULT_OTHER;
        if (!t->detail[0])
                snprintf(t->detail, sizeof(t->detail), "libcurl refused the request");
        drop(io, t);
        return false;
}

static enum curl_fault fault_of(CURLcode c)
{
        switch (c) {
        case CURLE_OK:
                return CURL_FAULT_NONE;
        case CURLE_COULDNT_RESOLVE_HOST:
                return CURL_FAULT_RESOLVE;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_PROXY:
                return CURL_FAULT_PROXY;
        case CURLE_COULDNT_CONNECT:
                return CURL_FAULT_CONNECT;
        case CURLE_OPERATION_TIMEDOUT:
                return CURL_FAULT_TIMEOUT;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
                return CURL_FAULT_CERT;
        case CURLE_SSL_CACERT_BADFILE:
                return CURL_FAULT_CA;
        case CURLE_SSL_CERTPROBLEM:
                return CURL_FAULT_KEY;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CIPHER:
                return CURL_FAULT_TLS;
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
                return CURL_FAULT_BROKEN;
        case CURLE_WRITE_ERROR:
        case CURLE_ABORTED_BY_CALLBACK:
                return CURL_FAULT_STOPPED;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
                return CURL_FAULT_URL;
        default:
                return CURL_FAULT_OTHER;
        }
}

/* The server answered and went away before the body was whole; of what it says of an error, a part is enough. */
static bool is_early_answer(const struct running *r, CURLcode c)
{
        if (!r->t->has_body || !r->answered)
                return false;
        if (c == CURLE_SEND_ERROR || (c == CURLE_ABORTED_BY_CALLBACK && r->unwanted))
                return true;
        return r->t->status >= 400 && (c == CURLE_RECV_ERROR || c == CURLE_PARTIAL_FILE);
}

/* By TLS 1.3 the server checks a client's certificate when for us the connection stands already. */
static bool refuses_key(const struct running *r)
{
        static const char *const alerts[] = { "alert certificate required", "alert bad certificate",
                                              "alert unknown ca",           "alert certificate expired",
                                              "alert certificate unknown",  "alert certificate revoked" };

        for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
                if (strstr(r->t->detail, alerts[i]))
                        return true;
        return false;
}

/* A proxy that refuses CONNECT looks like a broken receive: its status tells. */
static enum curl_fault fault_in(const struct running *r, CURLcode c)
{
        enum curl_fault f = fault_of(c);
        long tunnel = 0;

        if (r->stalled)
                return CURL_FAULT_TIMEOUT;
        if (r->stale)
                return CURL_FAULT_BROKEN;
        if (is_early_answer(r, c))
                return CURL_FAULT_NONE;
        if (refuses_key(r))
                return CURL_FAULT_KEY;
        if (f == CURL_FAULT_BROKEN && curl_easy_getinfo(r->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel) == CURLE_OK &&
            tunnel >= 300)
                return CURL_FAULT_PROXY;
        return f;
}

/* libcurl's "Failed to connect to h port 1 after 0 ms: Couldn't connect" hides why, and that h is the proxy. */
static void describe_connect(struct running *r)
{
        char host[128] = "";
        long os = 0;
        bool proxy = strstr(r->t->detail, " via ") != NULL; /* newer ones say it so */

        if (sscanf(r->t->detail, "Failed to connect to %127s", host) == 1 && !strstr(r->t->url, host))
                proxy = true;
        if (proxy)
                r->t->fault = CURL_FAULT_PROXY;
        if (curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os) == CURLE_OK && os)
                snprintf(r->t->detail, sizeof(r->t->detail), "%s%s%s", proxy ? host : "", proxy ? ": " : "",
                         strerror((int)os));
}

static void describe(struct running *r, CURLcode c)
{
        if (r->stalled) /* libcurl says "Callback aborted" */
                snprintf(r->t->detail, sizeof(r->t->detail), "no %s for %lld seconds",
                         r->stalled == STALLED_BYTES ? "byte was taken or came" : "byte came",
                         (long long)(now_ms() - r->moved_ms) / 1000);
        else if (r->stale)
                snprintf(r->t->detail, sizeof(r->t->detail), "the server closed the connection");
        else if (c == CURLE_COULDNT_CONNECT)
                describe_connect(r);
        else if (c != CURLE_OK && !r->t->detail[0])
                snprintf(r->t->detail, sizeof(r->t->detail), "%s", curl_easy_strerror(c));
}

static struct curl_transfer *finished(struct curl_io *io)
{
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(io->multi, &left))) {
                char *arg = NULL;
                CURLcode c = m->data.result;
                struct curl_transfer *t;
                struct running *r;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &arg);
                r = (struct running *)(void *)arg;
                t = r->t;
                curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &t->status);
                t->fault = fault_in(r, c);
                describe(r, c);
                drop(io, t);
                return t;
        }
        return NULL;
}

static struct curl_transfer *turn(struct curl_io *io, int timeout_ms)
{
        struct curl_transfer *t = finished(io);
        int running;

        if (t)
                return t;
        resume_paused(io);
        curl_multi_perform(io->multi, &running);
        if ((t = finished(io)))
                return t;
        curl_multi_poll(io->multi, NULL, 0, timeout_ms, NULL);
        curl_multi_perform(io->multi, &running);
        return finished(io);
}

static void wake(struct curl_io *io)
{
        curl_multi_wakeup(io->multi);
}

const struct curl_table envbuild_curl_table = { CURL_TABLE_VERSION, io_open, io_close, begin, drop, turn, wake };
