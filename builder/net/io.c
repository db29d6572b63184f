#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/net_priv.h"

void net_job_free(struct net_job *j)
{
        arena_done(&j->asked);
        arena_done(&j->got);
        buf_done(&j->body);
        err_done(&j->err);
        free(j);
}

/* --- what one try receives --- */

static void reset_answer(struct net_job *j)
{
        arena_done(&j->got);
        j->header = NULL;
        j->n_header = j->cap_header = j->header_bytes = 0;
        j->status = 0;
        j->begun_body = j->unread = false;
        j->skip = 0;
        buf_clear(&j->body);
}

static sv header_of(const struct net_job *j, const char *name)
{
        for (size_t i = j->n_header; i--;)
                if (sv_is(j->header[i].name, name))
                        return j->header[i].value;
        return (sv){ 0 };
}

static bool on_header(void *arg, const char *p, size_t n)
{
        struct net_job *j = arg;
        sv line = { p, n };
        ptrdiff_t colon = sv_find(line, ':');
        sv name;

        if (sv_starts(line, SV("HTTP/"))) { /* also after a 1xx */
                ptrdiff_t blank = sv_find(line, ' ');

                reset_answer(j);
                j->status = blank < 0 ? 0 : strtol(line.p + blank, NULL, 10);
                return true;
        }
        if ((j->header_bytes += n) > NET_HEADERS_MAX)
                return err_set(&j->err, ERR_LIMIT, "'%.*s' sends more than %d KiB of headers",
                               SV_ARG(url_masked(&j->asked, j->url)), NET_HEADERS_MAX >> 10) > 0;
        if (colon <= 0)
                return true;
        name = arena_lower(&j->got, sv_trim(sv_from_to(line, 0, (size_t)colon)));
        *arena_push(&j->got, j->header, j->n_header, j->cap_header) =
                (struct net_header){ name, arena_sv(&j->got, sv_trim(sv_skip(line, (size_t)colon + 1))) };
        return true;
}

