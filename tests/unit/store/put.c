#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/store/place.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void a_thing_is_found_by_its_digest(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(buf_done) struct buf b = BUF_INIT(100);
        AUTO(free_ptr) char *path = NULL;
        struct fs_map m;
        struct err e = { 0 };
        sha256 d;
        uint64_t size = 0;

        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("abc"), &d, &e), 0);
        assert_string_equal(sha256_hex(&d).s, ABC);
        assert_true(store_has(s, STORE_BLOB, &d, &size));
        assert_int_equal(size, 3);
        assert_false(store_has(s, STORE_PACKAGE, &d, NULL)); /* each kind has a folder */
        path = store_find(s, STORE_BLOB, &d);
        assert_non_null(strstr(path, "/oci/blobs/sha256/" ABC));
        assert_int_equal(store_map(s, STORE_BLOB, &d, &m, &e), 0);
        assert_memory_equal(m.p, "abc", 3);
        fs_map_close(&m);
        buf_add(&b, SV("before "));
        assert_int_equal(store_read(s, STORE_BLOB, &d, &b, &e), 0);
        assert_string_equal(b.p, "before abc");
        assert_int_equal(store_drop(s, STORE_BLOB, &d, &e), 0);
        assert_int_equal(store_drop(s, STORE_BLOB, &d, &e), 0);
        assert_int_equal(store_map(s, STORE_BLOB, &d, &m, &e), -ERR_NOT_FOUND);
        err_done(&e);
        assert_int_equal(files_in(s, "tmp"), 0);
}

static void a_wrong_digest_keeps_nothing(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sha256 want = sha256_of(SV("other"));
        struct writer *w;

        assert_int_equal(store_put_begin(s, STORE_PACKAGE, &put, &w, &e), 0);
        assert_int_equal(writer_write(w, "abc", 3, &e), 0);
        assert_int_equal(store_put_commit(&put, &want, &e), -ERR_INTEGRITY);
        assert_non_null(strstr(e.cause, ABC));
        assert_int_equal(files_in(s, "tmp") + files_in(s, "packages"), 0);
}

static void a_chain_may_be_finished_by_its_owner(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(hash_writer_done) struct hash_writer above = { 0 };
        struct err e = { 0 };
        struct writer *w;

        assert_int_equal(store_put_begin(s, STORE_BODY, &put, &w, &e), 0);
        w = hash_writer_init(&above, w);
        assert_int_equal(writer_write(w, "abc", 3, &e), 0);
        assert_int_equal(writer_finish(w, &e), 0);
        assert_int_equal(store_put_commit(&put, &above.digest, &e), 0);
        assert_string_equal(sha256_hex(&put.hash.digest).s, ABC);
        assert_int_equal(put.hash.size, 3);
        assert_true(store_has(s, STORE_BODY, &above.digest, NULL));
}

static void an_aborted_put_leaves_nothing(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        struct store_put put = { 0 };
        struct err e = { 0 };
        struct writer *w;

        store_put_abort(&put);
        assert_int_equal(store_put_begin(s, STORE_BLOB, &put, &w, &e), 0);
        assert_int_equal(files_in(s, "tmp"), 1);
        store_put_abort(&put);
        assert_int_equal(files_in(s, "tmp"), 0);
}

/* In a child, since the limit cannot be raised again: 1 when all is as it should be. */
static int put_with_a_small_limit(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(err_done) struct err e = { 0 };
        char chunk[4096] = "";
        struct writer *w;
        int r = 0;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10000, 10000 });
        if (store_put_begin(s, STORE_BLOB, &put, &w, &e) < 0)
                return 0;
        for (int i = 0; r == 0 && i < 10; i++)
                r = writer_write(w, chunk, sizeof(chunk), &e);
        store_put_abort(&put);
        return r == -ERR_IO && strstr(e.cause, "cannot write") && files_in(s, "tmp") == 0 &&
               files_in(s, "oci/blobs/sha256") == 0;
}

static void a_full_disk_leaves_nothing(void **state)
{
        pid_t pid = fork();
        int status = 0;

        if (pid == 0)
                _exit(put_with_a_small_limit(state) ? 42 : 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void what_is_in_the_trash_comes_back(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(free_ptr) char *from = NULL, *to = NULL;
        struct err e = { 0 };
        sha256 d;

        assert_int_equal(store_put_bytes(s, STORE_PACKAGE, SV("abc"), &d, &e), 0);
        from = store_find(s, STORE_PACKAGE, &d);
        to = fs_path("%s/trash/package-%s", store_root(s), ABC);
        assert_int_equal(rename(from, to), 0);
        assert_true(store_has(s, STORE_PACKAGE, &d, NULL));
        assert_int_equal(files_in(s, "trash"), 0);
}

static void asking_makes_a_thing_young(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(free_ptr) char *path = NULL;
        struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
        struct stat st;
        struct err e = { 0 };
        sha256 d;

        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("abc"), &d, &e), 0);
        path = store_path(s, 0, STORE_BLOB, &d);
        assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
        assert_true(store_has(s, STORE_BLOB, &d, NULL));
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_mtim.tv_sec > 1000);
}

