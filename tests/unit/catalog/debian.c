#include "catalog/debian_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

#define PKG(name, version, rest)                                                                                       \
        "Package: " name "\nVersion: " version "\nArchitecture: amd64\nFilename: pool/" name ".deb\nSize: 1\n"         \
        "SHA256: 0000000000000000000000000000000000000000000000000000000000000001\n" rest "\n"

static const char suite_main[] = PKG("app", "1.0-1", "Depends: lib1 (>= 1.0), mta | mail-agent\nPre-Depends: base\n")
        PKG("base", "12", "") PKG("exim", "4", "Provides: mail-agent\nConflicts: mail-agent\nPriority: standard\n") PKG(
                "postfix", "3", "Provides: mail-agent (= 2)\nConflicts: mail-agent\n") PKG("lib1", "1.0-1",
                                                                                           "Breaks: old (<< 2)\n")
                PKG("old", "1", "") PKG("old", "2", "") PKG("wants-versioned", "1", "Depends: mail-agent (>= 2)\n")
                        PKG("wants-any", "1", "Depends: py:any\n") PKG("wants-any-lib", "1", "Depends: lib1:any\n")
                                PKG("py", "3.13", "Multi-Arch: allowed\nProvides: py-virtual\n") PKG(
                                        "wants-any-virtual", "1", "Depends: py-virtual:any\n") PKG("enemy", "1",
                                                                                                   "Conflicts: lib1\n")
                                        PKG("arm", "1",
                                            "Depends: base [amd64 arm64], nothing [!amd64], nothing [i386] <!cross>\n");
static const char suite_security[] =
        PKG("lib1", "1.0-1+deb13u1", "Breaks: old (<< 2)\n") PKG("base", "12", "Section: from-security\n");

/* wants, comma-separated, and who is picked, or "!" */
static const struct {
        const char *want, *picks;
} rows[] = {
        { "app",
          "app 1.0-1, base 12, exim 4, lib1 1.0-1+deb13u1" }, /* standard before optional, newest of both suites */
        { "postfix, app",
          "app 1.0-1, base 12, lib1 1.0-1+deb13u1, postfix 3" }, /* a term that holds already is enough */
        { "app, postfix", "app 1.0-1, base 12, lib1 1.0-1+deb13u1, postfix 3" },
        { "exim, postfix", "!" },
        { "wants-versioned", "postfix 3, wants-versioned 1" }, /* exim's Provides has no version */
        { "wants-versioned, exim", "!" },
        { "wants-any", "py 3.13, wants-any 1" },
        { "wants-any-lib", "!" }, /* not Multi-Arch: allowed */
        { "wants-any-virtual", "py 3.13, wants-any-virtual 1" },
        { "lib1, old", "lib1 1.0-1+deb13u1, old 2" },
        { "lib1 (= 1.0-1), old", "lib1 1.0-1, old 2" },
        { "lib1, old (= 1)", "!" },
        { "app, enemy", "!" },
        { "arm", "arm 1, base 12" },
        { "mail-agent", "exim 4" },
        { "lib2", "!" },
};

static struct catalog_debian *open_rows(struct arena *a)
{
        AUTO(err_done) struct err e = { 0 };
        const struct debian_text v[] = { { sv_from(suite_main), 0 }, { sv_from(suite_security), 1 } };
        struct debian_index x;

        assert_int_equal(debian_index_make(a, v, 2, SV("amd64"), &x, &e), 0);
        return debian_over(&x, SV("amd64"));
}

static size_t split_wants(sv text, sv *v)
{
        size_t n = 0;
        sv one;

        while (sv_cut(&text, ',', &one))
                v[n++] = sv_trim(one);
        return n;
}

static int solve(struct catalog_debian *d, const char *want, struct arena *a, struct artifact **ret, size_t *ret_n,
                 struct err *e)
{
        sv text[8], at[8];
        struct resolve_want *w;
        struct resolution *r = NULL;
        size_t n = split_wants(sv_from(want), text), n_want;

        for (size_t i = 0; i < n; i++)
                at[i] = SV("env.yml:3:1");
        if (debian_wants(d, text, at, n, NULL, 0, a, &w, &n_want, e) < 0 ||
            resolve(debian_catalog(d), w, n_want, &(struct resolve_opts){ .order = ORDER_CEILING }, NULL, a, &r, e) < 0)
                return -(int)e->code;
        return debian_artifacts(d, r, a, ret, ret_n, e);
}

static void picks_are_apts(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                AUTO(buf_done) struct buf out = BUF_INIT(4096);
                struct catalog_debian *d = open_rows(&a);
                struct artifact *art = NULL;
                size_t n = 0;

                if (solve(d, rows[i].want, &a, &art, &n, &e) < 0)
                        buf_byte(&out, '!');
                for (size_t k = 0; k < n; k++)
                        buf_fmt(&out, "%s%.*s %.*s", k ? ", " : "", SV_ARG(art[k].name), SV_ARG(art[k].version));
                if (strcmp(out.p, rows[i].picks) != 0)
                        bad++, print_error("row %zu: %s gives %s (%s)\n", i, rows[i].want, out.p,
                                           e.cause ? e.cause : "");
                catalog_free(debian_catalog(d));
        }
        assert_int_equal(bad, 0);
}

