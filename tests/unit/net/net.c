#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/net_priv.h"
#include "tests/unit/fake.h"
#include "tests/unit/unit.h"

/* One fake server for all tests; a net of its own for each, with a backoff too short to notice. */
struct world {
        struct fake fake;
        char log[64];
};
static struct world world;

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
        return arena_fmt(&t->a, "http://127.0.0.1:%u%s", world.fake.port, path);
}

static int get(struct test *t, const char *path)
{
        err_done(&t->e);
        return net_do(t->n, &(struct net_request){ .url = at(t, path) }, &t->a, &t->got, &t->e);
}

static void assert_cause(struct test *t, const char *part)
{
        if (!t->e.cause || !strstr(t->e.cause, part))
                fail_msg("'%s' does not say '%s'", t->e.cause ? t->e.cause : "", part);
}

static void a_body_and_its_headers(void **state)
{
        struct test t;

        (void)state;
        begin(&t);
        assert_int_equal(get(&t, "/_bytes/20"), 0);
        assert_int_equal(t.got.status, 200);
        assert_memory_equal(t.got.body.p, "0123456789abcdef0123", 21);
        assert_int_equal(t.got.received, 20);
        assert_true(sv_is(net_header_get(&t.got, "etag"), "\"bytes-20\""));
        assert_int_equal(net_header_get(&t.got, "x-none").n, 0);
        assert_int_equal(get(&t, "/nothing"), 0); /* an answer, not an error */
        assert_int_equal(t.got.status, 404);
        assert_int_equal(net_status_err(&t.got, &t.e), -ERR_NOT_FOUND);
        end(&t);
}

static void ranges(void **state)
{
        struct test t;
        struct net_request r = { .has_range = true, .from = 3, .to = 6 };

        (void)state;
        begin(&t);
        r.url = at(&t, "/_bytes/1000");
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_true(t.got.ranged && sv_is(t.got.body, "3456"));
        r.range_last = true;
        r.to = 2;
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_true(t.got.ranged && sv_is(t.got.body, "67"));
        assert_true(sv_is(net_header_get(&t.got, "content-range"), "bytes 998-999/1000"));
        end(&t);
}

static void tries_again_until_it_works(void **state)
{
        struct test t;

        (void)state;
        begin(&t);
        assert_int_equal(get(&t, "/_retry/a/2/503"), 0);
        assert_true(sv_is(t.got.body, "at last"));
        assert_int_equal(net_count(t.n), 3);
        assert_int_equal(get(&t, "/_retry/b/1/429/0"), 0);
        assert_int_equal(t.got.status, 200);
        assert_int_equal(net_count(t.n), 5);
        assert_int_equal(get(&t, "/_retry/c/99/502"), -ERR_NET);
        assert_cause(&t, "answered 502 Bad Gateway, 5 times");
        assert_int_equal(net_count(t.n), 10);
        end(&t);
}

static void waits_as_long_as_the_server_says(void **state)
{
        struct test t;
        int64_t from = clock_ms();

        (void)state;
        begin(&t);
        assert_int_equal(get(&t, "/_retry/d/1/503/1"), 0);
        assert_true(clock_ms() - from >= 1000);
        end(&t);
}

static void redirects_lose_secrets_on_the_way_to_another_host(void **state)
{
        struct test t;
        struct net_header h = { SV("Authorization"), SV("Bearer secret") };
        struct net_request r = { .header = &h, .n_header = 1 };

        (void)state;
        begin(&t);
        r.url = at(&t, "/_redirect?to=/_echo");
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_true(sv_find_sv(t.got.body, SV("Bearer secret")) > 0); /* same origin: kept */
        assert_true(sv_ends(t.got.url, SV("/_echo")));
        r.url = arena_fmt(&t.a, "http://127.0.0.1:%u/_redirect?to=http://localhost:%u/_echo", world.fake.port,
                          world.fake.port);
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_int_equal(t.got.status, 200);
        assert_int_equal(sv_find_sv(t.got.body, SV("secret")), -1);
        r.url = arena_fmt(&t.a, "http://u:secret@127.0.0.1:%u/_redirect?to=http://localhost:%u/_echo", world.fake.port,
                          world.fake.port);
        r.n_header = 0;
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_int_equal(sv_find_sv(t.got.body, SV("Basic")), -1);
        assert_int_equal(get(&t, "/_echo"), 0); /* and the login is remembered for its own host */
        assert_true(sv_find_sv(t.got.body, SV("Authorization: Basic dTpzZWNyZXQ=")) > 0);
        end(&t);
}

static void redirects_end(void **state)
{
        struct test t;

        (void)state;
        begin(&t);
        assert_int_equal(get(&t, "/_redirect?to=/_redirect%3Fto=/_redirect"),
                         0); /* a redirect without Location is an answer */
        end(&t);
        begin(&t);
        assert_int_equal(get(&t, "/_redirect?to=ftp://h/"), -ERR_NET);
        assert_cause(&t, "which is not an http URL");
        end(&t);
}

