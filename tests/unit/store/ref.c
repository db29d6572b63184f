#include <string.h>

#include "tests/unit/store/place.h"

static void names_become_an_index(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(free_ptr) char *text = NULL;
        struct oci_desc one, two;
        struct store_ref *v = NULL, r;
        struct oci_index x;
        struct err e = { 0 };
        size_t n = 0;

        assert_int_equal(image_put(s, "one", false, &one, &e), 0);
        assert_int_equal(image_put(s, "two", false, &two, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train:v1"), &one, (sv){ 0 }, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train:latest"), &one, (sv){ 0 }, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train"), &two, SV(""), &e), 0); /* the same name: latest */
        assert_int_equal(files_in(s, "refs"), 2);
        assert_int_equal(store_ref_list(s, &a, &v, &n, &e), 0);
        assert_int_equal(n, 2);
        assert_true(sv_is(v[0].name, "train") && sv_is(v[1].name, "train:v1"));
        assert_true(sha256_eq(&v[0].desc.digest, &two.digest) && sha256_eq(&v[1].desc.digest, &one.digest));
        assert_int_equal(store_ref_get(s, &a, SV("train:latest"), &r, &e), 0);
        assert_true(sha256_eq(&r.desc.digest, &two.digest));
        text = index_text(s);
        assert_int_equal(oci_index_parse(&a, sv_from(text), "index.json", &x, &e), 0);
        assert_int_equal(x.n, 2);
        assert_true(sv_is(oci_desc_annotation(&x.v[0], OCI_REF_NAME), "train"));
        assert_true(sha256_eq(&x.v[0].digest, &two.digest));
        assert_int_equal(store_ref_drop(s, SV("train"), &e), 0);
        free(text);
        text = index_text(s);
        assert_null(strstr(text, "\"train\""));
        assert_non_null(strstr(text, "\"train:v1\""));
        assert_int_equal(store_ref_drop(s, SV("train"), &e), -ERR_NOT_FOUND);
        err_done(&e);
        assert_int_equal(store_ref_get(s, &a, SV("train"), &r, &e), -ERR_NOT_FOUND);
        err_done(&e);
}

static void a_sparse_image_is_not_for_others(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(free_ptr) char *sparse = NULL, *whole = NULL;
        struct oci_desc d;
        struct store_ref r;
        struct err e = { 0 };

        assert_int_equal(image_put(s, "layer", true, &d, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train"), &d, SV("ghcr.io/o/train"), &e), 0);
        sparse = index_text(s);
        assert_null(strstr(sparse, "train"));
        assert_int_equal(store_ref_get(s, &a, SV("train"), &r, &e), 0);
        assert_true(sv_is(r.from, "ghcr.io/o/train"));
        /* its layer comes: the next to open the store for writing sees it whole */
        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("layer"), NULL, &e), 0);
        store_close(STEAL(s));
        s = place_open(state);
        whole = index_text(s);
        assert_non_null(strstr(whole, "train"));
        assert_null(strstr(whole, "dev.envbuild.from"));
}

static void opening_heals_the_index(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(free_ptr) char *good = NULL, *path = NULL, *junk = NULL;
        static const char *const broken[] = { "", "{", "{\"schemaVersion\":2,\"manifests\":[]}", NULL };
        struct oci_desc d;
        struct err e = { 0 };

        assert_int_equal(image_put(s, "one", false, &d, &e), 0);
        assert_int_equal(store_ref_put(s, SV("train"), &d, (sv){ 0 }, &e), 0);
        good = index_text(s);
        path = fs_path("%s/oci/index.json", store_root(s));
        junk = fs_path("%s/refs/%s", store_root(s), "0000000000000000000000000000000000000000000000000000000000000000");
        assert_int_equal(fs_write(junk, SV("not a ref"), 0644, &e), 0); /* left out, and nothing else suffers */
        for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
                AUTO(free_ptr) char *now = NULL;
                if (broken[i])
                        assert_int_equal(fs_write(path, sv_from(broken[i]), 0644, &e), 0);
                else
                        unlink(path);
                store_close(STEAL(s));
                s = place_open(state);
                now = index_text(s);
                assert_string_equal(now, good);
        }
}

