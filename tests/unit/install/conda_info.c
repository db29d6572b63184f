/* What is read of info/, row by row: index.json, link.json and its entry points, paths.json and what came before it; names and URLs. */
#include <string.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"
#include "tests/unit/unit.h"

static void entry_points(void **state)
{
        static const struct {
                const char *text, *name, *module, *first, *attr; /* name NULL: refused */
        } rows[] = {
                { "x = a.b:c", "x", "a.b", "c", "c" },
                { "x-y.z=a:b.c.d", "x-y.z", "a", "b", "b.c.d" },
                { " x  =  a : b ", "x", "a", "b", "b" },
                { "x = _a1.\xc3\xa9:m", "x", "_a1.\xc3\xa9", "m", "m" },
                { "x", 0 },
                { "x = a", 0 },
                { "x = :b", 0 },
                { "x = a:", 0 },
                { "= a:b", 0 },
                { "x = a:b:c", 0 },
                { "x = a:b [extra]", 0 },
                { "x = a:b()", 0 },
                { "x = a;import os:b", 0 },
                { "x = a..b:c", 0 },
                { "x = a.:c", 0 },
                { "x = .a:c", 0 },
                { "x = 1a:c", 0 },
                { "x = a:1c", 0 },
                { "../x = a:b", 0 },
                { "d/x = a:b", 0 },
                { ".x = a:b", 0 },
                { "x y = a:b", 0 },
                { "x\ny = a:b", 0 },
                { "x = a\nimport os:b", 0 },
                { "\xff = a:b", 0 },
                { "", 0 },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct conda_entry_point ep = { 0 };
                int rc = conda_entry_point_parse(&a, sv_from(rows[i].text), &ep, &e);

                if (rows[i].name ? rc == 0 && sv_is(ep.name, rows[i].name) && sv_is(ep.module, rows[i].module) &&
                                           sv_is(ep.first, rows[i].first) && sv_is(ep.attr, rows[i].attr)
                                 : rc == -ERR_FAILED)
                        continue;
                bad++;
                print_error("'%s': %d, '%.*s' '%.*s' '%.*s'\n", rows[i].text, rc, SV_ARG(ep.name), SV_ARG(ep.module),
                            SV_ARG(ep.attr));
        }
        assert_int_equal(bad, 0);
}

#define P100 "/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static void heads_of_scripts(void **state)
{
        static const struct {
                const char *prefix, *head;
        } rows[] = {
                { "/opt/env", "#!/opt/env/bin/python3.11\nimport sys\n" },
                { "/my env", "#!/bin/sh\n'''exec' \"/my env/bin/python3.11\" \"$0\" \"$@\" #'''\nimport sys\n" },
                { P100 "/6789012",
                  "#!" P100 "/6789012/bin/python3.11\nimport sys\n" }, /* 127 bytes with the line's end */
                { P100 "/67890123",
                  "#!/bin/sh\n'''exec' \"" P100 "/67890123/bin/python3.11\" \"$0\" \"$@\" #'''\nimport sys\n" },
        };
        const struct conda_entry_point ep = { SV("x"), SV("a.b"), SV("c"), SV("c.d") };
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv text = conda_entry_point_script(&a, sv_from(rows[i].prefix), SV("3.11"), &ep);

                if (!sv_starts(text, sv_from(rows[i].head)))
                        fail_msg("%.*s", SV_ARG(text));
                assert_true(sv_find_sv(text, SV("\nfrom a.b import c\n")) > 0 &&
                            sv_ends(text, SV("    sys.exit(c.d())\n")));
        }
}

static void places(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv site = SV("lib/pypy3.9/site-packages");

        (void)state;
        assert_true(sv_is(conda_place_path(&a, SV("site-packages/x/y.py"), true, site),
                          "lib/pypy3.9/site-packages/x/y.py"));
        assert_true(sv_is(conda_place_path(&a, SV("python-scripts/x"), true, site), "bin/x"));
        assert_true(sv_is(conda_place_path(&a, SV("share/site-packages/x"), true, site), "share/site-packages/x"));
        assert_true(sv_is(conda_place_path(&a, SV("site-packages/x"), false, site), "site-packages/x"));
}

