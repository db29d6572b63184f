#include <string.h>

#include "base/clock.h"
#include "net/net_priv.h"

/* Beginning a try: what is said to the transport. */

static int64_t on_send(void *arg, uint64_t at, char *p, size_t n)
{
        struct net_job *j = arg;
        int64_t r = j->r.body->read(j->r.body->arg, at, p, n, &j->err);

        if (r < 0)
                return -1;
        if (r == 0 || (uint64_t)r > n) {
                err_set(&j->err, ERR_FAILED, "the body for '%.*s' ends after %llu of %llu bytes",
                        SV_ARG(url_masked(&j->asked, j->r.url)), (unsigned long long)at,
                        (unsigned long long)j->r.body->size);
                return -1;
        }
        return r;
}

static const struct net_login *login_of(struct net *n, struct net_job *j)
{
        sv origin = url_origin(&j->asked, j->url);
        const struct net_login *found = NULL;

        pthread_mutex_lock(&n->lock);
        for (size_t i = 0; i < n->n_login && !found; i++)
                if (sv_eq(n->login[i].origin, origin)) {
                        /* Copied: the array may move, the texts stay. */
                        struct net_login *copy = arena_new(&j->asked, struct net_login);

                        *copy = n->login[i];
                        found = copy;
                }
        pthread_mutex_unlock(&n->lock);
        return found;
}

static bool is_private(sv name)
{
        return sv_eq_nocase(name, SV("authorization")) || sv_eq_nocase(name, SV("cookie")) ||
               sv_eq_nocase(name, SV("proxy-authorization"));
}

static void set_headers(struct net_job *j, const char ***ret, size_t *ret_n)
{
        struct arena *a = &j->asked;
        const char **v = NULL;
        size_t n = 0, cap = 0;

        *arena_push(a, v, n, cap) = "User-Agent: envbuild (+libcurl)";
        for (size_t i = 0; i < j->r.n_header; i++) {
                const struct net_header *h = &j->r.header[i];

                if (!j->foreign || !is_private(h->name))
                        *arena_push(a, v, n, cap) = arena_fmt(a, "%.*s: %.*s", SV_ARG(h->name), SV_ARG(h->value)).p;
        }
        if (!j->t.compressed)
                *arena_push(a, v, n, cap) = "Accept-Encoding: identity";
        if (j->received > 0 && j->validator.n)
                *arena_push(a, v, n, cap) = arena_fmt(a, "If-Range: %.*s", SV_ARG(j->validator)).p;
        *ret = v;
        *ret_n = n;
}

static const char *range_of(struct net_job *j)
{
        uint64_t from = net_first_byte(j) + j->received;

        if (j->r.has_range && j->r.range_last)
                return arena_fmt(&j->asked, "-%llu", (unsigned long long)j->r.to).p;
        if (j->r.has_range && j->r.range_open)
                return arena_fmt(&j->asked, "%llu-", (unsigned long long)from).p;
        if (j->r.has_range)
                return arena_fmt(&j->asked, "%llu-%llu", (unsigned long long)from, (unsigned long long)j->r.to).p;
        return j->received ? arena_fmt(&j->asked, "%llu-", (unsigned long long)from).p : NULL;
}

static const char *proxy_of(const struct net *n, sv url)
{
        return n->proxy ? n->proxy : sv_starts(url, SV("http:")) ? n->http_proxy : NULL;
}

void net_tell(struct net *n, const struct net_job *j, enum op_state state)
{
        enum op_phase phase = j->r.phase == OP_READ ? OP_FETCH : j->r.phase;
        uint64_t size = j->r.body ? j->r.body->size : 0;

        if (size)
                op_event(n->op, phase, state, j->r.subject, j->t.body_at, size);
        else
                op_event(n->op, phase, state, j->r.subject, j->received + j->body.n, j->expect);
}

static bool sends_body(const struct net_job *j)
{
        return j->r.body || j->r.method == NET_POST || j->r.method == NET_PUT || j->r.method == NET_PATCH;
}

/* May it arrive twice? RFC 9110 §9.2.2, or the caller says so. */
bool net_is_repeatable(const struct net_job *j)
{
        return (j->r.method != NET_POST && j->r.method != NET_PATCH) || j->r.repeatable;
}

static const char *method_name(enum net_method m)
{
        static const char *const names[] = { [NET_GET] = "GET", [NET_HEAD] = "HEAD",   [NET_POST] = "POST",
                                             [NET_PUT] = "PUT", [NET_PATCH] = "PATCH", [NET_DELETE] = "DELETE" };

        return names[m];
}

bool net_try_start(struct net *n, struct net_job *j)
{
        const struct net_login *login = j->r.anonymous ? NULL : login_of(n, j);
        uint64_t size = j->r.body ? j->r.body->size : 0;
        int64_t stall_ms = j->r.timeout_ms ? j->r.timeout_ms : n->timeout_ms;

        net_answer_reset(j);
        j->body.max = j->r.into ? NET_ERROR_BODY : SIZE_MAX / 2; /* over_limit() says the ceiling in words */
        j->tries++;
        if (j->r.subject.n && !j->told) {
                j->told = true;
                j->told_ms = clock_ms();
                net_tell(n, j, OP_BEGIN);
        }
        atomic_fetch_add(&n->count, 1);
        j->t = (struct curl_transfer){
                .url = arena_str(&j->asked, j->url),
                .method = method_name(j->r.method),
                .has_body = sends_body(j),
                .once = j->r.once || !net_is_repeatable(j),
                .body_size = size,
                .range = range_of(j),
                .user = login ? login->user : NULL,
                .password = login ? login->password : NULL,
                .proxy = proxy_of(n, j->url),
                .netrc = j->r.anonymous ? NULL : n->netrc,
                .compressed = !j->r.into && !j->r.has_range && j->r.method == NET_GET,
                .connect_ms = n->timeout_ms < NET_CONNECT_MAX_MS ? n->timeout_ms : NET_CONNECT_MAX_MS,
                .stall_ms = stall_ms,
                .answer_ms = stall_ms + (int64_t)(size / NET_DIGEST_SPEED),
                .on_header = net_on_header,
                .on_body = net_on_body,
                .on_send = on_send,
                .arg = j,
        };
        net_tls_set(n, j);
        set_headers(j, (const char ***)&j->t.header, &j->t.n_header);
        j->is_running = true;
        n->running++;
        return n->table->begin(n->io, &j->t);
}
