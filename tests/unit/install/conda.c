/* The source: what is installed, in which order, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "tests/unit/install/conda_make.h"
#include "tests/unit/unit.h"

#define SITE "lib/python3.11/site-packages"

static const struct install_ctx ctx = {
        .prefix = { "/opt/env", 8 }, .root = { "opt", 3 }, .python = { "3.11", 4 }, .site_packages = { SITE, 28 }
};

static int read_content(const struct content *c, struct buf *out, struct err *e)
{
        char piece[7];
        size_t n = 0;

        buf_clear(out);
        if (c->kind == CONTENT_BYTES)
                buf_add(out, (sv){ c->p, c->n });
        while (c->kind == CONTENT_STREAM) {
                if (c->read(c->arg, piece, sizeof(piece), &n, e) < 0)
                        return -(int)e->code;
                if (!n)
                        return 0;
                buf_add(out, (sv){ piece, n });
        }
        return 0;
}

/* "type mode mtime path [-> target] [text or size]\n" of every entry; conda-meta's text goes to `meta`. */
static int list(struct entry_source *s, struct buf *out, struct buf *meta, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)64 << 20);
        struct content c;
        struct entry *en;
        int rc;

        while ((rc = s->ops->next(s, &en, &c, e)) > 0) {
                bool file = en->type == ENTRY_FILE;

                if (file && read_content(&c, &b, e) < 0)
                        return -(int)e->code;
                if (file) {
                        assert_int_equal(b.n, en->size);
                        en->sha256 = sha256_of(buf_sv(&b));
                }
                assert_true(en->uid == 0 && en->gid == 0);
                buf_fmt(out, "%c %o %lld%s %.*s", en->type, en->mode, (long long)en->mtime, en->generated ? "*" : "",
                        SV_ARG(en->path));
                if (en->target.n)
                        buf_fmt(out, " -> %.*s", SV_ARG(en->target));
                if (sv_starts(en->path, SV("opt/env/conda-meta/")) && meta) {
                        buf_clear(meta);
                        buf_add(meta, buf_sv(&b));
                } else if (file && b.n < 80 && memchr(b.n ? b.p : "", '\0', b.n) == NULL) {
                        buf_fmt(out, " [%.*s]", (int)b.n, b.n ? b.p : "");
                }
                if (file && b.n > 1 << 20)
                        buf_fmt(out, " %zu bytes", b.n);
                buf_fmt(out, "\n");
        }
        return rc;
}

struct result {
        struct buf list, meta;
        struct diags ds;
        struct err e;
        int rc;
};

static void result_done(struct result *r)
{
        buf_done(&r->list);
        buf_done(&r->meta);
        diags_done(&r->ds);
        err_done(&r->e);
}

static void install_bytes(const struct buf *archive, const struct artifact *art, const struct install_ctx *how,
                          struct result *r)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;

        (void)archive;
        *r = (struct result){ .list = BUF_INIT((size_t)1 << 20), .meta = BUF_INIT((size_t)1 << 20) };
        r->rc = install_conda(art, buf_sv(archive), how, &r->ds, &s, &r->e);
        if (r->rc == 0)
                r->rc = list(s, &r->list, &r->meta, &r->e);
        if (r->rc == 0) { /* and again: a pass that only looks, then one that reads */
                AUTO(buf_done) struct buf again = BUF_INIT((size_t)1 << 20);
                struct content c;
                struct entry *en;
                sv first = { 0 };

                assert_int_equal(s->ops->rewind(s, &r->e), 0);
                while (s->ops->next(s, &en, &c, &r->e) > 0)
                        if (!first.n)
                                first = en->path;
                assert_int_equal(s->ops->rewind(s, &r->e), 0);
                assert_int_equal(list(s, &again, NULL, &r->e), 0);
                assert_true(sv_find_sv(buf_sv(&again), first) >= 0); /* texts outlive a pass */
                assert_true(strstr(again.p, "opt/env/conda-meta/") != NULL);
                assert_true(strncmp(again.p, r->list.p, r->list.n) == 0);
        }
}

static void install(const struct made *m, bool noarch, struct result *r)
{
        AUTO(buf_done) struct buf archive = { 0 };
        struct artifact art;

        made_conda(m, &archive);
        art = made_artifact(&archive, noarch);
        install_bytes(&archive, &art, &ctx, r);
}

static void expect_list(const struct made *m, bool noarch, const char *want)
{
        AUTO(result_done) struct result r = { 0 };

        install(m, noarch, &r);
        if (r.e.cause)
                print_error("%s\n", r.e.cause);
        assert_int_equal(r.rc, 0);
        assert_string_equal(r.list.p, want);
}