static void artifacts_say_who_asked(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct catalog_debian *d = open_rows(&a);
        struct artifact *art = NULL;
        struct resolve_want *w;
        size_t n = 0, n_want;

        (void)state;
        assert_int_equal(solve(d, "app", &a, &art, &n, &e), 0);
        assert_true(sv_is(art[0].by[0], "env.yml: app")); /* without line numbers */
        assert_int_equal(art[0].n_needs, 3);
        assert_true(sv_is(art[0].needs[0], "base") && sv_is(art[0].needs[1], "exim") && sv_is(art[0].needs[2], "lib1"));
        assert_true(sv_is(art[3].by[0], "app 1.0-1"));
        assert_true(sv_is(art[3].url, "pool/lib1.deb"));
        art[3].version = SV("0.9");
        assert_int_equal(debian_wants(d, NULL, NULL, 0, art, n, &a, &w, &n_want, &e), -ERR_STALE);
        err_done(&e);
        assert_int_equal(debian_wants(d, &SV("not a package"), &SV("env.yml:1:1"), 1, NULL, 0, &a, &w, &n_want, &e),
                         -ERR_USAGE);
        catalog_free(debian_catalog(d));
}

static void near_names_are_found(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        const struct debian_text v = { sv_from(suite_main), 0 };
        struct debian_index x;

        (void)state;
        assert_int_equal(debian_index_make(&a, &v, 1, SV("amd64"), &x, &e), 0);
        assert_true(sv_is(debian_index_near(&x, SV("postfx")), "postfix"));
        assert_int_equal(debian_index_near(&x, SV("quite-another")).n, 0);
        assert_int_equal(
                debian_index_make(&a, &(struct debian_text){ SV("Package: X\nVersion: 1\nArchitecture: all\n"), 0 }, 1,
                                  SV("amd64"), &x, &e),
                -ERR_INTEGRITY);
}

#define BEGIN "-----BEGIN PGP SIGNED MESSAGE-----\n"
#define SIG   "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
static const struct {
        const char *text, *is; /* NULL: refused */
} sign_rows[] = {
        { BEGIN "Hash: SHA256\n\na\n b \n" SIG, "a\n b" },
        { BEGIN "\n- -----BEGIN x\n\nb\n" SIG, "-----BEGIN x\n\nb" },
        { "x\n" BEGIN "\na\n" SIG, NULL },
        { BEGIN "Comment: x\n\na\n" SIG, NULL },
        { BEGIN "\n-a\n" SIG, NULL },
        { BEGIN "\na\n", NULL },
        { BEGIN "\na\n" SIG "more\n", NULL },
        { BEGIN "\na\n-----BEGIN PGP SIGNATURE-----\nabc\n", NULL },
        { "", NULL },
};

static void signed_texts_are_narrow(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(sign_rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                sv text = { 0 }, sig = { 0 };
                int r = debian_clearsign_split(sv_from(sign_rows[i].text), &a, &text, &sig, &e);

                if ((r == 0) != (sign_rows[i].is != NULL) ||
                    (r == 0 && (!sv_is(text, sign_rows[i].is) || !sv_is(sig, SIG))))
                        bad++, print_error("row %zu: %d '%.*s' '%.*s'\n", i, r, SV_ARG(text), SV_ARG(sig));
        }
        assert_int_equal(bad, 0);
}

static void release_files_are_read(void **state)
{
        static const char text[] =
                "Suite: stable\nCodename: trixie\nDate: Sat, 21 Nov 2026 09:15:44 UTC\nAcquire-By-Hash: yes\nSHA256:\n"
                " 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a 2 main/binary-amd64/Packages\n"
                " 0000000000000000000000000000000000000000000000000000000000000002        7 a\n";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct debian_release r;

        (void)state;
        assert_int_equal(debian_release_parse(&a, sv_from(text), &r, &e), 0);
        assert_true(r.by_hash && r.date == 1795252544 && r.valid_until == 0 && r.n_file == 2);
        assert_int_equal(debian_release_find(&r, SV("a"))->size, 7);
        assert_null(debian_release_find(&r, SV("b")));
        assert_int_equal(debian_release_parse(&a, SV("Suite: x\n"), &r, &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(
                debian_release_parse(&a, SV("Date: Sat, 21 Nov 2026 09:15:44 UTC\nSHA256:\n 12 3 x\n"), &r, &e),
                -ERR_INTEGRITY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(picks_are_apts),         cmocka_unit_test(artifacts_say_who_asked),
                cmocka_unit_test(near_names_are_found),   cmocka_unit_test(signed_texts_are_narrow),
                cmocka_unit_test(release_files_are_read),
        };
        return cmocka_run_group_tests_name("debian catalog", tests, NULL, NULL);
}
