/* The outer forms: .conda with its zip and frames, .tar.bz2 with its streams; whole ones and damaged ones. */
#include <string.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"
#include "tests/unit/install/conda_make.h"
#include "tests/unit/unit.h"

/* info/index.json, info/paths.json and bin/x ("text\n", 0755) as a .tar.bz2, in hexadecimal digits */
static const char one_stream[] =
        "425a6839314159265359f0b6432d0000dddb90cd105007fff0202aff7fdf7a00100808300138d9b442087a9a8da9e536a7946d468001a0"
        "7a8681a453"
        "f44d951b53d400000d340d00682492349e91a6990d41e9a000d026430e07aef3a732f04b1224120c4f6eaaa57451a754f894895c604e41"
        "d9c9d7b95c"
        "eb0cb82be36dad48fec7880d5b8187323056cdb9829ced0a0ba58a0b0b24b7e79fe1549e02da6f8c16b5bb2c949f26288d36caa85c6c84"
        "8c96100854"
        "b0d23352609804d62e8d4603e092028347936317f14399a752c0852d1356b34e73dc969384408017ca68d5b6885b48bb1a6885cc54f838"
        "097a10cafb"
        "20d9572ee91d9190392c8f4a5968622523e93cdf01e834d0a810b3683b9632530f7cde6a252fb7026ff23bf34fa390489ec13b7d682622"
        "2379437952"
        "72b585b09d9c33f08936ab44b5a909cf10bd59311d2166d8c90b954e372d1602f62ee48a70a121e16c865a";

static const char three_streams[] = "425a6839314159265359c10fe44d0000435b80cc005007ff902000f7779f4a08002000920d534c4da9"
                                    "90000001881a9ea9a9f949b241faa0c9ea7920"
                                    "d0d3d477854bc0073650fde5002e273e1ce14a445595c5d73122b81bf8a6e2e13c20cc8009bc095fb1"
                                    "3148f82a96d1e29648cd56e8b81d78d92d3ee9"
                                    "6868327b4288ef853110eb85bd59381134b70848d8d439872310f1ec5a85429799092f8f6fe2ee48a7"
                                    "0a121821fc89a0425a6839314159265359b1f7"
                                    "404b00000040004000200021184682ee48a70a12163ee80960425a6839314159265359ab7b4ee90000"
                                    "055f80cd105005fff04000202aff7ddf7a0808"
                                    "3000dac82522264d189ea683d0434d0341a036906a3431507ea9b5068000680d0002551ea26989a64c"
                                    "4308d0c980434c4d352d57eef045ff2034b001"
                                    "01ece2360c88ba1b001514c506f0e6dedd59ec75693ad493f2518bdc25267046130b00e3cdf0379c5b"
                                    "059305c90611ce54c06b3082a7d853202a00e1"
                                    "31075c45676e8a982663581bf330412a03e6cf322ae335c61ca036fc4d2d19505ebb13a7ad159ed09e"
                                    "5c1bae86b35785dd432dcb5191fc4f3aabf38f"
                                    "cd4bc532ad2125f5fa03d639fa1f50aa05c519f14ecc959b91fa157b8f9191619108f01521235acba2"
                                    "b395a21fc5dc914e14242aded3ba40";

/* The same, with info/ behind the rest; and with a second index.json, which the first reading does not come to */
static const char info_last[] =
        "425a683931415926535939b8cf6a0000c55b90cd105007fff0202aff7fdf7a00010848300138d9a86913234d27909936a1a341a340d1a3"
        "434d06a4d4"
        "fd53c6943d40d18868189b5340d30804924c54f14f4d3d427a9a6d35190327a43087a13e0ebcab4e64d8350c9d1120cd06deac5489e9d6"
        "4265148190"
        "7172776fcc77f678e3b775f7b48871309c6b5c0c39918ed66d8c193534f2292e53acac92dbaabef562800bdcdaf05eab65d1c867334c79"
        "df4292dd74"
        "f27a1ac60343e02372de411000bc1a0702014c3cc074235212e72a9325a52d6851225234cd33e73da89553910500db134b2b81d54253e5"
        "440eb645bf"
        "1584af4433d1a5d2df35f820b7d3ec4e8929eb0c9508d4b7b05506fa2878c97303cd36b39cbb8a0cbcbf3ad850626bcab01f8aaaf5fd04"
        "54182b6f0d"
        "6544c3e049ba5292b398b71275037e0d23dd90978ac8310e136246853208a31a152dcc15aece805fe2ee48a70a12073719ed40";

