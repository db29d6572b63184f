/* The recipes that are shipped: each is read, its keys and effects are there, for every architecture that it names. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/debian.h"
#include "tests/unit/unit.h"

static void one_recipe(struct arena *a, sv name)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct recipe *r = NULL;
        struct effects *x = NULL;

        assert_int_equal(debian_recipe_load(a, name, &ds, &r, &e), 0);
        assert_true(sv_eq(r->name, name) && r->n_package > 0 && r->n_arch > 0 && r->end_of_life > 0);
        assert_true(fs_exists(arena_sv(a, r->keys).p));
        for (size_t i = 0; i < r->n_arch; i++) {
                assert_int_equal(debian_effects_load(a, r, r->arch[i], &ds, &x, &e), 0);
                assert_true(x->n_pkg > 0 && sv_eq(x->suite, r->suite));
                assert_true(deb_triplet(r->arch[i]).n > 0);
        }
        assert_int_equal(ds.n, 0);
}

static void all_are_read(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv *v;
        size_t n;

        (void)state;
        assert_int_equal(debian_recipe_list(&a, &v, &n, &e), 0);
        assert_true(n >= 4);
        for (size_t i = 0; i < n; i++)
                one_recipe(&a, v[i]);
}

static void a_missing_one_names_the_others(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct recipe *r;

        (void)state;
        assert_int_equal(debian_recipe_load(&a, SV("debian-99"), &ds, &r, &e), -ERR_NOT_FOUND);
        assert_string_equal(e.cause, "there is no recipe 'debian-99'");
        assert_true(sv_find_sv(sv_from(e.hint), SV("debian-13-python")) >= 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_are_read),
                cmocka_unit_test(a_missing_one_names_the_others),
        };
        return cmocka_run_group_tests_name("recipes", tests, NULL, NULL);
}