/* Refused, with a message that names the package and this. */
static void expect_fault(const struct made *m, bool noarch, enum err_code code, const char *says)
{
        AUTO(result_done) struct result r = { 0 };

        install(m, noarch, &r);
        if (r.rc != -(int)code || !strstr(r.e.cause, says)) {
                print_error("%d: %s (wanted: %s)\n", r.rc, r.e.cause ? r.e.cause : r.list.p, says);
                fail();
        }
        assert_true(strstr(r.e.trail, "the conda package 'demo-1.0-") != NULL);
}

static void fault(const struct made_file *f, size_t n, enum err_code code, const char *says)
{
        const struct made m = { .file = f, .n = n };

        expect_fault(&m, false, code, says);
}

#define META "conda-meta/demo-1.0-h1_0.json"

static void members_in_their_order(void **state)
{
        static const struct made_file f[] = {
                { .path = "lib/b.so", .text = "b", .mode = 0775, .mtime = 1234567890 },
                { .path = "./bin/", .unlisted = true },
                { .path = "./bin/tool", .text = "#!/bin/sh\n", .mode = 04711, .path_type = "", .unlisted = true },
                { .path = "lib/b.so.1", .link = "b.so" },
                { .path = "lib/dangling", .link = "/no/../where" },
                { .path = "lib/hard", .link = "lib/b.so", .type = '1' },
                { .path = "lib/hard2", .link = "./lib/hard", .type = '1' },
                { .path = "old", .text = "1970", .mtime = 1 },
                { .path = "empty", .text = "" },
                { .path = "not-listed", .text = "x", .unlisted = true },
                { .path = "var/empty/" },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };

        (void)state;
        expect_list(&m, false,
                    "f 755 1234567890 opt/env/lib/b.so [b]\n"
                    "l 777 1500000000 opt/env/lib/b.so.1 -> b.so\n"
                    "l 777 1500000000 opt/env/lib/dangling -> /no/../where\n"
                    "h 644 1500000000 opt/env/lib/hard -> opt/env/lib/b.so\n"
                    "h 644 1500000000 opt/env/lib/hard2 -> opt/env/lib/b.so\n"
                    "f 644 315532800 opt/env/old [1970]\n"
                    "f 644 1500000000 opt/env/empty []\n"
                    "d 755 315532800 opt/env/var/empty\n"
                    "f 644 315532800* opt/env/" META "\n");
}

static void dot_members_are_listed_without(void **state)
{
        static const struct made_file f[] = { { .path = "./bin/tool", .text = "t", .mode = 0755, .unlisted = true } };
        const struct made m = { .file = f,
                                .n = 1,
                                .paths = "{\"paths_version\":1,\"paths\":[{\"_path\":\"bin/tool\"},"
                                         "{\"_path\":\"etc/made\",\"path_type\":\"directory\"}]}" };

        (void)state;
        expect_list(&m, false,
                    "f 755 1500000000 opt/env/bin/tool [t]\n"
                    "d 755 315532800* opt/env/etc/made\n"
                    "f 644 315532800* opt/env/" META "\n");
}

static void prefix_is_replaced(void **state)
{
        static const struct made_file f[] = {
                { .path = "bin/x",
                  .text = "#!" PLACEHOLDER "/bin/python -E\n" PLACEHOLDER "\n",
                  .mode = 0755,
                  .placeholder = PLACEHOLDER },
                { .path = "lib/x.so",
                  .text = "\x7f" PLACEHOLDER "/a:" PLACEHOLDER "\0\0end",
                  .n = 1 + 50 + 3 + 50 + 5,
                  .placeholder = PLACEHOLDER,
                  .file_mode = "binary" },
                { .path = "lib/hard.so",
                  .link = "lib/x.so",
                  .type = '1',
                  .placeholder = PLACEHOLDER,
                  .file_mode = "binary" },
                { .path = "etc/none", .text = "nothing here", .placeholder = PLACEHOLDER },
                { .path = "etc/void", .text = "", .placeholder = PLACEHOLDER },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };

        (void)state;
        assert_int_equal(strlen(PLACEHOLDER), 50);
        expect_list(&m, false,
                    "f 755 1500000000 opt/env/bin/x [#!/opt/env/bin/python -E\n/opt/env\n]\n"
                    "f 644 1500000000 opt/env/lib/x.so\n"
                    "h 644 1500000000 opt/env/lib/hard.so -> opt/env/lib/x.so\n"
                    "f 644 1500000000 opt/env/etc/none [nothing here]\n"
                    "f 644 1500000000 opt/env/etc/void []\n"
                    "f 644 315532800* opt/env/" META "\n");
}

