#include <string.h>

#include "base/cleanup.h"
#include "stream/deflate_walk.h"
#include "install/install.h"
#include "tests/unit/unit.h"
#include "tests/unit/zip_make.h"

#define INFO      "x-1.0.dist-info/"
#define METADATA  { .name = INFO "METADATA", .data = "Metadata-Version: 2.1\nName: X\nVersion: 1.0\n", .method = 8 }
#define FORMAT(v) { .name = INFO "WHEEL", .data = "Wheel-Version: " v "\n" }
#define RECORD    { .name = INFO "RECORD", .data = "what it says is not looked at" }
#define TRIO      METADATA, FORMAT("1.0"), RECORD
#define SITE      "opt/env/lib/python3.13/site-packages/"

static const struct install_ctx ctx = { .prefix = { "/opt/env", 8 },
                                        .root = { "opt", 3 },
                                        .python = { "3.13", 4 },
                                        .site_packages = { "lib/python3.13/site-packages", 28 } };

static struct artifact artifact_x(void)
{
        return (struct artifact){ .kind = ARTIFACT_WHEEL,
                                  .name = SV("x"),
                                  .version = SV("1.0"),
                                  .url = SV("https://files.example/x-1.0-py3-none-any.whl#sha256=0") };
}

/* What an entry's content gives: true when it is whole and its checksum is right. */
static bool content_read(const struct content *c, uint64_t size, struct buf *out)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        AUTO(err_done) struct err e = { 0 };
        char part[4096];
        size_t n = 0;

        buf_clear(out);
        if (c->kind != CONTENT_DEFLATE)
                buf_add(out, (sv){ c->p, c->n });
        else
                for (deflate_walk_begin(z, (sv){ c->p, c->n }, DEFLATE_CLOSED);
                     deflate_walk_next(z, part, sizeof(part), &n, NULL, &e) == 0 && n;)
                        buf_add(out, (sv){ part, n });
        return !e.code && out->n == size &&
               (c->kind == CONTENT_BYTES || c->kind == CONTENT_NONE || c->crc == crc32_add(0, out->p, out->n));
}

/* "mode path\n" of every entry in order; text of the one at `want`. */
static void tree_write(struct entry_source *s, struct buf *tree, const char *want, struct buf *text)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 24);
        AUTO(err_done) struct err e = { 0 };
        struct content c;
        struct entry *en;
        int rc;

        while ((rc = s->ops->next(s, &en, &c, &e)) > 0) {
                assert_true(content_read(&c, en->size, &b));
                assert_true(en->type == ENTRY_FILE && en->uid == 0 && en->gid == 0 && en->mtime == ENTRY_MTIME_FLOOR);
                en->sha256 = sha256_of(buf_sv(&b));
                buf_fmt(tree, "%o %.*s%s\n", en->mode, SV_ARG(en->path), en->generated ? " *" : "");
                if (want && sv_is(en->path, want)) {
                        buf_clear(text);
                        buf_add(text, buf_sv(&b));
                }
        }
        assert_int_equal(rc, 0);
}

static int open_wheel(const struct artifact *art, const struct buf *zip, struct diags *ds, struct entry_source **ret,
                      struct err *e)
{
        return install_wheel(art, buf_sv(zip), &ctx, ds, ret, e);
}

static void expect_tree(const struct artifact *art, const struct zip_file *f, size_t n, const char *tree,
                        const char *path, const char *text)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(buf_done) struct buf have = BUF_INIT(65536), content = BUF_INIT((size_t)1 << 20);
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct zip_made m;

        zip_make(&m, f, n, "", 0);
        assert_int_equal(open_wheel(art, &m.buf, &ds, &s, &e), 0);
        for (int pass = 0; pass < 2; pass++) {
                buf_clear(&have);
                tree_write(s, &have, path, &content);
                if (tree)
                        assert_string_equal(have.p, tree);
                if (path)
                        assert_string_equal(content.p, text);
                assert_int_equal(s->ops->rewind(s, &e), 0);
        }
        assert_int_equal(ds.n, 0);
        buf_done(&m.buf);
}