static void urls(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        assert_true(sv_is(conda_url_file(&a, SV("https://h/c/linux-64/x264-1%21164.3095-h166bdaf_2.tar.bz2#md5")),
                          "x264-1!164.3095-h166bdaf_2.tar.bz2"));
        assert_true(sv_is(conda_url_file(&a, SV("x%2-%zz-0.conda?a=b")), "x%2-%zz-0.conda"));
        assert_true(sv_is(conda_url_subdir(SV("https://h/c/noarch/x.conda")), "noarch"));
        assert_int_equal(conda_url_subdir(SV("x.conda")).n, 0);
}

static void indexes(void **state)
{
        static const struct {
                const char *noarch;
                enum conda_kind kind;
        } rows[] = { { "\"python\"", CONDA_PYTHON }, { "\"generic\"", CONDA_GENERIC }, { "true", CONDA_GENERIC },
                     { "false", CONDA_PLAIN },       { "null", CONDA_PLAIN },          { "\"other\"", CONDA_PLAIN } };
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct conda_index x;
                sv text = arena_fmt(&a, "{\"name\":\"x\",\"version\":\"1\",\"build\":\"0\",\"noarch\":%s}",
                                    rows[i].noarch);

                assert_int_equal(conda_index_parse(&a, text, &x, &e), 0);
                assert_int_equal(x.noarch, rows[i].kind);
        }
}

/* What a record keeps of index.json: no nulls, no fractions, nobody's wishes. */
static void records(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(65536);
        AUTO(err_done) struct err e = { 0 };
        struct conda_index x;
        struct conda_paths none = { 0 };
        struct conda_meta m = {
                .index = &x, .paths = &none, .url = SV("https://u.example/t/c/noarch/x-1-0.conda"), .md5 = "0"
        };

        (void)state;
        assert_int_equal(
                conda_index_parse(
                        &a,
                        SV("{\"name\":\"x\",\"version\":\"1\",\"build\":\"0\",\"noarch\":true,\"license\":null,"
                           "\"timestamp\":1505733806.53,\"track_features\":\"a b\",\"requested_spec\":\"x\","
                           "\"depends\":[\"old\"],\"files\":[\"x\"],\"weird\":{\"b\":1,\"a\":[]}}"),
                        &x, &e),
                0);
        conda_meta_write(&m, &out);
        assert_string_equal(
                out.p,
                "{\"build\":\"0\",\"build_number\":0,\"channel\":\"https://u.example/t/"
                "c\",\"constrains\":[],\"depends\":[],"
                "\"extracted_package_dir\":\"\",\"files\":[],\"fn\":\"x-1-0.conda\",\"link\":{\"source\":\"\",\"type\":"
                "3},"
                "\"md5\":\"0\",\"name\":\"x\",\"noarch\":\"generic\",\"package_tarball_full_path\":\"\","
                "\"paths_data\":{\"paths\":[],\"paths_version\":1},"
                "\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"size\":0,"
                "\"subdir\":\"noarch\",\"timestamp\":1505733806,\"track_features\":\"a b\","
                "\"url\":\"https://u.example/t/c/noarch/x-1-0.conda\",\"version\":\"1\",\"weird\":{\"a\":[],\"b\":1}}");
}

#define ROW(rest) "{\"paths_version\":1,\"paths\":[{\"_path\":\"a\"" rest "}]}"

