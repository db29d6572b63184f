/* Locks of other tools, read as they are. */
#include "lock/import.h"

#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

#define SHA "fe51de6107f9edc7aa4f786a70f4a883943bc9d39b3bb7307c04c41410990726"
#define MD5 "d7c89558ba9fa0495403155b64376d81"

struct world {
        struct arena a;
        struct diags ds;
        struct err e;
        struct lock *l;
};

static void world_done(struct world *w)
{
        arena_done(&w->a);
        diags_done(&w->ds);
        err_done(&w->e);
}

static int import(struct world *w, const char *file, const char *text, const struct lock_import_opts *o)
{
        static const struct conda_channel_settings settings = { .cwd = { "/work/here", 10 },
                                                                .home = { "/home/me", 8 } };
        struct lock_import_opts opts = o ? *o : (struct lock_import_opts){ .host = SV("linux/amd64") };

        opts.settings = &settings;
        return lock_import(&w->a, sv_from(text), sv_from(file), spec_form_of(sv_from(file), sv_from(text)), &opts,
                           &w->ds, &w->l, &w->e);
}

static const char conda_lock[] =
        "# comment\n"
        "version: 1\n"
        "metadata:\n"
        "  content_hash: {linux-64: abc}\n"
        "  channels:\n"
        "  - {url: conda-forge, used_env_vars: []}\n"
        "  - {url: \"https://$USER:$PASS@conda.example/team\", used_env_vars: [USER, PASS]}\n"
        "  platforms: [linux-64, linux-aarch64, osx-64]\n"
        "  sources: [environment.yml]\n"
        "package:\n"
        "- name: python\n"
        "  version: 3.12.5\n"
        "  manager: conda\n"
        "  platform: linux-64\n"
        "  dependencies: {_libgcc_mutex: 0.1 conda_forge, __glibc: '>=2.17', tzdata: ''}\n"
        "  url: https://conda.anaconda.org/conda-forge/linux-64/python-3.12.5-h1_0_cpython.conda\n"
        "  hash: {md5: " MD5 ", sha256: " SHA "}\n"
        "  category: main\n"
        "  optional: false\n"
        "- name: _libgcc_mutex\n"
        "  version: '0.1'\n"
        "  manager: conda\n"
        "  platform: linux-64\n"
        "  dependencies: {}\n"
        "  url: https://conda.anaconda.org/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2\n"
        "  hash: {md5: " MD5 "}\n"
        "- name: x264\n"
        "  version: '1!164.3095'\n"
        "  manager: conda\n"
        "  platform: osx-64\n"
        "  dependencies: {}\n"
        "  url: https://conda.anaconda.org/conda-forge/osx-64/x264-1%21164.3095-h1_2.tar.bz2\n"
        "  hash: {md5: " MD5 "}\n"
        "- name: x264\n"
        "  version: '1!164.3095'\n"
        "  manager: conda\n"
        "  platform: linux-64\n"
        "  dependencies: {}\n"
        "  url: https://conda.anaconda.org/conda-forge/linux-64/x264-1%21164.3095-h1_2.tar.bz2\n"
        "  hash: {md5: " MD5 "}\n"
        "- name: Foo_Bar\n"
        "  version: '1.0'\n"
        "  manager: pip\n"
        "  platform: linux-64\n"
        "  dependencies: {Idna: '>=2.5', python: '*'}\n"
        "  url: https://files.pythonhosted.org/packages/foo_bar-1.0-py3-none-any.whl\n"
        "  hash: {sha256: " SHA "}\n"
        "  category: main\n"
        "- name: idna\n"
        "  version: 3.7\n"
        "  manager: pip\n"
        "  platform: linux-64\n"
        "  dependencies: {}\n"
        "  url: https://files.pythonhosted.org/packages/idna-3.7-py3-none-any.whl#sha256=" SHA "\n"
        "  hash: {sha256: " SHA "}\n"
        "  category: dev\n";

