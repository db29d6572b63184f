#include "pkg/conda_channel.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

static void channel_rows(void **state)
{
        static const struct {
                const char *text, *name, *url, *subdir, *token, *login; /* url NULL: refused */
        } rows[] = {
                { "conda-forge", "conda-forge", "https://conda.anaconda.org/conda-forge", "", "", "" },
                { "conda-forge/label/dev/linux-64", "conda-forge/label/dev",
                  "https://conda.anaconda.org/conda-forge/label/dev", "linux-64", "", "" },
                { "https://conda.anaconda.org/conda-forge/noarch/", "conda-forge",
                  "https://conda.anaconda.org/conda-forge", "noarch", "", "" },
                { "pkgs/r", "defaults", "https://repo.anaconda.com/pkgs/r", "", "", "" },
                { "pkgs/pro/label/x", "pkgs/pro/label/x", "https://repo.anaconda.com/pkgs/pro/label/x", "", "", "" },
                { "pkgs/free", "pkgs/free", "https://conda.anaconda.org/pkgs/free", "", "", "" },
                { "https://u:p@Example.org:8443/t/tok_1/chan/osx-64/a-1-0.conda", "https://example.org:8443/chan",
                  "https://example.org:8443/chan", "osx-64", "tok_1", "u:p" },
                { "https://[::1]:8080/chan", "https://[::1]:8080/chan", "https://[::1]:8080/chan", "", "", "" },
                { "http://localhost:", "http://localhost", "http://localhost", "", "", "" },
                { "/opt/t/chan", "file:///opt/t/chan", "file:///opt/t/chan", "", "", "" }, /* no token: a folder */
                { "./chan/../other", "file:///work/other", "file:///work/other", "", "", "" },
                { "../../../x", "file:///x", "file:///x", "", "", "" },
                { "~/chan/win-64", "file:///home/me/chan", "file:///home/me/chan", "win-64", "", "" },
                { "/opt/\xc3\xa9t\xc3\xa9", "file:///opt/%C3%A9t%C3%A9", "file:///opt/%C3%A9t%C3%A9", "", "", "" },
                { "/opt/a#b", "file:///opt/a%23b", "file:///opt/a%23b", "", "", "" },
                { "", NULL, NULL, NULL, NULL, NULL },
                { "a b", NULL, NULL, NULL, NULL, NULL },
                { "/", NULL, NULL, NULL, NULL, NULL },
                { "~you/x", NULL, NULL, NULL, NULL, NULL },
                { "defaults", NULL, NULL, NULL, NULL, NULL }, /* two channels */
                { "defaults/linux-64", NULL, NULL, NULL, NULL, NULL },
                { "local", NULL, NULL, NULL, NULL, NULL },
                { "<unknown>", NULL, NULL, NULL, NULL, NULL },
                { "https://", NULL, NULL, NULL, NULL, NULL },
                { "https://h:x/y", NULL, NULL, NULL, NULL, NULL },
                { "HTTPS://h/y", NULL, NULL, NULL, NULL, NULL },
                { "name?x", NULL, NULL, NULL, NULL, NULL },
        };
        const struct conda_channel_settings s = { .cwd = SV("/work"), .home = SV("/home/me") };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct conda_channel c = { 0 };
                sv why = { 0 };
                bool ok = conda_channel_parse(&a, sv_from(rows[i].text), &s, &c, &why);

                if (ok != (rows[i].url != NULL) || ok == (why.n > 0) ||
                    (ok &&
                     (!sv_is(c.name, rows[i].name) || !sv_is(c.url, rows[i].url) || !sv_is(c.subdir, rows[i].subdir) ||
                      !sv_is(c.token, rows[i].token) || !sv_is(c.login, rows[i].login))))
                        bad++, print_error("row %zu: %s: %.*s %.*s %.*s\n", i, rows[i].text, SV_ARG(c.name),
                                           SV_ARG(c.url), SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

/* Settings lead names elsewhere, and give credentials to what lies below them only. */
static void settings_rows(void **state)
{
        static const struct {
                const char *text, *name, *url, *token, *login;
        } rows[] = {
                { "conda-forge", "conda-forge", "https://repo.corp/conda/conda-forge", "", "ann:pw" },
                { "https://repo.corp/conda/bioconda/linux-64", "bioconda", "https://repo.corp/conda/bioconda", "",
                  "ann:pw" },
                { "https://conda.anaconda.org/conda-forge", "https://conda.anaconda.org/conda-forge",
                  "https://conda.anaconda.org/conda-forge", "", "" },
                { "own/label/dev", "own/label/dev", "https://own.corp/base/own/label/dev", "tk", "" },
                { "https://own.corp/base/own", "own", "https://own.corp/base/own", "tk", "" },
                { "owner", "owner", "https://repo.corp/conda/owner", "", "ann:pw" },
                { "main", "defaults", "https://repo.corp/conda/main", "", "ann:pw" },
                { "first", "all", "https://a.corp/first", "", "" },
        };
        sv own[] = { SV("https://own.corp/t/tk/base") }, all[] = { SV("https://a.corp/first"), SV("second") };
        sv defaults[] = { SV("main") };
        const struct conda_custom custom[] = { { SV("own"), own, 1 } }, multi[] = { { SV("all"), all, 2 } };
        const struct conda_channel_settings s = { .alias = SV("https://ann:pw@repo.corp/conda/"),
                                                  .defaults = defaults,
                                                  .n_defaults = 1,
                                                  .custom = custom,
                                                  .n_custom = 1,
                                                  .multi = multi,
                                                  .n_multi = 1 };
        struct arena a = { 0 };
        struct conda_channel *v;
        size_t n;
        int bad = 0;
        sv why;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct conda_channel c = { 0 };

                if (!conda_channel_parse(&a, sv_from(rows[i].text), &s, &c, &why) || !sv_is(c.name, rows[i].name) ||
                    !sv_is(c.url, rows[i].url) || !sv_is(c.token, rows[i].token) || !sv_is(c.login, rows[i].login))
                        bad++, print_error("row %zu: %s: %.*s %.*s\n", i, rows[i].text, SV_ARG(c.name), SV_ARG(c.url));
        }
        assert_int_equal(bad, 0);
        assert_true(conda_channel_expand(&a, SV("all/osx-64"), &s, &v, &n, &why));
        assert_int_equal(n, 2);
        assert_true(sv_is(v[0].url, "https://a.corp/first") && sv_is(v[0].subdir, "osx-64"));
        assert_true(sv_is(v[1].url, "https://repo.corp/conda/second") && sv_is(v[1].login, "ann:pw"));
        arena_done(&a);
}

static void defaults_are_two(void **state)
{
        struct arena a = { 0 };
        struct conda_channel *v;
        size_t n;
        sv why;

        (void)state;
        assert_true(conda_channel_expand(&a, SV("defaults"), NULL, &v, &n, &why));
        assert_int_equal(n, 2);
        assert_true(sv_is(v[0].url, "https://repo.anaconda.com/pkgs/main"));
        assert_true(sv_is(v[1].url, "https://repo.anaconda.com/pkgs/r"));
        assert_true(conda_channel_expand(&a, SV("bioconda"), NULL, &v, &n, &why));
        assert_int_equal(n, 1);
        assert_false(conda_channel_expand(&a, SV("a b"), NULL, &v, &n, &why));
        arena_done(&a);
}

static void platforms(void **state)
{
        (void)state;
        assert_true(conda_subdir_known(SV("linux-64")) && conda_subdir_known(SV("noarch")));
        assert_false(conda_subdir_known(SV("linux-65")));
        assert_true(sv_is(conda_subdir_of(SV("linux/amd64")), "linux-64"));
        assert_true(sv_is(conda_subdir_of(SV("linux/arm64/v8")), "linux-aarch64"));
        assert_int_equal(conda_subdir_of(SV("")).n, 0);
        assert_int_equal(conda_subdir_of(SV("plan9/amd64")).n, 0);
        assert_true(sv_is(conda_platform_of(SV("linux-ppc64le")), "linux/ppc64le"));
        assert_int_equal(conda_platform_of(SV("noarch")).n, 0);
}

static void file_names(void **state)
{
        static const struct {
                const char *fn, *name, *version, *build; /* name NULL: none */
        } rows[] = {
                { "numpy-1.26.4-py312_0.conda", "numpy", "1.26.4", "py312_0" },
                { "ca-certificates-2024.7.2-h06a4308_0.tar.bz2", "ca-certificates", "2024.7.2", "h06a4308_0" },
                { "x264-1!164.3095-h1_2.conda", "x264", "1!164.3095", "h1_2" },
                { "numpy-1.26.4.conda", NULL, NULL, NULL },
                { "-1-0.conda", NULL, NULL, NULL },
                { "a--0.conda", NULL, NULL, NULL },
                { "a-1-.conda", NULL, NULL, NULL },
                { "a-1-0.zip", NULL, NULL, NULL },
                { ".conda", NULL, NULL, NULL },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv name = { 0 }, version, build;
                bool ok = conda_filename_split(sv_from(rows[i].fn), &name, &version, &build);

                if (ok != (rows[i].name != NULL) ||
                    (ok &&
                     (!sv_is(name, rows[i].name) || !sv_is(version, rows[i].version) || !sv_is(build, rows[i].build))))
                        bad++, print_error("row %zu: %s\n", i, rows[i].fn);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(channel_rows), cmocka_unit_test(settings_rows), cmocka_unit_test(defaults_are_two),
                cmocka_unit_test(platforms),    cmocka_unit_test(file_names),
        };
        return cmocka_run_group_tests_name("conda_channel", tests, NULL, NULL);
}
