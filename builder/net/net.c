#include "net/net.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "net/net_priv.h"

static const char *env_text(struct arena *a, const char *name)
{
        const char *v = getenv(name);

        return v && *v ? arena_str(a, sv_from(v)) : NULL;
}

static const char *first_env(struct arena *a, const char *const *names, size_t n)
{
        const char *v = NULL;

        for (size_t i = 0; i < n && !v; i++)
                v = env_text(a, names[i]);
        return v;
}

static const char *find_netrc(struct arena *a, const char *given)
{
        const char *home;
        const char *path = given ? arena_str(a, sv_from(given)) : env_text(a, "NETRC");

        if (!path && (home = env_text(a, "HOME")))
                path = arena_fmt(a, "%s/.netrc", home).p;
        return path && fs_exists(path) ? path : NULL;
}

/* Everything that the environment says is read here, once, on the caller's thread. */
static void read_settings(struct net *n, const struct net_opts *o)
{
        static const char *const ca[] = { "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" };
        struct arena *a = &n->arena;
        size_t hosts = 0;

        n->offline = o->offline;
        n->parallel = o->parallel ? o->parallel : 32;
        n->tries = o->tries ? o->tries : 5;
        n->timeout_ms = o->timeout_ms ? o->timeout_ms : 30000;
        n->ca_file = first_env(a, ca, ARRAY_LEN(ca));
        if (!n->ca_file && o->ca_file)
                n->ca_file = arena_str(a, sv_from(o->ca_file));
        n->netrc = find_netrc(a, o->netrc);
        n->proxy = env_text(a, "PIP_PROXY");
        /* libcurl leaves HTTP_PROXY alone, since in a CGI program a client sets it; requests and pip do not. */
        if (!getenv("http_proxy") && !getenv("REQUEST_METHOD"))
                n->http_proxy = env_text(a, "HTTP_PROXY");
        while (o->insecure && o->insecure[hosts])
                hosts++;
        if (hosts) {
                const char **v = arena_array(a, const char *, hosts + 1);

                for (size_t i = 0; i < hosts; i++)
                        v[i] = arena_str(a, sv_from(o->insecure[i]));
                n->insecure = v;
        }
}

int net_new_over(const struct net_opts *o, struct op *op, const struct curl_table *table, int64_t backoff_ms,
                 struct net **ret, struct err *e)
{
        struct net *n = xcalloc(1, sizeof(*n));
        pthread_condattr_t attr;

        (void)e;
        n->op = op;
        n->table = table;
        n->backoff_ms = backoff_ms;
        read_settings(n, o);
        pthread_mutex_init(&n->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&n->done, &attr);
        pthread_condattr_destroy(&attr);
        *ret = n;
        return 0;
}

int net_new(const struct net_opts *o, struct op *op, struct net **ret, struct err *e)
{
        return net_new_over(o, op, NULL, NET_BACKOFF_MS, ret, e);
}

void net_free(struct net *n)
{
        if (!n)
                return;
        if (n->has_thread) {
                pthread_mutex_lock(&n->lock);
                n->stop = true;
                pthread_mutex_unlock(&n->lock);
                n->table->wake(n->io);
                pthread_join(n->thread, NULL);
        }
        if (n->io)
                n->table->close(n->io);
        net_transport_close(n);
        pthread_mutex_destroy(&n->lock);
        pthread_cond_destroy(&n->done);
        arena_done(&n->arena);
        arena_wipe(&n->known); /* passwords */
        free(n->job);
        free(n);
}

/* Signals are the main thread's: its handler sets op->signal, which we poll. */
static int start_thread(struct net *n, struct err *e)
{
        sigset_t all, old;
        int r;

        if (!n->table && net_transport_open(n, e) < 0)
                return -(int)e->code;
        if (!n->io && !(n->io = n->table->open(n->parallel < NET_PER_HOST ? n->parallel : NET_PER_HOST, NET_KEPT)))
                return err_set(e, ERR_FAILED, "libcurl cannot be set up");
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&n->thread, NULL, net_io_main, n);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r)
                return err_set(e, ERR_FAILED, "cannot start the transfer thread: %s", strerror(r));
        n->has_thread = true;
        return 0;
}

