/* What structs hold after loading; what the user reads is in tests/cases/spec. */
#include <string.h>

#include "base/cleanup.h"
#include "spec/requirements.h"
#include "tests/unit/unit.h"

static int read_file(void *arg, sv path, struct buf *ret, struct err *e)
{
        const char *const *v = arg; /* name, text, name, text, NULL */

        for (; *v; v += 2)
                if (sv_is(path, v[0])) {
                        buf_add(ret, sv_from(v[1]));
                        return 0;
                }
        return err_set(e, ERR_NOT_FOUND, "cannot read '%.*s'", SV_ARG(path));
}

static bool read_env(void *arg, sv name, sv *ret)
{
        (void)arg;
        *ret = SV("1.5");
        return sv_is(name, "VERSION");
}

struct world {
        struct arena a;
        struct diags ds;
        struct err e;
        struct spec *s;
};

static void world_done(struct world *w)
{
        arena_done(&w->a);
        diags_done(&w->ds);
        err_done(&w->e);
}

static int load(struct world *w, const char *const *files, size_t n)
{
        struct spec_io io = { (void *)files, read_file, read_env };
        sv paths[4];

        for (size_t i = 0; i < n; i++)
                paths[i] = sv_from(files[2 * i]);
        if (spec_load(&w->a, paths, n, &io, &w->ds, &w->s, &w->e) < 0)
                return -(int)w->e.code;
        return spec_finish(&w->a, w->s, &io, &w->ds, &w->e);
}

static void requirements_arrive(void **state)
{
        static const char *const files[] = { "dir/My Reqs.txt",
                                             "PyJWT<2 # why\nfoo==${VERSION}\n-f wheels\n-c sub/c.txt\n"
                                             "bar @ https://${TOKEN}@x/bar-1-py3-none-any.whl\n",
                                             "dir/sub/c.txt", "-f more\nurllib3<2\n", NULL };
        AUTO(world_done) struct world w = { 0 };

        (void)state;
        assert_int_equal(load(&w, files, 1), 0);
        assert_int_equal(w.s->n_pip, 3);
        assert_true(sv_is(w.s->pip[0].req.normalised, "pyjwt") && sv_is(w.s->pip[0].wrote, "PyJWT<2"));
        assert_true(sv_is(w.s->pip[0].text, "pyjwt<2") || sv_is(w.s->pip[0].text, "PyJWT<2"));
        assert_int_equal(w.s->pip[1].at.line, 2);
        assert_true(sv_ends(w.s->pip[1].text, SV("==1.5")));
        assert_true(sv_is(w.s->pip[1].wrote, "foo==${VERSION}"));
        assert_true(sv_is(w.s->pip[2].req.url, "https://${TOKEN}@x/bar-1-py3-none-any.whl"));
        assert_int_equal(w.s->n_constraints, 1);
        assert_true(sv_is(w.s->constraints[0].at.file, "dir/sub/c.txt"));
        assert_int_equal(w.s->n_find_links, 2);
        assert_true(sv_is(w.s->find_links[0].text, "wheels") && sv_is(w.s->find_links[1].text, "sub/more"));
        assert_true(sv_is(w.s->name, "my-reqs") && sv_is(w.s->definition, "My Reqs.txt") && sv_is(w.s->dir, "dir"));
        assert_true(w.s->has_pip_section);
}

static void names_come_from_the_file(void **state)
{
        static const struct {
                const char *file, *text, *name;
        } rows[] = {
                { "env.yml", "name: train\ndependencies: []\n", "train" },
                { "env.yml", "name: null\ndependencies: []\n", "env" },
                { "a/b/Conda_Env.GPU.yaml", "dependencies: []\n", "conda_env.gpu" },
                { "__x__.yml", "dependencies: []\n", "x" },
                { "\xc3\xbc.yml", "dependencies: []\n", "env" },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const char *const files[] = { rows[i].file, rows[i].text, NULL };
                AUTO(world_done) struct world w = { 0 };
                assert_int_equal(load(&w, files, 1), 0);
                assert_true(sv_is(w.s->name, rows[i].name));
        }
}

