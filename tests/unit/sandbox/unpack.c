/* Layers from anybody: nothing is written outside, and overlay's marks are the ones that this kernel reads. */
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/proc.h"
#include "stream/stream.h"
#include "tests/unit/sandbox/tar.h"

static void paths_are_cleaned(void **state)
{
        static const struct {
                const char *path, *want; /* NULL: refused */
        } rows[] = {
                { "a", "a" },         { "./a/b/", "a/b" },     { "/a", "a" },      { "../../a", "a" },
                { "a/../../b", "b" }, { "a/./b//c", "a/b/c" }, { "./", "" },       { "/", "" },
                { "..", "" },         { "a/..", "" },          { "ab/../c", "c" }, { "a/b/../../../c/d", "c/d" },
                { "...", "..." },     { "a/.b", "a/.b" },
        };
        char got[SANDBOX_PATH_MAX + 1], deep[2 * SANDBOX_DEPTH_MAX + 3];
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (!sandbox_path_clean(sv_from(rows[i].path), got) || strcmp(got, rows[i].want) != 0)
                        bad++, print_error("'%s': '%s'\n", rows[i].path, got);
        assert_int_equal(bad, 0);
        for (size_t i = 0; i < sizeof(deep) - 1; i++)
                deep[i] = i % 2 ? '/' : 'a';
        deep[sizeof(deep) - 1] = '\0';
        assert_false(sandbox_path_clean(sv_from(deep), got));
}

/* What stands at a path of the unpacked layer: its mode, or 0. */
static mode_t mode_at(struct place *p, const sha256 *d, const char *path, struct stat *ret)
{
        bool there;
        AUTO(free_ptr) char *dir = store_unpacked(p->store, d, &there), *at = fs_path("%s/%s", dir, path);
        struct stat st;

        if (lstat(at, ret ? ret : &st) < 0)
                return 0;
        return (ret ? ret : &st)->st_mode;
}

static void entries_become_files(void **state)
{
        struct place *p = *state;
        AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX);
        struct err e = { 0 };
        struct stat st, other;
        sha256 d;

        tar_add(&tar, "./", '5', 0755, "", (sv){ 0 });
        tar_add(&tar, "d/", '5', 0500, "", (sv){ 0 });
        tar_file(&tar, "d/f", "text");
        tar_add(&tar, "d/s", '2', 0777, "/nowhere", (sv){ 0 });
        tar_add(&tar, "d/h", '1', 0600, "d/f", (sv){ 0 });
        tar_add(&tar, "p", '6', 0640, "", (sv){ 0 });
        tar_add(&tar, "suid", '0', 04755, "", SV("x"));
        tar_add(&tar, "null", '3', 0666, "", (sv){ 0 });
        tar_file(&tar, "new/parent/f", "x");
        tar_end(&tar);
        assert_int_equal(tar_unpack(p->store, buf_sv(&tar), &d, &e), 0);
        assert_int_equal(mode_at(p, &d, "d/f", &st), S_IFREG | 0600); /* the link's header came later */
        assert_int_equal(st.st_mtime, 1000000000);
        assert_int_equal(st.st_nlink, 2);
        assert_true(mode_at(p, &d, "d/h", &other) && other.st_ino == st.st_ino);
        assert_true(S_ISLNK(mode_at(p, &d, "d/s", NULL)));
        assert_int_equal(mode_at(p, &d, "p", NULL), S_IFIFO | 0640);
        assert_int_equal(mode_at(p, &d, "suid", NULL), S_IFREG | 04755);
        assert_int_equal(mode_at(p, &d, "new/parent", NULL), S_IFDIR | 0755);
        assert_int_equal(mode_at(p, &d, "d", &st), S_IFDIR | (geteuid() == 0 ? 0500 : 0700));
        assert_int_equal(st.st_mtime, 1000000000);
        assert_int_equal(S_ISCHR(mode_at(p, &d, "null", &st)), geteuid() == 0);
        assert_int_equal(sandbox_unpack(p->store, &(struct oci_desc){ .media_type = SV("x/y") }, &d, NULL, &e),
                         0); /* is there */
}

