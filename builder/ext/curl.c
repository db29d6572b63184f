#include "ext/curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        struct curl_transfer *paused;
};

enum {
        CA_FILE_MAX = 64 << 20,
        BODY_CHUNK = 2 << 20,     /* libcurl's most for sending */
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
        struct curl_transfer *t = arg;
        size_t len = size * n, cut = len;

        while (cut && (p[cut - 1] == '\n' || p[cut - 1] == '\r'))
                cut--;
        if (cut == 0) {
                curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
                t->answered = t->status >= 200;
        }
        return cut == 0 || t->on_header(t->arg, p, cut) ? len : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
        struct curl_transfer *t = arg;

        return t->on_body(t->arg, p, size * n) ? size * n : 0;
}

/* A server that says no before the body is whole often goes away at once: its answer must be read before a send fails. */
static bool answer_may_wait(struct curl_transfer *t)
{
        struct pollfd p = { .fd = t->fd, .events = POLLIN };

        if (t->body_at == 0 || t->looked_at == t->body_at || t->fd < 0 || poll(&p, 1, 0) <= 0)
                return false;
        t->looked_at = t->body_at; /* it may be something else: a TLS ticket, an HTTP/2 window */
        t->next_paused = t->io->paused;
        t->io->paused = t;
        return true;
}

static void resume_paused(struct curl_io *io)
{
        struct curl_transfer *t;

        while ((t = io->paused)) {
                io->paused = t->next_paused;
                curl_easy_pause(t->easy, CURLPAUSE_CONT);
        }
}

static void forget_paused(struct curl_io *io, const struct curl_transfer *t)
{
        for (struct curl_transfer **p = &io->paused; *p; p = &(*p)->next_paused)
                if (*p == t) {
                        *p = t->next_paused;
                        return;
                }
}

/* Fills all that is asked for: a send of 2 MiB costs as much as one of 16 KiB. */
static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
        struct curl_transfer *t = arg;
        uint64_t left = t->body_size - t->body_at;
        size_t want = size * n < left ? size * n : (size_t)left, got = 0;

        if (t->answered && t->status >= 300) {
                t->unwanted = true; /* a redirect: libcurl would send all the rest */
                return CURL_READFUNC_ABORT;
        }
        while (got < want) {
                int64_t r = t->on_send(t->arg, t->body_at + got, p + got, want - got);

                if (r <= 0)
                        return CURL_READFUNC_ABORT;
                got += (size_t)r;
        }
        if (answer_may_wait(t)) /* looked for as late as can be */
                return CURL_READFUNC_PAUSE;
        t->body_at += got;
        t->sent += got;
        return got;
}

static int on_seek(void *arg, curl_off_t to, int origin)
{
        struct curl_transfer *t = arg;

        if (origin != SEEK_SET || to < 0 || (uint64_t)to > t->body_size)
                return CURL_SEEKFUNC_FAIL;
        t->body_at = (uint64_t)to;
        return CURL_SEEKFUNC_OK;
}

/* Called when a connection stands, before the request goes out; libcurl begins again by itself when a kept one was dead. */
static int on_ready(void *arg, char *to, char *from, int to_port, int from_port)
{
        struct curl_transfer *t = arg;

        curl_socket_t fd = CURL_SOCKET_BAD;

        (void)to, (void)from, (void)to_port, (void)from_port;
        if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK)
                t->fd = fd;
        t->stale = t->once && t->asked;
        t->asked = true;
        return t->stale ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool add_header(struct curl_transfer *t, const char *line)
{
        struct curl_slist *next = curl_slist_append(t->list, line);

        if (next)
                t->list = next;
        return next != NULL;
}

static bool set_headers(CURL *easy, struct curl_transfer *t)
{
        for (size_t i = 0; i < t->n_header; i++)
                if (!add_header(t, t->header[i]))
                        return false;
        if (t->has_body && !add_header(t, "Expect:")) /* no waiting for a "100 Continue" */
                return false;
        return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->list) == CURLE_OK;
}

static bool set_method(CURL *easy, struct curl_transfer *t)
{
        if (strcmp(t->method, "HEAD") == 0)
                return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
        if (t->has_body) {
                curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
                curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->body_size);
                curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
                curl_easy_setopt(easy, CURLOPT_READDATA, t);
                curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
                curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
                if (t->body_size > BODY_CHUNK / 8)
                        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BODY_CHUNK);
        }
        return strcmp(t->method, "GET") == 0 || curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t->method) == CURLE_OK;
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

static bool set_ca(CURL *easy, struct curl_transfer *t)
{
        const struct trust *trust;
        struct curl_blob blob;

        if (!t->n_ca_pem)
                return !t->ca_file || curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file) == CURLE_OK;
        if (!(trust = trust_of(t->io, t))) {
                t->fault = CURL_FAULT_CA;
                snprintf(t->detail, sizeof(t->detail), "cannot read '%.200s'", t->ca_file);
                return false;
        }
        blob = (struct curl_blob){ trust->text, trust->n, CURL_BLOB_NOCOPY };
        return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
}

/* All of this is among what libcurl compares before it uses a connection again. */
static bool set_tls(CURL *easy, struct curl_transfer *t)
{
        bool ok = set_ca(easy, t);

        if (t->cert)
                ok = ok && curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert) == CURLE_OK;
        if (t->key)
                ok = ok && curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key) == CURLE_OK;
        if (t->insecure) {
                curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
                curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        return ok;
}

