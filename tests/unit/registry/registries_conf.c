#include "registry/registries_conf.h"

#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static const char conf_text[] = "unqualified-search-registries = ['docker.io', 'quay.io']\n"
                                "short-name-mode = 'enforcing'\n"
                                "[[registry]]\n"
                                "prefix = 'docker.io'\n"
                                "location = 'hub.internal.example/cache/'\n"
                                "[[registry.mirror]]\n"
                                "location = 'm1.example:5000/hub'\n"
                                "insecure = true\n"
                                "[[registry.mirror]]\n"
                                "location = 'm2.example'\n"
                                "pull-from-mirror = 'digest-only'\n"
                                "[[registry]]\n"
                                "location = 'docker.io/library/secret'\n"
                                "blocked = true\n"
                                "[[registry]]\n"
                                "prefix = '*.corp.example'\n"
                                "insecure = true\n"
                                "[[registry]]\n"
                                "location = 'r.example'\n"
                                "mirror-by-digest-only = true\n"
                                "[[registry.mirror]]\n"
                                "location = 'm3.example/r'\n"
                                "[[registry]]\n"
                                "location = 'plain.example:5000'\n"
                                "insecure = true\n"
                                "[aliases]\n"
                                "'x' = 'y/x'\n";

static void looking_up(void **state)
{
        static const struct {
                const char *registry, *repository, *prefix, *rest; /* prefix NULL: no entry */
        } rows[] = {
                { "docker.io", "library/python", "docker.io", "/library/python" },
                { "docker.io", "library/secret", "docker.io/library/secret", "" },
                { "docker.io", "library/secret/x", "docker.io/library/secret", "/x" },
                { "docker.io", "library/secrets", "docker.io", "/library/secrets" },
                { "docker.io.example", "x", NULL, NULL },
                { "a.corp.example", "x", "*.corp.example", "/x" },
                { "a.b.corp.example", "x", "*.corp.example", "/x" },
                { "corp.example", "x", NULL, NULL },
                { "r.example", "x", "r.example", "/x" },
                { "r.example:5000", "x", NULL, NULL },
        };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct reg_conf conf = { 0 };
        int bad = 0;

        (void)state;
        assert_int_equal(reg_conf_parse(&a, SV("r.conf"), sv_from(conf_text), &conf, &e), 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct reg_repo repo = { sv_from(rows[i].registry), sv_from(rows[i].repository) };
                sv rest = { 0 };
                const struct reg_conf_entry *x = reg_conf_find(&a, &conf, &repo, &rest);

                if (rows[i].prefix ? !x || !sv_is(x->prefix, rows[i].prefix) || !sv_is(rest, rows[i].rest) : x != NULL)
                        bad++, print_error("row %zu: rest '%.*s'\n", i, SV_ARG(rest));
        }
        assert_int_equal(bad, 0);
        assert_true(reg_conf_insecure(&conf, SV("m1.example:5000")));
        assert_true(reg_conf_insecure(&conf, SV("plain.example:5000")));
        assert_true(reg_conf_insecure(&conf, SV("x.corp.example")));
        assert_false(reg_conf_insecure(&conf, SV("m2.example")));
        assert_false(reg_conf_insecure(&conf, SV("docker.io")));
        assert_false(reg_conf_insecure(&conf, SV("plain.example")));
        assert_true(sv_is(conf.v[0].location, "hub.internal.example/cache"));
        assert_int_equal(conf.v[0].mirror[0].use, REG_MIRROR_ALL);
        assert_int_equal(conf.v[0].mirror[1].use, REG_MIRROR_DIGEST);
        assert_int_equal(conf.v[3].mirror[0].use, REG_MIRROR_DIGEST);
}

/* A drop-in's entry takes the place of one with the same prefix. */
static void drop_ins(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct reg_conf conf = { 0 };

        (void)state;
        assert_int_equal(reg_conf_parse(&a, SV("r.conf"), sv_from(conf_text), &conf, &e), 0);
        assert_int_equal(reg_conf_parse(&a, SV("d.conf"), SV("[[registry]]\nlocation = 'docker.io'\n"), &conf, &e), 0);
        assert_int_equal(conf.n, 5);
        assert_int_equal(conf.v[0].n_mirror, 0);
        assert_true(sv_is(conf.v[0].file, "d.conf"));
        assert_int_equal(conf.v[0].line, 1);
}

static void faults(void **state)
{
        static const struct {
                const char *text, *cause;
        } rows[] = {
                { "[[registry]\n", "r.conf:1:" },
                { "[registries.search]\nregistries = []\n", "r.conf:1:2: [registries] is of version 1" },
                { "[registry]\nlocation='x'\n", "r.conf:1:2: registry is written [[registry]]" },
                { "[[registry]]\n", "r.conf:1:3: a registry needs a prefix or a location" },
                { "[[registry]]\nlocation = 'https://x'\n", "r.conf:2:12: location is a host and a path, not a URL" },
                { "[[registry]]\nlocation = 'x y'\n", "r.conf:2:12: location is not a host and a path" },
                { "[[registry]]\nlocation = ''\n", "r.conf:2:12: location is not" },
                { "[[registry]]\nlocation = 7\n", "r.conf:2:12: location must be a text in quotes" },
                { "[[registry]]\nlocation='x'\ninsecure='true'\n", "r.conf:3:10: insecure must be true or false" },
                { "[[registry]]\nlocation='x'\n[[registry.mirror]]\n", "r.conf:3:" },
                { "[[registry]]\nlocation='x'\nmirror='m'\n", "r.conf:3:8: mirror is written" },
                { "[[registry]]\nlocation='x'\n[[registry.mirror]]\nlocation='m'\npull-from-mirror='some'\n",
                  "r.conf:5:18: pull-from-mirror is all" },
                { "[[registry]]\nprefix='a*b'\n", "r.conf:1:3: prefix may have its '*'" },
                { "[[registry]]\nprefix='*.a/b'\n", "r.conf:1:3: prefix may have its '*'" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct reg_conf conf = { 0 };

                if (reg_conf_parse(&a, SV("r.conf"), sv_from(rows[i].text), &conf, &e) != -ERR_USAGE ||
                    strncmp(e.cause, rows[i].cause, strlen(rows[i].cause)) != 0)
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "taken");
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(looking_up), cmocka_unit_test(drop_ins),
                                            cmocka_unit_test(faults) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