static bool is_redirect(long status)
{
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 301, 302 and 303 would turn another method into a GET: the caller should know. */
static bool is_followed(const struct net_job *j)
{
        bool plain = j->r.method == NET_GET || j->r.method == NET_HEAD;

        return is_redirect(j->status) && !j->r.no_follow && header_of(j, "location").n &&
               (plain || j->status == 307 || j->status == 308);
}

static bool try_again_status(long status)
{
        return status == 408 || status == 429 || (status >= 500 && status <= 599 && status != 501 && status != 505);
}

/* What identifies the bytes: a strong ETag, else the date. */
static sv validator_of(const struct net_job *j)
{
        sv tag = header_of(j, "etag");

        return tag.n && !sv_starts(tag, SV("W/")) ? tag : header_of(j, "last-modified");
}

/* "bytes 100-199/1000" */
static bool content_range(sv v, uint64_t *ret_from)
{
        sv n;

        return sv_starts(v, SV("bytes ")) && (v = sv_skip(v, 6), sv_cut(&v, '-', &n)) && sv_u64(sv_trim(n), ret_from);
}

static uint64_t first_byte(const struct net_job *j)
{
        return j->r.has_range && !j->r.range_last ? j->r.from : 0;
}

/* The first bytes of a try that resumes: do they continue what `into` has? */
static bool fits_resume(struct net_job *j)
{
        uint64_t from;

        if (!sv_eq(validator_of(j), j->validator))
                return false; /* the file changed meanwhile */
        if (j->status == 206)
                return content_range(header_of(j, "content-range"), &from) && from == first_byte(j) + j->received;
        j->skip = j->received + first_byte(j); /* ranges are not served: pass over what is here already */
        return true;
}

/* The first bytes of a range without an end: are they the ones that were asked for? */
static bool fits_open_range(struct net_job *j)
{
        uint64_t from;

        if (j->status == 200) {
                j->skip = j->r.from;
                return true;
        }
        if (content_range(header_of(j, "content-range"), &from) && from == j->r.from)
                return true;
        return err_set(&j->err, ERR_NET, "'%.*s' answered with another range than the one from byte %llu",
                       SV_ARG(url_masked(&j->asked, j->url)), (unsigned long long)j->r.from) > 0;
}

static bool begin_body(struct net_job *j)
{
        uint64_t length;

        j->begun_body = true;
        if (j->status != 200 && j->status != 206)
                return true;
        if (j->status == 200 && j->r.has_range &&
            !j->r.into) { /* a range was asked, everything comes: 800 MB perhaps */
                j->unread = true;
                return false;
        }
        if (!j->r.into)
                return true;
        if (j->received > 0 && !fits_resume(j)) {
                j->no_resume = true;
                return false;
        }
        if (j->received == 0) {
                j->validator = arena_sv(&j->asked, validator_of(j));
                if (!j->expect && sv_u64(header_of(j, "content-length"), &length))
                        j->expect = length;
                if (j->r.has_range && j->r.range_open)
                        return fits_open_range(j);
        }
        return true;
}

static bool over_limit(struct net_job *j, uint64_t n)
{
        uint64_t max = j->r.max_body ? j->r.max_body : j->r.into ? UINT64_MAX : (uint64_t)64 << 20;
        uint64_t have = j->r.into ? j->received : j->body.n;

        if (n <= max && have <= max - n)
                return false;
        err_set(&j->err, ERR_LIMIT, "'%.*s' is larger than the %llu bytes that are allowed here",
                SV_ARG(url_masked(&j->asked, j->url)), (unsigned long long)max);
        return true;
}

static bool on_body(void *arg, const char *p, size_t n)
{
        struct net_job *j = arg;

        if (!j->begun_body && !begin_body(j))
                return false;
        if (j->status != 200 && j->status != 206) {
                size_t room = NET_ERROR_BODY - (j->body.n < NET_ERROR_BODY ? j->body.n : NET_ERROR_BODY);

                if (!is_followed(j))
                        buf_add(&j->body, (sv){ p, n < room ? n : room });
                return true;
        }
        if (j->skip) {
                size_t cut = j->skip < n ? (size_t)j->skip : n;

                j->skip -= cut;
                p += cut;
                n -= cut;
        }
        if (n == 0)
                return true;
        if (over_limit(j, n))
                return false;
        if (j->r.into) {
                if (writer_write(j->r.into, p, n, &j->err) < 0)
                        return false;
                j->received += n;
        } else {
                buf_add(&j->body, (sv){ p, n });
        }
        return true;
}

static int64_t on_send(void *arg, uint64_t at, char *p, size_t n)
{
        struct net_job *j = arg;
        int64_t r = j->r.body->read(j->r.body->arg, at, p, n, &j->err);

        if (r < 0)
                return -1;
        if (r == 0 || (uint64_t)r > n)
                return err_set(&j->err, ERR_FAILED, "the body for '%.*s' ends after %llu of %llu bytes",
                               SV_ARG(url_masked(&j->asked, j->r.url)), (unsigned long long)at,
                               (unsigned long long)j->r.body->size) < 0
                               ? -1
                               : 0;
        j->sent += (uint64_t)r;
        j->sent_to = at + (uint64_t)r;
        return r;
}

/* --- beginning a try --- */

static const struct net_login *login_of(struct net *n, struct net_job *j)
{
        sv origin = net_origin(&j->asked, j->url);
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

static bool is_insecure(const struct net *n, sv url)
{
        struct url u;

        if (!n->insecure || !url_parse(url, &u))
                return false;
        for (size_t i = 0; n->insecure[i]; i++) {
                sv host, want = sv_from(n->insecure[i]);

                if (sv_eq_nocase(want, u.host))
                        return true;
                if (u.port.n && sv_cut(&want, ':', &host) && sv_eq_nocase(host, u.host) && sv_eq(want, u.port))
                        return true;
        }
        return false;
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
        uint64_t from = first_byte(j) + j->received;

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

static void tell(struct net *n, const struct net_job *j, enum op_state state)
{
        enum op_phase phase = j->r.phase == OP_READ ? OP_FETCH : j->r.phase;
        uint64_t size = j->r.body ? j->r.body->size : 0;

        if (size)
                op_event(n->op, phase, state, j->r.subject, j->sent_to, size);
        else
                op_event(n->op, phase, state, j->r.subject, j->received + j->body.n, j->expect);
}

static bool sends_body(const struct net_job *j)
{
        return j->r.body || j->r.method == NET_POST || j->r.method == NET_PUT || j->r.method == NET_PATCH;
}

/* May it arrive twice? RFC 9110 §9.2.2, or the caller says so. */
static bool is_repeatable(const struct net_job *j)
{
        return (j->r.method != NET_POST && j->r.method != NET_PATCH) || j->r.repeatable;
}

static const char *method_name(enum net_method m)
{
        static const char *const names[] = { [NET_GET] = "GET", [NET_HEAD] = "HEAD",   [NET_POST] = "POST",
                                             [NET_PUT] = "PUT", [NET_PATCH] = "PATCH", [NET_DELETE] = "DELETE" };

        return names[m];
}

static bool start_try(struct net *n, struct net_job *j)
{
        const struct net_login *login = j->r.anonymous ? NULL : login_of(n, j);
        int64_t stall_ms = j->r.timeout_ms ? j->r.timeout_ms : n->timeout_ms;

        reset_answer(j);
        j->body.max = j->r.into ? NET_ERROR_BODY : SIZE_MAX / 2; /* over_limit() says the ceiling in words */
        j->tries++;
        j->sent_to = 0;
        if (j->r.subject.n && !j->told) {
                j->told = true;
                j->told_ms = clock_ms();
                tell(n, j, OP_BEGIN);
        }
        atomic_fetch_add(&n->count, 1);
        j->t = (struct curl_transfer){
                .url = arena_str(&j->asked, j->url),
                .method = method_name(j->r.method),
                .has_body = sends_body(j),
                .once = j->r.once || !is_repeatable(j),
                .body_size = j->r.body ? j->r.body->size : 0,
                .range = range_of(j),
                .user = login ? login->user : NULL,
                .password = login ? login->password : NULL,
                .proxy = proxy_of(n, j->url),
                .netrc = j->r.anonymous ? NULL : n->netrc,
                .ca_file = n->ca_file,
                .insecure = is_insecure(n, j->url),
                .compressed = !j->r.into && !j->r.has_range && j->r.method == NET_GET,
                .connect_ms = n->timeout_ms < NET_CONNECT_MAX_MS ? n->timeout_ms : NET_CONNECT_MAX_MS,
                .stall_ms = stall_ms,
                .on_header = on_header,
                .on_body = on_body,
                .on_send = on_send,
                .arg = j,
        };
        set_headers(j, (const char ***)&j->t.header, &j->t.n_header);
        j->is_running = true;
        n->running++;
        return n->table->begin(n->io, &j->t);
}

/* --- ending a try --- */

static void end_job(struct net *n, struct net_job *j)
{
        bool gone;

        for (size_t i = 0; i < n->n_job; i++)
                if (n->job[i] == j) {
                        n->job[i] = n->job[--n->n_job];
                        break;
                }
        if (j->told)
                tell(n, j, OP_END);
        pthread_mutex_lock(&n->lock);
        gone = j->dropped && !net_job_borrows(j); /* else net_drop waits and frees */
        j->done = true;
        n->finished++;
        pthread_cond_broadcast(&n->done);
        pthread_mutex_unlock(&n->lock);
        if (gone)
                net_job_free(j);
}

static int64_t retry_after(const struct net_job *j)
{
        sv v = header_of(j, "retry-after");
        uint64_t seconds;
        int64_t date, ms = 0;

        if (sv_u64(v, &seconds))
                ms = seconds > NET_RETRY_AFTER_MAX_MS / 1000 ? NET_RETRY_AFTER_MAX_MS : (int64_t)seconds * 1000;
        else if (v.n && time_parse_rfc2822(v, &date))
                ms = (date - clock_unix()) * 1000;
        return ms < 0 ? 0 : ms > NET_RETRY_AFTER_MAX_MS ? NET_RETRY_AFTER_MAX_MS : ms;
}

static void wait_for_next_try(struct net *n, struct net_job *j)
{
        int64_t ms = n->backoff_ms << (j->tries - 1 < 10 ? j->tries - 1 : 10), told = retry_after(j);

        if (ms > NET_BACKOFF_MAX_MS)
                ms = NET_BACKOFF_MAX_MS;
        ms += (int64_t)(sv_hash(j->url) % 100) * ms / 400; /* so that 32 refused transfers do not come back as one */
        j->not_before = clock_ms() + (told > ms ? told : ms);
        j->url = j->first; /* what it led to may have been signed for a minute */
        j->foreign = false;
        j->hops = 0;
}

/* What came back does not exclude that the server acted on it, and it should not act twice. */
static bool may_have_acted(const struct net_job *j)
{
        if (is_repeatable(j))
                return false;
        return j->t.fault == CURL_FAULT_NONE ? j->status != 408 && j->status != 429 && j->status != 503 : j->t.asked;
}

static bool may_try_again(const struct net *n, const struct net_job *j)
{
        unsigned most = n->tries;

        if (j->r.once || may_have_acted(j))
                return false;
        switch (j->t.fault) {
        case CURL_FAULT_NONE:
                if (!try_again_status(j->status))
                        return false;
                break;
        case CURL_FAULT_RESOLVE:
                most = most < 3 ? most : 3; /* a misspelt host should not take 10 s to say so */
                break;
        case CURL_FAULT_CONNECT:
        case CURL_FAULT_TIMEOUT:
        case CURL_FAULT_TLS:
        case CURL_FAULT_BROKEN:
                break;
        case CURL_FAULT_PROXY:
        case CURL_FAULT_CERT:
        case CURL_FAULT_CA:
        case CURL_FAULT_STOPPED:
        case CURL_FAULT_URL:
        case CURL_FAULT_OTHER:
                return false;
        }
        if (j->received > 0 && (!j->r.keep_partial || !j->validator.n || j->r.range_last))
                return false; /* `into` can't be rewound */
        return j->tries < most;
}

/* Follow a redirect: 0 when the job goes on, else the error is in it. */
static int follow(struct net_job *j)
{
        sv to = url_join(&j->asked, j->url, header_of(j, "location")), before = net_origin(&j->asked, j->url);
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
        if (!sv_eq(net_origin(&j->asked, j->url), before))
                j->foreign = true; /* for good: a chain must not lead back with the caller's secrets */
        j->tries--;                /* the hop worked */
        j->not_before = 0;
        return 0;
}

static void end_try(struct net *n, struct net_job *j)
{
        n->running--;
        j->is_running = false;
        if (j->t.fault == CURL_FAULT_STOPPED && j->unread) {
                j->t.fault = CURL_FAULT_NONE; /* stopped on purpose: the status is the answer */
                buf_clear(&j->body);
                return end_job(n, j);
        }
        if (j->err.code)
                return end_job(n, j);
        if (j->no_resume) {
                err_set(&j->err, ERR_NET, "'%.*s' changed on the server while it was fetched",
                        SV_ARG(url_masked(&j->asked, j->r.url)));
                return end_job(n, j);
        }
        if (j->t.fault == CURL_FAULT_NONE && is_followed(j)) {
                if (follow(j) < 0)
                        end_job(n, j);
                return;
        }
        if (j->t.fault == CURL_FAULT_NONE && (!try_again_status(j->status) || j->r.once || may_have_acted(j)))
                return end_job(n, j);
        if (may_try_again(n, j))
                return wait_for_next_try(n, j);
        net_fault_set(j, &j->err);
        end_job(n, j);
}

/* --- the loop --- */

static void tell_progress(struct net *n, int64_t now)
{
        for (size_t i = 0; i < n->n_job; i++) {
                struct net_job *j = n->job[i];

                if (!j->is_running || !j->r.subject.n || now - j->told_ms < 100)
                        continue;
                tell(n, j, OP_STEP);
                j->told_ms = now;
        }
}

/* Take in what callers handed over; true when it is time to end. */
static bool take(struct net *n, bool *ret_drops)
{
        struct net_job *in;
        bool stop;

        pthread_mutex_lock(&n->lock);
        in = n->inbox;
        n->inbox = NULL;
        *ret_drops = n->drops;
        n->drops = false;
        stop = n->stop;
        pthread_mutex_unlock(&n->lock);
        for (; in; in = in->next) {
                n->job = xgrow(n->job, &n->cap_job, n->n_job + 1, sizeof(struct net_job *));
                n->job[n->n_job++] = in;
        }
        return stop;
}

static void abandon(struct net *n, struct net_job *j)
{
        if (j->is_running) {
                n->table->drop(n->io, &j->t);
                n->running--;
        }
        if (!j->err.code && op_check(n->op, &j->err) == 0)
                err_set(&j->err, ERR_CANCELLED, "the transfer was cancelled");
        end_job(n, j);
}

static void abandon_dropped(struct net *n)
{
        for (size_t i = n->n_job; i--;) {
                struct net_job *j = n->job[i];
                bool dropped;

                pthread_mutex_lock(&n->lock);
                dropped = j->dropped;
                pthread_mutex_unlock(&n->lock);
                if (dropped)
                        abandon(n, j);
        }
}

static void abandon_all(struct net *n)
{
        while (n->n_job)
                abandon(n, n->job[n->n_job - 1]);
}

static struct net_job *next_to_start(struct net *n, int64_t now)
{
        struct net_job *best = NULL;

        for (size_t i = 0; i < n->n_job; i++) {
                struct net_job *j = n->job[i];

                if (!j->is_running && j->not_before <= now &&
                    (!best || j->r.priority > best->r.priority ||
                     (j->r.priority == best->r.priority && j->seq < best->seq)))
                        best = j;
        }
        return best;
}

static int pause_ms(struct net *n, int64_t now)
{
        int64_t ms = 100; /* how often the op is looked at */

        if (n->n_job == 0)
                return 60000;
        for (size_t i = 0; i < n->n_job && n->running < n->parallel; i++)
                if (!n->job[i]->is_running && n->job[i]->not_before - now < ms)
                        ms = n->job[i]->not_before - now;
        return ms < 0 ? 0 : (int)ms;
}

void *net_io_main(void *arg)
{
        struct net *n = arg;
        bool drops;

        while (!take(n, &drops)) {
                struct err stop = { 0 };
                struct curl_transfer *t;
                struct net_job *j;
                int64_t now = clock_ms();

                if (drops)
                        abandon_dropped(n);
                if (n->n_job && op_check(n->op, &stop) < 0)
                        abandon_all(n);
                err_done(&stop);
                while (n->running < n->parallel && (j = next_to_start(n, now)))
                        if (!start_try(n, j))
                                end_try(n, j);
                tell_progress(n, now);
                for (t = n->table->turn(n->io, pause_ms(n, now)); t; t = n->table->turn(n->io, 0))
                        end_try(n, t->arg);
        }
        abandon_all(n);
        return NULL;
}