static bool set_login(CURL *easy, const struct curl_transfer *t)
{
        bool ok = true;

        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        if (t->user)
                ok = curl_easy_setopt(easy, CURLOPT_USERNAME, t->user) == CURLE_OK;
        if (t->password)
                ok = ok && curl_easy_setopt(easy, CURLOPT_PASSWORD, t->password) == CURLE_OK;
        if (t->netrc && !(t->user && t->password)) {
                curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
                ok = ok && curl_easy_setopt(easy, CURLOPT_NETRC_FILE, t->netrc) == CURLE_OK;
        }
        if (t->proxy)
                ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, t->proxy) == CURLE_OK;
        curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
        return ok;
}

static bool set_up(CURL *easy, struct curl_transfer *t)
{
        long stall = (long)((t->stall_ms + 999) / 1000);

        t->detail[0] = '\0';
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->detail);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* rather share an HTTP/2 connection than open 32 */
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_ms);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, stall);
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
        curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_CHUNK);
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
        curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
        if (t->range && curl_easy_setopt(easy, CURLOPT_RANGE, t->range) != CURLE_OK)
                return false;
        if (t->compressed && curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") != CURLE_OK)
                return false;
        return curl_easy_setopt(easy, CURLOPT_URL, t->url) == CURLE_OK && set_method(easy, t) && set_headers(easy, t) &&
               set_tls(easy, t) && set_login(easy, t);
}

static void drop(struct curl_io *io, struct curl_transfer *t)
{
        forget_paused(io, t);
        if (t->easy) {
                curl_multi_remove_handle(io->multi, t->easy);
                curl_easy_cleanup(t->easy);
        }
        curl_slist_free_all(t->list);
        t->easy = t->list = NULL;
}

static bool begin(struct curl_io *io, struct curl_transfer *t)
{
        t->fault = CURL_FAULT_NONE;
        t->status = 0;
        t->io = io;
        t->list = NULL;
        t->fd = -1;
        t->asked = t->answered = t->unwanted = t->stale = false;
        t->body_at = t->looked_at = t->sent = 0;
        if (!(t->easy = curl_easy_init()) || !set_up(t->easy, t) ||
            curl_multi_add_handle(io->multi, t->easy) != CURLM_OK) {
                if (!t->fault)
                        t->fault = CURL_FAULT_OTHER;
                if (!t->detail[0])
                        snprintf(t->detail, sizeof(t->detail), "libcurl refused the request");
                drop(io, t);
                return false;
        }
        return true;
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
static bool is_early_answer(CURLcode c, const struct curl_transfer *t)
{
        if (!t->has_body || !t->answered)
                return false;
        if (c == CURLE_SEND_ERROR || (c == CURLE_ABORTED_BY_CALLBACK && t->unwanted))
                return true;
        return t->status >= 400 && (c == CURLE_RECV_ERROR || c == CURLE_PARTIAL_FILE);
}

/* By TLS 1.3 the server checks a client's certificate when for us the connection stands already. */
static bool refuses_key(const struct curl_transfer *t)
{
        static const char *const alerts[] = { "alert certificate required", "alert bad certificate",
                                              "alert unknown ca",           "alert certificate expired",
                                              "alert certificate unknown",  "alert certificate revoked" };

        for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
                if (strstr(t->detail, alerts[i]))
                        return true;
        return false;
}

/* A proxy that refuses CONNECT looks like a broken receive: its status tells. */
static enum curl_fault fault_in(CURL *easy, CURLcode c, const struct curl_transfer *t)
{
        enum curl_fault f = fault_of(c);
        long tunnel = 0;

        if (t->stale)
                return CURL_FAULT_BROKEN;
        if (is_early_answer(c, t))
                return CURL_FAULT_NONE;
        if (refuses_key(t))
                return CURL_FAULT_KEY;
        if (f == CURL_FAULT_BROKEN && curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel) == CURLE_OK &&
            tunnel >= 300)
                return CURL_FAULT_PROXY;
        return f;
}

/* libcurl's "Failed to connect to h port 1 after 0 ms: Couldn't connect" hides why, and that h is the proxy. */
static void describe_connect(CURL *easy, struct curl_transfer *t)
{
        char host[128] = "";
        long os = 0;
        bool proxy = strstr(t->detail, " via ") != NULL; /* newer ones say it so */

        if (sscanf(t->detail, "Failed to connect to %127s", host) == 1 && !strstr(t->url, host))
                proxy = true;
        if (proxy)
                t->fault = CURL_FAULT_PROXY;
        if (curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os) == CURLE_OK && os)
                snprintf(t->detail, sizeof(t->detail), "%s%s%s", proxy ? host : "", proxy ? ": " : "",
                         strerror((int)os));
}

static void describe(CURL *easy, CURLcode c, struct curl_transfer *t)
{
        if (c == CURLE_COULDNT_CONNECT)
                describe_connect(easy, t);
        else if (c != CURLE_OK && !t->detail[0])
                snprintf(t->detail, sizeof(t->detail), "%s", curl_easy_strerror(c));
}

static struct curl_transfer *finished(struct curl_io *io)
{
        struct curl_transfer *t = NULL;
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(io->multi, &left))) {
                char *arg = NULL;
                CURLcode c = m->data.result;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &arg);
                t = (struct curl_transfer *)(void *)arg;
                curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &t->status);
                t->fault = fault_in(m->easy_handle, c, t);
                describe(m->easy_handle, c, t);
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