static void valid_names(void **state)
{
        static const struct {
                const char *name;
                bool ok;
        } rows[] = { { "a", true },     { "a-b", true },  { "a--b", true },   { "a_b", true },
                     { "a__b", true },  { "a.b", true },  { "a___b", false }, { "a..b", false },
                     { "a._b", false }, { "-a", false },  { "a-", false },    { "A", false },
                     { "a b", false },  { "a/b", false }, { "3.10", true },   { "{{x}}", false } };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(world_done) struct world w = { 0 };
                struct spec_load l = { .a = &w.a, .ds = &w.ds };
                struct spec_text t = { sv_from(rows[i].name), { SV("x"), 1, 1 } };
                if (spec_check_name(&l, &t) != rows[i].ok)
                        bad++, print_error("%s\n", rows[i].name);
        }
        assert_int_equal(bad, 0);
}

/* What must not change the request, and what must. */
static void requests(void **state)
{
        static const char base[] = "name: x\ndependencies:\n- pip: [\"flask>=2,<3\", numpy]\nvariables: {A: 1}\n";
        static const struct {
                const char *text;
                bool same;
        } rows[] = {
                { "# a comment\nname: other\nvariables:\n  A: \"1\"\ndependencies:\n- pip:\n  - Flask <3, >=2\n  - "
                  "NumPy\n",
                  true },
                { "dependencies:\n- pip: [numpy, \"flask>=2,<3\"]\nvariables: {A: 1}\n", false }, /* order counts */
                { "dependencies:\n- pip: [\"flask>=2,<3\", \"numpy<2\"]\nvariables: {A: 1}\n", false },
                { "dependencies:\n- pip: [\"flask>=2,<3\", numpy]\nvariables: {A: 2}\n", false },
                { "dependencies:\n- pip: [\"flask>=2,<3\", numpy, --pre]\nvariables: {A: 1}\n", false },
                { "dependencies:\n- pip: [\"flask>=2,<3\", numpy]\nvariables: {A: 1}\nenvbuild: {cmd: []}\n", false },
                { "dependencies:\n- pip: [\"flask>=2,<3\", numpy]\nvariables: {A: 1}\nenvbuild: {bytecode: false}\n",
                  true },
                { "dependencies:\n- pip: [-r r.txt]\nvariables: {A: 1}\n", true },
        };
        AUTO(world_done) struct world w = { 0 };
        const char *const files[] = { "x.yml", base, NULL };
        sha256 want, have;
        int bad = 0;

        (void)state;
        assert_int_equal(load(&w, files, 1), 0);
        want = spec_request(w.s);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const char *const other[] = { "dir/y.yml", rows[i].text, "dir/r.txt", "# why\nflask>=2,<3\nnumpy",
                                              NULL };
                AUTO(world_done) struct world v = { 0 };
                assert_int_equal(load(&v, other, 1), 0);
                have = spec_request(v.s);
                if (sha256_eq(&want, &have) != rows[i].same)
                        bad++, print_error("row %zu\n", i);
        }
        assert_int_equal(bad, 0);
}

/* The content of a file that is put into the image counts, its name beside the definition does not. */
static void content_counts(void **state)
{
        static const char *const one[] = { "x.yml", "dependencies: []\nenvbuild: {files: {/a: one}}\n", "one", "hello",
                                           NULL };
        static const char *const two[] = { "x.yml", "dependencies: []\nenvbuild: {files: {/a: two}}\n", "two", "hello",
                                           NULL };
        static const char *const more[] = { "x.yml", "dependencies: []\nenvbuild: {files: {/a: one}}\n", "one",
                                            "hello!", NULL };
        AUTO(world_done) struct world w = { 0 }, v = { 0 }, u = { 0 };
        sha256 a, b, c;

        (void)state;
        assert_int_equal(load(&w, one, 1), 0);
        assert_int_equal(load(&v, two, 1), 0);
        assert_int_equal(load(&u, more, 1), 0);
        a = spec_request(w.s);
        b = spec_request(v.s);
        c = spec_request(u.s);
        assert_true(sha256_eq(&a, &b));
        assert_false(sha256_eq(&a, &c));
        assert_int_equal(w.s->n_inputs, 1);
}