static const char info_twice[] = "425a6839314159265359139d312a000121db90cd105007fff0202aff7fdf7a0011084830017866504a48d"
                                 "43351e93464c4d1a000d03101a09489e899"
                                 "29b6a4f22604d1b519a9ea34600102a894653d10cd269a0d32680c990d341a07947f7be0289277a6f4c52"
                                 "b08c75276990be2e94c8aae1588923750a3"
                                 "87cebdae0676165d9adad36956e6fb12caa444c526230b2a53a65189a12b2d8becc58722486a686073190"
                                 "a81e31aae8779a73578a39d8d723b5aef16"
                                 "9b332cb6e97d640885cc58c89ee140604f3567b8a83e11f342d58bc1b293fe88aced1b448802d40cc1263"
                                 "dadfd5aa18402084ad719e9f927c7ed10c3"
                                 "5ade97ac2cbb7ce00f5684d24f2e2b08ac3bad0d99ac08d64266297c874185e63bede9051e9247455c95a"
                                 "8ec02a871c48c1f31d67db7f488c4805528"
                                 "df80b91497cb0fe11e8e1825f18652c4bc9322b8a99de807140d607c23a8457e4801c2ac00cb5883564c1"
                                 "1168287cb9097cc293bd8aa6a6e61c69444"
                                 "fe2ee48a70a120273a6254";

static void unhex(const char *digits, struct buf *out)
{
        for (; *digits; digits += 2) {
                uint8_t byte;

                assert_true(hex_read((sv){ digits, 2 }, &byte, 1));
                buf_byte(out, (char)byte);
        }
}

static int walk(const struct conda_archive *ar, enum conda_section section, struct buf *names, struct err *e)
{
        AUTO(conda_tar_freep) struct conda_tar *t = NULL;
        const struct archive_item *it;
        char piece[100];
        size_t n;
        int rc;

        if (conda_tar_open(ar, section, &t, e) < 0)
                return -(int)e->code;
        while ((rc = conda_tar_next(t, &it, e)) > 0) {
                buf_fmt(names, "%.*s:", SV_ARG(it->path));
                do {
                        if (conda_tar_read(t, piece, sizeof(piece), &n, e) < 0)
                                return -(int)e->code;
                        if (n < 20)
                                buf_add(names, (sv){ piece, n });
                } while (n);
                buf_fmt(names, ";");
        }
        return rc;
}

static const struct made_file one[] = { { .path = "bin/x", .text = "text" }, { .path = "y", .text = "more" } };

/* A zip of these frames as pkg-, and an info- without surprises. */
static void make(struct buf *out, sv pkg_zst, uint16_t method, const char *folder, const char *metadata)
{
        AUTO(buf_done) struct buf info = BUF_INIT((size_t)1 << 20), info_zst = BUF_INIT((size_t)1 << 20);
        const struct made m = { .file = one, .n = ARRAY_LEN(one) };
        char names[3][64];
        struct zip_made z;

        snprintf(names[0], 64, "%smetadata.json", folder);
        snprintf(names[1], 64, "%spkg-demo.tar.zst", folder);
        snprintf(names[2], 64, "%sinfo-demo.tar.zst", folder);
        made_info(&info, &m);
        made_zstd(&info_zst, buf_sv(&info));
        {
                const struct zip_file f[] = {
                        { .name = names[1], .data = pkg_zst.p, .n_data = pkg_zst.n, .method = method },
                        { .name = names[2], .data = info_zst.p, .n_data = info_zst.n, .method = method },
                        { .name = names[0], .data = metadata, .method = method }
                };
                zip_make(&z, f, metadata ? 3 : 2, "", 0);
        }
        buf_done(out);
        *out = z.buf;
}

static int pkg_names(const struct buf *zip, struct buf *names, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct conda_archive ar;

        buf_clear(names);
        return conda_archive_open(&a, buf_sv(zip), &ar, e) < 0 ? -(int)e->code : walk(&ar, CONDA_PKG, names, e);
}

static void expect_good(const struct buf *zip)
{
        AUTO(buf_done) struct buf names = BUF_INIT(4096);
        AUTO(err_done) struct err e = { 0 };

        if (pkg_names(zip, &names, &e) < 0)
                print_error("%s\n", e.cause);
        assert_int_equal(e.code, 0);
        assert_string_equal(names.p, "bin/x:text;y:more;");
}

