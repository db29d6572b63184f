/* The conda catalog: against brute force; what a pick becomes in the lock; the order of linking. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/conda.h"
#include "tests/cases/conda_brute.h"
#include "tests/cases/conda_memory.h"

static void agrees_with_brute_force(void **state)
{
        int bad = 0;

        (void)state;
        for (uint64_t game = 0; game < 1500; game++) {
                uint64_t x = game * UINT64_C(2654435761) + 12345;
                uint8_t p[240];
                const char *wrong;

                for (size_t i = 0; i < sizeof(p); i++) {
                        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                        p[i] = (uint8_t)(x >> 33);
                }
                wrong = conda_brute(p, sizeof(p));
                if (wrong)
                        bad++, print_error("game %llu: %s\n", (unsigned long long)game, wrong);
        }
        assert_int_equal(bad, 0);
}

/* ---- a small channel ---- */

struct shop {
        struct arena a;
        struct conda_memory m;
        struct conda_channel channel;
        struct conda_opts o;
        struct catalog_conda *c;
};

static void shop_open(struct shop *s)
{
        *s = (struct shop){ 0 };
        s->m.a = &s->a;
        s->channel = (struct conda_channel){ .name = SV("shop"), .url = SV("https://example.test/shop") };
        s->o = (struct conda_opts){ .channel = &s->channel, .n_channel = 1, .allow_unhashed = true };
}

static struct conda_record shop_record(struct shop *s, const char *name, const char *version, const char *build)
{
        struct conda_record r = { .name = sv_from(name),
                                  .version = sv_from(version),
                                  .build = sv_from(build),
                                  .subdir = SV("noarch"),
                                  .channel = s->channel.url,
                                  .size = 5,
                                  .has_sha256 = true,
                                  .timestamp = INT64_C(1600000000123) };

        r.fn = arena_fmt(&s->a, "%s-%s-%s.conda", name, version, build);
        r.url = arena_fmt(&s->a, "https://example.test/shop/noarch/%.*s", SV_ARG(r.fn));
        memset(&r.sha256, 7, sizeof(r.sha256));
        return r;
}

static struct resolution *shop_solve(struct shop *s, struct spec *spec, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        struct resolve_opts o = { .order = ORDER_CEILING };
        struct resolve_want *want;
        struct resolution *r = NULL;
        size_t n;

        assert_int_equal(conda_open(&s->o, conda_memory_source(&s->m), NULL, &s->c, e), 0);
        assert_int_equal(conda_wants(s->c, spec->conda, spec->n_conda, &s->a, &ds, &want, &n, e), 0);
        assert_int_equal(resolve(conda_catalog(s->c), want, n, &o, NULL, &s->a, &r, e), 0);
        return r;
}

static void shop_close(struct shop *s)
{
        catalog_free(conda_catalog(s->c));
        arena_done(&s->a);
}

static void is(sv got, const char *want)
{
        AUTO(arena_done) struct arena a = { 0 };

        assert_string_equal(arena_str(&a, got), want);
}

static void picks_become_artifacts(void **state)
{
        struct shop s;
        AUTO(err_done) struct err e = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        sv needs_python = SV("python >=3.8"), limits = SV("old <1"), needs_lib = SV("lib"), virtual_ = SV("__unix");
        struct spec_text line[] = { { SV("app"), { SV("dir/env.yml"), 3, 5 } },
                                    { SV("python"), { SV("dir/env.yml"), 4, 5 } } };
        struct spec spec = { .conda = line, .n_conda = 2 };
        struct conda_virtual unix_ = { SV("__unix"), SV("0"), SV("0") };
        struct conda_record r;
        struct resolution *got;
        struct artifact *art;
        size_t n;

        (void)state;
        shop_open(&s);
        s.o.virtual_ = &unix_;
        s.o.n_virtual = 1;
        r = shop_record(&s, "app", "1.0", "pyh_0");
        r.noarch = CONDA_NOARCH_PYTHON;
        r.depends = (sv[]){ needs_python, needs_lib };
        r.n_depends = 2;
        r.constrains = &limits;
        r.n_constrains = 1;
        r.has_md5 = true;
        conda_memory_add(&s.m, &r);
        r = shop_record(&s, "lib", "2", "h_0");
        r.depends = (sv[]){ needs_python, virtual_ };
        r.n_depends = 2;
        conda_memory_add(&s.m, &r);
        r = shop_record(&s, "python", "3.9", "h_0");
        r.python_site_packages_path = SV("lib/python3.9/site-packages");
        conda_memory_add(&s.m, &r);
        got = shop_solve(&s, &spec, &e);
        assert_int_equal(conda_artifacts(s.c, &spec, got, NULL, NULL, &s.a, &ds, &art, &n, &e), 0);
        assert_int_equal(n, 3);
        is(art[0].name, "app");
        is(art[0].build, "pyh_0");
        is(art[0].noarch, "python");
        is(art[0].url, "https://example.test/shop/noarch/app-1.0-pyh_0.conda");
        is(art[0].md5, "00000000000000000000000000000000");
        assert_int_equal(art[0].uploaded, 1600000000);
        assert_int_equal(art[0].n_needs, 2);
        is(art[0].needs[0], "python >=3.8");
        is(art[0].constrains[0], "old <1");
        assert_int_equal(art[0].n_by, 1);
        is(art[0].by[0], "env.yml: app");
        is(art[2].site_packages, "lib/python3.9/site-packages");
        assert_int_equal(art[2].n_by, 3);
        is(art[2].by[0], "env.yml: python");
        is(art[2].by[1], "app 1.0");
        is(art[2].by[2], "lib 2");
        shop_close(&s);
}

