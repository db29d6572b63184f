/* A session with a registry that wants to know who we are: what is asked of whom, with which Authorization, how often. Behind net's transport table:
 * every request is answered by a function of the test. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "net/net_priv.h"
#include "registry/client_priv.h"
#include "tests/unit/unit.h"

#define REALM     "https://auth.example/token"
#define CHALLENGE "WWW-Authenticate: Bearer realm=\"" REALM "\",service=\"svc\""

enum { ASKED_MAX = 400 };

struct asked {
        char *text;          /* "GET https://reg.example/v2/…" */
        char *authorization; /* or NULL */
        char *body;
};
struct answer {
        long status;               /* 0: no TLS is spoken there */
        const char *header, *body; /* header: one line, or NULL */
};
struct curl_io {
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool woken;
        struct curl_transfer *waiting[64];
        size_t n_waiting;
        struct asked asked[ASKED_MAX];
        size_t n_asked;
        struct answer (*answer)(const struct asked *q);
};
static struct curl_io *io;

static struct curl_io *io_open(unsigned per_host, unsigned kept)
{
        (void)per_host, (void)kept;
        return io;
}

static void io_close(struct curl_io *x)
{
        (void)x;
}

static bool io_begin(struct curl_io *x, struct curl_transfer *t)
{
        x->waiting[x->n_waiting++] = t;
        return true;
}

static void io_drop(struct curl_io *x, struct curl_transfer *t)
{
        for (size_t i = 0; i < x->n_waiting; i++)
                if (x->waiting[i] == t)
                        x->waiting[i] = x->waiting[--x->n_waiting];
}

static struct asked *note(struct curl_io *x, const struct curl_transfer *t)
{
        struct asked *q = &x->asked[x->n_asked++];
        char body[4096] = "";

        assert_true(x->n_asked < ASKED_MAX);
        *q = (struct asked){ .text = xcalloc(1, strlen(t->url) + 16) };
        sprintf(q->text, "%s %s", t->method, t->url);
        for (size_t i = 0; i < t->n_header; i++)
                if (strncasecmp(t->header[i], "authorization: ", 15) == 0)
                        q->authorization = xstrdup(t->header[i] + 15);
        if (t->has_body && t->body_size)
                t->on_send(t->arg, 0, body, sizeof(body) - 1);
        q->body = xstrdup(body);
        return q;
}

static void deliver(struct curl_io *x, struct curl_transfer *t)
{
        struct answer a = x->answer(note(x, t));
        char line[64];

        if (!a.status) {
                t->fault = CURL_FAULT_TLS;
                return;
        }
        snprintf(line, sizeof(line), "HTTP/1.1 %ld X", a.status);
        t->on_header(t->arg, line, strlen(line));
        if (a.header)
                t->on_header(t->arg, a.header, strlen(a.header));
        t->on_header(t->arg, "", 0);
        if (a.body && strcmp(t->method, "HEAD") != 0)
                t->on_body(t->arg, a.body, strlen(a.body));
        t->status = a.status;
        t->asked = true;
}

static struct curl_transfer *io_turn(struct curl_io *x, int timeout_ms)
{
        struct curl_transfer *t;

        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec +=
                (timeout_ms > 0 && timeout_ms < 100 ? timeout_ms : 100) * 1000000L; /* a try waits for its time */
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&x->lock);
        while (!x->n_waiting && !x->woken && timeout_ms > 0)
                if (pthread_cond_timedwait(&x->wake, &x->lock, &until) != 0)
                        break;
        x->woken = false;
        pthread_mutex_unlock(&x->lock);
        if (!x->n_waiting)
                return NULL;
        t = x->waiting[--x->n_waiting];
        deliver(x, t);
        return t;
}

static void io_wake(struct curl_io *x)
{
        pthread_mutex_lock(&x->lock);
        x->woken = true;
        pthread_cond_signal(&x->wake);
        pthread_mutex_unlock(&x->lock);
}

static const struct curl_table table = { CURL_TABLE_VERSION, io_open, io_close, io_begin, io_drop, io_turn, io_wake };

struct test {
        struct op op;
        struct net *net;
        struct reg_client *c;
        struct arena a;
        struct err e;
        struct net_answer got;
        char file[64];
};

