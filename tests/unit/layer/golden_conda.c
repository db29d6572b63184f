/* Frozen bytes of conda packages: made from constants, so that neither a zip's nor a frame's bytes depend on a library. Alone, in company,
 * in parts, with any number of threads: the same. A difference here means another layer-format. */
#include "tests/unit/install/conda_make.h"
#include "tests/unit/layer/lib.h"

#define BIG 2500000

static const struct made_file arch[] = {
        { .path = "bin/demo",
          .text = "#!" PLACEHOLDER "/bin/sh -e\nexec " PLACEHOLDER "/lib/demo\n",
          .mode = 0775,
          .placeholder = PLACEHOLDER },
        { .path = "lib/libdemo.so.1",
          .text = "\x7f"
                  "ELF " PLACEHOLDER "/lib:" PLACEHOLDER "\0 end",
          .n = 5 + 50 + 5 + 50 + 5,
          .placeholder = PLACEHOLDER,
          .file_mode = "binary",
          .mode = 0755,
          .mtime = 1234567890 },
        { .path = "lib/libdemo.so", .link = "libdemo.so.1" },
        { .path = "lib/libdemo2.so",
          .link = "lib/libdemo.so.1",
          .type = '1',
          .placeholder = PLACEHOLDER,
          .file_mode = "binary" },
        { .path = "share/demo/empty", .text = "" },
        { .path = "var/demo/" },
};
static const struct made_file noarch[] = {
        { .path = "site-packages/demo/__init__.py", .text = "def main():\n    return 0\n" },
        { .path = "python-scripts/demo-tool",
          .text = "#!" PLACEHOLDER "/bin/python\n",
          .mode = 0755,
          .placeholder = PLACEHOLDER },
};
static const struct golden {
        const char *name;
        struct made made;
        bool noarch;
        const char *diff_id, *digest;
} v[] = {
        { "arch",
          { .file = arch, .n = ARRAY_LEN(arch) },
          false,
          "0a2aeca6e7f49bfa6546a254a1b0ca55527b28bf261e3cf086cf1d2d309ec1af",
          "17b59fafb21df7d2ea8cde3bdc650874dbd15094e9f1cc0f7b5747cd07ca2d69" },
        { "noarch",
          { .index = MADE_NOARCH,
            .link = "{\"noarch\":{\"type\":\"python\",\"entry_points\":[\"demo2 = demo:main\"]}}",
            .file = noarch,
            .n = ARRAY_LEN(noarch) },
          true,
          "c05f74c747ec44ea7a6f65baebcf33c202c34d901fea3889a87da371a977b5d0",
          "105a96c4f233ac95693b2f28e4d6198f597536799a348a47d468d613e60b11b8" },
        { "big",
          { 0 },
          false,
          "7380314f93a631fd360e2e9631328ee01833ad84d6d52c02f8406b8642df9a7d",
          "da426315dd291400160f3ef535e435dc7578e41a41ef4a0d8c69908d16778b05" }, /* filled in: chunks, and parts */
};
static const char bucket_digest[] = "e27192bdf8dbd288b97541ae24f6c5d3637da37b1e1713eb76aacb5100d63d01";

static void install(struct world *w, const struct golden *g, struct entry_source **ret)
{
        struct install_ctx ctx = { .prefix = SV("/opt/env"), .root = SV("opt") };
        static struct diags ds;
        struct made_file big[] = { { .path = "lib/a.so", .n = BIG },
                                   { .path = "lib/b.so", .n = BIG / 2 },
                                   { .path = "lib/c", .text = "c" } };
        struct buf archive = { 0 };
        struct artifact art;
        struct made m = g->made;
        struct err e = { 0 };
        sv bytes;

        big[0].text = some_bytes(&w->arena, BIG, 11).p;
        big[1].text = some_bytes(&w->arena, BIG / 2, 12).p;
        if (!m.file) {
                m.file = big;
                m.n = ARRAY_LEN(big);
        }
        if (g->noarch) {
                ctx.python = SV("3.11");
                ctx.site_packages = SV("lib/python3.11/site-packages");
        }
        made_conda(&m, &archive);
        bytes = arena_sv(&w->arena, buf_sv(&archive)); /* the source reads it later */
        art = made_artifact(&archive, g->noarch);
        if (install_conda(&art, bytes, &ctx, &ds, ret, &e) < 0)
                fail_msg("%s: %s", g->name, e.cause);
        diags_done(&ds);
        buf_done(&archive);
}

