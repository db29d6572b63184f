/* Frozen bytes: keys, diff_ids and gzip digests of small packages that never change. A difference here means another layer-format. */
#include "tests/unit/layer/lib.h"

struct golden {
        const char *name;
        void (*fill)(struct pack *p);
        enum layer_style style;
        const char *root; /* "opt", or NULL: every directory is emitted */
        const char *diff_id, *digest;
};

/* A member whose stream no library made: what it looks like must not depend on zlib's version. */
static struct entry *frozen(struct pack *p, const char *path, sv bytes)
{
        struct entry *en = pack_file(p, path, bytes, CONTENT_STORED);
        struct content *c = &p->content[p->n - 1];
        AUTO(buf_done) struct buf packed = BUF_INIT(TEST_MAX);
        struct fixed *f = fixed_new();
        struct buf_writer out;
        struct err e = { 0 };
        sv rest = bytes;

        fixed_begin(f, buf_writer_init(&out, &packed));
        for (; rest.n; rest = sv_skip(rest, 40000)) {
                fixed_run(f, FIXED_NO_HEADER);
                assert_int_equal(fixed_add(f, rest.p, rest.n < 40000 ? rest.n : 40000, &e), 0);
                assert_int_equal(fixed_end(f, &e), 0);
        }
        fixed_free(f);
        buf_add(&packed, (sv){ "\x03\x00", 2 });
        c->kind = CONTENT_DEFLATE;
        c->p = arena_sv(p->arena, buf_sv(&packed)).p;
        c->n = packed.n;
        return en;
}

static void fill_empty(struct pack *p)
{
        (void)p;
}

static void fill_wheel(struct pack *p)
{
        frozen(p, "opt/env/lib/python3.13/site-packages/demo/__init__.py", SV("from .core import answer\n"));
        frozen(p, "opt/env/lib/python3.13/site-packages/demo/core.py", some_bytes(p->arena, 5000, 1));
        pack_file(p, "opt/env/lib/python3.13/site-packages/demo/empty.py", SV(""), CONTENT_NONE);
        pack_file(p, "opt/env/lib/python3.13/site-packages/demo/data.bin", some_bytes(p->arena, 70000, 2),
                  CONTENT_STORED);
        frozen(p, "opt/env/lib/python3.13/site-packages/demo/_native.so", some_bytes(p->arena, 300000, 3))->mode = 0755;
        frozen(p, "opt/env/lib/python3.13/site-packages/demo-1.0.dist-info/METADATA",
               SV("Metadata-Version: 2.1\nName: demo\n"));
        pack_file(p, "opt/env/bin/demo", SV("#!/opt/env/bin/python\nimport sys\n"), CONTENT_BYTES)->mode = 0755;
        pack_file(p, "opt/env/lib/python3.13/site-packages/demo-1.0.dist-info/INSTALLER", SV("envbuild\n"),
                  CONTENT_BYTES);
        p->record = true;
}

static void fill_names(struct pack *p)
{
        char path[400];

        for (size_t n = 90; n < 110; n += 3) { /* around the ends of ustar's fields */
                snprintf(path, sizeof(path), "opt/env/%0*d", (int)n, 7);
                pack_file(p, path, SV("x"), CONTENT_BYTES);
                snprintf(path, sizeof(path), "opt/env/%0*d/%s", (int)n + 50, 7, "name");
                pack_file(p, path, SV("x"), CONTENT_BYTES);
        }
        pack_file(p, "opt/env/caf\xc3\xa9", SV("utf-8"), CONTENT_BYTES);
        pack_link(p, "opt/env/link", ENTRY_SYMLINK, "caf\xc3\xa9");
        pack_link(p, "opt/env/hard", ENTRY_HARDLINK, "opt/env/caf\xc3\xa9");
        pack_file(p, "opt/env/owned", SV("x"), CONTENT_BYTES)->uid = 3000000;
        pack_file(p, "opt/env/late", SV("x"), CONTENT_BYTES)->mtime = 8589934592;
}

static void fill_deb(struct pack *p)
{
        pack_add(p, SV("usr/share/empty"), ENTRY_DIR, 0755);
        pack_add(p, SV("var/spool/demo"), ENTRY_DIR, 01730)->gid = 7;
        pack_file(p, "var/tmp/keep", SV("x"), CONTENT_STREAM);
        pack_file(p, "usr/bin/demo", some_bytes(p->arena, 2500000, 4), CONTENT_STREAM)->mtime = 1700000000;
        p->entry[p->n - 1].mode = 04755;
        pack_link(p, "usr/bin/demo2", ENTRY_HARDLINK, "usr/bin/demo");
        pack_link(p, "usr/bin/demo3", ENTRY_SYMLINK, "demo");
}

