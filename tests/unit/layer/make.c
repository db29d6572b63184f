#include "tests/unit/layer/lib.h"

/* --- a random package comes back as the tar that was hashed --- */

static void random_pack(struct pack *p, uint32_t seed)
{
        static const enum content_kind kinds[] = { CONTENT_DEFLATE, CONTENT_BYTES, CONTENT_STORED, CONTENT_STREAM };
        static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_FIXED, Z_RLE };
        uint32_t x = seed;

        for (unsigned i = 0; i < 20; i++) {
                char path[64];
                enum content_kind kind;
                size_t n;

                x = x * 1664525 + 1013904223;
                kind = kinds[x >> 30];
                n = (x >> 20) % 5 == 0 ? 0 : (x >> 8) % ((x >> 16) % 7 == 0 ? 400000 : 3000);
                snprintf(path, sizeof(path), "opt/env/d%u/f%u", (x >> 12) % 4, i);
                pack_file(p, path, some_bytes(p->arena, n, x), kind);
                if (kind == CONTENT_DEFLATE) {
                        sv plain = some_bytes(p->arena, n, x);
                        sv packed = raw_deflate(p->arena, plain, (int)((x >> 9) % 10), strategies[(x >> 6) % 4]);

                        p->content[p->n - 1].p = packed.p;
                        p->content[p->n - 1].n = packed.n;
                }
        }
        pack_link(p, "opt/env/d0/link", ENTRY_SYMLINK, "f1");
        p->record = true;
}

static size_t octal(const char *p, size_t n)
{
        size_t v = 0;

        for (size_t i = 0; i < n && p[i] >= '0'; i++)
                v = v * 8 + (size_t)(p[i] - '0');
        return v;
}

/* The files of the pack, in order, with their bytes; ustar names are enough here. Returns how many there were. */
static size_t files_of(const struct buf *tar, const struct pack *p, uint32_t seed)
{
        size_t at = 0, n = 0;

        while (at + 512 <= tar->n && tar->p[at]) {
                const char *h = tar->p + at;
                size_t size = octal(h + 124, 11);

                at += 512 + ((size + 511) & ~(size_t)511);
                if (h[156] != '0')
                        continue;
                if (n < p->n && !strstr(h, "RECORD")) {
                        assert_string_equal(h, p->entry[n].path.p);
                        assert_int_equal(size, p->entry[n].size);
                }
                n++;
        }
        (void)seed;
        return n;
}

static void any_package_comes_back(void **state)
{
        (void)state;
        for (uint32_t seed = 1; seed <= 24; seed++) {
                struct layer_fact join, again, chunk;
                AUTO(buf_done) struct buf a = BUF_INIT(TEST_MAX), b = BUF_INIT(TEST_MAX);
                struct world w, two;
                struct pack p = { 0 };
                struct err e = { 0 };

                world_open(&w, 1);
                world_open(&two, 2);
                p.arena = &w.arena;
                random_pack(&p, seed);
                assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, false, &join, &e), 0);
                assert_int_equal(pack_make(&two, &p, LAYER_JOIN, 1, false, &again, &e), 0);
                assert_int_equal(pack_make(&w, &p, LAYER_CHUNK, 2, false, &chunk, &e), 0);
                layer_tar(&w, &join, &a);
                layer_tar(&w, &chunk, &b);
                assert_int_equal(files_of(&a, &p, seed), 21);
                assert_true(
                        sha256_eq(&join.encoding[0].digest, &again.encoding[0].digest)); /* threads change nothing */
                assert_true(sha256_eq(&join.diff_id, &chunk.diff_id)); /* nor does how it is packed, here */
                world_done(&w);
                world_done(&two);
        }
}

/* --- the path list says what the tar holds --- */