/* Under lock. The first login seen for an origin holds unless another URL names one. */
static void remember_login(struct net *n, sv url)
{
        struct arena *a = &n->known;
        struct url u;
        sv origin, name;
        struct net_login *l = NULL;

        if (!url_parse(url, &u) || !u.user.n)
                return;
        origin = url_origin(a, url);
        for (size_t i = 0; i < n->n_login && !l; i++)
                if (sv_eq(n->login[i].origin, origin))
                        l = &n->login[i];
        if (!l)
                l = arena_push(a, n->login, n->n_login, n->cap_login);
        l->origin = origin;
        l->password = NULL;
        if (sv_cut(&u.user, ':', &name)) {
                l->user = arena_str(a, url_decode(a, name));
                if (name.p + name.n < u.user.p)
                        l->password = arena_str(a, url_decode(a, u.user));
        }
}

void net_login_add(struct net *n, sv url)
{
        pthread_mutex_lock(&n->lock);
        remember_login(n, url);
        pthread_mutex_unlock(&n->lock);
}

static void copy_request(struct net_job *j, const struct net_request *r)
{
        struct arena *a = &j->asked;
        struct net_header *h = arena_array(a, struct net_header, r->n_header);

        j->r = *r;
        j->r.url = arena_sv(a, r->url);
        j->r.subject = arena_sv(a, r->subject);
        for (size_t i = 0; i < r->n_header; i++)
                h[i] = (struct net_header){ arena_sv(a, r->header[i].name), arena_sv(a, r->header[i].value) };
        j->r.header = h;
        j->expect = r->expect;
        if (r->body) {
                struct net_source *body = arena_new(a, struct net_source);

                *body = *r->body;
                j->r.body = body;
        }
        j->url = url_public(a, j->r.url);
        if (sv_find(j->url, '#') >= 0)
                j->url = sv_from_to(j->url, 0, (size_t)sv_find(j->url, '#'));
        j->first = j->url;
}

static int check_request(struct net *n, struct net_job *j)
{
        struct arena *a = &j->asked;
        struct url u;

        if (!url_parse(j->r.url, &u) || !(sv_eq_nocase(u.scheme, SV("https")) || sv_eq_nocase(u.scheme, SV("http"))))
                return err_set(&j->err, ERR_NET, "'%.*s' is not an http URL", SV_ARG(url_masked(a, j->r.url)));
        for (size_t i = 0; i < j->r.n_header; i++)
                if (sv_find(j->r.header[i].value, '\n') >= 0 || sv_find(j->r.header[i].value, '\r') >= 0)
                        return err_set(&j->err, ERR_NET, "a header for '%.*s' holds a line break",
                                       SV_ARG(url_masked(a, j->r.url)));
        if (!n->offline)
                return 0;
        err_set(&j->err, ERR_OFFLINE, "'%.*s' is not here, and --offline forbids fetching it",
                SV_ARG(url_masked(a, j->r.url)));
        err_hint(&j->err, "run once without --offline");
        return -ERR_OFFLINE;
}

struct net_job *net_begin(struct net *n, const struct net_request *r)
{
        struct net_job *j = xcalloc(1, sizeof(*j)), **end;
        bool ok;

        copy_request(j, r);
        ok = check_request(n, j) == 0;
        pthread_mutex_lock(&n->lock);
        j->seq = n->seq++;
        ok = ok && (n->has_thread || start_thread(n, &j->err) == 0);
        if (ok) {
                if (!r->anonymous)
                        remember_login(n, j->r.url);
                for (end = &n->inbox; *end; end = &(*end)->next)
                        ;
                *end = j;
        } else {
                j->done = true;
                n->finished++;
        }
        pthread_mutex_unlock(&n->lock);
        if (ok)
                n->table->wake(n->io);
        return j;
}

