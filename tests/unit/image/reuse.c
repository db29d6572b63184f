#include "image/reuse_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

struct world {
        struct op op;
        struct diags diags;
        struct arena arena;
        struct image_ctx c;
        char dir[64];
};

static void world_open(struct world *w)
{
        struct err e = { 0 };

        *w = (struct world){ .op = { .jobs = 1 } };
        w->c = (struct image_ctx){ .op = &w->op, .diags = &w->diags };
        strcpy(w->dir, "/tmp/envbuild-reuse-XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        assert_int_equal(store_open(w->dir, true, &w->op, &w->c.store, &e), 0);
        w->c.store_writable = true;
}

static void world_done(struct world *w)
{
        struct err e = { 0 };

        image_ctx_done(&w->c);
        assert_int_equal(fs_remove(w->dir, &e), 0);
        diags_done(&w->diags);
        arena_done(&w->arena);
}

static sha256 digest(const char *text)
{
        return sha256_of(sv_from(text));
}

/* Who is asked, in which order: flags before what the tag implies; only a name in a registry implies anything. */
static void repositories(void **state)
{
        static const sv flags[] = { { "reg.example/team/cache", 22 }, { "localhost:5000/team/train-layers", 32 } };
        struct image_build_opts o = { .tag = SV("localhost:5000/team/train:v1"),
                                      .cache_repo = flags,
                                      .n_cache_repo = 2 };
        struct err e = { 0 };
        struct reuse *r;
        struct world w;

        (void)state;
        world_open(&w);
        assert_int_equal(reuse_open(&w.c, &o, &w.arena, &r, &e), 0);
        assert_int_equal(r->n_repo, 3);
        assert_int_equal(r->n_facts, 2);
        assert_string_equal(r->repo[0]->name.p, "reg.example/team/cache");
        assert_true(r->repo[0]->facts);
        assert_string_equal(r->repo[1]->name.p, "localhost:5000/team/train-layers");
        assert_false(r->repo[1]->implied); /* it was named: its failures are told */
        assert_ptr_equal(r->repo[2], r->target);
        assert_false(r->target->facts);
        o = (struct image_build_opts){ .tag = SV("train:v1") };
        assert_int_equal(reuse_open(&w.c, &o, &w.arena, &r, &e), 0);
        assert_int_equal(r->n_repo, 0);
        assert_null(r->target);
        o = (struct image_build_opts){ .cache_repo = (const sv[]){ SV("reg.example/team/cache:v1") },
                                       .n_cache_repo = 1 };
        assert_int_equal(reuse_open(&w.c, &o, &w.arena, &r, &e), -ERR_USAGE);
        err_done(&e);
        world_done(&w);
}

/* One host that cannot be reached is told of once, and not waited for again; another goes on. */
static void failures_are_told_once(void **state)
{
        static const sv flags[] = { { "a.example/x", 11 }, { "b.example/y", 11 }, { "a.example/z", 11 } };
        struct image_build_opts o = { .cache_repo = flags, .n_cache_repo = 3 };
        struct err e = { 0 }, why = { 0 };
        struct reuse *r;
        struct world w;

        (void)state;
        world_open(&w);
        assert_int_equal(reuse_open(&w.c, &o, &w.arena, &r, &e), 0);
        err_set(&why, ERR_NOT_FOUND, "nothing there");
        assert_int_equal(reuse_failed(r, r->repo[0], &why, &e), 0);
        assert_false(atomic_load(&r->repo[0]->off));
        err_set(&why, ERR_AUTH, "no");
        assert_int_equal(reuse_failed(r, r->repo[1], &why, &e), 0);
        assert_true(atomic_load(&r->repo[1]->off));
        err_set(&why, ERR_NET, "gone");
        assert_int_equal(reuse_failed(r, r->repo[0], &why, &e), 0);
        assert_true(atomic_load(&r->repo[0]->off) && atomic_load(&r->repo[2]->off));
        err_set(&why, ERR_CANCELLED, "interrupted");
        assert_int_equal(reuse_failed(r, r->repo[2], &why, &e), -ERR_CANCELLED);
        err_done(&e);
        world_done(&w);
}

static void the_lock_is_believed_first(void **state)
{
        struct lock_layer layer = { .of = SV("numpy 2.1.0"), .key = digest("key"), .diff_id = digest("honest") };
        struct lock_platform p = { .has_image = true, .image = { .layer = &layer, .n_layer = 1 } };
        struct image_build_opts o = { 0 };
        sha256 other = digest("key 2"), evil = digest("evil");
        struct err e = { 0 };
        struct reuse *r;
        struct world w;

        (void)state;
        world_open(&w);
        assert_int_equal(reuse_open(&w.c, &o, &w.arena, &r, &e), 0);
        reuse_platform(r, &p);
        assert_int_equal(reuse_check(r, &layer.key, &layer.diff_id, "x", &e), 0);
        assert_int_equal(reuse_check(r, &other, &evil, "x", &e), 0);
        assert_int_equal(reuse_check(r, &layer.key, &evil, "reg.example/x", &e), -ERR_INTEGRITY);
        assert_non_null(strstr(e.cause, sha256_hex(&evil).s));
        assert_non_null(strstr(e.cause, sha256_hex(&layer.diff_id).s));
        assert_non_null(strstr(e.cause, "reg.example/x"));
        err_done(&e);
        world_done(&w);
}

/* What a build notes a push finds; what it cannot vouch for is counted, layer env is not mentioned. */
static void notes_come_back(void **state)
{
        struct fact_member member = { digest("a member"), { digest("its list"), 3 } };
        struct fact_blob text = { digest("a script"), 8 };
        struct built_layer v[4] = {
                { .of = SV("env venv") },
                { .of = SV("bucket: a 1"), .member = &member, .n_member = 1 },
                { .of = SV("b 1"), .text = &text, .n_text = 1 },
                { .of = SV("c 1") },
        };
        struct built_layers layers = { .v = v, .n = 4 };
        sha256 manifest = digest("manifest"), list;
        struct err e = { 0 };
        struct fact_doc *doc;
        size_t n, unknown;
        struct world w;

        (void)state;
        world_open(&w);
        assert_int_equal(store_put_bytes(w.c.store, STORE_BLOB, SV("list\n"), &list, &e), 0);
        for (size_t i = 0; i < 4; i++) {
                v[i].fact = (struct layer_fact){
                        .has_layer = true, .diff_id = digest("diff"), .paths = list, .n_encoding = 1
                };
                v[i].fact.key = i == 1 ? layer_key_bucket(&member.key, 1) : digest(v[i].of.p);
                v[i].fact.encoding[0] = (struct layer_encoding){ OCI_CODEC_GZIP, digest("gzip"), 9 };
        }
        v[3].fact.paths = digest("a list that is elsewhere");
        reuse_note_keep(&w.c, &manifest, &layers, OCI_CODEC_GZIP);
        assert_int_equal(reuse_note_read(w.c.store, &manifest, &w.arena, &doc, &n, &unknown, &e), 0);
        assert_int_equal(n, 2);
        assert_int_equal(unknown, 1);
        assert_int_equal(doc[0].n_member, 1);
        assert_int_equal(doc[0].paths.size, 5);
        assert_int_equal(doc[1].n_text, 1);
        assert_true(sha256_eq(&doc[1].key, &v[2].fact.key));
        assert_int_equal(store_note_put(w.c.store, STORE_IMAGE, &manifest, SV("damaged\n"), &e), 0);
        assert_int_equal(reuse_note_read(w.c.store, &manifest, &w.arena, &doc, &n, &unknown, &e), -ERR_INTEGRITY);
        err_done(&e);
        manifest = digest("another");
        assert_int_equal(reuse_note_read(w.c.store, &manifest, &w.arena, &doc, &n, &unknown, &e), -ERR_NOT_FOUND);
        err_done(&e);
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(repositories),
                cmocka_unit_test(failures_are_told_once),
                cmocka_unit_test(the_lock_is_believed_first),
                cmocka_unit_test(notes_come_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
