#include "registry/address.h"

#include "registry/client_priv.h"
#include "tests/unit/unit.h"

static void which_hosts(void **state)
{
        static const struct {
                const char *host;
                bool loopback, private;
        } rows[] = {
                { "localhost", true, true },
                { "LocalHost", true, true },
                { "a.localhost", true, true },
                { "127.0.0.1", true, true },
                { "127.1.2.3", true, true },
                { "::1", true, true },
                { "[::1]", false, true },
                { "127.1", false, true },
                { "127.0.0.1.example.com", false, false },
                { "127.0.0.256", false, false },
                { "localhost.example.com", false, false },
                { "notlocalhost", false, false },
                { "2130706433", false, true }, /* what inet_aton takes goes there */
                { "0x7f000001", false, true },
                { "0177.0.0.1", false, true },
                { "127.0.0.1.", false, true },
                { "0.0.0.0", false, true },
                { "10.1.2.3", false, true },
                { "172.15.0.1", false, false },
                { "172.16.0.1", false, true },
                { "172.31.255.255", false, true },
                { "172.32.0.1", false, false },
                { "192.168.0.1", false, true },
                { "169.254.169.254", false, true },
                { "100.64.0.1", false, true },
                { "100.63.0.1", false, false },
                { "8.8.8.8", false, false },
                { "[fe80::1]", false, true },
                { "[fe80::1%eth0]", false, true },
                { "[fd00:ec2::254]", false, true },
                { "[::ffff:10.0.0.1]", false, true },
                { "[::ffff:8.8.8.8]", false, false },
                { "[64:ff9b::a00:1]", false, true },
                { "[2002:7f00:1::]", false, true },
                { "[::]", false, true },
                { "[2001:db8::1]", false, false },
                { "registry.example.com", false, false },
                { "", false, false },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv host = sv_from(rows[i].host);

                if (address_is_loopback(host) != rows[i].loopback || address_is_private(host) != rows[i].private)
                        bad++, print_error("'%s'\n", rows[i].host);
        }
        assert_int_equal(bad, 0);
        assert_true(sv_is(address_host(SV("h:5000")), "h"));
        assert_true(sv_is(address_host(SV("[::1]:5000")), "::1"));
}

/* Where a registry may send us. */
static void which_urls(void **state)
{
        static const struct {
                const char *origin, *url;
                bool taken;
        } rows[] = {
                { "https://r.example.com", "https://auth.example.com/token", true },
                { "https://r.example.com", "http://auth.example.com/token", false },
                { "https://r.example.com", "http://r.example.com/token", false },
                { "http://r.example.com", "http://auth.example.com/token",
                  true }, /* the user said so for the registry */
                { "https://r.example.com", "https://10.0.0.1/token", false },
                { "https://r.example.com", "https://169.254.169.254/latest", false },
                { "https://r.example.com", "https://localhost/token", false },
                { "https://r.example.com", "https://0x7f.1/token", false },
                { "https://r.example.com", "https://[::ffff:127.0.0.1]/token", false },
                { "https://10.0.0.1:5000", "https://10.0.0.1/token", true },
                { "https://10.0.0.1:5000", "https://10.0.0.2/token", false },
                { "http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true },
                { "http://localhost:5000", "http://127.0.0.1:5001/token", true },
                { "http://127.0.0.1:5000", "http://localhost:5001/token", true },
                { "http://[::1]:5000", "http://localhost:5001/token", true },
                { "http://127.0.0.1:5000", "http://127.0.0.2:5001/token", false },
                { "http://127.0.0.1:5000", "http://[::1]:5001/token", false },
                { "http://127.0.0.1:5000", "http://10.0.0.1/token", false },
                { "http://127.0.0.1:5000", "https://auth.example.com/token", true },
                { "https://r.example.com", "https://user:pw@auth.example.com/token", false },
                { "https://r.example.com", "file:///etc/passwd", false },
                { "https://r.example.com", "ftp://auth.example.com/", false },
                { "https://r.example.com", "/token", false },
                { "https://r.example.com", "https://good.example.com\\@10.0.0.1/", false },
                { "https://r.example.com", "https:///token", false },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if ((reg_url_refused(sv_from(rows[i].origin), sv_from(rows[i].url)) == NULL) != rows[i].taken)
                        bad++, print_error("row %zu: %s\n", i, rows[i].url);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(which_hosts), cmocka_unit_test(which_urls) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