static void expect_bad(const struct buf *zip, enum err_code code, const char *says)
{
        AUTO(buf_done) struct buf names = BUF_INIT(4096);
        AUTO(err_done) struct err e = { 0 };

        if (pkg_names(zip, &names, &e) != -(int)code || !strstr(e.cause, says)) {
                print_error("%d %s (wanted: %s)\n", e.code, e.cause ? e.cause : "taken", says);
                fail();
        }
}

static void pkg_frames(struct buf *zst, size_t cut)
{
        AUTO(buf_done) struct buf tar = BUF_INIT((size_t)1 << 20);

        made_tar(&tar, one, ARRAY_LEN(one));
        for (sv rest = buf_sv(&tar); rest.n; rest = sv_skip(rest, cut))
                made_zstd(zst, sv_from_to(rest, 0, cut));
}

static void forms_of_a_zip(void **state)
{
        AUTO(buf_done) struct buf zst = BUF_INIT((size_t)1 << 20), zip = { 0 };

        (void)state;
        pkg_frames(&zst, 1 << 20);
        make(&zip, buf_sv(&zst), 0, "", MADE_FORMAT);
        expect_good(&zip);
        make(&zip, buf_sv(&zst), 8, "", MADE_FORMAT); /* deflated */
        expect_good(&zip);
        make(&zip, buf_sv(&zst), 0, "Users/me/", MADE_FORMAT); /* zipped again by hand */
        expect_good(&zip);
        make(&zip, buf_sv(&zst), 0, "", NULL);
        expect_good(&zip);
        make(&zip, buf_sv(&zst), 0, "", "{\"conda_pkg_format_version\": 99}");
        expect_bad(&zip, ERR_FAILED, "the package has the format 99");
        make(&zip, buf_sv(&zst), 0, "", "{}");
        expect_bad(&zip, ERR_INTEGRITY, "no conda_pkg_format_version");
        make(&zip, buf_sv(&zst), 0, "", "{");
        expect_bad(&zip, ERR_INTEGRITY, "metadata.json is no JSON");
        buf_clear(&zip);
        buf_add(&zip, SV("\x28\xb5\x2f\xfd"));
        expect_bad(&zip, ERR_INTEGRITY, "neither a .conda nor a .tar.bz2");
}

static void many_frames(void **state)
{
        AUTO(buf_done) struct buf zst = BUF_INIT((size_t)1 << 20), zip = { 0 };

        (void)state;
        pkg_frames(&zst, 100);
        make(&zip, buf_sv(&zst), 0, "", MADE_FORMAT);
        expect_good(&zip);
        zip_put(&zst, 0x184d2a50, 4); /* and one to be skipped */
        zip_put(&zst, 3, 4);
        buf_add(&zst, SV("abc"));
        make(&zip, buf_sv(&zst), 0, "", MADE_FORMAT);
        expect_good(&zip);
}

static void a_tar_in_a_window(struct buf *zst, unsigned log)
{
        AUTO(buf_done) struct buf tar = BUF_INIT((size_t)1 << 20);

        made_tar(&tar, one, ARRAY_LEN(one));
        zip_put(zst, 0xfd2fb528, 4);
        zip_put(zst, 0, 1);
        zip_put(zst, (log - 10) << 3, 1);
        zip_put(zst, tar.n << 3 | 1, 3);
        buf_add(zst, buf_sv(&tar));
}

static void large_windows(void **state)
{
        AUTO(buf_done) struct buf z27 = BUF_INIT((size_t)1 << 20), z28 = BUF_INIT((size_t)1 << 20), zip = { 0 };

        (void)state;
        a_tar_in_a_window(&z27, 27);
        make(&zip, buf_sv(&z27), 0, "", MADE_FORMAT);
        expect_good(&zip);
        a_tar_in_a_window(&z28, 28);
        make(&zip, buf_sv(&z28), 0, "", MADE_FORMAT);
        expect_bad(&zip, ERR_LIMIT, "window");
}