static void netrc_logs_in(void **state)
{
        char path[] = "/tmp/eb-netrc-XXXXXX";
        int fd = mkstemp(path);
        struct test t;

        (void)state;
        assert_true(fd >= 0 && write(fd, "machine 127.0.0.1 login me password pw\n", 39) == 39);
        close(fd);
        begin_with(&t, &(struct net_opts){ .netrc = path });
        assert_int_equal(get(&t, "/_echo"), 0);
        assert_true(sv_find_sv(t.got.body, SV("Authorization: Basic bWU6cHc=")) > 0);
        end(&t);
        unlink(path);
}

static void a_broken_body_is_resumed(void **state)
{
        struct test t;
        struct buf got = BUF_INIT(1 << 20);
        struct buf_writer w;
        struct net_request r = { .keep_partial = true };

        (void)state;
        begin(&t);
        r.url = at(&t, "/_bytes/50001");
        r.into = buf_writer_init(&w, &got);
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_int_equal(got.n, 50001);
        assert_int_equal(t.got.status, 200); /* whole, however it came */
        assert_int_equal(t.got.received, 50001);
        for (size_t i = 0; i < got.n; i++)
                assert_int_equal(got.p[i], "0123456789abcdef"[i % 16]);
        assert_true(net_count(t.n) > 1);
        assert_int_equal(get(&t, "/_bytes/50002"), 0); /* kept in memory: begun again */
        assert_int_equal(t.got.body.n, 50002);
        buf_clear(&got);
        r.url = at(&t, "/_bytes/50003");
        r.keep_partial = false; /* no way to go on: what was written can't be taken back */
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), -ERR_NET);
        assert_cause(&t, "broke off");
        buf_done(&got);
        end(&t);
}

static void ceilings(void **state)
{
        struct test t;
        struct net_request r = { .max_body = 99 };

        (void)state;
        begin(&t);
        r.url = at(&t, "/_bytes/100");
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), -ERR_LIMIT);
        err_done(&t.e);
        r.max_body = 100;
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        end(&t);
}

static void many_at_once_in_any_order(void **state)
{
        struct test t;
        struct net_job *j[100];
        uint64_t seen = 0;

        (void)state;
        begin(&t);
        for (size_t i = 0; i < ARRAY_LEN(j); i++)
                j[i] = net_begin(t.n, &(struct net_request){
                                              .url = arena_fmt(&t.a, "%.*s/_bytes/%zu", SV_ARG(at(&t, "")), 100 + i) });
        for (size_t left = ARRAY_LEN(j); left;) {
                assert_int_equal(net_next(t.n, &seen, &t.e), 0);
                left = 0;
                for (size_t i = 0; i < ARRAY_LEN(j); i++)
                        left += !net_ready(t.n, j[i]);
        }
        assert_int_equal(seen, ARRAY_LEN(j));
        for (size_t i = ARRAY_LEN(j); i--;) {
                assert_int_equal(net_wait(t.n, j[i], &t.a, &t.got, &t.e), 0);
                assert_int_equal(t.got.body.n, 100 + i);
        }
        end(&t);
}

struct told {
        int begun, ended;
        uint64_t done, total;
};

static void on_event(void *arg, const struct op_event *ev)
{
        struct told *t = arg;

        assert_true(ev->phase == OP_FETCH && sv_is(ev->subject, "it"));
        t->begun += ev->state == OP_BEGIN;
        t->ended += ev->state == OP_END;
        t->done = ev->done;
        t->total = ev->total;
}

static void progress_is_told(void **state)
{
        struct test t;
        struct told told = { 0 };
        struct buf got = BUF_INIT(1 << 20);
        struct buf_writer w;

        (void)state;
        begin(&t);
        t.op.event = on_event;
        t.op.arg = &told;
        assert_int_equal(net_do(t.n,
                                &(struct net_request){ .url = at(&t, "/_bytes/5000"),
                                                       .subject = SV("it"),
                                                       .into = buf_writer_init(&w, &got) },
                                &t.a, &t.got, &t.e),
                         0);
        assert_int_equal(get(&t, "/_echo"), 0); /* without a subject: nothing */
        assert_true(told.begun == 1 && told.ended == 1 && told.done == 5000 && told.total == 5000);
        buf_done(&got);
        end(&t);
}