/* A channel that says neither sha256 nor size: the file is read, and its md5 must be right. */
static void unsaid_is_read(void **state)
{
        static const uint8_t md5[] = { 0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76,
                                       0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92 }; /* "hello" */
        AUTO(err_done) struct err e = { 0 };
        char dir[] = "/tmp/unit-conda-XXXXXX";

        (void)state;
        assert_non_null(mkdtemp(dir));
        for (int wrong = 0; wrong < 2; wrong++) {
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(store_closep) struct store *store = NULL;
                AUTO(free_ptr) char *root = fs_path("%s/store", dir), *file = fs_path("%s/a-1-0.conda", dir);
                struct spec_text line = { SV("a"), { SV("env.yml"), 1, 1 } };
                struct spec spec = { .conda = &line, .n_conda = 1 };
                struct op op = { .jobs = 1 };
                struct shop s;
                struct resolution *got;
                struct artifact *art;
                struct conda_record r;
                size_t n;

                shop_open(&s);
                assert_int_equal(store_open(root, true, &op, &store, &e), 0);
                assert_int_equal(fs_write(file, SV("hello"), 0644, &e), 0);
                r = shop_record(&s, "a", "1", "0");
                r.url = arena_fmt(&s.a, "file://%s", file);
                r.has_sha256 = false;
                r.has_md5 = true;
                r.size = 0;
                memcpy(r.md5, md5, sizeof(md5));
                r.md5[3] ^= (uint8_t)wrong;
                conda_memory_add(&s.m, &r);
                got = shop_solve(&s, &spec, &e);
                assert_int_equal(conda_artifacts(s.c, &spec, got, NULL, store, &s.a, &ds, &art, &n, &e),
                                 wrong ? -(int)ERR_INTEGRITY : 0);
                if (!wrong) {
                        assert_int_equal(art->size, 5);
                        assert_string_equal(sha256_hex(&art->sha256).s,
                                            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
                        assert_true(store_has(store, STORE_PACKAGE, &art->sha256, NULL));
                }
                shop_close(&s);
        }
        err_done(&e);
        assert_int_equal(fs_remove(dir, &e), 0);
}

/* ---- the order of linking ---- */

static void link_order_rows(void **state)
{
        static const struct {
                const char *packages, *order; /* "name[*]:need need;…"; * is noarch python */
        } rows[] = {
                { "c:;b:c;a:b", "c b a" },
                { "c:;b:;a:", "a b c" },
                { "a*:b;b:;python:", "b python a" },
                { "pip*:python setuptools;setuptools*:python;python:pip libz;libz:", "libz python setuptools pip" },
                { "zeta*:;alpha:;python:zlib;zlib:", "alpha zlib python zeta" },
                { "a:b;b:a", "a b" },
                { "a:b;b:c;c:b;d:", "d b c a" }, /* the cycle waits for nobody; a waits for all of it */
                { "a:b c;b:a;c:d;d:c;e*:;python:e", "python e c d a b" },
                { "a:A >=1;b:conda-forge::a;c:b=1[build=x];d:c!=2", "a b c d" },
                { "a:__glibc;b:gone;c:", "a b c" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(buf_done) struct buf got = BUF_INIT(1000);
                struct artifact v[16] = { 0 };
                sv rest = sv_from(rows[i].packages), one, name, need;
                uint32_t *order;
                size_t n = 0;

                for (; sv_cut(&rest, ';', &one); n++) {
                        size_t cap = 0;
                        sv_cut(&one, ':', &name);
                        if (sv_ends(name, SV("*"))) {
                                v[n].noarch = SV("python");
                                name.n--;
                        }
                        v[n].kind = ARTIFACT_CONDA;
                        v[n].name = name;
                        while (sv_cut(&one, ' ', &need))
                                *arena_push(&a, v[n].needs, v[n].n_needs, cap) = need;
                }
                conda_link_order(v, n, &a, &order);
                for (size_t k = 0; k < n; k++)
                        buf_fmt(&got, "%s%.*s", k ? " " : "", SV_ARG(v[order[k]].name));
                if (!sv_is(buf_sv(&got), rows[i].order))
                        bad++, print_error("row %zu: %s\n", i, got.p);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(agrees_with_brute_force),
                cmocka_unit_test(picks_become_artifacts),
                cmocka_unit_test(unsaid_is_read),
                cmocka_unit_test(link_order_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
