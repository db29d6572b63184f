#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "net/net_priv.h"
#include "tests/unit/fake.h"
#include "tests/unit/unit.h"

/* Two servers with a certificate that nobody knows; one wants to know the client's. */
static struct world {
        char dir[32];
        struct fake plain, asking;
} world = { .dir = "/tmp/eb-tls-XXXXXX" };

struct test {
        struct op op;
        struct net *n;
        struct arena a;
        struct net_answer got;
        struct err e;
};

static void begin(struct test *t, const struct net_opts *o)
{
        *t = (struct test){ .op = { .jobs = 1 } };
        assert_int_equal(net_new_over(o, &t->op, NULL, 1, &t->n, &t->e), 0);
}

static void end(struct test *t)
{
        net_free(t->n);
        arena_done(&t->a);
        err_done(&t->e);
}

static const char *path_of(struct test *t, const char *name)
{
        return arena_fmt(&t->a, "%s/%s", world.dir, name).p;
}

static sv pem(struct test *t, const char *name)
{
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 20);

        assert_int_equal(fs_read(path_of(t, name), &text, &t->e), 0);
        return arena_sv(&t->a, buf_sv(&text));
}

static void trust(struct test *t, const struct fake *f, struct net_tls tls)
{
        tls.host = arena_fmt(&t->a, "127.0.0.1:%u", f->port);
        net_tls_add(t->n, &tls);
}
#define TRUST(t, f, ...) trust((t), (f), (struct net_tls){ __VA_ARGS__ })

static int get(struct test *t, const struct fake *f, const char *path)
{
        err_done(&t->e);
        return net_do(t->n,
                      &(struct net_request){ .url = arena_fmt(&t->a, "https://127.0.0.1:%u%s", f->port, path),
                                             .anonymous = true },
                      &t->a, &t->got, &t->e);
}

static void assert_cause(struct test *t, const char *part)
{
        if (!t->e.cause || !strstr(t->e.cause, part))
                fail_msg("'%s' does not say '%s'", t->e.cause ? t->e.cause : "", part);
}

/* The server's number of the connection that the last answer came over. */
static sv connection(const struct test *t)
{
        return sv_skip(t->got.body, (size_t)sv_find_sv(t->got.body, SV("connection: ")));
}

/* The last word about a host holds, also for connections that stand already. */
static void each_host_is_trusted_in_its_own_way(void **state)
{
        struct test t;
        sv before;

        (void)state;
        begin(&t, &(struct net_opts){ .timeout_ms = 5000 });
        assert_int_equal(get(&t, &world.plain, "/echo"), -ERR_NET);
        assert_cause(&t, "is not trusted");
        assert_non_null(strstr(t.e.hint, "certs.d"));
        assert_int_equal(net_count(t.n), 1);                   /* no second try */
        TRUST(&t, &world.asking, .ca_pem = pem(&t, "ca.crt")); /* another port */
        assert_int_equal(get(&t, &world.plain, "/echo"), -ERR_NET);
        TRUST(&t, &world.plain, .ca_pem = pem(&t, "ca.crt"));
        assert_int_equal(get(&t, &world.plain, "/echo"), 0);
        before = connection(&t);
        assert_int_equal(get(&t, &world.plain, "/echo"), 0);
        assert_true(sv_eq(connection(&t), before)); /* kept, as long as nothing differs */
        TRUST(&t, &world.plain, .ca_pem = pem(&t, "other.crt"));
        assert_int_equal(get(&t, &world.plain, "/echo"), -ERR_NET);
        assert_cause(&t, "is not trusted");
        TRUST(&t, &world.plain, .insecure = true);
        assert_int_equal(get(&t, &world.plain, "/echo"), 0);
        TRUST(&t, &world.plain, .insecure = false);
        assert_int_equal(get(&t, &world.plain, "/echo"), -ERR_NET);
        TRUST(&t, &world.plain, .ca_pem = SV("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n"));
        assert_int_equal(get(&t, &world.plain, "/echo"), -ERR_NET);
        assert_cause(&t, "the certificates to trust '127.0.0.1' by cannot be used");
        end(&t);
}