static void members_first_then_what_is_made(void **state)
{
        static const struct zip_file f[] = {
                { .name = "x/", .data = "", .mode = 040755 },
                { .name = "x/z.py", .data = "z = 1\n", .method = 8 },
                { .name = INFO "entry_points.txt", .data = "[console_scripts]\nxx = x.z:main\nXX = x:a.b\n" },
                TRIO,
                { .name = "x/__init__.py", .data = "" },
                { .name = "x/tool", .data = "#!/bin/sh\n", .mode = 0100750 },
                { .name = "x/odd", .data = "", .mode = 0755 },         /* no file type: pip does not see an x bit */
                { .name = "x/link", .data = "tool", .mode = 0120777 }, /* a file with that text */
                { .name = "x-1.0.data/scripts/s", .data = "#!python -E\nrun()\n", .method = 8 },
                { .name = "x-1.0.data/scripts/t", .data = "#!python" },
                { .name = "x-1.0.data/headers/x.h", .data = "h" },
                { .name = "x-1.0.data/data/share/x.txt", .data = "d" },
                { .name = "x-1.0.data/purelib/./x//p.py", .data = "p" },
                { .name = INFO "RECORD.jws", .data = "{}" },
                { .name = INFO "INSTALLER", .data = "conda" },
                { .name = INFO "REQUESTED", .data = "" },
        };
        struct artifact art = artifact_x();

        (void)state;
        expect_tree(&art, f, ARRAY_LEN(f),
                    "644 " SITE "x/z.py\n"
                    "644 " SITE INFO "entry_points.txt\n"
                    "644 " SITE INFO "METADATA\n"
                    "644 " SITE INFO "WHEEL\n"
                    "644 " SITE "x/__init__.py\n"
                    "755 " SITE "x/tool\n"
                    "644 " SITE "x/odd\n"
                    "644 " SITE "x/link\n"
                    "755 opt/env/bin/s\n"
                    "755 opt/env/bin/t\n"
                    "644 opt/env/include/python3.13/x/x.h\n"
                    "644 opt/env/share/x.txt\n"
                    "644 " SITE "x/p.py\n"
                    "755 opt/env/bin/XX *\n"
                    "755 opt/env/bin/xx *\n"
                    "644 " SITE INFO "INSTALLER *\n"
                    "644 " SITE INFO "RECORD *\n",
                    "opt/env/bin/s", "#!/opt/env/bin/python\nrun()\n");
        expect_tree(&art, f, ARRAY_LEN(f), NULL, "opt/env/bin/XX",
                    "#!/opt/env/bin/python\n"
                    "import sys\n"
                    "from x import a\n"
                    "if __name__ == '__main__':\n"
                    "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n"
                    "    sys.exit(a.b())\n");
}

static void record_tells_what_is_there(void **state)
{
        static const struct zip_file f[] = { TRIO,
                                             { .name = "x.py", .data = "" },
                                             { .name = "x-1.0.data/data/a,b", .data = "1" } };
        struct artifact art = artifact_x();

        (void)state;
        expect_tree(&art, f, ARRAY_LEN(f), NULL, SITE INFO "RECORD",
                    "\"../../../a,b\",sha256=a4ayc_80_OGda4BO_1o_V0etpOqiLx1JwB5S3beHW0s,1\r\n"
                    "x-1.0.dist-info/INSTALLER,sha256=4gP0VHxYWJucRWQ4c6IxSglOZ6svMiZWBBOD3895vSc,9\r\n"
                    "x-1.0.dist-info/METADATA,sha256=3URWfHy2hfeTdMzpGgYFRA7Tcdt-7onjt_sVxq-brvY,43\r\n"
                    "x-1.0.dist-info/RECORD,,\r\n"
                    "x-1.0.dist-info/WHEEL,sha256=hPnzolO11CFKQQfo-cfRSowPfsQIecdrr39HeOvVHcE,19\r\n"
                    "x.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n");
}

