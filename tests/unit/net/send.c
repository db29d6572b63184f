#include <stdatomic.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/net_priv.h"
#include "tests/unit/fake.h"
#include "tests/unit/unit.h"

static struct fake fake;

struct test {
        struct op op;
        struct net *n;
        struct arena a;
        struct net_answer got;
        struct err e;
};

static void begin_with(struct test *t, const struct net_opts *o)
{
        *t = (struct test){ .op = { .jobs = 1 } };
        assert_int_equal(net_new_over(o, &t->op, NULL, 1, &t->n, &t->e), 0);
}

static void begin(struct test *t)
{
        begin_with(t, &(struct net_opts){ .timeout_ms = 5000 });
}

static void end(struct test *t)
{
        net_free(t->n);
        arena_done(&t->a);
        err_done(&t->e);
}

static sv at(struct test *t, const char *path)
{
        return arena_fmt(&t->a, "http://127.0.0.1:%u%s", fake.port, path);
}

static int ask(struct test *t, enum net_method method, const char *path, struct net_request r)
{
        err_done(&t->e);
        r.method = method;
        r.url = at(t, path);
        return net_do(t->n, &r, &t->a, &t->got, &t->e);
}
#define ASK(t, method, path, ...) ask((t), (method), (path), (struct net_request){ __VA_ARGS__ })

static bool said(const struct test *t, const char *text)
{
        return sv_find_sv(t->got.body, sv_from(text)) >= 0;
}

/* The server's number of the connection that the last answer came over. */
static sv connection(const struct test *t)
{
        return sv_skip(t->got.body, (size_t)sv_find_sv(t->got.body, SV("connection: ")));
}

static unsigned seen(struct test *t, const char *key)
{
        uint64_t n = 0;

        assert_int_equal(ask(t, NET_GET, arena_fmt(&t->a, "/seen?%s", key).p, (struct net_request){ 0 }), 0);
        assert_true(sv_u64(t->got.body, &n));
        return (unsigned)n;
}

/* A body made while it is asked for, that remembers how it was. */
struct made {
        uint64_t fails_at; /* 0: never */
        uint64_t reads, most;
};

static int64_t made_read(void *arg, uint64_t place, void *p, size_t n, struct err *e)
{
        struct made *m = arg;

        if (m->fails_at && place + n > m->fails_at)
                return err_set(e, ERR_INTEGRITY, "the blob is not what it was");
        for (size_t i = 0; i < n; i++)
                ((char *)p)[i] = (char)((place + i) * 7 % 251);
        m->reads++;
        m->most = n > m->most ? n : m->most;
        return (int64_t)n;
}

static sv digest_of_made(struct arena *a, uint64_t size)
{
        struct hash_writer h;
        struct writer *w = hash_writer_init(&h, NULL);
        struct err e = { 0 };
        char *p = arena_alloc(a, size + 1, 1);

        made_read(&(struct made){ 0 }, 0, p, size, &e);
        assert_int_equal(writer_write(w, p, size, &e), 0);
        assert_int_equal(writer_finish(w, &e), 0);
        hash_writer_done(&h);
        return arena_fmt(a, "body: %llu %s\n", (unsigned long long)size, sha256_hex(&h.digest).s);
}