static void what_is_trusted_anyway_stays_trusted(void **state)
{
        char ca[64];
        struct test t;

        (void)state;
        begin(&t, &(struct net_opts){ .ca_file = "/of/nobody.pem" });
        TRUST(&t, &world.plain, .ca_pem = pem(&t, "ca.crt"));
        assert_int_equal(get(&t, &world.plain, "/echo"), -ERR_NET);
        assert_cause(&t, "the certificates to trust '127.0.0.1' by cannot be used: cannot read '/of/nobody.pem'");
        end(&t);
        snprintf(ca, sizeof(ca), "%s/ca.crt", world.dir);
        begin(&t, &(struct net_opts){ .ca_file = ca });
        TRUST(&t, &world.plain, .ca_pem = pem(&t, "other.crt"));
        assert_int_equal(get(&t, &world.plain, "/echo"), 0);
        end(&t);
}

static void client_certificates(void **state)
{
        struct test t;

        (void)state;
        begin(&t, &(struct net_opts){ .timeout_ms = 5000 });
        TRUST(&t, &world.asking, .ca_pem = pem(&t, "ca.crt"));
        assert_int_equal(get(&t, &world.asking, "/echo"), -ERR_NET);
        assert_cause(&t, "wants a client certificate");
        assert_int_equal(net_count(t.n), 1);
        TRUST(&t, &world.asking, .ca_pem = pem(&t, "ca.crt"), .cert = path_of(&t, "client.crt"),
              .key = path_of(&t, "client.key"));
        assert_int_equal(get(&t, &world.asking, "/echo"), 0);
        TRUST(&t, &world.asking, .ca_pem = pem(&t, "ca.crt")); /* not over the connection that stands */
        assert_int_equal(get(&t, &world.asking, "/echo"), -ERR_NET);
        TRUST(&t, &world.asking, .ca_pem = pem(&t, "ca.crt"), .cert = path_of(&t, "none.crt"),
              .key = path_of(&t, "none.key"));
        assert_int_equal(get(&t, &world.asking, "/echo"), -ERR_NET);
        assert_cause(&t, "none.crt' is of no use");
        TRUST(&t, &world.asking, .ca_pem = pem(&t, "ca.crt"), .cert = path_of(&t, "other.crt"),
              .key = path_of(&t, "other.key"));
        assert_int_equal(get(&t, &world.asking, "/echo"), -ERR_NET);
        assert_cause(&t, "other.crt' is of no use");
        end(&t);
}

static int64_t zeros(void *arg, uint64_t place, void *p, size_t n, struct err *e)
{
        (void)arg, (void)place, (void)e;
        memset(p, 0, n);
        return (int64_t)n;
}

static void bodies_over_tls(void **state)
{
        struct net_source body = { 6000000, zeros, NULL };
        struct net_request r = { .method = NET_PUT, .body = &body };
        struct test t;

        (void)state;
        begin(&t, &(struct net_opts){ .timeout_ms = 5000 });
        TRUST(&t, &world.plain, .ca_pem = pem(&t, "ca.crt"));
        r.url = arena_fmt(&t.a, "https://127.0.0.1:%u/echo", world.plain.port);
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_true(sv_find_sv(t.got.body, SV("body: 6000000 ")) > 0);
        assert_int_equal(t.got.sent, 6000000);
        r.url = arena_fmt(&t.a, "https://127.0.0.1:%u/status/413?early", world.plain.port);
        assert_int_equal(net_do(t.n, &r, &t.a, &t.got, &t.e), 0);
        assert_int_equal(t.got.status, 413);
        end(&t);
}

static void never_from_https_to_http(void **state)
{
        struct test t;

        (void)state;
        begin(&t, &(struct net_opts){ .timeout_ms = 5000 });
        TRUST(&t, &world.plain, .insecure = true);
        assert_int_equal(get(&t, &world.plain, "/redirect/307?to=http://127.0.0.1:1/"), -ERR_NET);
        assert_cause(&t, "which is not encrypted");
        end(&t);
}

static int set_up(void **state)
{
        static const char *const names[] = { "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" };
        const char *more[] = { "--tls", world.dir, NULL, NULL };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                unsetenv(names[i]);
        if (!mkdtemp(world.dir) || fake_start(&world.plain, more) < 0)
                return -1;
        more[2] = "--client-auth";
        return fake_start(&world.asking, more);
}

static int tear_down(void **state)
{
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        fake_stop(&world.plain);
        fake_stop(&world.asking);
        return fs_remove(world.dir, &e);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_host_is_trusted_in_its_own_way),
                cmocka_unit_test(what_is_trusted_anyway_stays_trusted),
                cmocka_unit_test(client_certificates),
                cmocka_unit_test(bodies_over_tls),
                cmocka_unit_test(never_from_https_to_http),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
