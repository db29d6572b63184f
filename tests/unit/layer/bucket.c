#include "tests/unit/layer/lib.h"

static void bucket(struct world *w, struct pack *const *p, const struct layer_fact *f, size_t n, struct layer_fact *ret)
{
        struct layer_member m[8] = { 0 };
        struct layer_make make = make_of(LAYER_JOIN);
        sha256 key = key_of(1000);
        struct err e = { 0 };

        for (size_t i = 0; i < n; i++)
                m[i] = (struct layer_member){ .fact = &f[i], .style = LAYER_JOIN, .arg = p[i], .remake = pack_remake };
        if (layer_bucket(w->store, &make, &key, m, n, &w->op, ret, &e) < 0)
                fail_msg("%s", e.cause);
        assert_true(ret->has_layer);
        assert_false(ret->has_body);
}

static sv body_of(struct world *w, const struct layer_fact *f, struct fs_map *map)
{
        struct err e = { 0 };
        sv bytes;

        assert_int_equal(layer_body_map(w->store, &f->body, map, &bytes, &e), 0);
        return bytes;
}

static void bodies_are_joined_as_they_are(void **state)
{
        struct world w;
        struct pack a = { 0 }, b = { 0 };
        struct pack *const packs[] = { &a, &b };
        struct layer_fact f[2], both, got;
        struct paths list = { 0 };
        struct fs_map map[2] = { 0 };
        AUTO(buf_done) struct buf tar = BUF_INIT(TEST_MAX), blob = BUF_INIT(TEST_MAX);
        struct err e = { 0 };
        sv body;

        (void)state;
        world_open(&w, 2);
        a.arena = b.arena = &w.arena;
        pack_file(&a, "opt/env/lib/a", some_bytes(&w.arena, 9000, 1), CONTENT_DEFLATE);
        pack_file(&a, "opt/env/share/same", SV("same"), CONTENT_BYTES);
        pack_file(&b, "opt/env/lib/b", some_bytes(&w.arena, 9000, 1), CONTENT_DEFLATE);
        pack_add(&b, SV("opt/env/empty"), ENTRY_DIR, 0755);
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(pack_make(&w, packs[i], LAYER_JOIN, i, true, &f[i], &e), 0);
        bucket(&w, packs, f, 2, &both);
        layer_tar(&w, &both, &tar);
        blob_read(&w, &both.encoding[0].digest, &blob);
        for (unsigned i = 0; i < 2; i++) { /* the bytes that the package alone would have */
                body = body_of(&w, &f[i], &map[i]);
                assert_non_null(memmem(blob.p, blob.n, body.p, body.n));
                fs_map_close(&map[i]);
        }
        assert_int_equal(layer_fact_get(w.store, &both.key, &got, &e), 0);
        assert_int_equal(layer_fact_paths(w.store, &got, &w.arena, &list, &e), 0);
        assert_int_equal(list.n, 4);
        world_done(&w);
}

/* A body may also be a range of a layer of its own: who was alone in one plan is in a bucket in another. */
static void a_range_of_a_layer_is_a_body(void **state)
{
        struct world w;
        struct pack a = { 0 };
        struct pack *const packs[] = { &a };
        struct layer_fact alone, body, one, two;
        struct err e = { 0 };

        (void)state;
        world_open(&w, 1);
        a.arena = &w.arena;
        pack_file(&a, "opt/env/lib/a", some_bytes(&w.arena, 9000, 1), CONTENT_DEFLATE);
        assert_int_equal(pack_make(&w, &a, LAYER_JOIN, 1, false, &alone, &e), 0);
        assert_int_equal(pack_make(&w, &a, LAYER_JOIN, 2, true, &body, &e), 0);
        bucket(&w, packs, &alone, 1, &one);
        bucket(&w, packs, &body, 1, &two);
        assert_true(sha256_eq(&one.encoding[0].digest, &two.encoding[0].digest));
        assert_true(
                sha256_eq(&one.encoding[0].digest, &alone.encoding[0].digest)); /* and a bucket of one is that layer */
        world_done(&w);
}

static const struct entry *listed(const struct paths *list, const char *path)
{
        return paths_find(list, sv_from(path));
}