static void methods_and_small_bodies(void **state)
{
        static const struct {
                enum net_method method;
                const char *line;
        } rows[] = { { NET_POST, "POST /echo HTTP/1.1" },
                     { NET_PUT, "PUT /echo HTTP/1.1" },
                     { NET_PATCH, "PATCH /echo HTTP/1.1" },
                     { NET_DELETE, "DELETE /echo HTTP/1.1" } };
        static const sv hello = { "hello", 5 };
        struct net_source body = net_source_bytes(&hello);
        struct net_header type = { SV("Content-Type"), SV("text/x") };
        struct test t;

        (void)state;
        begin(&t);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                assert_int_equal(ASK(&t, rows[i].method, "/echo", .body = &body, .header = &type, .n_header = 1), 0);
                assert_int_equal(t.got.status, 200);
                assert_true(said(&t, rows[i].line) && said(&t, "Content-Length: 5\r") &&
                            said(&t, "Content-Type: text/x"));
                assert_true(said(&t, "body: 5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
                assert_false(said(&t, "Expect") || said(&t, "Transfer-Encoding"));
                assert_int_equal(t.got.sent, 5);
                assert_int_equal(ASK(&t, rows[i].method, "/echo", .subject = SV("")), 0);
                assert_int_equal(said(&t, "Content-Length: 0\r"), rows[i].method != NET_DELETE);
                assert_true(said(&t, "body: 0 "));
                assert_false(said(&t, "Expect") || said(&t, "Transfer-Encoding") || said(&t, "Content-Type"));
        }
        assert_true(sv_is(connection(&t), "connection: 1\n")); /* all over one */
        assert_int_equal(ASK(&t, NET_POST, "/status/201", .once = true), 0);
        assert_int_equal(t.got.status, 201);
        assert_true(said(&t, "connection: 1"));
        end(&t);
}

static void a_large_body_is_streamed(void **state)
{
        struct made m = { 0 };
        struct net_source body = { 5000001, made_read, &m };
        struct test t;
        sv want;

        (void)state;
        begin(&t);
        want = digest_of_made(&t.a, body.size);
        assert_int_equal(ASK(&t, NET_PUT, "/echo", .body = &body), 0);
        assert_true(said(&t, want.p));
        assert_int_equal(t.got.sent, body.size);
        assert_true(m.most < 4 << 20);
        assert_int_equal(ASK(&t, NET_PUT, "/retry/large/2/503", .body = &body), 0); /* sent again */
        assert_true(said(&t, want.p));
        assert_int_equal(t.got.sent, 3 * body.size);
        assert_int_equal(ASK(&t, NET_PUT, "/cut/large/1", .body = &body), 0); /* gone in the middle */
        assert_true(said(&t, want.p));
        end(&t);
}

static void a_body_that_fails_ends_the_request(void **state)
{
        struct made m = { .fails_at = 3000000 };
        struct net_source body = { 5000001, made_read, &m };
        static const sv little = { "little", 6 };
        struct net_source over = net_source_bytes(&little);
        struct test t;

        (void)state;
        begin(&t);
        assert_int_equal(ASK(&t, NET_PUT, "/echo", .body = &body), -ERR_INTEGRITY);
        assert_string_equal(t.e.cause, "the blob is not what it was");
        over.size = 100;
        assert_int_equal(ASK(&t, NET_PUT, "/echo", .body = &over), -ERR_FAILED);
        assert_non_null(strstr(t.e.cause, "ends after 6 of 100 bytes"));
        assert_int_equal(net_count(t.n), 2);
        end(&t);
}

static void what_may_have_been_acted_on_is_not_sent_twice(void **state)
{
        struct test t;

        (void)state;
        begin(&t);
        assert_int_equal(ASK(&t, NET_POST, "/drop/post/9"), -ERR_NET);
        assert_int_equal(seen(&t, "post"), 1);
        assert_int_equal(ASK(&t, NET_PATCH, "/retry/patch/9/500"), 0);
        assert_int_equal(t.got.status, 500);
        assert_int_equal(seen(&t, "patch"), 1);
        assert_int_equal(ASK(&t, NET_PUT, "/drop/put/1"), 0);
        assert_int_equal(seen(&t, "put"), 2);
        assert_int_equal(ASK(&t, NET_POST, "/drop/twice/1", .repeatable = true), 0);
        assert_int_equal(seen(&t, "twice"), 2);
        assert_int_equal(ASK(&t, NET_PUT, "/drop/once/1", .once = true), -ERR_NET);
        assert_int_equal(seen(&t, "once"), 1);
        assert_int_equal(ASK(&t, NET_PUT, "/retry/busy/1/503", .once = true), 0);
        assert_int_equal(t.got.status, 503);
        assert_int_equal(ASK(&t, NET_POST, "/retry/early/1/408"), 0);
        assert_int_equal(t.got.status, 200);
        assert_int_equal(ASK(&t, NET_POST, "/retry/limit/2/429"), 0);
        assert_int_equal(t.got.status, 200);
        assert_int_equal(ASK(&t, NET_GET, "/retry/get/2/408"), 0);
        assert_int_equal(t.got.status, 200);
        end(&t);
}

static void anonymous_means_it(void **state)
{
        char path[] = "/tmp/eb-netrc-XXXXXX";
        int fd = mkstemp(path);
        struct test t;

        (void)state;
        assert_true(fd >= 0 && write(fd, "machine 127.0.0.1 login me password pw\n", 39) == 39);
        close(fd);
        begin_with(&t, &(struct net_opts){ .netrc = path });
        assert_int_equal(ASK(&t, NET_GET, "/echo"), 0);
        assert_true(said(&t, "Authorization: Basic"));
        assert_int_equal(ASK(&t, NET_GET, "/echo", .anonymous = true), 0);
        assert_false(said(&t, "Authorization"));
        net_login_add(t.n, arena_fmt(&t.a, "http://u:p@127.0.0.1:%u/", fake.port));
        assert_int_equal(ASK(&t, NET_GET, "/echo", .anonymous = true), 0);
        assert_false(said(&t, "Authorization"));
        end(&t);
        unlink(path);
}

static bool sent_to(const struct test *t, const char *what)
{
        return t->got.status == 200 && sv_find_sv(t->got.body, sv_from(what)) >= 0;
}

/* libcurl asks the proxy what it wants first: that is no second sending. */
static void once_through_a_proxy_with_a_login(void **state)
{
        struct made m = { 0 };
        struct net_source body = { 300000, made_read, &m };
        struct net_request r = {
                .method = NET_POST, .url = SV("http://registry.invalid/echo"), .body = &body, .once = true
        };
        char proxy[64];
        struct test t;

        (void)state;
        snprintf(proxy, sizeof(proxy), "http://u:p@127.0.0.1:%u", fake.port);
        setenv("PIP_PROXY", proxy, 1);
        begin(&t);
        unsetenv("PIP_PROXY");
        for (int i = 0; i < 2; i++) {
                assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
                assert_int_equal(t.got.status, 200);
                assert_true(said(&t, digest_of_made(&t.a, body.size).p));
        }
        assert_int_equal(net_count(t.n), 2);
        end(&t);
}

static void redirects_with_a_body(void **state)
{
        struct net_header h = { SV("Authorization"), SV("Bearer secret") };
        struct made m = { 0 };
        struct net_source body = { 300000, made_read, &m };
        struct test t;
        sv want;

        (void)state;
        begin(&t);
        want = digest_of_made(&t.a, body.size);
#define REQUEST .body = &body, .header = &h, .n_header = 1
        assert_int_equal(ASK(&t, NET_PUT, "/redirect/307?to=/echo", REQUEST), 0);
        assert_true(sent_to(&t, want.p) && said(&t, "PUT /echo") && said(&t, "Bearer secret"));
        assert_int_equal(t.got.sent, 600000);
        assert_int_equal(ASK(&t, NET_POST, "/redirect/308?to=/redirect/307?to=/echo", REQUEST, .once = true), 0);
        assert_true(sent_to(&t, want.p) && said(&t, "POST /echo"));
        assert_int_equal(ASK(&t, NET_PATCH, "/redirect/307?to=http://localhost:PORT/echo", REQUEST), 0);
        assert_true(sent_to(&t, want.p) && !said(&t, "secret"));
        assert_int_equal(ASK(&t, NET_PUT,
                             "/redirect/307?to=http://localhost:PORT/redirect/307%3Fto=http://127.0.0.1:PORT/echo",
                             REQUEST),
                         0); /* a chain that leads back */
        assert_true(sent_to(&t, want.p) && !said(&t, "secret"));
        for (int status = 301; status <= 303; status++) {
                assert_int_equal(ask(&t, NET_PUT, arena_fmt(&t.a, "/redirect/%d?to=/echo", status).p,
                                     (struct net_request){ REQUEST }),
                                 0);
                assert_int_equal(t.got.status, status);
                assert_true(sv_is(net_header_get(&t.got, "location"), "/echo") && said(&t, "look there"));
        }
        assert_int_equal(ASK(&t, NET_PUT, "/redirect/307?to=/echo", REQUEST, .no_follow = true), 0);
        assert_int_equal(t.got.status, 307);
        assert_int_equal(ASK(&t, NET_GET, "/redirect/302?to=/echo", .no_follow = true), 0);
        assert_int_equal(t.got.status, 302);
        assert_int_equal(ASK(&t, NET_DELETE, "/redirect/307?to=/echo"), 0);
        assert_true(sent_to(&t, "DELETE /echo"));
#undef REQUEST
        end(&t);
}

static int64_t zeros(void *arg, uint64_t place, void *p, size_t n, struct err *e)
{
        uint64_t *most = arg;

        (void)e;
        if (most && place + n > *most)
                *most = place + n;
        memset(p, 0, n);
        return (int64_t)n;
}

static void an_answer_before_the_body_is_whole(void **state)
{
        static const char *const paths[] = { "/status/413?early", "/status/413?early&close_hard",
                                             "/status/401?early&body=90000",
                                             "/status/404?early&close_hard&body=30000" };
        uint64_t most = 0;
        struct net_source body = { 100 << 20, zeros, &most };
        struct test t;

        (void)state;
        begin(&t);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
                uint64_t status;

                assert_int_equal(ask(&t, NET_PUT, paths[i], (struct net_request){ .body = &body }), 0);
                assert_true(sv_u64((sv){ paths[i] + strlen("/status/"), 3 }, &status));
                assert_int_equal(t.got.status, status);
                assert_true(said(&t, "connection: "));
        }
        assert_int_equal(ASK(&t, NET_PUT, "/redirect/307?early&to=/status/403%3Fearly", .body = &body), 0);
        assert_int_equal(t.got.status, 403);
        assert_true(most < 100 << 20); /* nobody got it all */
        end(&t);
}