static void conda_lock_arrives(void **state)
{
        AUTO(world_done) struct world w = { 0 };
        const struct lock_platform *p;
        const struct artifact *a;

        (void)state;
        assert_int_equal(import(&w, "sub/Conda-Lock.yml", conda_lock, NULL), 0);
        assert_true(sv_is(w.l->name, "conda-lock") && sv_is(w.l->definition, "Conda-Lock.yml"));
        assert_int_equal(w.l->n_channels, 2);
        assert_true(sv_is(w.l->channels[0], "https://conda.anaconda.org/conda-forge"));
        assert_int_equal(w.l->n_platform, 2); /* arm64 is there, without packages */
        assert_int_equal(w.ds.n, 1);
        assert_int_equal(w.ds.v[0].level, DIAG_NOTE);
        p = lock_find_platform(w.l, SV("linux/amd64"));
        assert_int_equal(p->n_artifact, 4);
        a = lock_find(p, ARTIFACT_CONDA, SV("python"));
        assert_true(a && sv_is(a->version, "3.12.5") && sv_is(a->build, "h1_0_cpython") && sv_is(a->md5, MD5));
        assert_true(a->n_needs == 3 && sv_is(a->needs[0], "_libgcc_mutex 0.1 conda_forge") &&
                    sv_is(a->needs[2], "tzdata"));
        assert_true(!sha256_is_zero(&a->sha256) && a->size == 0 && a->noarch.n == 0);
        assert_true(a->n_by == 1 && sv_is(a->by[0], "Conda-Lock.yml: python"));
        a = lock_find(p, ARTIFACT_CONDA, SV("_libgcc_mutex"));
        assert_true(a && sha256_is_zero(&a->sha256) && a->n_by == 1 && sv_is(a->by[0], "python 3.12.5"));
        a = lock_find(p, ARTIFACT_CONDA, SV("x264"));
        assert_true(a && sv_is(a->version, "1!164.3095") && sv_is(a->build, "h1_2"));
        a = lock_find(p, ARTIFACT_WHEEL, SV("foo-bar"));
        assert_true(a && sv_is(a->version, "1.0") && a->n_needs == 2 && sv_is(a->needs[0], "idna"));
        assert_null(lock_find(p, ARTIFACT_WHEEL, SV("idna")));
}

static void categories_are_asked_for(void **state)
{
        static const sv dev[] = { { "dev", 3 } }, amd64[] = { { "linux/amd64", 11 } };
        struct lock_import_opts o = { .category = dev, .n_category = 1, .platform = amd64, .n_platform = 1 };
        AUTO(world_done) struct world w = { 0 };
        const struct artifact *a;

        (void)state;
        assert_int_equal(import(&w, "conda-lock.yml", conda_lock, &o), 0);
        assert_int_equal(w.ds.n, 0);
        assert_int_equal(w.l->n_platform, 1);
        a = lock_find(&w.l->platform[0], ARTIFACT_WHEEL, SV("idna"));
        assert_true(a && sv_is(a->url, "https://files.pythonhosted.org/packages/idna-3.7-py3-none-any.whl"));
        assert_true(a->n_by == 1 && sv_is(a->by[0], "foo-bar 1.0"));
}

static const char explicit_list[] =
        "# made by conda\n"
        "# platform: linux-64\n"
        "@EXPLICIT\n"
        "https://conda.anaconda.org/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2#" MD5 "\n"
        "https://conda.anaconda.org/t/tk-1/conda-forge/noarch/tzdata-2026b-h1_0.conda#sha256:" SHA "\n"
        "\n"
        "  /srv/channel/linux-64/mine-1.0-0.conda#" SHA "\r\n"
        "~/c/noarch/yours-1-0.conda\n"
        "./local/noarch/ours-1-0.conda\n";

static void explicit_list_arrives(void **state)
{
        static const char *const urls[][2] = {
                { "_libgcc_mutex",
                  "https://conda.anaconda.org/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2" },
                { "tzdata", "https://conda.anaconda.org/conda-forge/noarch/tzdata-2026b-h1_0.conda" },
                { "mine", "file:///srv/channel/linux-64/mine-1.0-0.conda" },
                { "yours", "file:///home/me/c/noarch/yours-1-0.conda" },
                { "ours", "file:///work/here/local/noarch/ours-1-0.conda" },
        };
        AUTO(world_done) struct world w = { 0 };
        const struct artifact *a = NULL;

        (void)state;
        assert_int_equal(import(&w, "pins.txt", explicit_list, NULL), 0);
        assert_int_equal(w.l->n_platform, 1);
        for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
                a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, sv_from(urls[i][0]));
                assert_non_null(a);
                assert_true(sv_is(a->url, urls[i][1]));
        }
        a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, SV("tzdata"));
        assert_true(!sha256_is_zero(&a->sha256) && a->md5.n == 0);
        a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, SV("_libgcc_mutex"));
        assert_true(sha256_is_zero(&a->sha256) && sv_is(a->md5, MD5));
        assert_int_equal(w.ds.n, 1); /* the token */
        assert_string_equal(w.ds.v[0].code, "EB503");
        assert_true(w.l->n_channels == 1 && sv_is(w.l->channels[0], "https://conda.anaconda.org/conda-forge"));
}