static void begin_with(struct test *t, struct answer (*answer)(const struct asked *q), const char *auths,
                       const struct reg_opts *more)
{
        struct reg_opts o = *more;
        FILE *f;
        int fd;

        *t = (struct test){ .op = { .jobs = 1 } };
        o.registries_conf = "/dev/null";
        o.auth_file = t->file;
        strcpy(t->file, "/tmp/envbuild-session-XXXXXX");
        fd = mkstemp(t->file);
        assert_true(fd >= 0);
        f = fdopen(fd, "w");
        fprintf(f, "{\"auths\":{%s}}", auths ? auths : "\"reg.example\":{\"auth\":\"YWxpY2U6czNjcmV0\"}");
        fclose(f);
        io = xcalloc(1, sizeof(*io));
        io->answer = answer;
        pthread_mutex_init(&io->lock, NULL);
        pthread_cond_init(&io->wake, NULL);
        assert_int_equal(net_new_over(&(struct net_opts){ .timeout_ms = 5000 }, &t->op, &table, 1, &t->net, &t->e), 0);
        assert_int_equal(reg_client_new(t->net, &o, &t->op, &t->c, &t->e), 0);
}

static void begin(struct test *t, struct answer (*answer)(const struct asked *q), const char *auths)
{
        begin_with(t, answer, auths, &(struct reg_opts){ 0 });
}

static void end(struct test *t)
{
        reg_client_free(t->c);
        net_free(t->net);
        for (size_t i = 0; i < io->n_asked; i++) {
                free(io->asked[i].text);
                free(io->asked[i].authorization);
                free(io->asked[i].body);
        }
        free(io);
        arena_done(&t->a);
        err_done(&t->e);
        unlink(t->file);
}

static struct reg_request request(unsigned actions, const char *path)
{
        return (struct reg_request){ .repo = { SV("reg.example"), SV("team/x") },
                                     .actions = actions,
                                     .path = sv_from(path) };
}

static int ask(struct test *t, const struct reg_request *r)
{
        err_done(&t->e);
        return reg_do(t->c, r, &t->a, &t->got, &t->e);
}

static int pull(struct test *t)
{
        struct reg_request r = request(REG_PULL, "manifests/1");

        return ask(t, &r);
}

static size_t asked_of(const char *part)
{
        size_t n = 0;

        for (size_t i = 0; i < io->n_asked; i++)
                n += strstr(io->asked[i].text, part) != NULL;
        return n;
}

static void assert_asked(size_t i, const char *text, const char *authorization)
{
        assert_true(i < io->n_asked);
        assert_string_equal(io->asked[i].text, text);
        if (authorization)
                assert_string_equal(io->asked[i].authorization ? io->asked[i].authorization : "", authorization);
        else
                assert_null(io->asked[i].authorization);
}

static bool is_for(const struct asked *q, const char *part)
{
        return strstr(q->text, part) != NULL;
}

static bool holds(const struct asked *q, const char *token)
{
        return q->authorization && strncmp(q->authorization, "Bearer ", 7) == 0 &&
               strcmp(q->authorization + 7, token) == 0;
}

#define BASIC "Basic YWxpY2U6czNjcmV0"

/* --- servers --- */

static struct answer usual(const struct asked *q)
{
        if (is_for(q, REALM))
                return (struct answer){ 200, NULL, "{\"token\":\"T1\",\"expires_in\":300}" };
        return holds(q, "T1") ? (struct answer){ 200, NULL, "ok" } : (struct answer){ 401, CHALLENGE, NULL };
}

static void one_401_and_one_token(void **state)
{
        struct test t;

        (void)state;
        begin(&t, usual, NULL);
        assert_int_equal(pull(&t), 0);
        assert_int_equal(t.got.status, 200);
        assert_asked(0, "GET https://reg.example/v2/team/x/manifests/1", NULL);
        assert_asked(1, "GET " REALM "?service=svc&scope=repository%3Ateam%2Fx%3Apull&account=alice&client_id=envbuild",
                     BASIC);
        assert_asked(2, "GET https://reg.example/v2/team/x/manifests/1", "Bearer T1");
        assert_int_equal(pull(&t), 0);
        assert_int_equal(io->n_asked, 4); /* the second time nothing is refused */
        end(&t);
}