static void only_a_url_requirement_has_direct_url(void **state)
{
        static const struct zip_file f[] = { TRIO };
        struct artifact art = artifact_x();

        (void)state;
        art.direct = true;
        memset(art.sha256.b, 0xab, sizeof(art.sha256.b));
        expect_tree(&art, f, ARRAY_LEN(f),
                    "644 " SITE INFO "METADATA\n"
                    "644 " SITE INFO "WHEEL\n"
                    "644 " SITE INFO "INSTALLER *\n"
                    "644 " SITE INFO "direct_url.json *\n"
                    "644 " SITE INFO "RECORD *\n",
                    SITE INFO "direct_url.json",
                    "{\"archive_info\": {\"hash\": "
                    "\"sha256=abababababababababababababababababababababababababababababababab\", "
                    "\"hashes\": {\"sha256\": \"abababababababababababababababababababababababababababababababab\"}}, "
                    "\"url\": \"https://files.example/x-1.0-py3-none-any.whl\"}");
}

static void packed_bytes_are_handed_on(void **state)
{
        static const struct zip_file f[] = { { .name = "x-1.0.data/scripts/big",
                                               .data = "\x7f"
                                                       "ELF and more",
                                               .method = 8 },
                                             { .name = "x.py", .data = "stored" },
                                             TRIO };
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art = artifact_x();
        struct zip_made m;
        struct content c;
        struct entry *en;

        (void)state;
        zip_make(&m, f, ARRAY_LEN(f), "", 0);
        assert_int_equal(open_wheel(&art, &m.buf, &ds, &s, &e), 0);
        assert_int_equal(s->ops->next(s, &en, &c, &e), 1);
        assert_int_equal(c.kind, CONTENT_DEFLATE);
        assert_true((const char *)c.p > m.buf.p && (const char *)c.p + c.n < m.buf.p + m.local_at[1] + 1);
        assert_int_equal(s->ops->next(s, &en, &c, &e), 1);
        assert_int_equal(c.kind, CONTENT_STORED);
        assert_int_equal(c.crc, crc32_add(0, "stored", 6));
        entry_source_freep(&s);
        s = NULL;
        buf_done(&m.buf);
}

static void warns_of_newer_formats(void **state)
{
        static const struct zip_file f[] = { METADATA, FORMAT("1.9"), RECORD };
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art = artifact_x();
        struct zip_made m;

        (void)state;
        zip_make(&m, f, ARRAY_LEN(f), "", 0);
        assert_int_equal(open_wheel(&art, &m.buf, &ds, &s, &e), 0);
        assert_int_equal(ds.n, 1);
        assert_string_equal(ds.v[0].code, "EB302");
        assert_int_equal(ds.n_errors, 0);
        buf_done(&m.buf);
}

/* Opens it and reads every entry: 0, or the first code. */
static int whole(const struct buf *zip, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        struct artifact art = artifact_x();
        struct content c;
        struct entry *en;
        int rc = open_wheel(&art, zip, &ds, &s, e);

        while (rc == 0 && (rc = s->ops->next(s, &en, &c, e)) > 0)
                rc = 0;
        return rc < 0 ? rc : -(int)e->code;
}