/* Hard links to what is not installed, or not so: files of their own. */
static void links_to_other_bytes(void **state)
{
        static const struct made_file f[] = {
                { .path = "hidden", .text = "h", .unlisted = true, .mode = 0755 },
                { .path = "seen", .link = "hidden", .type = '1' },
                { .path = "plain", .text = "a " PLACEHOLDER "\n" },
                { .path = "text", .link = "plain", .type = '1', .placeholder = PLACEHOLDER },
                { .path = "binary", .link = "plain", .type = '1', .placeholder = PLACEHOLDER, .file_mode = "binary" },
                { .path = "same", .link = "plain", .type = '1' },
                { .path = "last", .text = "z" },
        };
        static const struct made_file lies[] = {
                { .path = "hidden", .text = "h", .unlisted = true },
                { .path = "seen",
                  .link = "hidden",
                  .type = '1',
                  .sha256 = "0000000000000000000000000000000000000000000000000000000000000000",
                  .size = 1 },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };

        (void)state;
        expect_list(&m, false,
                    "f 755 1500000000 opt/env/seen [h]\n"
                    "f 644 1500000000 opt/env/plain [a " PLACEHOLDER "\n]\n"
                    "f 644 1500000000 opt/env/text [a /opt/env\n]\n"
                    "f 644 1500000000 opt/env/binary [a " PLACEHOLDER "\n]\n"
                    "h 644 1500000000 opt/env/same -> opt/env/plain\n"
                    "f 644 1500000000 opt/env/last [z]\n"
                    "f 644 315532800* opt/env/" META "\n");
        fault(lies, 2, ERR_INTEGRITY,
              "'seen' has the sha256 aaa9402664f1a41f40ebbc52c9993eb66aeb366602958fdfaa283b71e64db123");
}

static void too_many_of_them(void **state)
{
        struct made_file f[66] = { { .path = "hidden", .text = "h", .unlisted = true } };
        char names[65][8];

        (void)state;
        for (unsigned i = 0; i < 65; i++) {
                snprintf(names[i], sizeof(names[i]), "l%u", i);
                f[i + 1] = (struct made_file){ .path = names[i], .link = "hidden", .type = '1' };
        }
        fault(f, 66, ERR_LIMIT, "more than 64 large texts with a prefix, or hard links");
}

static void noarch_python_is_mapped(void **state)
{
        static const struct made_file f[] = {
                { .path = "site-packages/demo/__init__.py", .text = "x = 1\n" },
                { .path = "python-scripts/say",
                  .text = "#!" PLACEHOLDER "/bin/python\n",
                  .mode = 0755,
                  .placeholder = PLACEHOLDER },
                { .path = "python-scripts/demo", .text = "an entry point takes its place" },
                { .path = "share/demo.txt", .text = "t" },
        };
        const struct made m = { .file = f,
                                .n = ARRAY_LEN(f),
                                .index = MADE_NOARCH,
                                .link = "{\"noarch\":{\"type\":\"python\",\"entry_points\":[\"zz=demo:App.run\", "
                                        "\"demo = demo.core:main\"]},\"package_metadata_version\":1}" };
        AUTO(result_done) struct result r = { 0 };

        (void)state;
        expect_list(&m, true,
                    "f 644 1500000000 opt/env/" SITE "/demo/__init__.py [x = 1\n]\n"
                    "f 755 1500000000 opt/env/bin/say [#!/opt/env/bin/python\n]\n"
                    "f 644 1500000000 opt/env/share/demo.txt [t]\n"
                    "f 755 315532800* opt/env/bin/demo\n"
                    "f 755 315532800* opt/env/bin/zz\n"
                    "f 644 315532800* opt/env/conda-meta/demo-1.0-py_0.json\n");
        install(&m, true, &r);
        assert_true(strstr(r.meta.p, "{\"_path\":\"bin/zz\",\"path_type\":\"unix_python_entry_point\",\"sha256\":\"") !=
                    NULL);
        assert_true(strstr(r.meta.p,
                           "\"files\":[\"" SITE
                           "/demo/__init__.py\",\"bin/say\",\"share/demo.txt\",\"bin/zz\",\"bin/demo\"]") != NULL);
}

