#include <fcntl.h>
#include <sys/stat.h>

#include "ext/hash.h"
#include "tests/unit/store/place.h"

static int add(struct store_batch *b, const char *text, const char *named, struct err *e)
{
        sha256 d = sha256_of(sv_from(named));
        struct mem_reader r;

        return store_batch_add(b, &d, mem_reader_init(&r, sv_from(text)), e);
}

static void all_at_once(void **state)
{
        static const size_t counts[] = { 3, 100 }; /* each synced alone; the file system synced */
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(err_done) struct err e = { 0 };
        size_t before = 0;

        for (size_t k = 0; k < 2; k++) {
                AUTO(store_batch_freep) struct store_batch *b = NULL;
                assert_int_equal(store_batch_begin(s, STORE_CODE, &b, &e), 0);
                for (size_t i = 0; i < counts[k]; i++) {
                        AUTO(free_ptr) char *text = fs_path("%zu-%zu", k, i);
                        assert_int_equal(add(b, text, text, &e), 0);
                }
                assert_int_equal(files_in(s, "code"), before);
                assert_int_equal(store_batch_commit(b, &e), 0);
                before += counts[k];
                assert_int_equal(files_in(s, "code"), before);
        }
        assert_int_equal(files_in(s, "tmp"), 0);
}

static void wrong_bytes_are_left_out(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_batch_freep) struct store_batch *b = NULL;
        AUTO(err_done) struct err e = { 0 };
        sha256 d = sha256_of(SV("good"));

        assert_int_equal(store_batch_begin(s, STORE_CODE, &b, &e), 0);
        assert_int_equal(add(b, "good", "good", &e), 0);
        assert_int_equal(add(b, "good", "good", &e), 0); /* twice is once */
        assert_int_equal(add(b, "bad", "other", &e), -ERR_INTEGRITY);
        err_done(&e);
        assert_int_equal(store_batch_commit(b, &e), 0);
        assert_int_equal(files_in(s, "code"), 1);
        assert_true(store_has(s, STORE_CODE, &d, NULL));
        assert_int_equal(store_batch_commit(b, &e), 0); /* nothing more */
        assert_int_equal(files_in(s, "tmp"), 0);
}

static void what_is_not_committed_is_gone(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(err_done) struct err e = { 0 };
        struct store_batch *b = NULL;

        assert_int_equal(store_batch_begin(s, STORE_CODE, &b, &e), 0);
        assert_int_equal(add(b, "x", "x", &e), 0);
        assert_int_equal(files_in(s, "tmp"), 1);
        store_batch_free(b);
        assert_int_equal(files_in(s, "tmp") + files_in(s, "code"), 0);
}

static void have_and_marks(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(free_ptr) char *folder = fs_path("%s/code", store_root(s));
        AUTO(err_done) struct err e = { 0 };
        struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
        struct store_mark mark;
        sha256 d[2];
        bool have[2];
        AUTO(free_ptr) char *path = NULL;
        struct stat st;

        assert_int_equal(store_put_bytes(s, STORE_CODE, SV("a"), &d[0], &e), 0);
        d[1] = sha256_of(SV("b"));
        path = fs_path("%s/%s", folder, sha256_hex(&d[0]).s);
        assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
        store_have(s, STORE_CODE, d, 2, have);
        assert_true(have[0] && !have[1]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_not_equal(st.st_mtim.tv_sec, 1000); /* touched, as it is in use */

        mark = store_mark(s, STORE_CODE);
        assert_true(store_mark_holds(s, STORE_CODE, &mark));
        mark.taken -= 7200;
        assert_false(store_mark_holds(s, STORE_CODE, &mark));
        mark.taken += 7200;
        assert_int_equal(utimensat(AT_FDCWD, folder, old, 0), 0);
        assert_false(store_mark_holds(s, STORE_CODE, &mark));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(all_at_once, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(wrong_bytes_are_left_out, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(what_is_not_committed_is_gone, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(have_and_marks, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