static void an_answer_of_no_keeps_the_connection(void **state)
{
        static const sv hello = { "hello", 5 };
        struct net_source body = net_source_bytes(&hello);
        struct test t;
        sv before;

        (void)state;
        begin(&t);
        assert_int_equal(ASK(&t, NET_GET, "/echo"), 0);
        before = connection(&t);
        assert_int_equal(ASK(&t, NET_PUT, "/status/401?body=200000", .body = &body), 0);
        assert_int_equal(t.got.body.n, 64 << 10);
        assert_int_equal(ASK(&t, NET_GET, "/status/404?body=200000"), 0);
        assert_int_equal(ASK(&t, NET_GET, "/echo"), 0);
        assert_true(sv_eq(connection(&t), before));
        assert_int_equal(ASK(&t, NET_PUT, "/endless/404", .body = &body), 0); /* this one is not read to its end */
        assert_int_equal(t.got.status, 404);
        assert_int_equal(ASK(&t, NET_GET, "/endless/500", .once = true), 0);
        assert_int_equal(t.got.status, 500);
        end(&t);
}

struct told {
        uint64_t begun, ended, done, total;
};

static void on_event(void *arg, const struct op_event *ev)
{
        struct told *t = arg;

        assert_true(ev->phase == OP_PUSH && sv_is(ev->subject, "it"));
        assert_true(ev->done >= t->done);
        t->begun += ev->state == OP_BEGIN;
        t->ended += ev->state == OP_END;
        t->done = ev->done;
        t->total = ev->total;
}

