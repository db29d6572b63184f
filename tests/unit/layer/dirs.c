#include "tests/unit/layer/lib.h"

struct row {
        const char *root;
        bool deb_table;
        const char *paths; /* words: "a/b" a file, "a/b/" a directory of mode 0750 and gid 3 */
        const char *want;  /* "path:mode", with ":gid" when not 0; "!" an error */
};

static const struct row rows[] = {
        { "opt", false, "", "opt/env:755" },
        { "opt", false, "opt/env/bin/x opt/env/lib/y", "opt/env:755 opt/env/bin:755 opt/env/lib:755" },
        { "usr/local", false, "usr/local/env/x", "usr/local/env:755" },
        { "opt", false, "opt/env/a/ opt/env/a/b/c", "opt/env:755 opt/env/a:750:3 opt/env/a/b:755" },
        { "opt", false, "opt/x", "!" },
        { "opt", false, "opt/env", "!" },
        { "opt", false, "opt/envy/x", "!" },
        { "opt", false, "opt/env/a opt/env/a/b", "!" },
        { "", false, "", "" },
        { "", false, "x", "" },
        { "", false, "tmp/x odd/y/z", "odd:1755 odd/y:755 tmp:755" },
        { "", true, "root/x tmp/x var/lock/x var/local/x var/tmp/x var/x",
          "root:700 tmp:1777 var:755 var/local:2775:50 var/lock:1777 var/tmp:1777" },
        { "", true, "tmp/ tmp/x", "tmp:750:3" },     /* what is shipped counts more than the table */
        { "", false, "a.b/x a/x", "a:755 a.b:755" }, /* bytewise, without the final slash */
};

static void list_of(struct arena *a, const char *text, struct paths *ret)
{
        char *copy = arena_str(a, sv_from(text)), *word, *rest;

        for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
                struct entry en = { .path = sv_from(word), .type = ENTRY_FILE, .mode = 0644 };

                if (sv_ends(en.path, SV("/")))
                        en = (struct entry){
                                .path = sv_from_to(en.path, 0, en.path.n - 1), .type = ENTRY_DIR, .mode = 0750, .gid = 3
                        };
                paths_add(a, ret, &en);
        }
        paths_sort(ret);
}

static void directories_of_rows(void **state)
{
        const struct entry odd = { .path = SV("odd"), .type = ENTRY_DIR, .mode = 01755 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct arena a = { 0 };
                struct layer_make m = {
                        .root = sv_from(rows[i].root), .deb_table = rows[i].deb_table, .dir = &odd, .n_dir = 1
                };
                struct paths list = { 0 }, got = { 0 };
                AUTO(err_done) struct err e = { 0 };
                AUTO(buf_done) struct buf b = BUF_INIT(4096);

                list_of(&a, rows[i].paths, &list);
                buf_add(&b, SV(""));
                if (dirs_of(&a, &m, &list, &got, &e) < 0) {
                        buf_add(&b, SV("!"));
                        got.n = 0;
                }
                for (size_t k = 0; k < got.n; k++) {
                        buf_fmt(&b, "%s%.*s:%o", k ? " " : "", SV_ARG(got.v[k].path), got.v[k].mode);
                        if (got.v[k].gid)
                                buf_fmt(&b, ":%u", got.v[k].gid);
                        assert_int_equal(got.v[k].mtime, ENTRY_MTIME_FLOOR);
                }
                if (!sv_is(buf_sv(&b), rows[i].want))
                        bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(buf_sv(&b)));
                arena_done(&a);
        }
        assert_int_equal(bad, 0);
}

/* The last layer may delete, packages may not; an image without base begins with "./". */
static void whiteouts_where_they_may_be(void **state)
{
        struct world w;
        struct pack p = { 0 };
        struct layer_make m = make_of(LAYER_JOIN);
        struct layer_fact f;
        AUTO(err_done) struct err e = { 0 };
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        AUTO(buf_done) struct buf tar = BUF_INIT(TEST_MAX);
        sha256 key = key_of(1);

        (void)state;
        world_open(&w, 1);
        p.arena = &w.arena;
        pack_file(&p, "opt/env/.wh.gone", SV(""), CONTENT_NONE);
        src = pack_source(&p);
        assert_int_equal(layer_make(w.store, &m, &key, 1, false, src, &w.op, &f, &e), -ERR_INTEGRITY);
        err_done(&e);
        m.whiteouts = true;
        assert_int_equal(pack_rewind(src, &e), 0);
        assert_int_equal(layer_make(w.store, &m, &key, 1, false, src, &w.op, &f, &e), 0);
        layer_tar(&w, &f, &tar);
        assert_int_equal(tar.n, 2 * 512 + 1024);
        assert_string_equal(tar.p, "opt/env/");
        assert_string_equal(tar.p + 512, "opt/env/.wh.gone");
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(directories_of_rows),
                cmocka_unit_test(whiteouts_where_they_may_be),
        };
        return cmocka_run_group_tests_name("dirs", tests, NULL, NULL);
}