static void the_first_member_keeps_a_path(void **state)
{
        struct world w;
        struct pack a = { 0 }, b = { 0 };
        struct pack *const packs[] = { &a, &b };
        struct layer_fact f[2], both;
        struct paths list = { 0 };
        AUTO(buf_done) struct buf tar = BUF_INIT(TEST_MAX);
        struct err e = { 0 };
        sha256 first = sha256_of(SV("first")), second = sha256_of(SV("second"));

        (void)state;
        world_open(&w, 2);
        a.arena = b.arena = &w.arena;
        pack_file(&a, "opt/env/x", SV("first"), CONTENT_DEFLATE);
        pack_file(&a, "opt/env/leaf", SV("leaf"), CONTENT_DEFLATE);
        pack_file(&a, "opt/env/dir/a", SV("a"), CONTENT_DEFLATE);
        pack_file(&b, "opt/env/x", SV("second"), CONTENT_DEFLATE);
        pack_link(&b, "opt/env/x1", ENTRY_HARDLINK, "opt/env/x");
        pack_link(&b, "opt/env/x2", ENTRY_HARDLINK, "opt/env/x");
        pack_file(&b, "opt/env/leaf/below", SV("b"), CONTENT_DEFLATE);
        pack_file(&b, "opt/env/dir", SV("b"), CONTENT_DEFLATE);
        pack_file(&b, "opt/env/own", SV("b"), CONTENT_DEFLATE);
        b.record = true;
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(pack_make(&w, packs[i], LAYER_JOIN, i, true, &f[i], &e), 0);
        bucket(&w, packs, f, 2, &both);
        layer_tar(&w, &both, &tar);
        assert_int_equal(layer_fact_paths(w.store, &both, &w.arena, &list, &e), 0);
        assert_true(sha256_eq(&listed(&list, "opt/env/x")->sha256, &first));
        assert_null(listed(&list, "opt/env/leaf/below"));
        assert_null(listed(&list, "opt/env/dir"));
        assert_non_null(listed(&list, "opt/env/own"));
        /* the links that stay: the first became the file, the other points to it */
        assert_int_equal(listed(&list, "opt/env/x1")->type, ENTRY_FILE);
        assert_true(sha256_eq(&listed(&list, "opt/env/x1")->sha256, &second));
        assert_true(sv_is(listed(&list, "opt/env/x2")->target, "opt/env/x1"));
        /* its RECORD is what it was: it names what the package brought */
        assert_non_null(memmem(tar.p, tar.n, sha256_hex(&second).s, 64));
        assert_int_equal(list.n, 7);
        world_done(&w);
}

static void a_damaged_body_is_noticed(void **state)
{
        struct world w;
        struct pack a = { 0 };
        struct layer_fact f, ret;
        struct layer_make make = make_of(LAYER_JOIN);
        struct layer_member m = { .fact = &f, .style = LAYER_JOIN, .arg = &a, .remake = pack_remake };
        sha256 key = key_of(1);
        struct err e = { 0 };

        (void)state;
        world_open(&w, 1);
        a.arena = &w.arena;
        pack_file(&a, "opt/env/x", some_bytes(&w.arena, 5000, 1), CONTENT_DEFLATE);
        assert_int_equal(pack_make(&w, &a, LAYER_JOIN, 5, true, &f, &e), 0);
        f.body.tar_crc ^= 1;
        assert_int_equal(layer_bucket(w.store, &make, &key, &m, 1, &w.op, &ret, &e), -ERR_INTEGRITY);
        err_done(&e);
        f.body.tar_crc ^= 1;
        f.body.size -= 7;
        assert_int_equal(layer_bucket(w.store, &make, &key, &m, 1, &w.op, &ret, &e), -ERR_INTEGRITY);
        err_done(&e);
        f.body.size += 1000;
        assert_int_equal(layer_bucket(w.store, &make, &key, &m, 1, &w.op, &ret, &e), -ERR_INTEGRITY);
        err_done(&e);
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bodies_are_joined_as_they_are),
                cmocka_unit_test(a_range_of_a_layer_is_a_body),
                cmocka_unit_test(the_first_member_keeps_a_path),
                cmocka_unit_test(a_damaged_body_is_noticed),
        };
        return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