static void other_roots_are_looked_at(void **state)
{
        struct place *p = *state;
        AUTO(free_ptr) char *ro = fs_path("%s/ro", p->path), *rw = fs_path("%s/rw", p->path);
        struct store *s = NULL;
        struct oci_desc image;
        struct store_ref ref;
        struct arena a = { 0 };
        struct err e = { 0 };
        sha256 d, other;
        char *path;

        assert_int_equal(store_open(ro, true, NULL, &s, &e), 0);
        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("abc"), &d, &e), 0);
        assert_int_equal(store_note_put(s, STORE_FACT, &d, SV("fact"), &e), 0);
        assert_int_equal(image_put(s, "layer", false, &image, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train"), &image, (sv){ 0 }, &e), 0);
        store_close(s);
        setenv("ENVBUILD_CACHE_RO", ro, 1);
        assert_int_equal(store_open(rw, true, NULL, &s, &e), 0);
        unsetenv("ENVBUILD_CACHE_RO");
        path = store_find(s, STORE_BLOB, &d);
        assert_non_null(path);
        assert_memory_equal(path, ro, strlen(ro));
        free(path);
        AUTO(buf_done) struct buf fact = BUF_INIT(10);
        assert_int_equal(store_note_get(s, STORE_FACT, &d, &fact, &e), 0);
        assert_int_equal(store_ref_get(s, &a, SV("train"), &ref, &e), 0);
        assert_true(sha256_eq(&ref.desc.digest, &image.digest));
        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("new"), &other, &e), 0);
        assert_int_equal(files_in(s, "oci/blobs/sha256"), 1); /* written to the first root only */
        store_close(s);
        arena_done(&a);
}

static void a_reading_store_makes_nothing(void **state)
{
        struct place *p = *state;
        AUTO(free_ptr) char *root = fs_path("%s/none", p->path);
        AUTO(store_closep) struct store *s = NULL;
        AUTO(err_done) struct err e = { 0 };
        sha256 d = sha256_of(SV("abc"));

        assert_int_equal(store_open(root, false, NULL, &s, &e), 0);
        assert_false(store_has(s, STORE_BLOB, &d, NULL));
        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("abc"), &d, &e), -ERR_USAGE);
        assert_false(fs_exists(root));
}

static void notes_are_replaced(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(buf_done) struct buf b = BUF_INIT(100);
        AUTO(err_done) struct err e = { 0 };
        sha256 key = sha256_of(SV("key"));

        assert_int_equal(store_note_put(s, STORE_HTTP, &key, SV("one"), &e), 0);
        assert_int_equal(store_note_put(s, STORE_HTTP, &key, SV("two"), &e), 0);
        assert_int_equal(store_note_get(s, STORE_HTTP, &key, &b, &e), 0);
        assert_string_equal(b.p, "two");
        assert_int_equal(store_note_drop(s, STORE_HTTP, &key, &e), 0);
        assert_int_equal(store_note_get(s, STORE_HTTP, &key, &b, &e), -ERR_NOT_FOUND);
}

static void damage_is_found_and_dropped(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(100);
        AUTO(free_ptr) char *path = NULL, *text = NULL;
        struct store_damage *v = NULL;
        struct store_usage use[8];
        struct oci_desc image;
        struct err e = { 0 };
        sha256 layer = sha256_of(SV("layer"));
        size_t n = 0, n_use = 0;
        uint64_t checked = 0;

        assert_int_equal(image_put(s, "layer", false, &image, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train"), &image, (sv){ 0 }, &e), 0);
        path = store_find(s, STORE_BLOB, &layer);
        assert_int_equal(fs_write(path, SV("LAYER"), 0644, &e), 0);
        assert_int_equal(store_read(s, STORE_BLOB, &layer, &b, &e), -ERR_INTEGRITY);
        assert_string_equal(e.hint, "envbuild cache verify");
        err_done(&e);
        assert_int_equal(store_verify(s, NULL, &a, &v, &n, &checked, &e), 0);
        assert_true(n == 1 && checked == 3 && v[0].size == 5 && sha256_eq(&v[0].name, &layer));
        assert_false(store_has(s, STORE_BLOB, &layer, NULL));
        text = index_text(s); /* not whole any more, so not for others to read */
        assert_null(strstr(text, "train"));
        assert_int_equal(store_usage(s, use, &n_use, &e), 0);
        assert_string_equal(use[0].what, "blobs");
        assert_int_equal(use[0].files, 2);
}

static void an_unpacked_layer_comes_to_its_place_once(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(free_ptr) char *one = NULL, *two = NULL, *at = NULL, *file = NULL;
        struct err e = { 0 };
        struct stat st;
        sha256 d = sha256_of(SV("diff"));
        bool there = true;

        assert_int_equal(store_tmp_dir(s, &one, &e), 0);
        assert_int_equal(store_tmp_dir(s, &two, &e), 0);
        file = fs_path("%s/f", two);
        assert_int_equal(fs_write(file, SV("x"), 0644, &e), 0);
        free(store_unpacked(s, &d, &there));
        assert_false(there);
        assert_int_equal(store_unpacked_put(s, &d, one, &e), 0);
        assert_int_equal(store_unpacked_put(s, &d, two, &e), 0); /* too late */
        at = store_unpacked(s, &d, &there);
        assert_true(there);
        assert_int_equal(files_in(s, "tmp"), 0);
        assert_int_equal(stat(at, &st), 0);
        free(at);
        at = fs_path("%s/unpacked", store_root(s));
        assert_int_equal(stat(at, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700); /* setuid files of images are for nobody else */
}

#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                row(a_thing_is_found_by_its_digest),       row(a_wrong_digest_keeps_nothing),
                row(a_chain_may_be_finished_by_its_owner), row(an_aborted_put_leaves_nothing),
                row(a_full_disk_leaves_nothing),           row(what_is_in_the_trash_comes_back),
                row(asking_makes_a_thing_young),           row(other_roots_are_looked_at),
                row(a_reading_store_makes_nothing),        row(notes_are_replaced),
                row(damage_is_found_and_dropped),          row(an_unpacked_layer_comes_to_its_place_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