static void make(struct world *w, const struct golden *g, uint32_t parts, bool only_body, struct layer_fact *ret)
{
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct layer_make m = { .style = LAYER_CHUNK, .root = SV("opt"), .subject = sv_from(g->name) };
        struct err e = { 0 };
        sha256 key[8];

        for (uint32_t i = 0; i < parts; i++)
                key[i] = sha256_of(arena_fmt(&w->arena, "%s %u of %u", g->name, i, parts));
        install(w, g, &src);
        if (layer_make(w->store, &m, key, parts, only_body, src, &w->op, ret, &e) < 0)
                fail_msg("%s: %s", g->name, e.cause);
}

static bool is(const char *name, const sha256 *have, const char *want)
{
        if (!strcmp(sha256_hex(have).s, want))
                return true;
        print_error("%s is \"%s\"\n", name, sha256_hex(have).s);
        return false;
}

static void bytes_are_frozen(void **state)
{
        int bad = 0;

        (void)state;
        for (unsigned jobs = 1; jobs <= 4; jobs += 3)
                for (size_t first = 0; first < ARRAY_LEN(v);
                     first++) { /* alone when it is the first, then in company */
                        struct world w;

                        world_open(&w, jobs);
                        for (size_t i = first; i < ARRAY_LEN(v); i++) {
                                struct layer_fact f;

                                make(&w, &v[i], 1, false, &f);
                                bad += !is(v[i].name, &f.diff_id, v[i].diff_id);
                                bad += !is(v[i].name, &f.encoding[0].digest, v[i].digest);
                        }
                        world_done(&w);
                }
        assert_int_equal(bad, 0);
}

static void a_bucket_of_bodies(void **state)
{
        struct layer_make m = { .style = LAYER_CHUNK, .root = SV("opt"), .subject = SV("bucket") };
        struct layer_fact f[2], bucket;
        struct layer_member member[2];
        struct err e = { 0 };
        struct world w;
        sha256 key = sha256_of(SV("bucket"));

        (void)state;
        world_open(&w, 2);
        for (size_t i = 0; i < 2; i++) {
                make(&w, &v[i], 1, true, &f[i]);
                member[i] = (struct layer_member){ .fact = &f[i], .style = LAYER_CHUNK };
        }
        if (layer_bucket(w.store, &m, &key, member, 2, &w.op, &bucket, &e) < 0)
                fail_msg("%s", e.cause);
        assert_true(is("bucket", &bucket.encoding[0].digest, bucket_digest));
        world_done(&w);
}

static void files_of(struct world *w, const struct layer_fact *f, struct paths *all)
{
        struct paths list = { 0 };
        struct err e = { 0 };

        assert_int_equal(layer_fact_paths(w->store, f, &w->arena, &list, &e), 0);
        for (size_t i = 0; i < list.n; i++)
                if (list.v[i].type != ENTRY_DIR)
                        paths_add(&w->arena, all, &list.v[i]);
}

/* Two parts hold what one layer holds; what is generated is in the first. */
static void parts_hold_the_whole(void **state)
{
        struct layer_fact whole, part[2];
        struct paths one = { 0 }, two = { 0 };
        struct world w;

        (void)state;
        world_open(&w, 2);
        make(&w, &v[2], 1, false, &whole);
        make(&w, &v[2], 2, false, part);
        files_of(&w, &whole, &one);
        files_of(&w, &part[0], &two);
        assert_int_equal(two.n, 2); /* a.so, conda-meta */
        files_of(&w, &part[1], &two);
        paths_sort(&two);
        assert_int_equal(one.n, two.n);
        for (size_t i = 0; i < one.n; i++) {
                assert_true(sv_eq(one.v[i].path, two.v[i].path));
                assert_true(sha256_eq(&one.v[i].sha256, &two.v[i].sha256));
        }
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bytes_are_frozen),
                cmocka_unit_test(a_bucket_of_bodies),
                cmocka_unit_test(parts_hold_the_whole),
        };

        return cmocka_run_group_tests_name("golden_conda", tests, NULL, NULL);
}
