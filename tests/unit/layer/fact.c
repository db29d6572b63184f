#include "tests/unit/layer/lib.h"

#define HEX "5c6eca3c2940464d106b99ba83b00c6add741c9becaec087fb7ccdefea71350e"

static struct layer_fact whole(void)
{
        struct layer_fact f = { .has_layer = true, .n_encoding = 2, .has_body = true };

        sha256_read(SV(HEX), &f.key);
        f.diff_id = f.paths = f.key;
        f.encoding[0] = (struct layer_encoding){ OCI_CODEC_GZIP, f.key, 7 };
        f.encoding[1] = (struct layer_encoding){ OCI_CODEC_ZSTD, f.key, 6 };
        f.body = (struct layer_body){ STORE_BLOB, f.key, 40, 2, 1024, 4294967295U };
        return f;
}

static void texts_come_back(void **state)
{
        static const char want[] = "{\"body\":{\"at\":40,\"crc32\":4294967295,\"in\":\"" HEX
                                   "\",\"kind\":\"blob\",\"size\":2,\"tar-size\":1024},"
                                   "\"diff-id\":\"" HEX "\",\"encodings\":{\"gzip\":{\"digest\":\"" HEX
                                   "\",\"size\":7},\"zstd\":{\"digest\":\"" HEX "\",\"size\":6}},\"key\":\"" HEX
                                   "\",\"layer-format\":1,\"paths\":\"" HEX "\"}";
        struct layer_fact f = whole(), got;
        AUTO(buf_done) struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
        struct err e = { 0 };

        (void)state;
        layer_fact_write(&f, &a);
        assert_string_equal(a.p, want);
        assert_int_equal(layer_fact_parse(buf_sv(&a), &got, &e), 0);
        layer_fact_write(&got, &b);
        assert_string_equal(b.p, want);
        f.has_layer = false;
        f.body.kind = STORE_BODY;
        buf_clear(&a);
        layer_fact_write(&f, &a);
        assert_null(strstr(a.p, "encodings"));
        assert_int_equal(layer_fact_parse(buf_sv(&a), &got, &e), 0);
        assert_false(got.has_layer);
        assert_int_equal(got.body.kind, STORE_BODY);
}

static void wrong_texts_are_refused(void **state)
{
        static const char *const bad[] = {
                "",
                "[]",
                "{}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX "\"}",
                "{\"key\":\"" HEX "\",\"layer-format\":2,\"paths\":\"" HEX "\",\"diff-id\":\"" HEX
                "\",\"encodings\":{\"gzip\":{\"digest\":\"" HEX "\",\"size\":7}}}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX "\",\"diff-id\":\"" HEX
                "\",\"encodings\":{}}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX "\",\"diff-id\":\"" HEX
                "\",\"encodings\":[]}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX "\",\"diff-id\":\"" HEX
                "\",\"encodings\":{\"lzma\":{\"digest\":\"" HEX "\",\"size\":7}}}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX "\",\"diff-id\":\"" HEX
                "\",\"encodings\":{\"gzip\":{\"digest\":\"" HEX "\",\"size\":-7}}}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX
                "\",\"body\":{\"at\":0,\"crc32\":4294967296,\"in\":\"" HEX
                "\",\"kind\":\"blob\",\"size\":2,\"tar-size\":0}}",
                "{\"key\":\"" HEX "\",\"layer-format\":1,\"paths\":\"" HEX
                "\",\"body\":{\"at\":0,\"crc32\":0,\"in\":\"" HEX "\",\"kind\":\"shelf\",\"size\":2,\"tar-size\":0}}",
        };
        int wrong = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                struct layer_fact f;
                AUTO(err_done) struct err e = { 0 };

                if (layer_fact_parse(sv_from(bad[i]), &f, &e) != -ERR_INTEGRITY)
                        wrong++, print_error("row %zu: %s\n", i, bad[i]);
        }
        assert_int_equal(wrong, 0);
}

/* What was pruned is left out; a fact of which nothing is left is no fact. */
static void facts_follow_their_files(void **state)
{
        struct world w;
        struct pack p = { 0 };
        struct layer_fact f, got;
        struct err e = { 0 };
        AUTO(buf_done) struct buf note = BUF_INIT(4096);

        (void)state;
        world_open(&w, 1);
        p.arena = &w.arena;
        pack_file(&p, "opt/env/x", SV("x"), CONTENT_BYTES);
        assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, false, &f, &e), 0);
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_ZSTD, &w.op, &e), 0);
        assert_int_equal(store_drop(w.store, STORE_BLOB, &f.encoding[0].digest, &e), 0);
        assert_int_equal(layer_fact_get(w.store, &f.key, &got, &e), 0);
        assert_int_equal(got.n_encoding, 1);
        assert_int_equal(got.encoding[0].codec, OCI_CODEC_ZSTD);
        assert_false(got.has_body); /* it was in the gzip blob */
        assert_int_equal(store_drop(w.store, STORE_BLOB, &f.encoding[1].digest, &e), 0);
        assert_int_equal(layer_fact_get(w.store, &f.key, &got, &e), -ERR_NOT_FOUND);
        err_done(&e);
        assert_int_equal(store_note_get(w.store, STORE_FACT, &f.key, &note, &e), -ERR_NOT_FOUND);
        err_done(&e);
        assert_int_equal(store_note_put(w.store, STORE_FACT, &f.key, SV("{broken"), &e), 0);
        assert_int_equal(layer_fact_get(w.store, &f.key, &got, &e), -ERR_NOT_FOUND);
        err_done(&e);
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts_come_back),
                cmocka_unit_test(wrong_texts_are_refused),
                cmocka_unit_test(facts_follow_their_files),
        };
        return cmocka_run_group_tests_name("fact", tests, NULL, NULL);
}