static void scopes_in_order(void **state)
{
        struct reg_repo base = { SV("reg.example"), SV("base/y") };
        struct reg_request r = request(REG_PUSH, "blobs/uploads/?mount=x");
        struct test t;

        (void)state;
        begin(&t, usual, NULL);
        r.method = NET_POST;
        r.mount = &base;
        assert_int_equal(ask(&t, &r), 0);
        assert_non_null(strstr(io->asked[1].text,
                               "&scope=repository%3Ateam%2Fx%3Apull%2Cpush&scope=repository%3Abase%2Fy%3Apull&"));
        assert_int_equal(pull(&t), 0); /* a token that allows more is enough */
        assert_int_equal(asked_of(REALM), 1);
        end(&t);
}

static void renewed_before_its_end(void **state)
{
        struct reg_request big = request(REG_PULL, "blobs/uploads/1");
        struct test t;

        (void)state;
        begin(&t, usual, NULL);
        assert_int_equal(pull(&t), 0);
        t.c->host->token->made_ms -= 200 * 1000;
        assert_int_equal(pull(&t), 0);
        assert_int_equal(asked_of(REALM), 1);
        t.c->host->token->made_ms -= 41 * 1000; /* past 80 % of 300 s */
        assert_int_equal(pull(&t), 0);
        assert_int_equal(asked_of(REALM), 2);
        t.c->host->token->made_ms -= 61 * 1000; /* a large body wants one that has just begun */
        assert_int_equal(pull(&t), 0);
        assert_int_equal(asked_of(REALM), 2);
        big.fresh_token = true;
        assert_int_equal(ask(&t, &big), 0);
        assert_int_equal(asked_of(REALM), 3);
        end(&t);
}

/* --- denied --- */

static struct answer never(const struct asked *q)
{
        if (is_for(q, REALM))
                return (struct answer){ 200, NULL, "{\"token\":\"T1\"}" };
        return (struct answer){ 401, CHALLENGE ",error=\"insufficient_scope\"",
                                "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}" };
}

static void denied_after_one_fresh_token(void **state)
{
        struct test t;

        (void)state;
        begin(&t, never, NULL);
        assert_int_equal(pull(&t), -ERR_AUTH);
        assert_non_null(strstr(t.e.cause, "'reg.example' does not let alice (out of /tmp/envbuild-session-"));
        assert_non_null(strstr(t.e.cause, "pull 'team/x': DENIED: no"));
        assert_string_equal(t.e.hint, "envbuild login reg.example");
        assert_int_equal(asked_of(REALM), 1);
        end(&t);
}

static void nobody_is_denied_otherwise(void **state)
{
        struct test t;

        (void)state;
        begin(&t, never, "");
        assert_int_equal(pull(&t), -ERR_AUTH);
        assert_non_null(strstr(t.e.cause, "'reg.example' wants a login before you may pull 'team/x': DENIED: no"));
        assert_null(io->asked[1].authorization);
        end(&t);
}

static unsigned tokens;

/* Tokens live for one answer only, whatever is said. */
static struct answer forgetful(const struct asked *q)
{
        static char text[64], now[16];

        if (is_for(q, REALM)) {
                snprintf(now, sizeof(now), "T%u", ++tokens);
                snprintf(text, sizeof(text), "{\"access_token\":\"%s\",\"expires_in\":300}", now);
                return (struct answer){ 200, NULL, text };
        }
        if (!now[0] || !holds(q, now))
                return (struct answer){ 401, CHALLENGE ",error=\"invalid_token\"", NULL };
        now[0] = '\0';
        return (struct answer){ 200, NULL, "ok" };
}

static void a_401_in_mid_session(void **state)
{
        struct test t;

        (void)state;
        tokens = 0;
        begin(&t, forgetful, NULL);
        for (unsigned i = 1; i <= 3; i++) {
                assert_int_equal(pull(&t), 0);
                assert_int_equal(t.got.status, 200);
                assert_int_equal(tokens, i);
        }
        end(&t);
}

/* It calls the repository by another name, as some proxies do. */
static struct answer renaming(const struct asked *q)
{
        if (is_for(q, REALM))
                return (struct answer){ 200, NULL,
                                        is_for(q, "p%2Fteam%2Fx") ? "{\"token\":\"T2\",\"expires_in\":300}"
                                                                  : "{\"token\":\"T1\"}" };
        return holds(q, "T2")
                       ? (struct answer){ 200, NULL, "ok" }
                       : (struct answer){ 401,
                                          CHALLENGE ",scope=\"repository:p/team/x:pull\",error=\"insufficient_scope\"",
                                          NULL };
}