static void whiteouts_become_overlays(void **state)
{
        struct place *p = *state;
        AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX);
        AUTO(free_ptr) char *dir = NULL, *at = NULL;
        char value[8] = "";
        struct err e = { 0 };
        struct stat st;
        sha256 d;
        bool there;

        tar_file(&tar, "etc/.wh.gone", "");
        tar_file(&tar, "opt/new", "x");
        tar_file(&tar, "opt/.wh..wh..opq", "");
        tar_file(&tar, "mine", "x");
        tar_file(&tar, ".wh.mine", ""); /* hides what is below, not this layer's own */
        tar_file(&tar, ".wh.dir", "");
        tar_file(&tar, "dir/f", "x"); /* and a folder takes a whiteout's place */
        tar_file(&tar, ".wh..wh.plnk", "");
        tar_end(&tar);
        assert_int_equal(tar_unpack(p->store, buf_sv(&tar), &d, &e), 0);
        assert_int_equal(mode_at(p, &d, "etc/gone", &st) & S_IFMT, S_IFCHR);
        assert_int_equal(st.st_rdev, makedev(0, 0));
        assert_true(S_ISREG(mode_at(p, &d, "mine", NULL)));
        assert_true(S_ISREG(mode_at(p, &d, "dir/f", NULL)));
        assert_int_equal(mode_at(p, &d, ".wh..wh.plnk", NULL), 0);
        dir = store_unpacked(p->store, &d, &there);
        at = fs_path("%s/opt", dir);
        assert_int_equal(getxattr(at, "user.overlay.opaque", value, sizeof(value)), 1);
        assert_string_equal(value, "y");
}

static void later_entries_replace_earlier_ones(void **state)
{
        struct place *p = *state;
        AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX);
        struct err e = { 0 };
        struct stat st;
        sha256 d;

        tar_file(&tar, "a/b/c", "x");
        tar_file(&tar, "a", "now a file");
        tar_file(&tar, "f", "x");
        tar_add(&tar, "f/", '5', 0700, "", (sv){ 0 });
        tar_file(&tar, "f/in", "x");
        tar_file(&tar, "twice", "1");
        tar_file(&tar, "twice", "twelve");
        tar_end(&tar);
        assert_int_equal(tar_unpack(p->store, buf_sv(&tar), &d, &e), 0);
        assert_true(S_ISREG(mode_at(p, &d, "a", NULL)));
        assert_true(S_ISREG(mode_at(p, &d, "f/in", NULL)));
        assert_true(mode_at(p, &d, "twice", &st) && st.st_size == 6);
}

