/* The curated sets that are shipped, every file of them: each definition has a lock that fits it, for both platforms and with what was built,
 * and the lock names no server but PyPI's and Debian's. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "image/curated.h"
#include "image/image.h"
#include "tests/unit/unit.h"

static sv label(const struct lock *l, const char *key)
{
        for (size_t i = 0; i < l->config.n_labels; i++)
                if (sv_is(l->config.labels[i].key, key))
                        return l->config.labels[i].value;
        return (sv){ 0 };
}

static void check_addresses(const struct lock *l)
{
        assert_int_equal(l->n_indexes, 1);
        assert_true(sv_is(l->indexes[0], "https://pypi.org/simple"));
        assert_int_equal(l->n_find_links + l->n_channels, 0);
        for (size_t i = 0; i < l->n_platform; i++)
                for (size_t k = 0; k < l->platform[i].n_artifact; k++) {
                        const struct artifact *x = &l->platform[i].artifact[k];
                        assert_true(x->kind == ARTIFACT_DEB
                                            ? sv_starts(x->url, SV("pool/"))
                                            : sv_starts(x->url, SV("https://files.pythonhosted.org/packages/")));
                }
}

static void check_platforms(const struct lock *l)
{
        assert_int_equal(l->n_platform, 2);
        assert_true(sv_is(l->platform[0].platform, "linux/amd64") && sv_is(l->platform[1].platform, "linux/arm64"));
        assert_true(l->has_index);
        for (size_t i = 0; i < l->n_platform; i++) {
                const struct lock_platform *p = &l->platform[i];
                assert_true(p->has_python && p->has_image && p->image.n_layer > 0 && p->image.n_manifest == 1);
                assert_true(sv_is(p->image.manifest[0].codec, "gzip") && sv_is(p->base.recipe, "debian-13-python"));
        }
}

/* Not one file that nobody reads. */
static void check_folder(const struct curated_set *s)
{
        AUTO(free_ptr) char **names = NULL;
        AUTO(err_done) struct err e = { 0 };
        size_t n = 0;

        assert_int_equal(fs_list(s->dir.p, &names, &n, &e), 0);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++)
                assert_true(sv_is(sv_basename(s->file), names[i]) || sv_is(sv_basename(s->lock_file), names[i]) ||
                            sv_is(sv_basename(s->test), names[i]));
}

/* A change of the definition, of the recipe or of what a request is makes it stale: then all sets are locked and built again. */
static void check_fits(struct arena *a, const struct curated_set *s)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct op op = { .jobs = 1 };
        struct image_ctx c = { .op = &op, .diags = &ds, .offline = true };
        struct image_request r = { .file = &s->file, .n_file = 1, .locked = true };
        struct image_locked l;

        if (image_lock(&c, &r, a, &l, &e) < 0)
                fail_msg("%.*s: %s", SV_ARG(s->file), e.cause);
        assert_false(l.changed || l.resolved);
        assert_true(sv_eq(l.spec->name, s->name) && sv_eq(l.path, s->lock_file));
        assert_int_equal(ds.n, 0);
        image_ctx_done(&c);
}

static void every_set_is_whole(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        size_t n;
        sv *name;

        (void)state;
        assert_int_equal(curated_names(&a, &name, &n, &e), 0);
        assert_true(n >= 4);
        for (size_t i = 0; i < n; i++) {
                struct curated_set s;
                if (curated_open(&a, name[i], &ds, &s, &e) < 0)
                        fail_msg("%.*s: %s", SV_ARG(name[i]), e.cause);
                assert_true(s.description.n > 10 && sv_eq(label(s.lock, "org.opencontainers.image.title"), s.name));
                check_addresses(s.lock);
                check_platforms(s.lock);
                check_folder(&s);
                check_fits(&a, &s);
        }
        assert_int_equal(ds.n, 0);
}

static void names(void **state)
{
        sv n;

        (void)state;
        assert_true(curated_is_name(SV("curated/minimal"), &n) && sv_is(n, "minimal"));
        assert_true(curated_is_name(SV("curated/sklearn-1.7"), &n));
        assert_false(curated_is_name(SV("minimal"), &n) || curated_is_name(SV("curated/"), &n) ||
                     curated_is_name(SV("curated/../x"), &n) || curated_is_name(SV("curated/a/b"), &n) ||
                     curated_is_name(SV("curated/.."), &n) || curated_is_name(SV("curated/.a"), &n) ||
                     curated_is_name(SV("curated/A"), &n) || curated_is_name(SV("curated/a@b"), &n));
}

static void a_missing_one_names_the_others(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct curated_set s;

        (void)state;
        assert_int_equal(curated_find(&a, SV("nope"), &s, &e), -ERR_NOT_FOUND);
        assert_string_equal(e.cause, "there is no curated set 'nope'");
        assert_true(sv_find_sv(sv_from(e.hint), SV("minimal, quickstart")) >= 0);
}

/* An organisation's own folder comes first; what is wrong with a set is told. */
static void own_sets_win(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        char dir[] = "/tmp/envbuild-curated-XXXXXX";
        AUTO(free_ptr) char *set = NULL, *file = NULL;
        struct curated_set s;

        (void)state;
        assert_non_null(mkdtemp(dir));
        set = fs_path("%s/minimal", dir);
        file = fs_path("%s/env.yml", set);
        assert_int_equal(fs_mkdirs(set, 0755, &e), 0);
        assert_int_equal(fs_write(file, SV("name: minimal\n"), 0644, &e), 0);
        setenv("ENVBUILD_CURATED", dir, 1);
        assert_int_equal(curated_find(&a, SV("minimal"), &s, &e), 0);
        assert_true(sv_is(s.file, file) && s.test.n == 0);
        assert_int_equal(curated_open(&a, SV("minimal"), &ds, &s, &e), -ERR_STALE);
        err_done(&e);
        assert_int_equal(curated_find(&a, SV("sklearn"), &s, &e), 0);
        unsetenv("ENVBUILD_CURATED");
        assert_int_equal(fs_remove(dir, &e), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_set_is_whole),
                cmocka_unit_test(names),
                cmocka_unit_test(a_missing_one_names_the_others),
                cmocka_unit_test(own_sets_win),
        };
        return cmocka_run_group_tests_name("curated", tests, NULL, NULL);
}