static void the_request_to_the_letter(void **state)
{
        static const char *const files[] = { "x.txt",
                                             "-i https://me:pw@a.example/s\n-f dir\nfoo==1 --hash=sha256:"
                                             "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824\n",
                                             NULL };
        AUTO(world_done) struct world w = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(10000);
        struct err e = { 0 };

        (void)state;
        assert_int_equal(load(&w, files, 1), 0);
        assert_int_equal(spec_set_exclude_newer(w.s, SV("2021-04-22"), 0, &e), 0);
        w.s->strategy = SPEC_INDEX_MERGE;
        spec_write_request(w.s, &b);
        assert_string_equal(
                b.p, "{\"exclude-newer\":1619049600,\"find-links\":[\"dir\"],\"index\":[\"https://a.example/s\"],"
                     "\"index-strategy\":\"pip\",\"pip\":[[\"foo==1\",\"sha256:"
                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"]],\"request\":1,"
                     "\"require-hashes\":true,\"venv\":true}");
}

static void flags_win(void **state)
{
        static const char *const files[] = { "x.yml", "dependencies:\n- pip: [flask]\nvariables: {A: 1}\n", NULL };
        AUTO(world_done) struct world w = { 0 };
        struct spec_io io = { (void *)files, read_file, read_env };
        struct err e = { 0 };

        (void)state;
        assert_int_equal(load(&w, files, 1), 0);
        assert_int_equal(spec_add_variable(&w.a, w.s, SV("A=2=3"), &w.ds, &e), 0);
        assert_int_equal(spec_add_variable(&w.a, w.s, SV("B="), &w.ds, &e), 0);
        assert_int_equal(w.s->n_variables, 2);
        assert_true(sv_is(w.s->variables[0].value, "2=3") && sv_is(w.s->variables[1].value, ""));
        assert_int_equal(w.ds.n, 0);
        assert_int_equal(spec_add_pip(&w.a, w.s, SV("numpy<2"), &io, &w.ds, &e), 0);
        assert_int_equal(spec_add_pip(&w.a, w.s, SV("--extra-index-url https://x.example/s"), &io, &w.ds, &e), 0);
        assert_int_equal(w.s->n_pip, 2);
        assert_int_equal(w.s->pip[1].at.line, 0);
        assert_true(sv_is(w.s->pip[1].at.file, "--pip"));
        assert_int_equal(w.s->n_index, 1);
        assert_false(w.s->index_given);
        assert_int_equal(spec_add_conda(&w.a, w.s, SV("numpy>=2"), &w.ds, &e), 0);
        assert_int_equal(spec_add_conda(&w.a, w.s, SV(" "), &w.ds, &e), -ERR_USAGE);
        err_done(&e);
        assert_int_equal(w.s->n_conda, 1);
        assert_int_equal(w.s->conda[0].at.line, 0);
        assert_int_equal(spec_add_pip(&w.a, w.s, SV("numpy=1"), &io, &w.ds, &e), -ERR_USAGE);
        err_done(&e);
        assert_int_equal(spec_add_variable(&w.a, w.s, SV("A"), &w.ds, &e), -ERR_USAGE);
        err_done(&e);
        assert_int_equal(spec_add_variable(&w.a, w.s, SV("1=x"), &w.ds, &e), -ERR_USAGE);
        err_done(&e);
}

