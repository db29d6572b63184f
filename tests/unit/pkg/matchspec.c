#include "pkg/matchspec.h"

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static const struct conda_channel_settings settings = { .cwd = { "/work", 5 }, .home = { "/home/me", 8 } };

static sv text_of(struct arena *a, const struct matchspec *m)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 16);

        matchspec_write(m, &b);
        return arena_sv(a, buf_sv(&b));
}

static void text_rows(void **state)
{
        static const struct {
                const char *spec, *text;
        } rows[] = {
                { "NumPy", "numpy" },
                { "numpy=", "numpy" },
                { "numpy # why", "numpy" },
                { "numpy if python >=3", "numpy" },
                { "numpy 1.26", "numpy==1.26" },
                { "numpy=1.26", "numpy=1.26" },
                { "numpy =1.26", "numpy=1.26" },
                { "numpy==1.26", "numpy==1.26" },
                { "numpy===1.26", "numpy==1.26" },
                { "numpy 1.26.*", "numpy=1.26" },
                { "numpy ==1.26.*", "numpy=1.26" },
                { "numpy *", "numpy" },
                { "numpy>=1.20,<2", "numpy[version='>=1.20,<2']" },
                { "numpy >= 1.20, < 2", "numpy[version='>=1.20,<2']" },
                { "numpy !=1.5", "numpy!=1.5" },
                { "numpy ~=1.5", "numpy~=1.5" },
                { "numpy 1.26 py312_0", "numpy==1.26=py312_0" },
                { "numpy=1.26=py312_0", "numpy==1.26=py312_0" },
                { "numpy==1.26 py312_0", "numpy==1.26=py312_0" },
                { "numpy 1.26.* py312_0", "numpy=1.26[build=py312_0]" },
                { "numpy=*=py3*", "numpy[build=py3*]" },
                { "numpy!=1.10=py38_0", "numpy[version='!=1.10',build=py38_0]" },
                { "numpy >=1.0 , < 2.0 =py34_0", "numpy[version='>=1.0,<2.0',build=py34_0]" },
                { "conda-forge::numpy", "conda-forge::numpy" },
                { "conda-forge/linux-64::numpy 1", "conda-forge/linux-64::numpy==1" },
                { "conda-forge:ns:numpy", "conda-forge::numpy" },
                { "https://conda.anaconda.org/t/secret/conda-forge::numpy", "conda-forge::numpy" },
                { "https://u:p@corp.example/chan::numpy", "https://corp.example/chan::numpy" },
                { "defaults::numpy", "defaults::numpy" },
                { "pkgs/main::numpy", "defaults::numpy" },
                { "https://corp.example/pkgs/main::numpy", "https://corp.example/pkgs/main::numpy" },
                { "*/win-64::numpy", "numpy[subdir=win-64]" },
                { "conda-*::numpy", "numpy[channel=conda-*]" },
                { "a::numpy[channel=b/noarch,subdir=linux-64]", "b/linux-64::numpy" },
                { "numpy[version=1.7, build='py*']", "numpy==1.7[build=py*]" },
                { "numpy 1.5 [version=\"=1.7\"]", "numpy=1.7" },
                { "numpy[name=evil]", "numpy" },
                { "numpy[build_number=007]", "numpy[build_number=7]" },
                { "numpy[build_number='>=2',license=MIT,md5=AB]", "numpy[build_number='>=2',md5=ab,license=mit]" },
                { "numpy[track_features='mkl,debug,mkl']", "numpy[track_features='debug mkl']" },
                { "numpy[fn='a b.conda', url=x]", "numpy[url=x]" },
                { "numpy(optional)", "numpy" },
                { "numpy[default]", "numpy" },
                { "mkl@", "*[track_features=mkl]" },
                { "^py.*$ 3.*", "^py.*$=3" },
                { "https://conda.anaconda.org/conda-forge/linux-64/x264-1%21164-h1_2.conda",
                  "conda-forge/linux-64::x264==1!164=h1_2" },
                { "https://u:p@corp.example/t/tok/c/noarch/a-1-0.conda", "https://corp.example/c/noarch::a==1=0" },
                { "./a-1-0.conda", "*[url=file:///work/a-1-0.conda]" },
                { "__glibc >=2.17", "__glibc[version='>=2.17']" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct matchspec m;
                sv why = { 0 };
                bool ok = matchspec_parse(&a, sv_from(rows[i].spec), &settings, &m, &why, NULL);

                if (!ok || !sv_is(text_of(&a, &m), rows[i].text))
                        bad++, print_error("row %zu: %s: %s\n", i, rows[i].spec, ok ? text_of(&a, &m).p : why.p);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refused_rows(void **state)
{
        static const struct {
                const char *spec, *why;
                size_t at;
        } rows[] = {
                { "", "a package's name is missing", 0 },
                { ">=1", "a package's name is missing before '>=1'", 0 },
                { "numpy>", "'>' has no version after it", 5 },
                { "numpy =>1.2", "there is no operator '=>'", 6 },
                { "numpy >=  1.2", "'>=' and what follows it belong together: write '>=1.2'", 6 },
                { "numpy (optional) (optional)", "there is more than one pair of parentheses", 0 },
                { "numpy (>=1.2)", "a version in parentheses goes into brackets: NAME[version='(>=1|<0.5),!=2']", 6 },
                { "numpy 1..2", "'1..2' is not a version: a part between two separators is empty", 6 },
                { "numpy[vresion=1]",
                  "there is no 'vresion': a match spec has channel, subdir, version, build, build_number, url, fn, "
                  "md5, sha256, "
                  "license, license_family, track_features",
                  6 },
                { "numpy[build=]", "'build' has no value in the brackets", 6 },
                { "numpy[when='__win']", "'when' in a match spec is not supported yet", 6 },
                { "numpy[build=0", "a match spec has one pair of brackets, closed at its end", 0 },
                { "numpy[build_number=x]",
                  "'x' is not a build number: write a number, or one after < <= > >= != ==", 19 },
                { "num--py", "'num--py' is not a package's name: letters, digits and single - _ .", 0 },
                { "conda-forge/numpy",
                  "'conda-forge/numpy' is not a package's name: a channel goes before '::', as in CHANNEL::NAME", 0 },
                { "num\tpy", "a match spec holds no control characters: no tabs, no line ends", 3 },
                { "a b::numpy", "a channel's name or URL has no blanks and no control characters", 0 },
                { "local::numpy", "'local' means conda-build's folder: write its path", 0 },
                { "numpy >=1:2", "'numpy >=1' before ':' is no namespace: write CHANNEL::NAME", 0 },
                { "https://h/c/noarch/a-1.conda", "'a-1.conda' is not a package's file name: NAME-VERSION-BUILD.conda",
                  0 },
                { "^py[$", "a match spec has one pair of brackets, closed at its end", 0 },
                { "^(py$", "'^(py$' cannot be used: '(' has no ')'", 0 },
                { "^py{2}*$", "'^py{2}*$' cannot be used: it repeats a repetition", 0 },
                { "num py,", "a version is missing", 4 },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct matchspec m;
                sv why = { 0 };
                size_t at = 99;

                if (matchspec_parse(&a, sv_from(rows[i].spec), &settings, &m, &why, &at) || !sv_is(why, rows[i].why) ||
                    at != rows[i].at)
                        bad++, print_error("row %zu: %s at %zu: %.*s\n", i, rows[i].spec, at, SV_ARG(why));
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void match_rows(void **state)
{
        static const struct {
                const char *spec;
                bool yes;
        } rows[] = {
                { "numpy", true },
                { "NUMPY", true },
                { "num*", true },
                { "^nu.+y$", true },
                { "^nu$", false },
                { "scipy", false },
                { "*", true },
                { "numpy 1.26.4", true },
                { "numpy 1.26", false },
                { "numpy=1.26", true },
                { "numpy >=1.27", false },
                { "numpy 1.26.4 py312_0", true },
                { "numpy * py312*", true },
                { "numpy * PY312*", false }, /* builds are compared as they are written */
                { "numpy[build='^py3\\d+_0$']", true },
                { "numpy[build_number=3]", true },
                { "numpy[build_number='>3']", false },
                { "numpy[build_number='!=2']", true },
                { "numpy[build_number='<=3']", true },
                { "numpy[build_number='*']", true },
                { "conda-forge::numpy", true },
                { "https://conda.anaconda.org/conda-forge/::numpy", true },
                { "bioconda::numpy", false },
                { "defaults::numpy", false },
                { "conda-*::numpy", true },
                { "bio*::numpy", false },
                { "conda-forge/linux-64::numpy", true },
                { "*/osx-64::numpy", false },
                { "numpy[md5=000102030405060708090A0B0C0D0E0F]", true },
                { "numpy[md5=000102030405060708090a0b0c0d0e10]", false },
                { "numpy[md5=00]", false },
                { "numpy[sha256=0000000000000000000000000000000000000000000000000000000000000000]",
                  false }, /* not known */
                { "numpy[license=bsd*]", true },
                { "numpy[license=BSD-3-Clause]", true },
                { "numpy[license_family=BSD]", true },
                { "numpy[license_family=MIT]", false },
                { "numpy[track_features='mkl debug']", true },
                { "numpy[track_features=mkl]", false },
                { "numpy[track_features='mkl debug x']", false },
                { "numpy[features=mkl]", false },
                { "numpy[fn=numpy-1.26.4-py312_0.conda]", true },
                { "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py312%5F0.conda", true },
                { "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py312_1.conda", false },
        };
        sv features[] = { SV("debug"), SV("mkl"), SV("debug") };
        struct conda_record r = { .fn = SV("numpy-1.26.4-py312_0.conda"),
                                  .name = SV("numpy"),
                                  .version = SV("1.26.4"),
                                  .build = SV("py312_0"),
                                  .build_number = 3,
                                  .channel = SV("https://conda.anaconda.org/conda-forge"),
                                  .subdir = SV("linux-64"),
                                  .url = SV(
                                          "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py312_0.conda"),
                                  .license = SV("BSD-3-Clause"),
                                  .license_family = SV("bsd"),
                                  .track_features = features,
                                  .n_track_features = 3,
                                  .has_md5 = true };
        struct arena a = { 0 };
        const struct conda_version *v = conda_version_parse(&a, r.version, NULL);
        struct matchspec m;
        int bad = 0;

        (void)state;
        for (unsigned char i = 0; i < 16; i++)
                r.md5[i] = i;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv why = { 0 };

                if (!matchspec_parse(&a, sv_from(rows[i].spec), &settings, &m, &why, NULL) ||
                    matchspec_has(&m, &r, v) != rows[i].yes)
                        bad++, print_error("row %zu: %s %.*s\n", i, rows[i].spec, SV_ARG(why));
        }
        assert_int_equal(bad, 0);
        /* A record whose version is none is taken by specs that ask for none. */
        assert_true(matchspec_parse(&a, SV("numpy"), NULL, &m, NULL, NULL) && matchspec_has(&m, &r, NULL));
        assert_true(matchspec_parse(&a, SV("numpy >0"), NULL, &m, NULL, NULL) && !matchspec_has(&m, &r, NULL));
        /* "defaults" is any of its members. */
        r.channel = SV("https://repo.anaconda.com/pkgs/r");
        assert_true(matchspec_parse(&a, SV("defaults::numpy"), NULL, &m, NULL, NULL) && matchspec_has(&m, &r, v));
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_rows),
                cmocka_unit_test(refused_rows),
                cmocka_unit_test(match_rows),
        };
        return cmocka_run_group_tests_name("matchspec", tests, NULL, NULL);
}