static void progress_of_a_body_is_told(void **state)
{
        struct net_source body = { 3000000, zeros, NULL };
        struct told told = { 0 };
        struct test t;

        (void)state;
        begin(&t);
        t.op.event = on_event;
        t.op.arg = &told;
        assert_int_equal(ASK(&t, NET_PUT, "/echo", .body = &body, .subject = SV("it"), .phase = OP_PUSH), 0);
        assert_true(told.begun == 1 && told.ended == 1 && told.done == 3000000 && told.total == 3000000);
        end(&t);
}

static void silence_ends_a_try_of_sending(void **state)
{
        struct net_source body = { 64 << 20, zeros, NULL };
        struct test t;

        (void)state;
        begin_with(&t, &(struct net_opts){ .timeout_ms = 1000, .tries = 1 });
        assert_int_equal(ASK(&t, NET_PUT, "/stall", .body = &body), -ERR_NET);
        assert_non_null(strstr(t.e.cause, "cannot send to"));
        assert_non_null(strstr(t.e.cause, "did not answer in time: no byte was taken or came for 1 seconds"));
        /* 64 MiB may be worked on for 3 s more. */
        assert_int_equal(ASK(&t, NET_PUT, "/slow/2.5", .body = &body), 0);
        body.size = 1000;
        assert_int_equal(ASK(&t, NET_PUT, "/silent", .body = &body), -ERR_NET);
        assert_non_null(strstr(t.e.cause, "did not answer in time: no byte came for 1 seconds"));
        assert_int_equal(ASK(&t, NET_PUT, "/slow/2.5", .body = &body, .timeout_ms = 20000), 0);
        end(&t);
}