static void mask(struct buf *text, const char *what, const char *with)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 20);
        sv rest = buf_sv(text);

        for (ptrdiff_t at; (at = sv_find_sv(rest, sv_from(what))) >= 0;
             rest = sv_skip(rest, (size_t)at + strlen(what))) {
                buf_add(&out, sv_from_to(rest, 0, (size_t)at));
                buf_add(&out, sv_from(with));
        }
        buf_add(&out, rest);
        buf_clear(text);
        buf_add(text, buf_sv(&out));
}

static void record_says_what_is_there(void **state)
{
        static const struct made_file f[] = {
                { .path = "bin/x", .text = PLACEHOLDER, .mode = 0755, .placeholder = PLACEHOLDER },
                { .path = "lib/l", .link = "x" },
                { .path = "etc/d/" },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };
        AUTO(buf_done) struct buf archive = { 0 };
        AUTO(result_done) struct result r = { 0 };
        sha256 known;

        (void)state;
        install(&m, false, &r);
        assert_int_equal(r.rc, 0);
        known = sha256_of(SV(PLACEHOLDER));
        mask(&r.meta, sha256_hex(&known).s, "SHA");
        known = sha256_of(SV("/opt/env"));
        mask(&r.meta, sha256_hex(&known).s, "IN");
        made_conda(&m, &archive);
        known = sha256_of(buf_sv(&archive));
        mask(&r.meta, sha256_hex(&known).s, "ART");
        memcpy(strstr(r.meta.p, "\"md5\":\"") + 7, "00000000000000000000000000000000", 32);
        assert_string_equal(
                r.meta.p,
                "{\"arch\":\"x86_64\",\"build\":\"h1_0\",\"build_number\":0,\"channel\":\"https://c.example/forge\","
                "\"constrains\":[\"other <2\"],\"depends\":[\"libc >=2\",\"zlib\"],\"extracted_package_dir\":\"\","
                "\"files\":[\"bin/x\",\"lib/l\",\"etc/d\"],\"fn\":\"demo-1.0-h1_0.conda\",\"license\":\"MIT\","
                "\"link\":{\"source\":\"\",\"type\":3},\"md5\":\"00000000000000000000000000000000\",\"name\":\"demo\","
                "\"package_tarball_full_path\":\"\",\"paths_data\":{\"paths\":["
                "{\"_path\":\"bin/"
                "x\",\"file_mode\":\"text\",\"path_type\":\"hardlink\",\"prefix_placeholder\":\"" PLACEHOLDER
                "\",\"sha256\":\"SHA\",\"sha256_in_prefix\":\"IN\",\"size_in_bytes\":50},"
                "{\"_path\":\"lib/l\",\"path_type\":\"softlink\"},{\"_path\":\"etc/d\",\"path_type\":\"directory\"}],"
                "\"paths_version\":1},\"sha256\":\"ART\",\"size\":6577,\"subdir\":\"linux-64\",\"timestamp\":"
                "1600000000000,"
                "\"url\":\"https://c.example/forge/linux-64/demo-1.0-h1_0.conda\",\"version\":\"1.0\"}");
}

static void unsafe_members_are_refused(void **state)
{
        (void)state;
#define F(says, ...)                                                                                                   \
        do {                                                                                                           \
                static const struct made_file f_[] = { __VA_ARGS__ };                                                  \
                fault(f_, ARRAY_LEN(f_), ERR_INTEGRITY, says);                                                         \
        } while (0)
        F("'../evil'", { .path = "../evil", .text = "x", .unlisted = true });
        F("'a/../../evil'", { .path = "a/../../evil", .text = "x", .unlisted = true });
        F("'/etc/evil'", { .path = "/etc/evil", .text = "x", .unlisted = true });
        F("'a//b'", { .path = "a//b", .text = "x", .unlisted = true });
        F("character device 'dev/null'", { .path = "dev/null", .type = '3', .unlisted = true });
        F("block device 'dev/sda'", { .path = "dev/sda", .type = '4', .unlisted = true });
        F("pipe 'fifo'", { .path = "fifo", .type = '6', .unlisted = true });
        F("'h' is a hard link to '/etc/passwd'", { .path = "h", .link = "/etc/passwd", .type = '1' });
        F("'h' is a hard link to '../x'", { .path = "h", .link = "../x", .type = '1' });
        F("'h' is a hard link to 'later'", { .path = "h", .link = "later", .type = '1' },
          { .path = "later", .text = "x" });
        F("'h' is a hard link to 'l'", { .path = "l", .link = "x" }, { .path = "h", .link = "l", .type = '1' });
        F("'lib/out/evil' would be written through 'lib/out'", { .path = "lib/out", .link = "/tmp" },
          { .path = "lib/out/evil", .text = "x", .unlisted = true });
        F("'lib' as a file and as a folder", { .path = "lib/x", .text = "x" }, { .path = "lib", .link = "/tmp" });
        F("'f/x' lies below 'f'", { .path = "f", .text = "x" }, { .path = "f/x", .text = "x" });
        F("'x' twice", { .path = "x", .text = "x" }, { .path = "./x", .text = "x", .unlisted = true });
        F("the symbolic link 'l' leads nowhere", { .path = "l", .link = "", .type = '2' });
        F("'conda-meta/evil.json', which only an installer may write",
          { .path = "conda-meta/evil.json", .text = "{}" });
        F("'conda-meta/history'", { .path = "conda-meta/history", .text = "" });
        F("'info/index.json' twice", { .path = "info/index.json", .text = MADE_INDEX, .unlisted = true });
#undef F
}