static void damaged_zips(void **state)
{
        AUTO(buf_done) struct buf zst = BUF_INIT((size_t)1 << 20), zip = { 0 };
        struct zip_made z;
        size_t n;

        (void)state;
        pkg_frames(&zst, 700);
        n = zst.n;
        for (size_t cut = 1; cut < n; cut += 37) { /* also in the zeros behind the tar's end */
                make(&zip, sv_from_to(buf_sv(&zst), 0, n - cut), 0, "", MADE_FORMAT);
                expect_bad(&zip, ERR_INTEGRITY, "");
        }
        make(&zip, SV(""), 0, "", MADE_FORMAT);
        expect_bad(&zip, ERR_INTEGRITY, "pkg-….tar.zst is cut off");
        make(&zip, buf_sv(&zst), 0, "", MADE_FORMAT);
        zip.p[sv_find_sv(buf_sv(&zip), SV("text"))] ^= 1;
        expect_bad(&zip, ERR_INTEGRITY, "wrong CRC");
        make(&zip, buf_sv(&zst), 8, "", MADE_FORMAT);
        zip.p[sv_find_sv(buf_sv(&zip), SV("text"))] ^= 1;
        expect_bad(&zip, ERR_INTEGRITY, "wrong CRC");
        for (size_t cut = 1; cut < zip.n; cut += zip.n / 16) {
                struct buf part = { .p = zip.p, .n = zip.n - cut };

                expect_bad(&part, ERR_INTEGRITY, "");
        }
        {
                const struct zip_file two[] = { { .name = "pkg-a.tar.zst", .data = "" },
                                                { .name = "x/pkg-b.tar.zst", .data = "" },
                                                { .name = "info-a.tar.zst", .data = "" } };

                zip_make(&z, two, 3, "", 0);
                expect_bad(&z.buf, ERR_INTEGRITY, "both 'pkg-a.tar.zst' and 'x/pkg-b.tar.zst'");
                buf_done(&z.buf);
                zip_make(&z, two, 1, "", 0);
                expect_bad(&z.buf, ERR_INTEGRITY, "no info-");
                buf_done(&z.buf);
                zip_make(&z, two + 1, 2, "", 0);
                zip_patch(&z, z.local_at[0] + 8, 14, 2);
                zip_patch(&z, z.central_at[0] + 10, 14, 2);
                expect_bad(&z.buf, ERR_FAILED, "'x/pkg-b.tar.zst' uses compression method 14");
                buf_done(&z.buf);
        }
}

static void streams_of_bzip2(void **state)
{
        static const char *const forms[] = { one_stream, three_streams };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                AUTO(buf_done) struct buf bytes = BUF_INIT(65536), names = BUF_INIT(4096);
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct conda_archive ar;

                unhex(forms[i], &bytes);
                assert_int_equal(conda_archive_open(&a, buf_sv(&bytes), &ar, &e), 0);
                assert_int_equal(walk(&ar, CONDA_WHOLE, &names, &e), 0);
                assert_true(strstr(names.p, ";bin/x:text\n;") != NULL);
                for (size_t cut = bytes.n / 2; cut < bytes.n; cut += 50) {
                        AUTO(err_done) struct err bad = { 0 };

                        ar.bytes = sv_from_to(buf_sv(&bytes), 0, bytes.n - cut);
                        assert_int_equal(walk(&ar, CONDA_WHOLE, &names, &bad), -ERR_INTEGRITY);
                }
        }
}

/* The whole way: what is read of info/ does not depend on where it stands, and nothing that stands behind is overlooked. */
static int bzip2_install(const char *digits, struct err *e)
{
        AUTO(buf_done) struct buf bytes = BUF_INIT(65536);
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        struct install_ctx ctx = { .prefix = SV("/opt/env"), .root = SV("opt") };
        struct artifact art;
        struct content c;
        struct entry *en;

        unhex(digits, &bytes);
        art = made_artifact(&bytes, false);
        assert_int_equal(install_conda(&art, buf_sv(&bytes), &ctx, &ds, &s, e), 0);
        assert_int_equal(s->ops->next(s, &en, &c, e), 1);
        assert_true(sv_is(en->path, "opt/env/bin/x") && en->mode == 0755 && en->size == 5);
        if (s->ops->next(s, &en, &c, e) < 0)
                return -(int)e->code;
        assert_true(sv_is(en->path, "opt/env/conda-meta/demo-1.0-h1_0.json"));
        return s->ops->next(s, &en, &c, e);
}

static void bzip2_packages(void **state)
{
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        assert_int_equal(bzip2_install(one_stream, &e), 0);
        assert_int_equal(bzip2_install(three_streams, &e), 0);
        assert_int_equal(bzip2_install(info_last, &e), 0);
        assert_int_equal(bzip2_install(info_twice, &e), -ERR_INTEGRITY);
        assert_string_equal(e.cause, "the package has 'info/index.json' twice");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(forms_of_a_zip), cmocka_unit_test(many_frames),      cmocka_unit_test(large_windows),
                cmocka_unit_test(damaged_zips),   cmocka_unit_test(streams_of_bzip2), cmocka_unit_test(bzip2_packages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
