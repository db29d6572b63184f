#include "image/settings.h"

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

#define KEY   "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define KEY_2 "MCowBQYDK2VwAyEAVGpPk/S5ROvEWxqwFw0AnLZb6Xxo4SXxBeQnVVzZnc4="

static int read_two(struct arena *a, const char *user, const char *system, struct diags *ds, struct settings *ret,
                    struct err *e)
{
        struct settings_text v[2] = { { sv_from(user), SV("/home/me/.config/envbuild/config.yml") },
                                      { sv_from(system), SV("/etc/envbuild/config.yml") } };

        return settings_parse(a, v, 2, ds, ret, e);
}

static void both_files_count(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct err e = { 0 };
        struct settings s;

        (void)state;
        assert_int_equal(read_two(&a,
                                  "cache:\n  repositories: [reg.example/team/layers, localhost:5000/l]\n"
                                  "  trust: [" KEY "]\n  sign: keys/mine.pem\n  keep-packages: false\n",
                                  "cache:\n  repositories: [reg.example/team/layers, other/layers]\n"
                                  "  trust: [" KEY_2 "]\n  sign: /etc/theirs.pem\n  keep-packages: true\n",
                                  &ds, &s, &e),
                         0);
        assert_int_equal(s.n_repository, 3);
        assert_string_equal(s.repository[0].p, "reg.example/team/layers");
        assert_string_equal(s.repository[1].p, "localhost:5000/l");
        assert_string_equal(s.repository[2].p, "docker.io/other/layers");
        assert_int_equal(s.n_trust, 2);
        assert_int_equal(s.trust[0].b[0], 0x3d);
        assert_string_equal(s.sign.p, "/home/me/.config/envbuild/keys/mine.pem");
        assert_false(s.keep_packages); /* the user's word */
}

static void nothing_is_fine(void **state)
{
        static const char *const texts[] = { "", "# nothing yet\n", "cache:\n", "cache: {}\n" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                struct err e = { 0 };
                struct settings s;

                assert_int_equal(read_two(&a, texts[i], "cache: {keep-packages: true}", &ds, &s, &e), 0);
                assert_int_equal(s.n_repository + s.n_trust + s.sign.n, 0);
                assert_true(s.keep_packages);
        }
}

static void faults_say_where(void **state)
{
        static const struct {
                const char *text, *code;
                unsigned line, col;
        } rows[] = {
                { "cahce: {}\n", "EB140", 1, 1 },
                { "cache:\n  repositorys: [a/b]\n", "EB140", 2, 3 },
                { "cache:\n  repositories: a/b\n", "EB141", 2, 17 },
                { "cache:\n  repositories: [reg.example/team/layers:v1]\n", "EB141", 2, 18 },
                { "cache:\n  repositories: [\"\", a/b]\n", "EB141", 2, 18 },
                { "cache:\n  repositories: [{a: b}]\n", "EB141", 2, 18 },
                { "cache:\n  trust:\n  - nonsense\n", "EB141", 3, 5 },
                { "cache:\n  trust: [MCowBQYDK2VwAyEA]\n", "EB141", 2, 11 },
                { "cache:\n  keep-packages: maybe\n", "EB141", 2, 18 },
                { "cache:\n  keep-packages: \"true\"\n", "EB141", 2, 18 },
                { "cache:\n  keep-packages: [true]\n", "EB141", 2, 18 },
                { "cache: [a]\n", "EB141", 1, 8 },
                { "- cache\n", "EB141", 1, 1 },
                { "cache: {}\ncache: {}\n", "EB104", 2, 1 },
                { "cache: {\n", "EB100", 2, 1 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct settings s;
                int r = read_two(&a, rows[i].text, "", &ds, &s, &e);

                if (r != -ERR_USAGE || ds.n != 1 || !sv_is(sv_from(ds.v[0].code), rows[i].code) ||
                    ds.v[0].line != rows[i].line || ds.v[0].col != rows[i].col)
                        bad++, print_error("row %zu: %d, %zu faults, %s %u:%u\n", i, r, ds.n, ds.n ? ds.v[0].code : "",
                                           ds.n ? ds.v[0].line : 0, ds.n ? ds.v[0].col : 0);
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(both_files_count),
                cmocka_unit_test(nothing_is_fine),
                cmocka_unit_test(faults_say_where),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