static void lists_have_digests_and_records_too(void **state)
{
        struct world w;
        struct pack p = { 0 };
        struct layer_fact f, got;
        struct paths list = { 0 };
        struct err e = { 0 };
        sha256 want = sha256_of(SV("hello"));
        AUTO(buf_done) struct buf tar = BUF_INIT(TEST_MAX);

        (void)state;
        world_open(&w, 1);
        p.arena = &w.arena;
        pack_add(&p, SV("opt/env/empty"), ENTRY_DIR, 0755);
        pack_file(&p, "opt/env/b", SV("hello"), CONTENT_DEFLATE);
        pack_file(&p, "opt/env/a", SV(""), CONTENT_DEFLATE);
        pack_link(&p, "opt/env/c", ENTRY_HARDLINK, "opt/env/b");
        p.record = true;
        assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, false, &f, &e), 0);
        assert_int_equal(layer_fact_get(w.store, &f.key, &got, &e), 0);
        assert_int_equal(layer_fact_paths(w.store, &got, &w.arena, &list, &e), 0);
        assert_int_equal(list.n, 5);
        assert_true(sv_is(list.v[0].path, "opt/env/RECORD"));
        assert_true(sha256_eq(&paths_find(&list, SV("opt/env/b"))->sha256, &want));
        assert_int_equal(paths_find(&list, SV("opt/env/c"))->mode, 0644); /* its target's */
        assert_int_equal(paths_find(&list, SV("opt/env/empty"))->type, ENTRY_DIR);
        layer_tar(&w, &f, &tar);
        assert_non_null(memmem(tar.p, tar.n, sha256_hex(&want).s, 64)); /* RECORD was made from what was hashed */
        world_done(&w);
}

/* --- what is refused --- */

static void fails(struct pack *p, enum layer_style style, int code)
{
        for (int only_body = 0; only_body < 2; only_body++) {
                struct world w;
                struct layer_fact f;
                AUTO(err_done) struct err e = { 0 };
                sha256 key = key_of(1);

                world_open(&w, 1);
                assert_int_equal(pack_make(&w, p, style, 1, only_body, &f, &e), -code);
                err_done(&e);
                assert_int_equal(layer_fact_get(w.store, &key, &f, &e), -ERR_NOT_FOUND);
                world_done(&w);
        }
}

static void hostile_members_are_refused(void **state)
{
        struct arena a = { 0 };

        (void)state;
        for (int what = 0; what < 7; what++) {
                struct pack p = { .arena = &a };
                struct content *c;

                pack_file(&p, "opt/env/x", some_bytes(&a, 3000, 5), what == 6 ? CONTENT_STORED : CONTENT_DEFLATE);
                c = &p.content[0];
                if (what == 0)
                        c->crc ^= 1;
                if (what == 1)
                        c->n--;
                if (what == 2)
                        p.entry[0].size++;
                if (what == 3)
                        p.entry[0].size--;
                if (what == 4)
                        c->n = 0;
                if (what == 5) { /* a byte after the end */
                        char *longer = arena_alloc(&a, c->n + 1, 1);
                        memcpy(longer, c->p, c->n);
                        c->p = longer;
                        c->n++;
                }
                if (what == 6)
                        c->crc++;
                fails(&p, LAYER_JOIN, ERR_INTEGRITY);
                fails(&p, LAYER_CHUNK, ERR_INTEGRITY);
        }
        arena_done(&a);
}

static void contradictions_are_refused(void **state)
{
        static const char *const bad[] = { "opt/env/../x", "/opt/env/x", "opt/env/x/", "opt/env//x", "opt/env/.wh.x",
                                           "opt/env/\xff", "opt/x",      "opt/env",    "",           "opt/envy" };
        struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                struct pack p = { .arena = &a };

                pack_file(&p, bad[i], SV("x"), CONTENT_BYTES);
                fails(&p, LAYER_JOIN, ERR_INTEGRITY);
        }
        for (int what = 0; what < 5; what++) {
                struct pack p = { .arena = &a };

                pack_file(&p, "opt/env/a", SV("x"), CONTENT_BYTES);
                if (what == 0)
                        pack_file(&p, "opt/env/a", SV("x"), CONTENT_BYTES);
                if (what == 1)
                        pack_file(&p, "opt/env/a/b", SV("x"), CONTENT_BYTES);
                if (what == 2)
                        pack_link(&p, "opt/env/h", ENTRY_HARDLINK, "opt/env/later");
                if (what == 3)
                        pack_link(&p, "opt/env/l", ENTRY_SYMLINK, "");
                if (what == 4)
                        pack_add(&p, SV("opt/env/a"), ENTRY_DIR, 0755);
                fails(&p, LAYER_JOIN, ERR_INTEGRITY);
        }
        arena_done(&a);
}