#define PIXI_HEAD                                                                                                      \
        "version: 6\n"                                                                                                 \
        "environments:\n"                                                                                              \
        "  default:\n"                                                                                                 \
        "    channels:\n"                                                                                              \
        "    - url: https://conda.anaconda.org/conda-forge/\n"                                                         \
        "    indexes: [https://pypi.org/simple]\n"                                                                     \
        "    options: {channel-priority: flexible}\n"                                                                  \
        "    packages:\n"

static const char pixi_lock[] =
        PIXI_HEAD "      linux-64:\n"
                  "      - conda: https://conda.anaconda.org/conda-forge/noarch/click-8.3.1-unix_pyh1_1.conda\n"
                  "      - conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.14.0-h1_0.conda\n"
                  "      - conda: https://conda.anaconda.org/conda-forge/noarch/cpython-3.14.0-py314hd8ed1ab_3.conda\n"
                  "      - pypi: https://files.pythonhosted.org/packages/requests-2.31.0-py3-none-any.whl\n"
                  "      - pypi: direct+https://x.example/idna-3.7-py3-none-any.whl\n"
                  "      win-64:\n"
                  "      - conda: source-package\n"
                  "  other: {channels: [], packages: {}}\n"
                  "packages:\n"
                  "- conda: https://conda.anaconda.org/conda-forge/noarch/click-8.3.1-unix_pyh1_1.conda\n"
                  "  sha256: " SHA "\n"
                  "  md5: " MD5 "\n"
                  "  depends: [python, __unix]\n"
                  "  constrains: [x <1]\n"
                  "  license: BSD\n"
                  "  size: 97676\n"
                  "  timestamp: 1764518652276\n"
                  "- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.14.0-h1_0.conda\n"
                  "  sha256: " SHA "\n"
                  "  track_features: mkl, blas\n"
                  "  python_site_packages_path: lib/python3.14/site-packages\n"
                  "- conda: https://conda.anaconda.org/conda-forge/noarch/cpython-3.14.0-py314hd8ed1ab_3.conda\n"
                  "  noarch: generic\n"
                  "  sha256: " SHA "\n"
                  "- pypi: https://files.pythonhosted.org/packages/requests-2.31.0-py3-none-any.whl\n"
                  "  name: requests\n"
                  "  version: 2.31.0\n"
                  "  sha256: " SHA "\n"
                  "  requires_dist:\n"
                  "  - idna>=2.5,<4\n"
                  "  - pysocks>=1.5 ; extra == 'socks'\n"
                  "- pypi: direct+https://x.example/idna-3.7-py3-none-any.whl\n"
                  "  name: idna\n"
                  "  version: '3.7'\n"
                  "  sha256: " SHA "\n";

static void pixi_lock_arrives(void **state)
{
        AUTO(world_done) struct world w = { 0 };
        const struct artifact *a;

        (void)state;
        assert_int_equal(import(&w, "pixi.lock", pixi_lock, NULL), 0);
        assert_int_equal(w.ds.n, 0);
        assert_true(w.l->n_channels == 1 && sv_is(w.l->channels[0], "https://conda.anaconda.org/conda-forge"));
        assert_true(w.l->n_indexes == 1 && sv_is(w.l->channel_priority, "flexible"));
        assert_int_equal(w.l->n_platform, 1);
        a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, SV("click"));
        assert_true(a && sv_is(a->noarch, "python") && a->size == 97676 && a->uploaded == 1764518652);
        assert_true(a->n_needs == 2 && a->n_constrains == 1 && sv_is(a->md5, MD5));
        a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, SV("cpython"));
        assert_true(a && sv_is(a->noarch, "generic"));
        a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, SV("python"));
        assert_true(a && a->n_track_features == 2 && sv_is(a->track_features[1], "blas") && a->noarch.n == 0);
        assert_true(sv_is(a->site_packages, "lib/python3.14/site-packages"));
        assert_true(a->n_by == 1 && sv_is(a->by[0], "click 8.3.1"));
        a = lock_find(&w.l->platform[0], ARTIFACT_WHEEL, SV("requests"));
        assert_true(a && a->n_needs == 1 && sv_is(a->needs[0], "idna") && !a->direct);
        a = lock_find(&w.l->platform[0], ARTIFACT_WHEEL, SV("idna"));
        assert_true(a && a->direct && sv_is(a->url, "https://x.example/idna-3.7-py3-none-any.whl"));
}