static void lies_of_paths_json_are_told(void **state)
{
        static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
        static const struct made_file digest[] = { { .path = "a/b", .text = "text", .sha256 = zeros } };
        static const struct made_file text[] = {
                { .path = "a/b", .text = "text " PLACEHOLDER, .sha256 = zeros, .placeholder = PLACEHOLDER }
        };
        static const struct made_file binary[] = { { .path = "a/b",
                                                     .text = "text " PLACEHOLDER,
                                                     .sha256 = zeros,
                                                     .placeholder = PLACEHOLDER,
                                                     .file_mode = "binary" } };
        static const struct made_file size[] = { { .path = "a/b", .text = "text", .size = 5 } };
        static const struct made_file folder[] = { { .path = "a/b", .text = "text", .path_type = "directory" } };
        static const struct made_file file[] = { { .path = "a/b/", .path_type = "hardlink" } };
        static const struct made_file links[] = {
                { .path = "x", .text = "1" }, { .path = "y", .link = "x", .type = '1', .sha256 = zeros, .size = 1 }
        };
        static const struct made_file kind[] = { { .path = "x", .text = "1", .path_type = "hardlnk" } };
        static const struct made_file soft[] = {
                { .path = "x", .text = "1", .path_type = "softlink", .sha256 = zeros }
        };
        const struct made hard = {
                .file = links,
                .n = 2,
                .paths = "{\"paths_version\":1,\"paths\":[{\"_path\":\"x\"},{\"_path\":\"y\",\"sha256\":"
                         "\"0000000000000000000000000000000000000000000000000000000000000000\"}]}"
        };
        const struct made missing = { .paths = "{\"paths_version\":1,\"paths\":[{\"_path\":\"bin/gone\"}]}" };
        const struct made twice = { .paths = "{\"paths_version\":1,\"paths\":[{\"_path\":\"a\"},{\"_path\":\"a\"}]}" };
        const struct made unsafe = { .paths = "{\"paths_version\":1,\"paths\":[{\"_path\":\"a/../b\"}]}" };
        const struct made newer = { .paths = "{\"paths_version\":2,\"paths\":[]}" };
        const struct made taken = { .file = soft, .n = 1 };

        (void)state;
        fault(digest, 1, ERR_INTEGRITY,
              "'a/b' has the sha256 982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1, but");
        fault(text, 1, ERR_INTEGRITY, "'a/b' has the sha256");
        fault(binary, 1, ERR_INTEGRITY, "'a/b' has the sha256");
        fault(size, 1, ERR_INTEGRITY, "'a/b' has the size 4, but info/paths.json says 5");
        fault(folder, 1, ERR_INTEGRITY, "'a/b' is no folder");
        fault(file, 1, ERR_INTEGRITY, "'a/b' is a folder in the package");
        fault(links, 2, ERR_INTEGRITY, "'y' is a hard link to 'x', but info/paths.json says that they differ");
        fault(kind, 1, ERR_INTEGRITY, "'x' has an unknown path_type");
        expect_fault(&hard, false, ERR_INTEGRITY, "'y' has the sha256 6b86b273ff34");
        expect_fault(&missing, false, ERR_INTEGRITY, "lists 'bin/gone', but its archive does not hold it");
        expect_fault(&twice, false, ERR_INTEGRITY, "lists 'a' twice");
        expect_fault(&unsafe, false, ERR_INTEGRITY, "lists the path 'a/../b'");
        expect_fault(&newer, false, ERR_FAILED, "version 2");
        expect_list(&taken, false, "f 644 1500000000 opt/env/x [1]\nf 644 315532800* opt/env/" META "\n");
}

