/* What a channel does not say of a package is asked of its server: with the channel's token, of mirrors in their order. */
#include "catalog/conda.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "net/net.h"
#include "tests/cases/conda_memory.h"
#include "tests/unit/fake.h"
#include "tests/unit/unit.h"

static struct fake server;
static char site[] = "/tmp/envbuild-lock-XXXXXX";
static const char HELLO[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; /* sha256 of "hello" */

static int set_up(void **state)
{
        const char *more[] = { site, NULL };

        (void)state;
        unsetenv("http_proxy");
        unsetenv("HTTP_PROXY");
        return mkdtemp(site) ? fake_start(&server, more) : -1;
}

static int tear_down(void **state)
{
        struct err e = { 0 };

        (void)state;
        fake_stop(&server);
        return fs_remove(site, &e);
}

static void put(const char *path, sv text)
{
        AUTO(free_ptr) char *full = fs_path("%s/%s", site, path), *folder = fs_path("%s/%s", site, path);
        struct err e = { 0 };

        *strrchr(folder, '/') = '\0';
        assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
        assert_int_equal(fs_write(full, text, 0644, &e), 0);
}

struct row {
        const char *at; /* where the file is served; NULL: nowhere */
        const char *token, *mirror;
        bool hashed, sized;
        int want;
};

static int ask(const struct row *row, struct conda_record *r, struct conda_opts *o, struct arena *a,
               struct artifact **ret, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(net_freep) struct net *net = NULL;
        AUTO(store_closep) struct store *store = NULL;
        AUTO(free_ptr) char *root =
                fs_path("%s/store-%s-%d%d", site, row->mirror ? row->mirror : "x", row->hashed, row->sized);
        struct conda_memory m = { .a = a };
        struct spec_text line = { SV("a"), { SV("env.yml"), 1, 1 } };
        struct spec spec = { .conda = &line, .n_conda = 1 };
        struct resolve_opts order = { .order = ORDER_CEILING };
        struct op op = { .jobs = 1 };
        struct catalog_conda *c;
        struct resolve_want *want;
        struct resolution *got;
        size_t n;
        int result;

        conda_memory_add(&m, r);
        assert_int_equal(net_new(&(struct net_opts){ .tries = 1 }, &op, &net, e), 0);
        assert_int_equal(store_open(root, true, &op, &store, e), 0);
        assert_int_equal(conda_open(o, conda_memory_source(&m), NULL, &c, e), 0);
        assert_int_equal(conda_wants(c, &line, 1, a, &ds, &want, &n, e), 0);
        assert_int_equal(resolve(conda_catalog(c), want, n, &order, NULL, a, &got, e), 0);
        result = conda_artifacts(c, &spec, got, net, store, a, &ds, ret, &n, e);
        catalog_free(conda_catalog(c));
        return result;
}

static bool row_holds(const struct row *row)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv base = arena_fmt(&a, "http://127.0.0.1:%u", server.port);
        struct conda_channel channel = { .name = SV("shop"),
                                         .url = arena_fmt(&a, "%.*s/shop", SV_ARG(base)),
                                         .token = sv_from(row->token) };
        struct conda_mirror mirror[] = { { channel.url,
                                           arena_fmt(&a, "%.*s/%s", SV_ARG(base), row->mirror ? row->mirror : "") },
                                         { channel.url, channel.url } };
        struct conda_opts o = { .channel = &channel,
                                .n_channel = 1,
                                .allow_unhashed = true,
                                .mirror = mirror,
                                .n_mirror = row->mirror ? 2 : 0 };
        struct conda_record r = { .name = SV("a"),
                                  .version = SV("1"),
                                  .build = SV("0"),
                                  .fn = SV("a-1-0.conda"),
                                  .subdir = SV("noarch"),
                                  .channel = channel.url,
                                  .url = arena_fmt(&a, "%.*s/noarch/a-1-0.conda", SV_ARG(channel.url)),
                                  .has_sha256 = row->hashed,
                                  .size = row->sized ? 5 : 0 };
        struct artifact *art = NULL;
        int got;

        assert_true(sha256_read(sv_from(HELLO), &r.sha256));
        if (row->at)
                put(row->at, SV("hello"));
        assert_int_equal(fake_set(&server, row->token ? "token=secret" : NULL), 0);
        got = ask(row, &r, &o, &a, &art, &e);
        if (row->at) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", site, row->at);
                struct err ignored = { 0 };
                fs_remove(path, &ignored);
        }
        if (got != row->want) {
                print_error("%d: %s\n", got, e.cause ? e.cause : "");
                return false;
        }
        return got < 0 || (art->size == 5 && !strcmp(sha256_hex(&art->sha256).s, HELLO) && sv_eq(art->url, r.url));
}

static void unsaid_is_asked(void **state)
{
        static const struct row rows[] = {
                { "shop/noarch/a-1-0.conda", NULL, NULL, true, false, 0 },
                { "shop/noarch/a-1-0.conda", NULL, NULL, false, true, 0 },
                { "shop/noarch/a-1-0.conda", NULL, NULL, false, false, 0 },
                { "shop/noarch/a-1-0.conda", "secret", NULL, true, false, 0 },
                { "shop/noarch/a-1-0.conda", "secret", NULL, false, false, 0 },
                { "mirror/noarch/a-1-0.conda", NULL, "mirror", true, false, 0 },
                { "shop/noarch/a-1-0.conda", NULL, "empty", false, false, 0 },
                { "shop/noarch/a-1-0.conda", NULL, "gone", true, false, 0 },
                { NULL, NULL, NULL, true, false, -ERR_NOT_FOUND },
                { NULL, NULL, NULL, true, true, 0 }, /* nothing to ask */
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (!row_holds(&rows[i]))
                        bad++, print_error("row %zu\n", i);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(unsaid_is_asked) };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