static const struct {
        const char *story;
        struct zip_file f[6];
        int code;
        const char *cause;
} refused[] = {
        { "up", { { "x/../y", "" }, TRIO }, ERR_INTEGRITY, "unsafe path 'x/../y' in the wheel: it has a '..' part" },
        { "up at last", { { "..", "" }, TRIO }, ERR_INTEGRITY, "unsafe path '..'" },
        { "up in data", { { "x-1.0.data/scripts/../../y", "" }, TRIO }, ERR_INTEGRITY, "'..' part" },
        { "up in a folder", { { "../y/", "", 040755 }, TRIO }, ERR_INTEGRITY, "'..' part" },
        { "absolute",
          { { "/etc/passwd", "" }, TRIO },
          ERR_INTEGRITY,
          "unsafe path '/etc/passwd' in the wheel: it is absolute" },
        { "absolute in data",
          { { "x-1.0.data/data//etc", "" }, { "x-1.0.data/data/etc", "" }, TRIO },
          ERR_INTEGRITY,
          "twice" },
        { "whiteout", { { "x/.wh.y", "" }, TRIO }, ERR_INTEGRITY, "unsafe path 'x/.wh.y'" },
        { "dot", { { "./", "", 040755 }, { ".", "" }, TRIO }, ERR_INTEGRITY, "unsafe path '.'" },
        { "twice",
          { { "y", "" }, { "x-1.0.data/purelib/y", "" }, TRIO },
          ERR_INTEGRITY,
          "installs '/" SITE "y' twice" },
        { "below a file",
          { { "y/z", "" }, { "y-z", "" }, { "y", "" }, TRIO },
          ERR_INTEGRITY,
          "below the file '/" SITE "y'" },
        { "script twice",
          { { INFO "entry_points.txt", "[console_scripts]\na = x:y" }, { "x-1.0.data/data/bin/a", "" }, TRIO },
          ERR_INTEGRITY,
          "installs '/opt/env/bin/a' twice" },
        { "script that leaves bin",
          { { INFO "entry_points.txt", "[console_scripts]\n../a = x:y" }, TRIO },
          ERR_INTEGRITY,
          "the entry point '../a' cannot be a script's name" },
        { "no function",
          { { INFO "entry_points.txt", "[console_scripts]\na = x" }, TRIO },
          ERR_FAILED,
          "names no function" },
        { "no dist-info", { { "x.py", "" } }, ERR_INTEGRITY, "no .dist-info folder" },
        { "two dist-infos", { { "y-1.0.dist-info/METADATA", "" }, TRIO }, ERR_INTEGRITY, "two .dist-info folders" },
        { "another's dist-info",
          { { "y-1.0.dist-info/METADATA", "" }, { "y-1.0.dist-info/RECORD", "" } },
          ERR_INTEGRITY,
          "'y-1.0.dist-info' is not that of x 1.0" },
        { "another version", { { "x-1.0.1.dist-info/RECORD", "" } }, ERR_INTEGRITY, "is not that of x 1.0" },
        { "no METADATA", { FORMAT("1.0"), RECORD }, ERR_INTEGRITY, "no '" INFO "METADATA'" },
        { "no WHEEL", { METADATA, RECORD }, ERR_INTEGRITY, "no '" INFO "WHEEL'" },
        { "no RECORD", { METADATA, FORMAT("1.0") }, ERR_INTEGRITY, "no '" INFO "RECORD'" },
        { "another's METADATA",
          { { INFO "METADATA", "Name: y\nVersion: 1.0\n" }, FORMAT("1.0"), RECORD },
          ERR_INTEGRITY,
          "METADATA is that of 'y', not of 'x'" },
        { "METADATA that is none",
          { { INFO "METADATA", "Name x\n" }, FORMAT("1.0"), RECORD },
          ERR_INTEGRITY,
          "metadata line 1 is not a header" },
        { "WHEEL without its header",
          { METADATA, { INFO "WHEEL", "Root-Is-Purelib: true\n\nWheel-Version: 1.0" }, RECORD },
          ERR_INTEGRITY,
          "has no Wheel-Version" },
        { "WHEEL that is none", { METADATA, { INFO "WHEEL", "1.0" }, RECORD }, ERR_INTEGRITY, "has no Wheel-Version" },
        { "format 2", { METADATA, FORMAT("2.0"), RECORD }, ERR_FAILED, "format 2.0" },
        { "no format", { METADATA, FORMAT(""), RECORD }, ERR_INTEGRITY, "has no Wheel-Version" },
        { "format that is none", { METADATA, FORMAT("1.x"), RECORD }, ERR_INTEGRITY, "'1.x', which is none" },
        { "for another Python",
          { { INFO "METADATA", "Name: x\nVersion: 1.0\nRequires-Python: >=3.14\n" }, FORMAT("1.0"), RECORD },
          ERR_FAILED,
          "x 1.0 requires Python '>=3.14'; the environment has 3.13" },
        { "lzma", { { "y", "data", .method = 14 }, TRIO }, ERR_FAILED, "member 'y' uses compression method 14" },
        { "unknown scheme", { { "x-1.0.data/lib/y", "" }, TRIO }, ERR_INTEGRITY, "unknown scheme 'lib'" },
        { "stray data", { { "x-1.0.data/y", "" }, TRIO }, ERR_INTEGRITY, "unexpected file 'x-1.0.data/y'" },
};