/* v4 and v5 name kinds; v7 gives platforms a name. */
static void other_pixi_versions(void **state)
{
        static const char v5[] =
                "version: 5\nenvironments:\n  dev:\n    channels: [{url: conda-forge}]\n    packages:\n"
                "      linux-aarch64:\n"
                "      - conda: https://c.example/x/linux-aarch64/zlib-1.3-h1_0.conda\n"
                "packages:\n- kind: conda\n  name: zlib\n  version: '1.3'\n  build: h1_0\n"
                "  subdir: linux-aarch64\n"
                "  url: https://c.example/x/linux-aarch64/zlib-1.3-h1_0.conda\n  size: 7\n";
        static const char v7[] = "version: 7\nplatforms:\n- name: mine\n  subdir: linux-64\nenvironments:\n  default:\n"
                                 "    channels: []\n    packages:\n      mine:\n"
                                 "      - conda: https://c.example/x/linux-64/zlib-1.3-h1_0.conda\n"
                                 "packages:\n- conda: https://c.example/x/linux-64/zlib-1.3-h1_0.conda\n  size: 8\n";

        (void)state;
        for (int i = 0; i < 2; i++) {
                AUTO(world_done) struct world w = { 0 };
                const struct artifact *a;
                assert_int_equal(import(&w, "pixi.lock", i ? v7 : v5, NULL), 0);
                assert_int_equal(w.l->n_platform, 1);
                a = lock_find(&w.l->platform[0], ARTIFACT_CONDA, SV("zlib"));
                assert_true(a && a->size == (i ? 8 : 7) && sv_is(a->version, "1.3"));
        }
}