/* --- parts --- */

static void parts_share_the_files(void **state)
{
        struct world w;
        struct pack p = { 0 };
        struct layer_make m = make_of(LAYER_JOIN);
        struct layer_fact f[4];
        struct paths list[4] = { 0 };
        sha256 key[4];
        struct err e = { 0 };
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        AUTO(buf_done) struct buf one = BUF_INIT(TEST_MAX);

        (void)state;
        world_open(&w, 2);
        p.arena = &w.arena;
        pack_add(&p, SV("opt/env/empty"), ENTRY_DIR, 0755);
        pack_file(&p, "opt/env/b30", some_bytes(&w.arena, 30000, 1), CONTENT_DEFLATE);
        pack_file(&p, "opt/env/a30", some_bytes(&w.arena, 30000, 2), CONTENT_DEFLATE);
        pack_file(&p, "opt/env/c20", some_bytes(&w.arena, 20000, 3), CONTENT_DEFLATE);
        pack_link(&p, "opt/env/d/link", ENTRY_HARDLINK, "opt/env/b30");
        p.record = true;
        for (unsigned k = 0; k < 4; k++)
                key[k] = key_of(k);
        src = pack_source(&p);
        assert_int_equal(layer_make(w.store, &m, key, 4, false, src, &w.op, f, &e), 0);
        assert_int_equal(((struct pack_source *)src)->passes, 1);
        for (unsigned k = 0; k < 4; k++)
                assert_int_equal(layer_fact_paths(w.store, &f[k], &w.arena, &list[k], &e), 0);
        assert_non_null(paths_find(&list[0], SV("opt/env/a30"))); /* 30,000 each: by path */
        assert_non_null(paths_find(&list[0], SV("opt/env/empty")));
        assert_non_null(paths_find(&list[0], SV("opt/env/RECORD")));
        assert_int_equal(list[0].n, 3);
        assert_non_null(paths_find(&list[1], SV("opt/env/b30")));
        assert_non_null(paths_find(&list[1], SV("opt/env/d/link"))); /* with its file */
        assert_non_null(paths_find(&list[2], SV("opt/env/c20")));
        assert_int_equal(list[3].n, 0);
        layer_tar(&w, &f[3], &one);
        assert_int_equal(one.n, 512 + 1024); /* opt/env/ alone */
        assert_string_equal(one.p, "opt/env/");
        world_done(&w);
}

/* --- bodies --- */

static void a_body_is_the_same_alone_and_in_a_layer(void **state)
{
        (void)state;
        for (int style = LAYER_JOIN; style <= LAYER_CHUNK; style++) {
                struct world w;
                struct pack p = { 0 };
                struct layer_fact body, layer;
                struct fs_map map = { 0 }, map2 = { 0 };
                sv a, b;
                struct err e = { 0 };

                world_open(&w, 1);
                p.arena = &w.arena;
                random_pack(&p, 99);
                assert_int_equal(pack_make(&w, &p, (enum layer_style)style, 1, true, &body, &e), 0);
                assert_int_equal(pack_make(&w, &p, (enum layer_style)style, 2, false, &layer, &e), 0);
                assert_false(body.has_layer);
                assert_int_equal(layer_body_map(w.store, &body.body, &map, &a, &e), 0);
                assert_int_equal(layer_body_map(w.store, &layer.body, &map2, &b, &e), 0);
                assert_int_equal(a.n, b.n);
                assert_memory_equal(a.p, b.p, a.n);
                fs_map_close(&map);
                fs_map_close(&map2);
                world_done(&w);
        }
}