static const struct golden v[] = {
        { "empty", fill_empty, LAYER_JOIN, "opt", "80426ea1ee5fbd11c0c064e0c2834151a2832737d697650abcf027bfc1b83a21",
          "f35e26992f217c7c17a6dd93f90da66cf45af83556f1d5de5c2dd3b54323d4d2" },
        { "wheel", fill_wheel, LAYER_JOIN, "opt", "9d88263c51084b797a6dd180dc663c6c35052ed6144ad9fb9f87f5d77af989c7",
          "68367fa72affae9c8837dac7255513ff72e9e826759af7edb96192367beddde7" },
        { "names", fill_names, LAYER_JOIN, "opt", "8678cb13a15bbf8f2627c3f34cc52bd23ca59fe38fde44900dcd803b0244857f",
          "d38f5036d7aba2846c89c9deb3fd30b3624fa89c5cf4426eac6c655df2aa1a3b" },
        { "deb", fill_deb, LAYER_CHUNK, NULL, "afcaf7438f3dcd6d925d4c424c19389b56ecfbb01b073f7fbe54281c95485fa5",
          "f9f918df8091d7187e690e6d12cd9ff923b46ccacc60002d2f702602594ff9ce" },
};

static void make_golden(struct world *w, const struct golden *g, struct layer_fact *ret)
{
        struct pack p = { .arena = &w->arena };
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct layer_make m = make_of(g->style);
        struct err e = { 0 };
        sha256 key = sha256_of(sv_from(g->name));

        g->fill(&p);
        m.root = sv_from(g->root);
        m.deb_table = !g->root;
        src = pack_source(&p);
        if (layer_make(w->store, &m, &key, 1, false, src, &w->op, ret, &e) < 0)
                fail_msg("%s: %s", g->name, e.cause);
}

static void bytes_are_frozen(void **state)
{
        int bad = 0;

        (void)state;
        for (unsigned jobs = 1; jobs < 4; jobs += 2) { /* threads change nothing */
                struct world w;

                world_open(&w, jobs);
                for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                        AUTO(buf_done) struct buf tar = BUF_INIT(TEST_MAX);
                        struct layer_fact f;

                        make_golden(&w, &v[i], &f);
                        layer_tar(&w, &f, &tar);
                        if (strcmp(sha256_hex(&f.diff_id).s, v[i].diff_id) ||
                            strcmp(sha256_hex(&f.encoding[0].digest).s, v[i].digest))
                                bad++, print_error("%s, %u jobs: diff_id \"%s\", digest \"%s\"\n", v[i].name, jobs,
                                                   sha256_hex(&f.diff_id).s, sha256_hex(&f.encoding[0].digest).s);
                }
                world_done(&w);
        }
        assert_int_equal(bad, 0);
}

/* For judge.py: each layer as NAME.tar.gz, its diff_id, and its path list with a tab between fields. */
static int write_layers(const char *dir)
{
        struct world w;

        world_open(&w, 2);
        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                AUTO(buf_done) struct buf blob = BUF_INIT(TEST_MAX), list = BUF_INIT(TEST_MAX);
                AUTO(free_ptr) char *blob_path = fs_path("%s/%s.tar.gz", dir, v[i].name),
                                    *id_path = fs_path("%s/%s.diff_id", dir, v[i].name);
                AUTO(free_ptr) char *list_path = fs_path("%s/%s.list", dir, v[i].name);
                struct paths paths = { 0 };
                struct layer_fact f;
                struct err e = { 0 };

                make_golden(&w, &v[i], &f);
                blob_read(&w, &f.encoding[0].digest, &blob);
                if (layer_fact_paths(w.store, &f, &w.arena, &paths, &e) < 0)
                        return 1;
                for (size_t k = 0; k < paths.n; k++) {
                        const struct entry *en = &paths.v[k];
                        buf_fmt(&list,
                                "path=%.*s\ttype=%c\tmode=%u\tuid=%u\tgid=%u\tmtime=%lld\tsha256=%s\ttarget=%.*s\n",
                                SV_ARG(en->path), en->type, en->mode, en->uid, en->gid, (long long)en->mtime,
                                sha256_hex(&en->sha256).s, SV_ARG(en->target));
                }
                if (fs_write(blob_path, buf_sv(&blob), 0644, &e) < 0 ||
                    fs_write(list_path, buf_sv(&list), 0644, &e) < 0 ||
                    fs_write(id_path, (sv){ sha256_hex(&f.diff_id).s, 64 }, 0644, &e) < 0)
                        return 1;
        }
        world_done(&w);
        return 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bytes_are_frozen),
        };
        if (argc > 1)
                return write_layers(argv[1]);
        return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
