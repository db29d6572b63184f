/* Places, names and sets of a prewarm, and the local stores' ways to name an image. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "image/prewarm.h"
#include "tests/unit/unit.h"

static void name_is(const char *place, const char *want)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct prewarm_place p;
        sv name;

        assert_int_equal(prewarm_place_read(&a, sv_from(place), &p, &e), 0);
        assert_int_equal(prewarm_name(&a, &p, SV("train"), SV("v1"), &name, &e), 0);
        assert_true(sv_is(name, want));
        assert_true(sv_is(p.text, place));
}

static void every_place_has_its_way_to_name(void **state)
{
        (void)state;
        name_is("localhost:5000", "localhost:5000/train:v1");
        name_is("localhost", "localhost/train:v1");
        name_is("registry.example/team/x/", "registry.example/team/x/train:v1");
        name_is("docker.io/me", "docker.io/me/train:v1");
        name_is("containers-storage:", "localhost/train:v1");
        name_is("docker-daemon:", "train:v1");
        name_is("containerd:", "docker.io/library/train:v1");
        name_is("containerd:registry.example/team", "registry.example/team/train:v1");
}

static void what_is_no_place(void **state)
{
        static const char *const no[] = { "",
                                          "/",
                                          "team",
                                          "team/x",
                                          "h.example/x:v1",
                                          "h.example/X",
                                          "http://h.example",
                                          "containerd:team",
                                          "oci:dir",
                                          "h.example/a b" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(no); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct prewarm_place p;

                if (prewarm_place_read(&a, sv_from(no[i]), &p, &e) != -ERR_USAGE)
                        fail_msg("'%s' is taken as a place", no[i]);
                assert_true(sv_find_sv(sv_from(e.hint), SV("localhost:5000")) >= 0);
        }
}

static void a_tag_that_is_none(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct prewarm_place p;
        sv name;

        (void)state;
        assert_int_equal(prewarm_place_read(&a, SV("localhost:5000"), &p, &e), 0);
        assert_int_equal(prewarm_name(&a, &p, SV("train"), SV("a b"), &name, &e), -ERR_USAGE);
}

/* --- sets */

static sv put(struct arena *a, const char *dir, const char *name, const char *text)
{
        AUTO(err_done) struct err e = { 0 };
        sv path = arena_fmt(a, "%s/%s", dir, name);

        assert_int_equal(fs_mkdirs(arena_sv(a, sv_dirname(path)).p, 0755, &e), 0);
        assert_int_equal(fs_write(path.p, sv_from(text), 0644, &e), 0);
        return path;
}

static void a_folder_is_its_definitions(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        char dir[] = "/tmp/envbuild-sets-XXXXXX";
        struct prewarm_set *v;
        sv word[4];
        size_t n;

        (void)state;
        assert_non_null(mkdtemp(dir));
        put(&a, dir, "all/a.yml", "name: a\n");
        put(&a, dir, "all/b.yaml", "name: b\n");
        put(&a, dir, "all/notes.txt", "x\n");
        put(&a, dir, "all/c/environment.yml", "name: c\n");
        put(&a, dir, "all/d/other.yml", "name: d\n");
        put(&a, dir, "all/torn.lock", "lock: 1\n");
        put(&a, dir, "none/notes.txt", "x\n");
        word[0] = arena_fmt(&a, "%s/all", dir);
        word[1] = arena_fmt(&a, "%s/all/a.yml", dir);
        word[2] = arena_fmt(&a, "%s/none", dir);
        word[3] = arena_fmt(&a, "%s/nowhere.yml", dir);
        prewarm_sets(&a, word, 4, &v, &n);
        assert_int_equal(n, 6);
        assert_true(sv_ends(v[0].file, SV("/all/a.yml")) && sv_ends(v[1].file, SV("/all/b.yaml")));
        assert_true(sv_ends(v[2].file, SV("/all/c/environment.yml")));
        assert_true(sv_ends(v[3].file, SV("/all/torn.lock"))); /* what is wrong with it is told when it is used */
        assert_int_equal(v[4].fault.code, ERR_USAGE);
        assert_int_equal(v[5].fault.code, ERR_NOT_FOUND);
        assert_true(sv_find_sv(v[5].fault.hint, SV("curated/NAME")) >= 0);
        assert_int_equal(fs_remove(dir, &e), 0);
}

static void a_curated_set(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv word[] = { SV("curated/minimal"), SV("curated/minimal"), SV("curated/nope") };
        struct prewarm_set *v;
        size_t n;

        (void)state;
        prewarm_sets(&a, word, 3, &v, &n);
        assert_int_equal(n, 2);
        assert_true(v[0].curated && sv_is(v[0].what, "curated/minimal") &&
                    sv_ends(v[0].file, SV("/curated/minimal/env.yml")));
        assert_int_equal(v[1].fault.code, ERR_NOT_FOUND);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_place_has_its_way_to_name),
                cmocka_unit_test(what_is_no_place),
                cmocka_unit_test(a_tag_that_is_none),
                cmocka_unit_test(a_folder_is_its_definitions),
                cmocka_unit_test(a_curated_set),
        };
        return cmocka_run_group_tests_name("prewarm_plan", tests, NULL, NULL);
}