/* What a key gave once it gives again. */
static void a_key_has_one_diff_id(void **state)
{
        struct world w;
        struct pack p = { 0 }, other = { 0 };
        struct layer_fact f, body, got;
        struct err e = { 0 };

        (void)state;
        world_open(&w, 1);
        p.arena = other.arena = &w.arena;
        pack_file(&p, "opt/env/x", SV("x"), CONTENT_BYTES);
        pack_file(&other, "opt/env/x", SV("y"), CONTENT_BYTES);
        assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, false, &f, &e), 0);
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_ZSTD, &w.op, &e), 0);
        assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, true, &body, &e),
                         0); /* only a body now: the layer stays known */
        assert_int_equal(layer_fact_get(w.store, &f.key, &got, &e), 0);
        assert_true(got.has_layer && got.has_body && got.n_encoding == 2);
        assert_int_equal(got.body.kind, STORE_BODY);
        assert_int_equal(pack_make(&w, &other, LAYER_JOIN, 1, false, &f, &e), -ERR_INTEGRITY);
        err_done(&e);
        world_done(&w);
}

static void interruption_leaves_nothing(void **state)
{
        struct world w;
        struct pack p = { 0 };
        struct layer_fact f;
        AUTO(err_done) struct err e = { 0 };
        struct store_usage u[8];
        size_t n;

        (void)state;
        world_open(&w, 2);
        p.arena = &w.arena;
        random_pack(&p, 3);
        w.op.signal = 2;
        assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, false, &f, &e), -ERR_CANCELLED);
        w.op.signal = 0;
        assert_int_equal(store_usage(w.store, u, &n, &e), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(u[i].files, 0);
        world_done(&w);
}

/* --- other encodings --- */

static void encodings_are_of_the_same_tar(void **state)
{
        struct world w;
        struct pack p = { 0 };
        struct layer_fact f, got;
        AUTO(buf_done) struct buf tar = BUF_INIT(TEST_MAX), plain = BUF_INIT(TEST_MAX), packed = BUF_INIT(TEST_MAX);
        struct mem_reader mem;
        struct buf_writer out;
        struct reader *r;
        struct err e = { 0 };
        sha256 one_worker;

        (void)state;
        world_open(&w, 1);
        p.arena = &w.arena;
        random_pack(&p, 17);
        assert_int_equal(pack_make(&w, &p, LAYER_JOIN, 1, false, &f, &e), 0);
        layer_tar(&w, &f, &tar);
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_NONE, &w.op, &e), 0);
        assert_true(sha256_eq(&layer_fact_encoding(&f, OCI_CODEC_NONE)->digest, &f.diff_id));
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_ZSTD, &w.op, &e), 0);
        one_worker = layer_fact_encoding(&f, OCI_CODEC_ZSTD)->digest;
        blob_read(&w, &one_worker, &packed);
        r = zstd_reader_new(mem_reader_init(&mem, buf_sv(&packed)));
        assert_int_equal(reader_copy(r, buf_writer_init(&out, &plain), NULL, &e), 0);
        decode_reader_free(r);
        assert_int_equal(plain.n, tar.n);
        assert_memory_equal(plain.p, tar.p, tar.n);
        assert_int_equal(layer_fact_get(w.store, &f.key, &got, &e), 0);
        assert_int_equal(got.n_encoding, 3);
        f.n_encoding = 2; /* zstd once more, by three workers */
        w.op.jobs = 3;
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_ZSTD, &w.op, &e), 0);
        assert_true(sha256_eq(&one_worker, &f.encoding[2].digest));
        f.encoding[0] = f.encoding[2]; /* gzip was pruned: made anew, of the same tar */
        f.n_encoding = 1;
        buf_clear(&tar);
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_GZIP, &w.op, &e), 0);
        f.has_body = false;
        layer_tar(&w, &f, &tar);
        f.n_encoding = 1;
        f.diff_id.b[0] ^= 1; /* a blob that is not what its fact says */
        assert_int_equal(layer_encode(w.store, &f, OCI_CODEC_NONE, &w.op, &e), -ERR_INTEGRITY);
        err_done(&e);
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_package_comes_back),
                cmocka_unit_test(lists_have_digests_and_records_too),
                cmocka_unit_test(hostile_members_are_refused),
                cmocka_unit_test(contradictions_are_refused),
                cmocka_unit_test(parts_share_the_files),
                cmocka_unit_test(a_body_is_the_same_alone_and_in_a_layer),
                cmocka_unit_test(a_key_has_one_diff_id),
                cmocka_unit_test(interruption_leaves_nothing),
                cmocka_unit_test(encodings_are_of_the_same_tar),
        };
        return cmocka_run_group_tests_name("make", tests, NULL, NULL);
}