static void prefix_too_long(void **state)
{
        static const struct made_file f[] = {
                { .path = "lib/x.so", .text = "/short/x\0", .n = 9, .placeholder = "/short", .file_mode = "binary" }
        };
        static const struct made_file unused[] = {
                { .path = "lib/x.so", .text = "/shor/x\0", .n = 8, .placeholder = "/short", .file_mode = "binary" }
        };
        const struct made m = { .file = unused, .n = 1 };
        AUTO(result_done) struct result r = { 0 };

        (void)state;
        fault(f, 1, ERR_FAILED, "the prefix '/opt/env' has 8 bytes, but 'lib/x.so' is a binary file with room for 6");
        install(&m, false, &r);
        assert_int_equal(r.rc, 0);
}

static void other_packages_are_refused(void **state)
{
        const struct made name = { .index = "{\"name\":\"Demos\",\"version\":\"1.0\",\"build\":\"h1_0\"}" };
        const struct made build = { .index = "{\"name\":\"demo\",\"version\":\"1.0\",\"build\":\"h1_1\"}" };
        const struct made less = { .index = "{\"name\":\"demo\",\"version\":\"1.0\"}" };
        const struct made rubbish = { .index = "{\"name\":" };
        const struct made entry = { .index = MADE_NOARCH, .link = "{\"noarch\":{\"entry_points\":[\"../x = a:b\"]}}" };
        const struct made python = { .index = MADE_NOARCH };
        AUTO(buf_done) struct buf archive = { 0 };
        AUTO(result_done) struct result r = { 0 };
        struct install_ctx bare = ctx;
        struct artifact art;

        (void)state;
        expect_fault(&name, false, ERR_INTEGRITY, "the file of 'demo 1.0 h1_0' holds 'Demos 1.0 h1_0'");
        expect_fault(&build, false, ERR_INTEGRITY, "holds 'demo 1.0 h1_1'");
        expect_fault(&less, false, ERR_INTEGRITY, "info/index.json does not name");
        expect_fault(&rubbish, false, ERR_INTEGRITY, "line 1, column");
        expect_fault(&entry, true, ERR_FAILED, "'../x' is no name of a program");
        bare.python = (sv){ 0 };
        made_conda(&python, &archive);
        art = made_artifact(&archive, true);
        install_bytes(&archive, &art, &bare, &r);
        assert_int_equal(r.rc, -ERR_FAILED);
        assert_true(strstr(r.e.cause, "noarch python package") != NULL);
}

static void md5_of_the_lock_is_checked(void **state)
{
        const struct made m = { 0 };
        AUTO(buf_done) struct buf archive = { 0 };
        AUTO(result_done) struct result r = { 0 };
        struct artifact art;

        (void)state;
        made_conda(&m, &archive);
        art = made_artifact(&archive, false);
        art.md5 = SV("00000000000000000000000000000000");
        install_bytes(&archive, &art, &ctx, &r);
        assert_int_equal(r.rc, -ERR_INTEGRITY);
        assert_true(strstr(r.e.cause, "has the md5") != NULL);
}

static void scripts_and_menus_are_named(void **state)
{
        static const struct made_file f[] = {
                { .path = "bin/.demo-post-link.sh", .text = "ldconfig\n" },
                { .path = "bin/.demo-pre-unlink.sh", .text = "rm -rf /\n" },
                { .path = "bin/.other-post-link.sh", .text = "not ours\n" },
                { .path = "Menu/demo.json", .text = "{}" },
                { .path = "Menu/demo.ico", .text = "" },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };
        AUTO(result_done) struct result r = { 0 };

        (void)state;
        install(&m, false, &r);
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.ds.n, 3);
        assert_string_equal(r.ds.v[0].code, "EB530");
        assert_true(sv_find_sv(r.ds.v[0].text, SV("'bin/.demo-post-link.sh'")) == 0);
        assert_true(sv_find_sv(r.ds.v[1].text, SV("'bin/.demo-pre-unlink.sh'")) == 0);
        assert_string_equal(r.ds.v[2].code, "EB531");
        assert_int_equal(r.ds.v[2].level, DIAG_NOTE);
        assert_int_equal(r.ds.n_errors, 0);
}