/* Each row changes one thing; the fault must be told, with its code. */
static void faults(void **state)
{
        static const struct {
                const char *text, *from, *to, *code, *said; /* said: part of the text */
        } rows[] = {
                { conda_lock, "version: 1\n", "version: 9\n", "EB123", "version 9" },
                { conda_lock, "# comment", "a: [", "EB120", "" },
                { conda_lock, "package:\n", "package: x\nrest:\n", "EB122", "takes a list" },
                { conda_lock, "platforms: [linux-64, linux-aarch64, osx-64]", "platforms: [osx-64]", NULL, "" },
                { conda_lock, "manager: conda", "manager: npm", "EB122", "conda or pip" },
                { conda_lock, "- name: python\n", "- nam: python\n", "EB122", "'name' is missing" },
                { conda_lock, "  platform: linux-64\n", "", "EB122", "'platform' is missing" },
                { conda_lock, "  url: https://conda.anaconda.org/conda-forge/linux-64/python", "  url: ../python",
                  "EB123", "no URL" },
                { conda_lock, "python-3.12.5-h1_0_cpython.conda", "python.conda", "EB122", "conda package's file" },
                { conda_lock, "python-3.12.5-h1_0_cpython.conda", "pypy-3.12.5-h1_0_cpython.conda", "EB122",
                  "that of 'pypy'" },
                { conda_lock, "md5: d7", "md5: 7", "EB122", "32 hex" },
                { conda_lock, "sha256: fe", "sha256: e", "EB122", "64 hex" },
                { conda_lock, "foo_bar-1.0-py3-none-any.whl", "foo_bar-1.0.tar.gz", "EB123", "only wheels" },
                { conda_lock, "foo_bar-1.0-py3-none-any.whl", "foo_bar-1.0.exe", "EB123", "only wheels" },
                { conda_lock, "foo_bar-1.0-py3-none-any.whl", "fu_bar-1.0-py3-none-any.whl", "EB122",
                  "that of 'fu-bar'" },
                { conda_lock, "dependencies: {_libgcc", "dependencies: x\n  more: {_libgcc", "EB122", "mapping" },
                { conda_lock, "name: x264\n  version: '1!164.3095'\n  manager: conda\n  platform: osx-64",
                  "name: x264\n  version: '1!164.3095'\n  manager: conda\n  platform: linux-64", "EB122",
                  "there twice" },
                { explicit_list, "linux-64\n@", "win-64\n@", "EB123", "only for win-64" },
                { explicit_list, "linux-64/_libgcc", "osx-64/_libgcc", "EB122", "is for osx-64" },
                { explicit_list, "#" MD5, "#" MD5 "0", NULL, "" },
                { explicit_list, "mine-1.0", "m\xffne-1.0", "EB120", "UTF-8" },
                { explicit_list, "# made", "\xef\xbb\xbf# made", NULL, "" },
                { explicit_list, "mine-1.0-0.conda", "mine.zip", "EB122", "conda package's file" },
                { pixi_lock, "version: 6", "version: 8", "EB123", "version 8" },
                { pixi_lock, "  default:", "  dev:", "EB123", "only dev, other" },
                { pixi_lock, "      win-64:\n", "", "EB123", "built from source" },
                { pixi_lock, "      - pypi: https://files.pythonhosted.org/packages/requests-2.31.0-py3-none-any.whl",
                  "      - pypi: ./requests", "EB123", "no URL" },
                { pixi_lock, "- conda: https://conda.anaconda.org/conda-forge/linux-64/python-3.14.0-h1_0.conda\n  sha",
                  "- conda: x\n  sha", "EB122", "no record" },
                { pixi_lock, "size: 97676", "size: big", "EB122", "number" },
                { pixi_lock, "noarch: generic", "noarch: lua", "EB122", "python or generic" },
                { pixi_lock, "path: lib/", "path: ../", "EB122", "relative path" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(world_done) struct world w = { 0 };
                const char *at = strstr(rows[i].text, rows[i].from);
                const struct diag *d;
                sv text;
                int r;
                assert_non_null(at);
                text = arena_fmt(&w.a, "%.*s%s%s", (int)(at - rows[i].text), rows[i].text, rows[i].to,
                                 at + strlen(rows[i].from));
                r = import(&w, rows[i].text == pixi_lock ? "pixi.lock" : "x.yml", text.p, NULL);
                if (!rows[i].code) {
                        if (r != 0)
                                bad++, print_error("row %zu: %s\n", i, w.e.cause);
                        continue;
                }
                d = &w.ds.v[0];
                for (size_t k = 0; k < w.ds.n && d->level != DIAG_ERROR; k++)
                        d = &w.ds.v[k];
                if (r != -ERR_USAGE || strcmp(d->code, rows[i].code) != 0 ||
                    sv_find_sv(d->text, sv_from(rows[i].said)) < 0)
                        bad++, print_error("row %zu: %d %s %.*s\n", i, r, w.ds.n ? d->code : "",
                                           w.ds.n ? (int)d->text.n : 0, w.ds.n ? d->text.p : "");
        }
        assert_int_equal(bad, 0);
}

static void forms(void **state)
{
        static const struct {
                const char *path, *text;
                enum spec_form form;
        } rows[] = {
                { "x.txt", "flask\n", SPEC_FORM_REQUIREMENTS },
                { "x.txt", "# c\n @EXPLICIT\r\nhttps://x\n", SPEC_FORM_EXPLICIT },
                { "env.yml", "dependencies: [a]\n", SPEC_FORM_YAML },
                { "env.yml", conda_lock, SPEC_FORM_CONDA_LOCK },
                { "pixi.lock", pixi_lock, SPEC_FORM_PIXI },
                { "x.lock", "lock: 1\nlayer-format: 1\n", SPEC_FORM_LOCK },
                { "x.lock", "", SPEC_FORM_YAML },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_int_equal(spec_form_of(sv_from(rows[i].path), sv_from(rows[i].text)), rows[i].form);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(conda_lock_arrives),
                cmocka_unit_test(categories_are_asked_for),
                cmocka_unit_test(explicit_list_arrives),
                cmocka_unit_test(pixi_lock_arrives),
                cmocka_unit_test(other_pixi_versions),
                cmocka_unit_test(faults),
                cmocka_unit_test(forms),
        };
        return cmocka_run_group_tests_name("lock import", tests, NULL, NULL);
}
