#include "tests/unit/store/place.h"

static void latest_first_and_each_once(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(arena_done) struct arena a = { 0 };
        sha256 d = sha256_of(SV("layer"));
        struct err e = { 0 };
        size_t n = 9;
        sv *v;

        store_origin_list(s, &d, &a, &v, &n);
        assert_int_equal(n, 0);
        assert_int_equal(store_origin_add(s, &d, SV("docker.io/library/python"), &e), 0);
        assert_int_equal(store_origin_add(s, &d, SV("localhost:5000/x"), &e), 0);
        assert_int_equal(store_origin_add(s, &d, SV("localhost:5000/x"), &e), 0);
        assert_int_equal(store_origin_add(s, &d, SV("docker.io/library/python"), &e), 0);
        store_origin_list(s, &d, &a, &v, &n);
        assert_int_equal(n, 2);
        assert_true(sv_is(v[0], "docker.io/library/python") && sv_is(v[1], "localhost:5000/x"));
}

static void many_are_forgotten_and_odd_ones_refused(void **state)
{
        static const char *const bad[] = { "", "a b", "a\nb", "a\tb" };
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(arena_done) struct arena a = { 0 };
        sha256 d = sha256_of(SV("layer"));
        struct err e = { 0 };
        size_t n;
        sv *v;

        for (unsigned i = 0; i < 20; i++)
                assert_int_equal(store_origin_add(s, &d, arena_fmt(&a, "r.example/x%u", i), &e), 0);
        store_origin_list(s, &d, &a, &v, &n);
        assert_int_equal(n, 16);
        assert_true(sv_is(v[0], "r.example/x19") && sv_is(v[15], "r.example/x4"));
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                AUTO(err_done) struct err one = { 0 };
                assert_int_equal(store_origin_add(s, &d, sv_from(bad[i]), &one), -ERR_USAGE);
        }
}

#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = { row(latest_first_and_each_once),
                                            row(many_are_forgotten_and_odd_ones_refused) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