/* From a path list, the same words; and known scripts are silent. */
static void a_path_list_tells_it_too(void **state)
{
        struct entry v[] = {
                { .path = SV("opt/env/Menu/demo.json"), .type = ENTRY_FILE },
                { .path = SV("opt/env/bin/.demo-post-link.sh"), .type = ENTRY_FILE },
                { .path = SV("opt/env/bin/.demo-pre-link.sh"), .type = ENTRY_FILE },
                { .path = SV("opt/env/bin/.demon-post-link.sh"), .type = ENTRY_FILE },
                { .path = SV("usr/bin/.demo-post-link.sh"), .type = ENTRY_FILE },
        };
        const struct paths list = { .v = v, .n = ARRAY_LEN(v) };
        static const struct made_file f[] = { { .path = "bin/.demo-post-link.sh", .text = "x" } };
        const struct made m = { .file = f, .n = 1 };
        AUTO(buf_done) struct buf archive = { 0 };
        AUTO(result_done) struct result r = { 0 };
        struct artifact art;

        (void)state;
        made_conda(&m, &archive);
        art = made_artifact(&archive, false);
        assert_true(sha256_read(SV("1fed353cac95ed020551652ff444128292bb35be121ef26bdbb8bb9a487fac9f"), &v[2].sha256));
        install_bytes(&archive, &art, &ctx, &r);
        assert_int_equal(r.ds.n, 1);
        install_conda_warn(&art, &ctx, &list, &r.ds);
        assert_int_equal(r.ds.n, 3);
        assert_string_equal(r.ds.v[1].code, "EB531");
        assert_true(sv_eq(r.ds.v[0].text, r.ds.v[2].text) && sv_eq(r.ds.v[0].file, r.ds.v[2].file));
}

static void known_scripts_are_not_named(void **state)
{
        static const char cudnn[] = "1fed353cac95ed020551652ff444128292bb35be121ef26bdbb8bb9a487fac9f";
        static const struct made_file f[] = {
                { .path = "bin/.demo-post-link.sh", .text = "x", .sha256 = cudnn, .size = 1 }
        };
        const struct made m = { .file = f, .n = 1 };
        AUTO(result_done) struct result r = { 0 };

        (void)state;
        install(&m, false, &r);
        assert_int_equal(r.ds.n, 0);
        assert_int_equal(r.rc, -ERR_INTEGRITY); /* but it must be that script */
}

/* A .pyc names the mtime and the size of its source: both are what they were. */
static void shipped_pyc_stay_valid(void **state)
{
        static const char pyc[] = "\x42\x0d\r\n\0\0\0\0\x52\x54\x5a\x59\x06\0\0\0code";
        static const struct made_file f[] = {
                { .path = "lib/python3.7/site-packages/x.py", .text = "x = 1\n", .mtime = 0x595a5452 },
                { .path = "lib/python3.7/site-packages/__pycache__/x.cpython-37.pyc",
                  .text = pyc,
                  .n = sizeof(pyc) - 1 },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };
        AUTO(buf_done) struct buf archive = { 0 }, b = BUF_INIT(4096);
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art;
        struct content c;
        struct entry *en;
        int64_t mtime;
        uint64_t size;

        (void)state;
        made_conda(&m, &archive);
        art = made_artifact(&archive, false);
        assert_int_equal(install_conda(&art, buf_sv(&archive), &ctx, &ds, &s, &e), 0);
        assert_int_equal(s->ops->next(s, &en, &c, &e), 1);
        mtime = en->mtime;
        size = en->size;
        assert_int_equal(s->ops->next(s, &en, &c, &e), 1);
        assert_int_equal(read_content(&c, &b, &e), 0);
        for (unsigned i = 0; i < 4; i++) {
                assert_int_equal((unsigned char)b.p[8 + i], mtime >> 8 * i & 0xff);
                assert_int_equal((unsigned char)b.p[12 + i], size >> 8 * i & 0xff);
        }
}

static void before_paths_json(void **state)
{
        static const struct made_file f[] = {
                { .path = "bin/old", .text = "#!/opt/anaconda1anaconda2anaconda3/bin/sh\n", .mode = 0755 },
                { .path = "share/my file", .text = "/ph/x" },
                { .path = "share/plain", .text = "/ph" },
                { .path = "extra", .text = "not listed" },
        };
        static const struct made_file info[] = {
                { .path = "info/files", .text = "bin/old\nshare/my file\nshare/plain\n" },
                { .path = "info/has_prefix", .text = "bin/old\n\"/ph\" text \"share/my file\"\n/ph text not/there\n" },
                { .path = "info/no_link", .text = "share/plain\n" },
        };
        const struct made m = { .file = f, .n = ARRAY_LEN(f), .paths = "", .info = info, .n_info = ARRAY_LEN(info) };
        const struct made nothing = { .file = f, .n = 2, .paths = "" };
        AUTO(result_done) struct result r = { 0 };

        (void)state;
        expect_list(&m, false,
                    "f 755 1500000000 opt/env/bin/old [#!/opt/env/bin/sh\n]\n"
                    "f 644 1500000000 opt/env/share/my file [/opt/env/x]\n"
                    "f 644 1500000000 opt/env/share/plain [/ph]\n"
                    "f 644 315532800* opt/env/" META "\n");
        expect_list(&nothing, false,
                    "f 755 1500000000 opt/env/bin/old [#!/opt/anaconda1anaconda2anaconda3/bin/sh\n]\n"
                    "f 644 1500000000 opt/env/share/my file [/ph/x]\n"
                    "f 644 315532800* opt/env/" META "\n");
        install(&m, false, &r);
        assert_true(strstr(r.meta.p, "\"no_link\":true") != NULL);
        assert_true(strstr(r.meta.p,
                           "{\"_path\":\"share/my file\",\"file_mode\":\"text\",\"path_type\":\"hardlink\","
                           "\"prefix_placeholder\":\"/ph\",\"sha256\":\"8e7aeb3ac4dd29cc14b0d5fb01c0d13baa0b4dd76"
                           "f9d7ebd5bd73b8ea7d9d9b1\"") == NULL); /* of other bytes */
        assert_true(strstr(r.meta.p, "\"sha256_in_prefix\"") != NULL);
}