/* Each must end with an error, or with everything inside; `outside` must not change. */
static void nothing_gets_out(void **state)
{
        struct place *p = *state;
        AUTO(free_ptr) char *outside = fs_path("%s/outside", p->path), *victim = fs_path("%s/victim", outside);
        static const struct {
                const char *first; /* what a symlink is called, or what a hard link */
                char type;
                const char *then; /* a file that comes after it; NULL: none */
                enum err_code code;
        } rows[] = {
                { "lnk", '2', "lnk/victim", ERR_INTEGRITY }, /* through a link of its own */
                { "lnk", '2', "lnk/new", ERR_INTEGRITY },
                { "lnk", '2', "lnk", ERR_NONE },                 /* the link is replaced, not followed */
                { "a/lnk", '2', "a/lnk/../../../x", ERR_NONE },  /* ".." is taken off before anything is opened */
                { "hard", '1', NULL, ERR_INTEGRITY },            /* a hard link to the outside */
                { "lnk", '2', "lnk/.wh.victim", ERR_INTEGRITY }, /* a whiteout through a link */
                { "lnk", '2', "lnk/.wh..wh..opq", ERR_INTEGRITY },
                { "x", '2', ".wh...", ERR_INTEGRITY }, /* hides ".." */
                { "x", '2', ".wh..", ERR_INTEGRITY },
                { "x", '2', ".wh.", ERR_INTEGRITY },
                { "../../../../../../tmp/envbuild-escaped", '2', "../../../../../../tmp/envbuild-escaped2", ERR_NONE },
        };
        int bad = 0;

        assert_int_equal(mkdir(outside, 0755), 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX), now = BUF_INIT(100);
                AUTO(err_done) struct err e = { 0 };
                AUTO(free_ptr) char **names = NULL;
                size_t n = 0;
                sha256 d;

                assert_int_equal(fs_write(victim, SV("untouched"), 0644, &e), 0);
                tar_add(&tar, rows[i].first, rows[i].type, 0777, rows[i].type == '1' ? victim : outside, (sv){ 0 });
                if (rows[i].then)
                        tar_file(&tar, rows[i].then, "evil");
                tar_end(&tar);
                tar_unpack(p->store, buf_sv(&tar), &d, &e);
                if (e.code != rows[i].code)
                        bad++, print_error("row %zu: code %d: %s\n", i, e.code, e.cause ? e.cause : "");
                err_done(&e);
                assert_int_equal(fs_read(victim, &now, &e), 0);
                assert_string_equal(now.p, "untouched");
                assert_int_equal(fs_list(outside, &names, &n, &e), 0);
                assert_int_equal(n, 1);
                assert_false(fs_exists("/tmp/envbuild-escaped"));
                assert_false(fs_exists("/tmp/envbuild-escaped2"));
        }
        assert_int_equal(bad, 0);
}

static void a_wrong_diff_id_leaves_nothing(void **state)
{
        struct place *p = *state;
        AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX);
        AUTO(free_ptr) char *tmp = fs_path("%s/tmp", store_root(p->store)), *at = NULL;
        AUTO(free_ptr) char **names = NULL;
        AUTO(err_done) struct err e = { 0 };
        struct oci_desc layer = { .media_type = SV(OCI_LAYER) };
        sha256 other = sha256_of(SV("other"));
        size_t n = 0;
        bool there = true;

        tar_file(&tar, "f", "x");
        tar_end(&tar);
        assert_int_equal(store_put_bytes(p->store, STORE_BLOB, buf_sv(&tar), &layer.digest, &e), 0);
        assert_int_equal(sandbox_unpack(p->store, &layer, &other, NULL, &e), -ERR_INTEGRITY);
        at = store_unpacked(p->store, &other, &there);
        assert_false(there);
        err_done(&e);
        assert_int_equal(fs_list(tmp, &names, &n, &e), 0);
        assert_int_equal(n, 0);
}

static void gzip_and_zstd_come_off(void **state)
{
        struct place *p = *state;
        static const char *const gzip[] = { "gzip", "-nc", NULL };
        AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX), zst = BUF_INIT(TAR_MAX);
        AUTO(proc_result_done) struct proc_result gz = { 0 };
        struct buf_writer sink;
        struct writer *w;
        struct oci_desc layer = { .media_type = SV(OCI_LAYER_GZIP) };
        struct err e = { 0 };
        sha256 d;

        tar_file(&tar, "gzip", "x");
        tar_end(&tar);
        d = sha256_of(buf_sv(&tar));
        assert_int_equal(proc_run(&(struct proc){ .argv = gzip, .input = buf_sv(&tar) }, NULL, &gz, &e), 0);
        assert_int_equal(store_put_bytes(p->store, STORE_BLOB, buf_sv(&gz.out), &layer.digest, &e), 0);
        assert_int_equal(sandbox_unpack(p->store, &layer, &d, NULL, &e), 0);
        assert_true(S_ISREG(mode_at(p, &d, "gzip", NULL)));

        buf_clear(&tar);
        tar_file(&tar, "zstd", "x");
        tar_end(&tar);
        tar_end(&tar); /* padding counts for the diff_id */
        d = sha256_of(buf_sv(&tar));
        w = zstd_writer_new(buf_writer_init(&sink, &zst), 3, 1);
        assert_int_equal(writer_write(w, tar.p, tar.n, &e), 0);
        assert_int_equal(writer_finish(w, &e), 0);
        zstd_writer_free(w);
        layer.media_type = SV(OCI_LAYER_ZSTD);
        assert_int_equal(store_put_bytes(p->store, STORE_BLOB, buf_sv(&zst), &layer.digest, &e), 0);
        assert_int_equal(sandbox_unpack(p->store, &layer, &d, NULL, &e), 0);
        assert_true(S_ISREG(mode_at(p, &d, "zstd", NULL)));
}