/* The body's owner may let go of it as soon as net_drop has returned. */
static void dropped_in_the_middle(void **state)
{
        uint64_t most = 0;
        struct net_source body = { 64 << 20, zeros, &most };
        struct test t;
        struct net_job *j;

        (void)state;
        begin(&t);
        for (int i = 0; i < 5; i++) {
                uint64_t *lent = malloc(sizeof(*lent));

                *lent = 0;
                body.arg = lent;
                j = net_begin(t.n, &(struct net_request){ .url = at(&t, "/stall"), .method = NET_PUT, .body = &body });
                net_drop(t.n, j);
                free(lent);
        }
        end(&t);
}

static void ranges_without_an_end(void **state)
{
        AUTO(buf_done) struct buf got = BUF_INIT(1 << 20);
        struct buf_writer w;
        struct test t;

        (void)state;
        begin(&t);
#define OPEN .has_range = true, .range_open = true, .from = 990
        assert_int_equal(ASK(&t, NET_GET, "/range/1000", OPEN), 0);
        assert_true(t.got.ranged && sv_is(t.got.body, "ef01234567"));
        assert_int_equal(ASK(&t, NET_GET, "/range/1000", OPEN, .into = buf_writer_init(&w, &got)), 0);
        assert_true(t.got.ranged && t.got.received == 10 && sv_is(buf_sv(&got), "ef01234567"));
        buf_clear(&got);
        assert_int_equal(ASK(&t, NET_GET, "/range/1000?ignore", OPEN, .into = buf_writer_init(&w, &got)), 0);
        assert_true(!t.got.ranged && t.got.received == 10 && sv_is(buf_sv(&got), "ef01234567"));
        buf_clear(&got);
        assert_int_equal(ASK(&t, NET_GET, "/range/1000?wrong", OPEN, .into = buf_writer_init(&w, &got)), -ERR_NET);
        assert_non_null(strstr(t.e.cause, "another range than the one from byte 990"));
        assert_int_equal(got.n, 0);
#undef OPEN
        end(&t);
}

static int set_up(void **state)
{
        (void)state;
        unsetenv("http_proxy");
        unsetenv("HTTP_PROXY");
        return fake_start(&fake, NULL);
}

static int tear_down(void **state)
{
        (void)state;
        fake_stop(&fake);
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(methods_and_small_bodies),
                cmocka_unit_test(a_large_body_is_streamed),
                cmocka_unit_test(a_body_that_fails_ends_the_request),
                cmocka_unit_test(what_may_have_been_acted_on_is_not_sent_twice),
                cmocka_unit_test(anonymous_means_it),
                cmocka_unit_test(once_through_a_proxy_with_a_login),
                cmocka_unit_test(redirects_with_a_body),
                cmocka_unit_test(an_answer_before_the_body_is_whole),
                cmocka_unit_test(an_answer_of_no_keeps_the_connection),
                cmocka_unit_test(progress_of_a_body_is_told),
                cmocka_unit_test(silence_ends_a_try_of_sending),
                cmocka_unit_test(dropped_in_the_middle),
                cmocka_unit_test(ranges_without_an_end),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