static void lists(void **state)
{
        static const struct {
                const char *text;
                int rc;
                const char *says;
        } rows[] = {
                { ROW(""), 0, NULL },
                { ROW(",\"sha256\":null,\"size_in_bytes\":null,\"path_type\":null,\"prefix_placeholder\":null"), 0,
                  NULL },
                { "{\"paths\":[]}", 0, NULL },
                { "{\"paths\":[{\"_path\":\"info/x\"}]}", 0, NULL },
                { ROW(",\"sha256\":\"00\""), ERR_INTEGRITY, "the sha256 of 'a'" },
                { ROW(",\"sha256\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\""),
                  ERR_INTEGRITY, "the sha256" },
                { ROW(",\"size_in_bytes\":-1"), ERR_INTEGRITY, "the size of 'a'" },
                { ROW(",\"size_in_bytes\":\"1\""), ERR_INTEGRITY, "the size of 'a'" },
                { ROW(",\"prefix_placeholder\":\"/x\",\"file_mode\":\"odd\""), ERR_INTEGRITY, "file mode 'odd'" },
                { ROW(",\"prefix_placeholder\":\"/x\\u0000y\""), ERR_INTEGRITY, "placeholder of 'a'" },
                { ROW(",\"path_type\":3"), ERR_INTEGRITY, "path_type" },
                { "{\"paths\":[{\"path\":\"a\"}]}", ERR_INTEGRITY, "entry 1 has no _path" },
                { "{\"paths\":[{\"_path\":\"/a\"}]}", ERR_INTEGRITY, "'/a'" },
                { "{\"paths\":[{\"_path\":\"a\\u0000\"}]}", ERR_INTEGRITY, "NUL" },
                { "{\"paths\":{}}", ERR_INTEGRITY, "no list" },
                { "[]", ERR_INTEGRITY, "no list" },
                { "{\"paths_version\":\"1\"}", ERR_INTEGRITY, "paths_version" },
                { "{\"paths_version\":2}", ERR_FAILED, "version 2" },
                { "{", ERR_INTEGRITY, "line 1" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct conda_paths p = { 0 };
                int rc = conda_paths_parse(&a, sv_from(rows[i].text), &p, &e);

                if (rc != -rows[i].rc || (rc && !strstr(e.cause, rows[i].says)))
                        bad++, print_error("%s: %d %s\n", rows[i].text, rc, e.cause ? e.cause : "");
        }
        assert_int_equal(bad, 0);
}

/* "path=placeholder:mode" of every file that is rewritten */
static void has_prefix_lines(void **state)
{
        static const struct {
                const char *has_prefix, *want;
        } rows[] = {
                { "bin/x\n", "bin/x=/opt/anaconda1anaconda2anaconda3:text;" },
                { "a b c\n", "a b c=/opt/anaconda1anaconda2anaconda3:text;" },
                { "/p text bin/x\r\n\n", "bin/x=/p:text;" },
                { "/p binary bin/x\n/q text bin/y", "bin/x=/p:binary;bin/y=/q:text;" },
                { "\"/my p\" \"text\" \"a b c\"", "a b c=/my p:text;" },
                { "'/p' binary 'bin/x'", "bin/x=/p:binary;" },
                { "/p text a b c", "a b c=/p:text;" },
                { "\"a b c\"", "a b c=/opt/anaconda1anaconda2anaconda3:text;" },
                { "/p text gone\n\"\n", "" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf have = BUF_INIT(4096);
                AUTO(err_done) struct err e = { 0 };
                struct conda_texts t = { .files = SV("bin/x\nbin/y\na b c\n"),
                                         .has_prefix = sv_from(rows[i].has_prefix) };
                struct conda_paths p = { 0 };

                assert_int_equal(conda_paths_read(&a, &t, &p, &e), 0);
                buf_add(&have, SV(""));
                for (size_t k = 0; k < p.n; k++)
                        if (p.v[k]->placeholder.n)
                                buf_fmt(&have, "%.*s=%.*s:%s;", SV_ARG(p.v[k]->path), SV_ARG(p.v[k]->placeholder),
                                        p.v[k]->mode == CONDA_BINARY ? "binary" : "text");
                if (strcmp(have.p, rows[i].want))
                        bad++, print_error("%s: '%s'\n", rows[i].has_prefix, have.p);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(entry_points), cmocka_unit_test(heads_of_scripts), cmocka_unit_test(places),
                cmocka_unit_test(urls),         cmocka_unit_test(indexes),          cmocka_unit_test(records),
                cmocka_unit_test(lists),        cmocka_unit_test(has_prefix_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