static void names_that_no_tool_reads_are_refused(void **state)
{
        static const char *const bad[] = { "", "a b", "-a", "a-", "a\n", "a\"b", "\xc3\xa9" };
        AUTO(store_closep) struct store *s = place_open(state);
        struct oci_desc d;
        struct err e = { 0 };

        assert_int_equal(image_put(s, "one", false, &d, &e), 0);
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                AUTO(err_done) struct err one = { 0 };
                assert_int_equal(store_ref_put(s, sv_from(bad[i]), &d, (sv){ 0 }, &one), -ERR_USAGE);
        }
        assert_int_equal(store_ref_put(s, SV("localhost:5000/a__b/C.d:v1"), &d, (sv){ 0 }, &e), 0);
        assert_int_equal(files_in(s, "refs"), 1);
}

static void an_index_is_whole_with_all_its_children(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(buf_done) struct buf text = BUF_INIT(4096);
        AUTO(free_ptr) char *before = NULL, *after = NULL;
        struct oci_desc child[2], d = { .media_type = SV(OCI_INDEX) };
        struct oci_index x = { child, 2 };
        struct err e = { 0 };

        assert_int_equal(image_put(s, "one", false, &child[0], &e), 0);
        assert_int_equal(image_put(s, "two", true, &child[1], &e), 0);
        oci_index_write(&x, &text);
        assert_int_equal(store_put_bytes(s, STORE_BLOB, buf_sv(&text), &d.digest, &e), 0);
        d.size = text.n;
        assert_int_equal(store_ref_put(s, SV("multi"), &d, (sv){ 0 }, &e), 0);
        before = index_text(s);
        assert_null(strstr(before, "multi"));
        assert_int_equal(store_put_bytes(s, STORE_BLOB, SV("two"), NULL, &e), 0);
        assert_int_equal(store_ref_put(s, SV("multi"), &d, (sv){ 0 }, &e), 0);
        after = index_text(s);
        assert_non_null(strstr(after, "multi"));
}

/* A pulled index: the other platform's manifest is not here. */
static void an_index_needs_no_platform_that_nobody_asked_for(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(buf_done) struct buf text = BUF_INIT(4096);
        AUTO(free_ptr) char *before = NULL, *after = NULL;
        struct oci_desc child[2], d = { .media_type = SV(OCI_INDEX) };
        struct oci_index x = { child, 2 };
        struct err e = { 0 };

        child[0] = (struct oci_desc){ .media_type = SV(OCI_MANIFEST), .digest = sha256_of(SV("other")), .size = 5 };
        child[1] = (struct oci_desc){ .media_type = SV(OCI_MANIFEST), .digest = sha256_of(SV("more")), .size = 4 };
        oci_index_write(&x, &text);
        assert_int_equal(store_put_bytes(s, STORE_BLOB, buf_sv(&text), &d.digest, &e), 0);
        d.size = text.n;
        assert_int_equal(store_ref_put(s, SV("pulled"), &d, (sv){ 0 }, &e), 0);
        before = index_text(s); /* nothing of it is here */
        assert_null(strstr(before, "pulled"));
        assert_int_equal(image_put(s, "one", false, &child[1], &e), 0);
        text.n = 0;
        oci_index_write(&x, &text);
        assert_int_equal(store_put_bytes(s, STORE_BLOB, buf_sv(&text), &d.digest, &e), 0);
        d.size = text.n;
        assert_int_equal(store_ref_put(s, SV("pulled"), &d, (sv){ 0 }, &e), 0);
        after = index_text(s);
        assert_non_null(strstr(after, "pulled"));
}

#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                row(names_become_an_index),
                row(a_sparse_image_is_not_for_others),
                row(opening_heals_the_index),
                row(names_that_no_tool_reads_are_refused),
                row(an_index_is_whole_with_all_its_children),
                row(an_index_needs_no_platform_that_nobody_asked_for),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