/* Long binary files, read in pieces of seven bytes here and 64 KiB inside: the same as at once. */
static void long_binary_files(void **state)
{
        size_t n = 300000;
        AUTO(free_ptr) char *text = malloc(n);
        struct made_file f = {
                .path = "lib/big.so", .text = text, .n = n, .placeholder = PLACEHOLDER, .file_mode = "binary"
        };
        const struct made m = { .file = &f, .n = 1 };
        AUTO(result_done) struct result r = { 0 };

        (void)state;
        memset(text, 'x', n);
        for (size_t at = 65536 - 20; at + 200 < n; at += 65536) {
                memcpy(text + at, PLACEHOLDER, 50);
                text[at + 120] = '\0';
        }
        install(&m, false, &r);
        if (r.e.cause)
                print_error("%s\n", r.e.cause);
        assert_int_equal(r.rc, 0);
}

/* More than is kept in memory: read twice, also behind a hard link. */
static void long_text_files(void **state)
{
        size_t n = (size_t)17 << 20;
        AUTO(free_ptr) char *text = malloc(n);
        struct made_file f[] = { { .path = "etc/big", .text = text, .n = n, .placeholder = PLACEHOLDER },
                                 { .path = "etc/raw", .link = "etc/big", .type = '1' },
                                 { .path = "etc/hard", .link = "etc/big", .type = '1', .placeholder = PLACEHOLDER } };
        const struct made m = { .file = f, .n = ARRAY_LEN(f) };
        AUTO(buf_done) struct buf archive = { 0 };
        AUTO(result_done) struct result r = { 0 };
        struct artifact art;
        size_t times = 0;
        char want[200];

        (void)state;
        memset(text, 'x', n);
        for (size_t at = 65536 - 20; at + 200 < n; at += 65536, times++)
                memcpy(text + at, PLACEHOLDER, 50);
        made_conda(&m, &archive);
        art = made_artifact(&archive, false);
        install_bytes(&archive, &art, &ctx, &r);
        if (r.e.cause)
                print_error("%s\n", r.e.cause);
        assert_int_equal(r.rc, 0);
        snprintf(want, sizeof(want), "etc/big %zu bytes\n", n - times * 42);
        assert_true(strstr(r.list.p, want) != NULL);
        snprintf(want, sizeof(want), "etc/raw %zu bytes\n", n);
        assert_true(strstr(r.list.p, want) != NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(members_in_their_order),
                cmocka_unit_test(dot_members_are_listed_without),
                cmocka_unit_test(prefix_is_replaced),
                cmocka_unit_test(links_to_other_bytes),
                cmocka_unit_test(too_many_of_them),
                cmocka_unit_test(noarch_python_is_mapped),
                cmocka_unit_test(record_says_what_is_there),
                cmocka_unit_test(unsafe_members_are_refused),
                cmocka_unit_test(lies_of_paths_json_are_told),
                cmocka_unit_test(prefix_too_long),
                cmocka_unit_test(other_packages_are_refused),
                cmocka_unit_test(md5_of_the_lock_is_checked),
                cmocka_unit_test(scripts_and_menus_are_named),
                cmocka_unit_test(known_scripts_are_not_named),
                cmocka_unit_test(a_path_list_tells_it_too),
                cmocka_unit_test(shipped_pyc_stay_valid),
                cmocka_unit_test(before_paths_json),
                cmocka_unit_test(long_binary_files),
                cmocka_unit_test(long_text_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