static void cancelled_soon(void **state)
{
        struct test t;
        struct net_job *j;
        struct buf got = BUF_INIT(1 << 20);
        struct buf_writer w;
        int64_t from;

        (void)state;
        begin(&t);
        j = net_begin(t.n, &(struct net_request){ .url = at(&t, "/_hang"), .into = buf_writer_init(&w, &got) });
        atomic_store(&t.op.signal, 2);
        from = clock_ms();
        assert_int_equal(net_wait(t.n, j, &t.a, &t.got, &t.e), -ERR_CANCELLED);
        assert_true(clock_ms() - from < 1000);
        end(&t);
        begin(&t);
        j = net_begin(t.n, &(struct net_request){ .url = at(&t, "/_hang"), .into = buf_writer_init(&w, &got) });
        net_drop(t.n, j);
        net_drop(t.n, net_begin(t.n, &(struct net_request){ .url = at(&t, "/_hang") }));
        end(&t);
        buf_done(&got);
}

static void silence_ends_a_try(void **state)
{
        struct test t;

        (void)state;
        begin_with(&t, &(struct net_opts){ .timeout_ms = 1000, .tries = 1 });
        assert_int_equal(get(&t, "/_hang"), -ERR_NET);
        assert_cause(&t, "did not answer in time");
        end(&t);
}

/* What the caller names counts last. */
static void ca_files(void **state)
{
        static const char *const names[] = { "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" };
        struct test t;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                unsetenv(names[i]);
        begin_with(&t, &(struct net_opts){ .ca_file = "/of/conda.pem" });
        assert_string_equal(t.n->ca_file, "/of/conda.pem");
        end(&t);
        setenv("SSL_CERT_FILE", "/of/variable.pem", 1);
        begin_with(&t, &(struct net_opts){ .ca_file = "/of/conda.pem" });
        unsetenv("SSL_CERT_FILE");
        assert_string_equal(t.n->ca_file, "/of/variable.pem");
        end(&t);
}

static void errors_teach_and_hide_secrets(void **state)
{
        struct test t;

        (void)state;
        begin_with(&t, &(struct net_opts){ .tries = 2 });
        assert_int_equal(net_do(t.n, &(struct net_request){ .url = SV("http://u:secret@127.0.0.1:1/x?sig=secret") },
                                &t.a, &t.got, &t.e),
                         -ERR_NET);
        assert_cause(&t, "cannot connect to '127.0.0.1': Connection refused");
        assert_cause(&t, "http://u:****@127.0.0.1:1/x?...");
        assert_null(strstr(t.e.cause, "secret"));
        err_done(&t.e);
        assert_int_equal(
                net_do(t.n, &(struct net_request){ .url = SV("http://no-such-host.invalid/") }, &t.a, &t.got, &t.e),
                -ERR_NET);
        assert_cause(&t, "the host 'no-such-host.invalid' is not known");
        err_done(&t.e);
        assert_int_equal(net_do(t.n, &(struct net_request){ .url = SV("gopher://h/") }, &t.a, &t.got, &t.e), -ERR_NET);
        assert_cause(&t, "is not an http URL");
        err_done(&t.e);
        assert_int_equal(
                net_do(t.n, &(struct net_request){ .url = arena_fmt(&t.a, "https://127.0.0.1:%u/", world.fake.port) },
                       &t.a, &t.got, &t.e),
                -ERR_NET);
        assert_cause(&t, "no secure connection");
        end(&t);
        setenv("PIP_PROXY", "http://127.0.0.2:1", 1);
        begin_with(&t, &(struct net_opts){ .tries = 2 });
        unsetenv("PIP_PROXY");
        assert_int_equal(get(&t, "/_echo"), -ERR_NET);
        assert_cause(&t, "the proxy cannot be used: 127.0.0.2: Connection refused");
        end(&t);
        begin_with(&t, &(struct net_opts){ .offline = true });
        assert_int_equal(get(&t, "/_echo"), -ERR_OFFLINE);
        assert_cause(&t, "/_echo' is not here");
        assert_int_equal(net_count(t.n), 0);
        end(&t);
}

static int set_up(void **state)
{
        static const char *const more[] = { "--set", "truncate=/_bytes/50001:3;/_bytes/50002:1;/_bytes/50003", NULL };

        (void)state;
        unsetenv("http_proxy");
        unsetenv("HTTP_PROXY");
        return fake_start(&world.fake, more);
}

static int tear_down(void **state)
{
        (void)state;
        fake_stop(&world.fake);
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_body_and_its_headers),
                cmocka_unit_test(ranges),
                cmocka_unit_test(tries_again_until_it_works),
                cmocka_unit_test(waits_as_long_as_the_server_says),
                cmocka_unit_test(redirects_lose_secrets_on_the_way_to_another_host),
                cmocka_unit_test(redirects_end),
                cmocka_unit_test(netrc_logs_in),
                cmocka_unit_test(a_broken_body_is_resumed),
                cmocka_unit_test(ceilings),
                cmocka_unit_test(many_at_once_in_any_order),
                cmocka_unit_test(progress_is_told),
                cmocka_unit_test(cancelled_soon),
                cmocka_unit_test(silence_ends_a_try),
                cmocka_unit_test(ca_files),
                cmocka_unit_test(errors_teach_and_hide_secrets),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