static void users_rows(void **state)
{
        static const char passwd[] =
                "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/:/bin/false\nbroken:x:a:b::/:/\n1234:x:7:8::/:/\n";
        static const char group[] = "root:x:0:\nstaff:x:50:a,b\n";
        static const struct {
                const char *user;
                bool ok;
                uint32_t uid, gid;
        } rows[] = {
                { "", true, 0, 0 },
                { "root", true, 0, 0 },
                { "web", true, 33, 34 },
                { "33", true, 33, 34 },
                { "1000", true, 1000, 0 },
                { "1000:100", true, 1000, 100 },
                { "web:staff", true, 33, 50 },
                { "web:7", true, 33, 7 },
                { "1234", true, 7, 8 },
                { ":50", true, 0, 50 },
                { "nobody", false, 0, 0 },
                { "web:x", false, 0, 0 },
                { "broken", false, 0, 0 },
                { "4294967295", false, 0, 0 },
                { "-1", false, 0, 0 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct sandbox_user u = { 0, 0 };
                bool ok = sandbox_user_find(sv_from(rows[i].user), sv_from(passwd), sv_from(group), &u, &e) == 0;
                if (ok != rows[i].ok || (ok && (u.uid != rows[i].uid || u.gid != rows[i].gid)))
                        bad++, print_error("'%s': %u:%u %s\n", rows[i].user, u.uid, u.gid, e.cause ? e.cause : "");
        }
        assert_int_equal(bad, 0);
}

static void orders_are_read_back(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct sandbox_order o;

        (void)state;
        assert_false(sandbox_order_read((sv){ 0 }, &o));
        for (const char *k = "LLAAEBBWUXP"; *k; k++)
                sandbox_order_add(&b, *k, "text");
        assert_false(sandbox_order_read(buf_sv(&b), &o)); /* nobody's child */
        sandbox_order_add(&b, 'R', "1");
        assert_true(sandbox_order_read(buf_sv(&b), &o));
        assert_true(o.n_layer == 2 && o.n_argv == 2 && o.n_env == 1 && o.n_bind == 2 && !o.network);
        assert_string_equal(o.argv[1], "text");
        assert_null(o.terminal);
        arena_done(&o.arena);
        sandbox_order_add(&b, 'T', "01");
        assert_true(sandbox_order_read(buf_sv(&b), &o));
        assert_string_equal(o.terminal, "01");
        arena_done(&o.arena);
        sandbox_order_add(&b, 'B', "half a pair");
        assert_false(sandbox_order_read(buf_sv(&b), &o));
        sandbox_order_add(&b, 'B', "and the other");
        assert_true(sandbox_order_read(buf_sv(&b), &o));
        arena_done(&o.arena);
        sandbox_order_add(&b, 'T', "019"); /* a descriptor of ours */
        assert_false(sandbox_order_read(buf_sv(&b), &o));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paths_are_cleaned),
                cmocka_unit_test(users_rows),
                cmocka_unit_test(orders_are_read_back),
                row(entries_become_files),
                row(whiteouts_become_overlays),
                row(later_entries_replace_earlier_ones),
                row(nothing_gets_out),
                row(a_wrong_diff_id_leaves_nothing),
                row(gzip_and_zstd_come_off),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