static void what_the_server_asks_for_besides(void **state)
{
        struct test t;

        (void)state;
        begin(&t, renaming, NULL);
        assert_int_equal(pull(&t), 0);
        assert_non_null(strstr(io->asked[io->n_asked - 2].text,
                               "scope=repository%3Ateam%2Fx%3Apull&scope=repository%3Ap%2Fteam%2Fx%3Apull"));
        assert_int_equal(pull(&t), 0); /* and it is remembered */
        assert_int_equal(asked_of("manifests/1"), 3);
        end(&t);
}

/* --- kinds of logins --- */

static bool post_is_known;

static struct answer trading(const struct asked *q)
{
        if (is_for(q, "POST " REALM))
                return post_is_known ? (struct answer){ 200, NULL, "{\"access_token\":\"T1\"}" }
                                     : (struct answer){ 404, NULL, NULL };
        return usual(q);
}

static void identity_tokens(void **state)
{
        struct test t;

        (void)state;
        for (int k = 0; k < 2; k++) {
                post_is_known = k == 0;
                begin(&t, trading, "\"reg.example\":{\"auth\":\"YWxpY2U6czNjcmV0\",\"identitytoken\":\"ID&1\"}");
                assert_int_equal(pull(&t), 0);
                assert_asked(1, "POST " REALM, NULL);
                assert_string_equal(io->asked[1].body, "grant_type=refresh_token&service=svc&client_id=envbuild&scope="
                                                       "repository%3Ateam%2Fx%3Apull&refresh_token=ID%261");
                if (!post_is_known)
                        assert_string_equal(io->asked[2].authorization, BASIC);
                end(&t);
        }
}

static struct answer basic(const struct asked *q)
{
        return q->authorization && strcmp(q->authorization, BASIC) == 0
                       ? (struct answer){ 200, NULL, "ok" }
                       : (struct answer){ 401, "WWW-Authenticate: Basic realm=\"x\"", NULL };
}

static void basic_logins(void **state)
{
        struct test t;

        (void)state;
        begin(&t, basic, NULL);
        assert_int_equal(pull(&t), 0);
        assert_int_equal(pull(&t), 0);
        assert_int_equal(io->n_asked, 3);
        end(&t);
        begin(&t, basic, "\"reg.example\":{\"auth\":\"YTpi\"}");
        assert_int_equal(pull(&t), -ERR_AUTH);
        assert_int_equal(io->n_asked, 2);
        end(&t);
        begin(&t, basic, "");
        assert_int_equal(pull(&t), -ERR_AUTH);
        assert_int_equal(io->n_asked, 1);
        end(&t);
}

static struct answer silent(const struct asked *q)
{
        if (is_for(q, REALM) || is_for(q, "GET https://reg.example/v2/ ") ||
            strcmp(q->text, "GET https://reg.example/v2/") == 0)
                return usual(q);
        return holds(q, "T1") ? (struct answer){ 200, NULL, "ok" } : (struct answer){ 401, NULL, NULL };
}

static void a_ping_only_when_there_is_no_challenge(void **state)
{
        struct reg_request big = request(REG_PUSH, "blobs/uploads/");
        struct test t;

        (void)state;
        begin(&t, silent, NULL);
        assert_int_equal(pull(&t), 0);
        assert_asked(1, "GET https://reg.example/v2/", NULL);
        assert_int_equal(io->n_asked, 4);
        end(&t);
        begin(&t, usual, NULL); /* or before a large body, which would be sent for nothing */
        big.method = NET_POST;
        big.fresh_token = true;
        assert_int_equal(ask(&t, &big), 0);
        assert_asked(0, "GET https://reg.example/v2/", NULL);
        assert_int_equal(asked_of("POST"), 1);
        end(&t);
}

/* --- where secrets may go --- */

static const char *sent_to;

static struct answer sending(const struct asked *q)
{
        static char line[256];

        if (is_for(q, REALM)) {
                snprintf(line, sizeof(line), "Location: %s", sent_to);
                return (struct answer){ 307, line, NULL };
        }
        if (is_for(q, "token"))
                return (struct answer){ 200, NULL, "{\"token\":\"T1\"}" };
        return usual(q);
}