static void refuses_wrong_wheels(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct zip_made m;
                size_t n = 0;

                while (n < ARRAY_LEN(refused[i].f) && refused[i].f[n].name)
                        n++;
                zip_make(&m, refused[i].f, n, "", 0);
                if (whole(&m.buf, &e) != -refused[i].code || !strstr(e.cause, refused[i].cause) ||
                    !strstr(e.trail, "x-1.0-py3-none-any.whl"))
                        bad++, print_error("%s: %s (%d)\n", refused[i].story, e.cause ? e.cause : "accepted", e.code);
                buf_done(&m.buf);
        }
        assert_int_equal(bad, 0);
}

/* Python versions that some patch release of 3.13 satisfies. */
static void patch_releases_are_not_judged(void **state)
{
        static const char *const fine[] = {
                ">=3.8", "==3.13.*", "<3.13.2", ">3.13.4,<3.14", "!=3.13.0", "no specifier"
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
                AUTO(err_done) struct err e = { 0 };
                AUTO(buf_done) struct buf text = BUF_INIT(200);
                struct zip_file f[] = { { .name = INFO "METADATA" }, FORMAT("1.0"), RECORD };
                struct zip_made m;

                buf_fmt(&text, "Name: x\nVersion: 1.0\nRequires-Python: %s\n", fine[i]);
                f[0].data = text.p;
                zip_make(&m, f, ARRAY_LEN(f), "", 0);
                assert_int_equal(whole(&m.buf, &e), 0);
                buf_done(&m.buf);
        }
}

/* One change to the members' directory rows: 0 METADATA, 1 a script, 2 an empty file, 3 WHEEL, 4 RECORD. */
static const struct {
        const char *story;
        unsigned which, at, bytes;
        uint64_t value;
        int code;
        const char *cause;
} broken[] = {
        { "METADATA: checksum", 0, 16, 4, 1, ERR_INTEGRITY, "'" INFO "METADATA' has another checksum" },
        { "METADATA: shorter than it claims", 0, 24, 4, 50, ERR_INTEGRITY, "has 43 bytes and claims 50" },
        { "METADATA: longer than it claims", 0, 24, 4, 42, ERR_INTEGRITY, "larger than the 42 bytes it claims" },
        { "METADATA: 2 GiB", 0, 24, 4, 0x7fffffff, ERR_INTEGRITY, "packed bytes cannot hold" },
        { "script: checksum", 1, 16, 4, 1, ERR_INTEGRITY, "another checksum" },
        { "script: longer than it claims", 1, 24, 4, 9, ERR_INTEGRITY, "larger than the 9 bytes it claims" },
        { "script: packed bytes cut off", 1, 20, 4, 10, ERR_INTEGRITY, "what follows member" },
        { "empty file: checksum", 2, 16, 4, 1, ERR_INTEGRITY, "another checksum" },
        { "WHEEL: stored sizes differ", 3, 24, 4, 1, ERR_INTEGRITY, "packed bytes cannot hold" },
};

static void refuses_lies_about_members(void **state)
{
        static const struct zip_file f[] = { METADATA,
                                             { .name = "x-1.0.data/scripts/s", .data = "#!python\nx\n", .method = 8 },
                                             { .name = "e", .data = "", .method = 8 },
                                             FORMAT("1.0"),
                                             RECORD };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct zip_made m;

                zip_make(&m, f, ARRAY_LEN(f), "", 0);
                zip_patch(&m, m.central_at[broken[i].which] + broken[i].at, broken[i].value, broken[i].bytes);
                if (whole(&m.buf, &e) != -broken[i].code || !strstr(e.cause, broken[i].cause))
                        bad++, print_error("%s: %s (%d)\n", broken[i].story, e.cause ? e.cause : "accepted", e.code);
                buf_done(&m.buf);
        }
        assert_int_equal(bad, 0);
}