/* As with conda, channels of flags come first, in their own order. */
static void channels_of_flags(void **state)
{
        static const char *const files[] = { "x.yml",
                                             "channels: [conda-forge, bioconda, nodefaults]\ndependencies: [python]\n",
                                             NULL };
        static const char *const order[] = { "mine", "bioconda", "yours", "conda-forge" };
        AUTO(world_done) struct world w = { 0 };

        (void)state;
        assert_int_equal(load(&w, files, 1), 0);
        assert_true(w.s->nodefaults && w.s->n_channels == 2);
        assert_int_equal(spec_add_channel(&w.a, w.s, SV("mine"), &w.ds, &w.e), 0);
        assert_int_equal(spec_add_channel(&w.a, w.s, SV("bioconda"), &w.ds, &w.e), 0);
        assert_int_equal(spec_add_channel(&w.a, w.s, SV("yours"), &w.ds, &w.e), 0);
        assert_int_equal(w.s->n_channels, ARRAY_LEN(order));
        for (size_t i = 0; i < ARRAY_LEN(order); i++)
                assert_true(sv_is(w.s->channels[i].text, order[i]));
        assert_int_equal(spec_add_channel(&w.a, w.s, SV(""), &w.ds, &w.e), -ERR_USAGE);
}

static void dates(void **state)
{
        static const struct {
                const char *text;
                int64_t t; /* 0: refused */
        } rows[] = {
                { "2021-04-22", 1619049600 },
                { "2021-04-22T00:00:01Z", 1619049601 },
                { "7d", 1000000 - 7 * 86400 },
                { "1w", 1000000 - 7 * 86400 },
                { "36h", 1000000 - 36 * 3600 },
                { "d", 0 },
                { "-7d", 0 },
                { "99999999999d", 0 },
                { "yesterday", 0 },
                { "", 0 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct spec s = { 0 };
                struct err e = { 0 };
                int r = spec_set_exclude_newer(&s, sv_from(rows[i].text), 1000000, &e);
                if ((r == 0) != (rows[i].t != 0) || s.exclude_newer != rows[i].t)
                        bad++, print_error("row %zu: %d %lld\n", i, r, (long long)s.exclude_newer);
                err_done(&e);
        }
        assert_int_equal(bad, 0);
}

static void platforms(void **state)
{
        static const struct {
                const char *text, *oci;
                bool other;
        } rows[] = { { "linux-64", "linux/amd64", false },
                     { "linux/amd64", "linux/amd64", false },
                     { "linux-aarch64", "linux/arm64", false },
                     { "linux/arm64/v8", "linux/arm64", false },
                     { "osx-arm64", "", true },
                     { "linux/riscv64", "", true },
                     { "noarch", "", false },
                     { "", "", false } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                bool other;
                assert_true(sv_is(spec_platform(sv_from(rows[i].text), &other), rows[i].oci));
                assert_int_equal(other, rows[i].other);
        }
}

static void paths(void **state)
{
        static const struct {
                const char *dir, *path, *joined;
        } rows[] = {
                { "", "a.txt", "a.txt" },
                { "x", "a.txt", "x/a.txt" },
                { "x/y", "../a.txt", "x/a.txt" },
                { "x", "../../a.txt", "../a.txt" },
                { "..", "../a.txt", "../../a.txt" },
                { "/x", "../../a.txt", "/a.txt" },
                { "x", "/a/./b//c", "/a/b/c" },
                { "x", "https://h/a/../b", "https://h/b" },
                { "https://h/x/y", "../a.txt", "https://h/x/a.txt" },
                { "https://h/x", "/a.txt", "https://h/a.txt" },
                { "https://h", "../../a.txt", "https://h/a.txt" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv got = spec_path_join(&a, sv_from(rows[i].dir), sv_from(rows[i].path));
                if (!sv_is(got, rows[i].joined))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
        assert_true(sv_is(spec_path_dir(&a, SV("a/b/c")), "a/b"));
        assert_true(sv_is(spec_path_dir(&a, SV("/c")), "/"));
        assert_true(sv_is(spec_path_dir(&a, SV("c")), ""));
        assert_true(sv_is(spec_path_dir(&a, SV("https://h/x/c?d=/e")), "https://h/x"));
        assert_true(sv_is(spec_path_relative(&a, SV("a"), SV("a/b/c")), "b/c"));
        assert_true(sv_is(spec_path_relative(&a, SV("a"), SV("ab/c")), "../ab/c"));
        assert_true(sv_is(spec_path_relative(&a, SV("a/b"), SV("a/c")), "../c"));
        assert_true(sv_is(spec_path_relative(&a, SV(""), SV("a/c")), "a/c"));
        assert_true(sv_is(spec_path_relative(&a, SV("a"), SV("/c")), "/c"));
        assert_true(sv_is(spec_path_relative(&a, SV("/a/b"), SV("/a/c/d")), "../c/d"));
}

static void a_missing_file_is_an_error(void **state)
{
        static const char *const none[] = { NULL };
        AUTO(world_done) struct world w = { 0 };
        struct spec_io io = { (void *)none, read_file, read_env };
        sv path = SV("no.yml");

        (void)state;
        assert_int_equal(spec_load(&w.a, NULL, 0, &io, &w.ds, &w.s, &w.e), 0); /* no file at all: flags alone */
        assert_true(sv_is(w.s->name, "env"));
        assert_int_equal(spec_load(&w.a, &path, 1, &io, &w.ds, &w.s, &w.e), -ERR_NOT_FOUND);
}

static int read_bytes(void *arg, sv path, struct buf *ret, struct err *e)
{
        (void)path;
        (void)e;
        buf_add(ret, *(const sv *)arg);
        return 0;
}

/* What PowerShell writes. */
static void utf16_is_read(void **state)
{
        static const char little[] = "\xff\xfe"
                                     "f\0l\0a\0s\0k\0\n\0#\0\x3d\xd8\x0d\xdc";
        static const char big[] = "\xfe\xff"
                                  "\0f\0l\0a\0s\0k";
        const sv rows[] = { { little, sizeof(little) - 1 }, { big, sizeof(big) - 1 } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(world_done) struct world w = { 0 };
                struct spec_io io = { (void *)&rows[i], read_bytes, read_env };
                struct spec s = { 0 };
                assert_int_equal(spec_requirements_read(&w.a, SV("r.txt"), &io, &w.ds, &s, &w.e), 0);
                assert_int_equal(s.n_pip, 1);
                assert_true(sv_is(s.pip[0].req.name, "flask"));
        }
}

static void what_is_not_utf8_is_told(void **state)
{
        const sv bytes = SV("flask\nn\xc3\xbcmpy \xff\n");
        AUTO(world_done) struct world w = { 0 };
        struct spec_io io = { (void *)&bytes, read_bytes, read_env };
        struct spec s = { 0 };

        (void)state;
        assert_int_equal(spec_requirements_read(&w.a, SV("r.txt"), &io, &w.ds, &s, &w.e), -ERR_USAGE);
        assert_int_equal(w.ds.n_errors, 1);
        assert_int_equal(w.ds.v[0].line, 2);
        assert_int_equal(w.ds.v[0].col, 8);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(requirements_arrive),
                cmocka_unit_test(names_come_from_the_file),
                cmocka_unit_test(valid_names),
                cmocka_unit_test(requests),
                cmocka_unit_test(content_counts),
                cmocka_unit_test(the_request_to_the_letter),
                cmocka_unit_test(flags_win),
                cmocka_unit_test(channels_of_flags),
                cmocka_unit_test(dates),
                cmocka_unit_test(platforms),
                cmocka_unit_test(paths),
                cmocka_unit_test(a_missing_file_is_an_error),
                cmocka_unit_test(utf16_is_read),
                cmocka_unit_test(what_is_not_utf8_is_told),
        };
        return cmocka_run_group_tests_name("spec load", tests, NULL, NULL);
}