static void token_servers_that_send_us_on(void **state)
{
        static const struct {
                const char *to;
                int result;
        } rows[] = { { "https://auth2.example/token", 0 },
                     { "https://auth.example/second/token", 0 },
                     { "http://auth.example/second/token", -ERR_AUTH },
                     { "https://10.0.0.1/token", -ERR_AUTH },
                     { "https://[::1]/token", -ERR_AUTH },
                     { REALM, -ERR_NET } };
        struct test t;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sent_to = rows[i].to;
                begin(&t, sending, NULL);
                assert_int_equal(pull(&t), rows[i].result);
                assert_string_equal(io->asked[1].authorization, BASIC);
                if (i == 0)
                        assert_asked(2, "GET https://auth2.example/token", NULL);
                if (i == 1)
                        assert_asked(2, "GET https://auth.example/second/token", BASIC);
                assert_true(io->n_asked < 12);
                end(&t);
        }
}

static void locations(void **state)
{
        static const struct {
                const char *url, *asked, *authorization;
                int result;
        } rows[] = {
                { "https://reg.example/up?_state=s", "PUT https://reg.example/up?_state=s", "Bearer T1", 0 },
                { "https://reg.example:443/up", "PUT https://reg.example:443/up", "Bearer T1", 0 },
                { "http://reg.example/up", "PUT https://reg.example/up", "Bearer T1",
                  0 }, /* a proxy took the TLS off */
                { "https://cdn.example/up", "PUT https://cdn.example/up", NULL, 0 },
                { "https://reg.example:8443/up", "PUT https://reg.example:8443/up", NULL, 0 },
                { "http://cdn.example/up", NULL, NULL, -ERR_NET },
                { "https://192.168.1.1/up", NULL, NULL, -ERR_NET },
                { "https://alice:s@cdn.example/up", NULL, NULL, -ERR_NET },
                { "ftp://cdn.example/up", NULL, NULL, -ERR_NET },
        };
        struct test t;

        (void)state;
        begin(&t, usual, NULL);
        assert_int_equal(pull(&t), 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct reg_request r = request(REG_PULL, rows[i].url);
                size_t before = io->n_asked;
                int got;

                r.method = NET_PUT;
                got = ask(&t, &r);
                if (rows[i].asked)
                        assert_asked(before, rows[i].asked, rows[i].authorization);
                else
                        assert_int_equal(io->n_asked, before);
                if (rows[i].asked && !rows[i].authorization) /* a foreign host that wants a login gets none */
                        assert_true(got == -ERR_AUTH && io->n_asked == before + 1);
                else
                        assert_int_equal(got, rows[i].result);
                assert_true(!t.e.cause || !strstr(t.e.cause, "_state"));
        }
        end(&t);
}

/* A helper may take a second: it is asked for a registry once, whatever the repositories. */
static void helpers_are_asked_once(void **state)
{
        char dir[64] = "/tmp/envbuild-helper-XXXXXX", path[128], log[128], line[64];
        struct test t;
        FILE *f;
        int n = 0;

        (void)state;
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/docker-credential-fake", dir);
        snprintf(log, sizeof(log), "%s/log", dir);
        f = fopen(path, "w");
        fprintf(f, "#!/bin/sh\necho asked >> %s\necho '{\"Username\":\"alice\",\"Secret\":\"s3cret\"}'\n", log);
        fclose(f);
        chmod(path, 0755);
        snprintf(line, sizeof(line), "%s:/usr/bin:/bin", dir);
        setenv("PATH", line, 1);
        begin(&t, basic, "},\"credsStore\":\"fake\",\"x\":{");
        for (int i = 0; i < 3; i++) {
                struct reg_request r = request(REG_PULL, "manifests/1");

                r.repo.repository = arena_fmt(&t.a, "team/x%d", i);
                assert_int_equal(ask(&t, &r), 0);
                assert_int_equal(t.got.status, 200);
        }
        end(&t);
        f = fopen(log, "r");
        while (fgets(line, sizeof(line), f))
                n++;
        fclose(f);
        assert_int_equal(n, 1);
        unlink(log);
        unlink(path);
        rmdir(dir);
}

/* --- where a registry is --- */

static struct answer plain_only(const struct asked *q)
{
        return is_for(q, " https:") ? (struct answer){ 0 } : basic(q);
}

static struct answer tls_only(const struct asked *q)
{
        return is_for(q, " https:") ? basic(q)
                                    : (struct answer){ 400, NULL, "Client sent an HTTP request to an HTTPS server.\n" };
}