static void deflate_that_is_none(void **state)
{
        static const char *const name[] = { INFO "METADATA", "x-1.0.data/scripts/s", "e" };
        static const struct zip_file f[] = { METADATA,
                                             { .name = "x-1.0.data/scripts/s", .data = "#!python\n", .method = 8 },
                                             { .name = "e", .data = "", .method = 8 },
                                             FORMAT("1.0"),
                                             RECORD };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(name); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct zip_made m;

                zip_make(&m, f, ARRAY_LEN(f), "", 0);
                zip_patch(&m, m.local_at[i] + 30 + strlen(name[i]), 0xff, 1); /* a block of a type that is not */
                assert_int_equal(whole(&m.buf, &e), -ERR_INTEGRITY);
                assert_non_null(strstr(e.cause, "broken deflate stream"));
                assert_non_null(strstr(e.trail, name[i]));
                buf_done(&m.buf);
        }
}

/* Old tools wrote "1.0-1" for 1.0.post1, and a "_" for each dash; without a URL the artifact names the wheel. */
static void names_of_old_tools(void **state)
{
        static const struct zip_file f[] = {
                { .name = "Old_Name-1.0_1.dist-info/METADATA", .data = "Name: old.name\nVersion: 1.0-1\n" },
                { .name = "Old_Name-1.0_1.dist-info/WHEEL", .data = "X: 1\nWheel-Version: 1.0" },
                { .name = "Old_Name-1.0_1.dist-info/RECORD", .data = "" }
        };
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art = { .kind = ARTIFACT_WHEEL, .name = SV("old-name"), .version = SV("1.0.post1") };
        struct zip_made m;

        (void)state;
        zip_make(&m, f, ARRAY_LEN(f), "", 0);
        assert_int_equal(open_wheel(&art, &m.buf, &ds, &s, &e), 0);
        art.version = SV("1.0.post2");
        assert_int_equal(open_wheel(&art, &m.buf, &ds, &s, &e), -ERR_INTEGRITY);
        assert_string_equal(e.trail, "installing the wheel 'old-name-1.0.post2.whl'\n");
        buf_done(&m.buf);
}

static void large_members_stay_packed(void **state)
{
        /* 17 MiB are within what 64 KiB of deflate can hold, but METADATA and scripts to be rewritten are taken into memory */
        static char big[60000];
        struct zip_file f[] = {
                METADATA, FORMAT("1.0"), RECORD, { .name = "x-1.0.data/scripts/s", .data = big, .method = 8 }
        };
        static const char *const cause[] = { "member '" INFO "METADATA' has 17825792 bytes",
                                             "scripts/s' has 17825792 bytes" };

        (void)state;
        memset(big, ' ', sizeof(big) - 1);
        memcpy(big, "#!python", 8);
        f[0].data = big;
        for (size_t which = 0; which < 2; which++) {
                AUTO(err_done) struct err e = { 0 };
                struct zip_made m;

                zip_make(&m, f, ARRAY_LEN(f), "", 0);
                zip_patch(&m, m.central_at[which ? 3 : 0] + 24, 17u << 20, 4);
                assert_int_equal(whole(&m.buf, &e), -ERR_LIMIT);
                assert_non_null(strstr(e.cause, cause[which]));
                buf_done(&m.buf);
                f[0] = (struct zip_file)METADATA;
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(members_first_then_what_is_made),
                cmocka_unit_test(record_tells_what_is_there),
                cmocka_unit_test(only_a_url_requirement_has_direct_url),
                cmocka_unit_test(packed_bytes_are_handed_on),
                cmocka_unit_test(warns_of_newer_formats),
                cmocka_unit_test(refuses_wrong_wheels),
                cmocka_unit_test(patch_releases_are_not_judged),
                cmocka_unit_test(refuses_lies_about_members),
                cmocka_unit_test(deflate_that_is_none),
                cmocka_unit_test(names_of_old_tools),
                cmocka_unit_test(large_members_stay_packed),
        };
        return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