/* Sleep until something finished or 50 ms passed; lock is held. */
static void nap(struct net *n)
{
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 50 * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_nsec -= 1000000000L;
                until.tv_sec++;
        }
        pthread_cond_timedwait(&n->done, &n->lock, &until);
}

static int await(struct net *n, struct net_job *j, struct err *e)
{
        int r = 0;

        pthread_mutex_lock(&n->lock);
        while (!j->done && (r = op_check(n->op, e)) == 0)
                nap(n);
        pthread_mutex_unlock(&n->lock);
        return r;
}

static void hand_over(struct net_job *j, struct arena *a, struct net_answer *ret)
{
        *ret = (struct net_answer){
                .status = j->status, .url = arena_sv(a, j->url), .received = j->received + j->body.n, .sent = j->sent
        };
        if (j->status == 206 && !j->r.has_range)
                ret->status = 200; /* the last piece of a whole that was resumed */
        ret->ranged = ret->status == 206;
        ret->header = arena_array(a, struct net_header, j->n_header);
        for (size_t i = 0; i < j->n_header; i++)
                ret->header[ret->n_header++] =
                        (struct net_header){ arena_sv(a, j->header[i].name), arena_sv(a, j->header[i].value) };
        ret->body = arena_sv(a, buf_sv(&j->body));
}

int net_wait(struct net *n, struct net_job *j, struct arena *a, struct net_answer *ret, struct err *e)
{
        int r = await(n, j, e);

        if (r < 0) {
                net_drop(n, j);
                return r;
        }
        if (j->err.code)
                r = err_move(e, &j->err);
        else
                hand_over(j, a, ret);
        net_job_free(j);
        return r;
}

bool net_ready(struct net *n, struct net_job *j)
{
        bool done;

        pthread_mutex_lock(&n->lock);
        done = j->done;
        pthread_mutex_unlock(&n->lock);
        return done;
}

int net_next(struct net *n, uint64_t *seen, struct err *e)
{
        int r = 0;

        pthread_mutex_lock(&n->lock);
        while (n->finished == *seen && (r = op_check(n->op, e)) == 0)
                nap(n);
        *seen = n->finished;
        pthread_mutex_unlock(&n->lock);
        return r;
}

void net_drop(struct net *n, struct net_job *j)
{
        bool ours;

        if (!j)
                return;
        pthread_mutex_lock(&n->lock);
        if (!j->done) {
                j->dropped = n->drops = true;
                n->table->wake(n->io);
                while (net_job_borrows(j) && !j->done)
                        pthread_cond_wait(&n->done, &n->lock);
        }
        /* Where nothing is borrowed the I/O thread frees it, unless it was done before. */
        ours = j->done && (net_job_borrows(j) || !j->dropped);
        pthread_mutex_unlock(&n->lock);
        if (ours)
                net_job_free(j);
}

int net_do(struct net *n, const struct net_request *r, struct arena *a, struct net_answer *ret, struct err *e)
{
        return net_wait(n, net_begin(n, r), a, ret, e);
}

sv net_header_get(const struct net_answer *a, const char *name)
{
        for (size_t i = a->n_header; i--;)
                if (sv_is(a->header[i].name, name))
                        return a->header[i].value;
        return (sv){ 0 };
}

bool net_offline(const struct net *n)
{
        return n->offline;
}

unsigned net_count(const struct net *n)
{
        return atomic_load(&n->count);
}

static int64_t read_bytes(void *arg, uint64_t at, void *p, size_t n, struct err *e)
{
        const sv *bytes = arg;
        size_t left = at < bytes->n ? bytes->n - (size_t)at : 0;

        (void)e;
        if (n > left)
                n = left;
        if (n)
                memcpy(p, bytes->p + at, n);
        return (int64_t)n;
}

struct net_source net_source_bytes(const sv *bytes)
{
        return (struct net_source){ .size = bytes->n, .read = read_bytes, .arg = (void *)bytes };
}