static void schemes(void **state)
{
        static const struct {
                const char *registry, *insecure;
                struct answer (*answer)(const struct asked *q);
                const char *last; /* the last one asked; NULL: no answer */
                size_t n;         /* requests in all */
        } rows[] = {
                { "reg.example:5000", NULL, tls_only, "GET https://reg.example:5000/v2/team/x/manifests/1", 2 },
                { "reg.example:5000", NULL, plain_only, NULL, 0 },
                { "reg.example:5000", "reg.example:5000", plain_only,
                  "GET http://reg.example:5000/v2/team/x/manifests/1", 3 },
                { "reg.example:5000", "reg.example", plain_only, "GET http://reg.example:5000/v2/team/x/manifests/1",
                  3 },
                { "reg.example:5000", "reg.example:5001", plain_only, NULL, 0 },
                { "reg.example:5000", "reg.example:5000", tls_only,
                  "GET https://reg.example:5000/v2/team/x/manifests/1", 2 },
                { "localhost:5000", NULL, plain_only, "GET http://localhost:5000/v2/team/x/manifests/1", 2 },
                { "127.0.0.1:5000", NULL, tls_only, "GET https://127.0.0.1:5000/v2/team/x/manifests/1", 4 },
                { "docker.io", NULL, tls_only, "GET https://registry-1.docker.io/v2/team/x/manifests/1", 2 },
        };
        struct test t;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct reg_request r = request(REG_PULL, "manifests/1");
                sv insecure = sv_from(rows[i].insecure);
                int got;

                begin_with(&t, rows[i].answer,
                           "\"reg.example:5000\":{\"auth\":\"YWxpY2U6czNjcmV0\"},\"127.0.0.1:5000\":{\"auth\":"
                           "\"YWxpY2U6czNjcmV0\"},"
                           "\"localhost:5000\":{\"auth\":\"YWxpY2U6czNjcmV0\"},"
                           "\"https://index.docker.io/v1/\":{\"auth\":\"YWxpY2U6czNjcmV0\"}",
                           &(struct reg_opts){ .insecure = &insecure, .n_insecure = insecure.n > 0 });
                r.repo.registry = sv_from(rows[i].registry);
                got = ask(&t, &r);
                if (rows[i].last ? got < 0 || t.got.status != 200 ||
                                           strcmp(io->asked[io->n_asked - 1].text, rows[i].last) != 0
                                 : got != -ERR_NET)
                        bad++, print_error("row %zu: %d %s\n", i, got, io->asked[io->n_asked - 1].text);
                if (rows[i].last && io->n_asked != rows[i].n)
                        bad++, print_error("row %zu: %zu requests\n", i, io->n_asked);
                for (size_t k = 0; k < io->n_asked; k++) /* no login on an open wire unless that was said */
                        if (io->asked[k].authorization && is_for(&io->asked[k], "http://reg") && !rows[i].insecure)
                                bad++, print_error("row %zu: a login over http\n", i);
                end(&t);
        }
        assert_int_equal(bad, 0);
}

/* --- threads --- */

static void *pull_thread(void *arg)
{
        struct test *t = arg;
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct reg_request r = request(REG_PULL, "manifests/1");
        struct net_answer got = { 0 };

        return reg_do(t->c, &r, &a, &got, &e) == 0 && got.status == 200 ? arg : NULL;
}

static void threads_share_a_token(void **state)
{
        pthread_t thread[8];
        struct test t;

        (void)state;
        begin(&t, usual, NULL);
        for (size_t i = 0; i < ARRAY_LEN(thread); i++)
                assert_int_equal(pthread_create(&thread[i], NULL, pull_thread, &t), 0);
        for (size_t i = 0; i < ARRAY_LEN(thread); i++) {
                void *ok;

                pthread_join(thread[i], &ok);
                assert_non_null(ok);
        }
        assert_int_equal(asked_of(REALM), 1);
        end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_401_and_one_token),
                cmocka_unit_test(scopes_in_order),
                cmocka_unit_test(renewed_before_its_end),
                cmocka_unit_test(denied_after_one_fresh_token),
                cmocka_unit_test(nobody_is_denied_otherwise),
                cmocka_unit_test(a_401_in_mid_session),
                cmocka_unit_test(what_the_server_asks_for_besides),
                cmocka_unit_test(identity_tokens),
                cmocka_unit_test(basic_logins),
                cmocka_unit_test(a_ping_only_when_there_is_no_challenge),
                cmocka_unit_test(token_servers_that_send_us_on),
                cmocka_unit_test(locations),
                cmocka_unit_test(helpers_are_asked_once),
                cmocka_unit_test(schemes),
                cmocka_unit_test(threads_share_a_token),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
