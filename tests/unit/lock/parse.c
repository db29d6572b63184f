#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "lock/lock.h"
#include "tests/unit/lock/example.h"
#include "tests/unit/unit.h"

static sv whole(struct arena *a)
{
        return arena_fmt(a, "%s%s", example_resolution, example_image);
}

static void read_and_written_is_the_same(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct lock *l;

        (void)state;
        assert_int_equal(lock_parse(&a, whole(&a), SV("train.lock"), &ds, &l, &e), 0);
        lock_write(l, &b);
        assert_string_equal(b.p, whole(&a).p);
        buf_clear(&b);
        lock_write_resolution(l, &b);
        assert_string_equal(b.p, example_resolution);
}

static void values_arrive(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        const struct lock_platform *p;
        const struct artifact *art;
        struct lock *l;

        (void)state;
        assert_int_equal(lock_parse(&a, whole(&a), SV("train.lock"), &ds, &l, &e), 0);
        assert_int_equal(l->created, 1795253412);
        assert_true(l->config.has_cmd && l->config.n_cmd == 0 && l->config.has_entrypoint);
        assert_true(sv_is(l->config.env[1], "NOTE=a, b"));
        assert_true(l->has_index && l->pre);
        assert_int_equal(l->file[0].mode, 0644);
        p = lock_find_platform(l, SV("linux/amd64"));
        assert_non_null(p);
        assert_null(lock_find_platform(l, SV("linux/386")));
        assert_true(sv_is(p->facts.libc_name, "glibc") && sv_is(p->facts.libc_version, "2.41"));
        assert_true(p->has_python && p->has_image && p->image.n_layer == 2);
        art = lock_find(p, ARTIFACT_WHEEL, SV("idna"));
        assert_true(art && art->direct && art->size == 93120 && art->n_by == 2);
        assert_null(lock_find(p, ARTIFACT_DEB, SV("idna")));
        assert_true(l->n_channels == 2 && sv_is(l->channels[1], "file:///srv/channel"));
        assert_true(l->n_conda_specs == 2 && l->n_pip_replaces == 2 && sv_is(l->channel_priority, "flexible"));
        art = lock_find(p, ARTIFACT_CONDA, SV("numpy"));
        assert_true(art && art->n_track_features == 1 && art->n_dists == 1 && sv_is(art->dists[0], "numpy 2.1.0"));
        assert_true(sv_is(art->md5, "0123456789abcdef0123456789abcdef") && art->noarch.n == 0);
        art = lock_find(p, ARTIFACT_CONDA, SV("python"));
        assert_true(art && sv_is(art->site_packages, "lib/python3.13/site-packages"));
        p = lock_find_platform(l, SV("linux/arm64"));
        assert_false(p->has_image);
        assert_int_equal(p->base.layer[0].size, 29);
        assert_int_equal(p->facts.odd_dir[0].mode, 02775);
        assert_int_equal(p->facts.odd_dir[0].gid, 50);
}

/* Each row changes one thing in the example, and the fault must stand where it was changed. */
static void faults(void **state)
{
        static const struct {
                const char *from, *to, *code, *line; /* line: how the faulty line begins, blanks left out */
        } rows[] = {
                { "  size: 12\n", "\tsize: 12\n", "EB120", NULL },
                { "name: train\n", "nam: train\n", "EB121", NULL },
                { "name: train\n", "name: ../x\n", "EB122", "name: ../x" },
                { "request: sha256:", "request: sha512:", "EB122", "request: sha512" },
                { "created: 2026", "created: 26", "EB122", "created: 26" },
                { "  user: \"1000:1000\"", "  user: [a]", "EB122", "user: [a]" },
                { "STAGE=dev", "STAGE", "EB122", "env:" },
                { "workdir: /work", "workdir: /../work", "EB122", "workdir" },
                { "index-strategy: first", "index-strategy: worst", "EB122", "index-strategy" },
                { "  mode: \"0644\"", "  mode: \"0944\"", "EB122", "mode" },
                { "  mode: \"0644\"\n", "  mode: \"0644\"\n  owner: x\n", "EB121", "owner: x" },
                { "path: /etc/motd", "path: etc/motd", "EB122", "- path" },
                { "linux/arm64:", "arm64:", "EB122", "arm64:" },
                { "release: 2026-11-21T09:30:12Z}", "release: soon}", "EB122", "base: {recipe" },
                { "root: opt,", "root: ../opt,", "EB122", "facts: {root: .." },
                { "path: /usr/bin/python3.13", "path: usr/bin/python3.13", "EB122", "python:" },
                { "from: base}", "from: there}", "EB122", "python:" },
                { "- kind: deb", "- kind: rpm", "EB122", "- kind: rpm" },
                { "      arch: amd64\n", "", "EB122", "- kind: deb" },
                { "version: 1.7.1", "version: 1 7", "EB122", "version: 1 7" },
                { "channel-priority: flexible", "channel-priority: high", "EB122", "channel-priority" },
                { "channels: [", "channel: [", "EB121", "channel: [" },
                { "      build: h1_0\n", "", "EB122", "- kind: conda" },
                { "noarch: generic", "noarch: true", "EB122", "noarch" },
                { "md5: 0123456789abcdef", "md5: 012345678", "EB122", "md5" },
                { "site-packages: lib/python3.13/site-packages\n", "site-packages: ../x\n", "EB122", "site-packages" },
                { "      direct: true\n", "      noarch: python\n", "EB121", "noarch" },
                { "size: 18928", "size: -1", "EB122", "size: -1" },
                { "size: 18928", "size: 99999999999999999999", "EB122", "size: 999" },
                { "uploaded: 2018-12-07T13:40:06Z", "uploaded: 2018", "EB122", "uploaded: 2018" },
                { "name: requests", "name: pyjwt", "EB122", "linux/amd64:" },
                { "owner: \"0:50\"", "owner: root", "EB122", "facts: {root: opt, usrmerged: false" },
                { "direct: true", "direct: maybe", "EB122", "direct: maybe" },
                { "zstd: {digest", "brotli: {digest", "EB121", "encodings" },
                { "manifest: {gzip: sha256:", "manifest: {gzip: ", "EB122", "manifest" },
                { "    image-id: sha256:" HA "\n", "", "EB122", "layers:" },
                { "      key: " HA "\n", "      key: sha256:" HA "\n", "EB122", "key: sha256" },
                { "image:\n  linux/amd64:", "image:\n  linux/s390x:", "EB121", "linux/s390x:" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                sv text = whole(&a), line;
                ptrdiff_t at = sv_find_sv(text, sv_from(rows[i].from));
                struct lock *l;
                int r;
                assert_true(at >= 0);
                text = arena_fmt(&a, "%.*s%s%s", (int)at, text.p, rows[i].to, text.p + at + strlen(rows[i].from));
                r = lock_parse(&a, text, SV("x.lock"), &ds, &l, &e);
                line = ds.n ? sv_trim(diag_line(&ds, SV("x.lock"), ds.v[0].line)) : SV("");
                if (r != -ERR_USAGE || !ds.n || !sv_is(sv_from(ds.v[0].code), rows[i].code) ||
                    (rows[i].line && !sv_starts(line, sv_from(rows[i].line))))
                        bad++, print_error("row %zu: %d %s at '%.*s': %.*s\n", i, r, ds.n ? ds.v[0].code : "",
                                           SV_ARG(line), ds.n ? (int)ds.v[0].text.n : 0, ds.n ? ds.v[0].text.p : "");
        }
        assert_int_equal(bad, 0);
}

static void newer_ones_are_stale(void **state)
{
        static const char *const rows[] = { "lock: 2\nplan: 1\nlayer-format: 1\nunknown: 1\n",
                                            "lock: 1\nlayer-format: 2\nplan: 1\n",
                                            "lock: 1\nlayer-format: 1\nplan: 99\n" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct lock *l;
                assert_int_equal(lock_parse(&a, sv_from(rows[i]), SV("x.lock"), &ds, &l, &e), -ERR_STALE);
                assert_int_equal(ds.n, 0);
                assert_non_null(e.hint);
        }
}

static void odd_documents(void **state)
{
        static const char *const rows[] = { "", "[]", "lock: 1", "lock: x\nlayer-format: 1\nplan: 1\n",
                                            "lock: 0\nlayer-format: 1\nplan: 1\n" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct lock *l;
                assert_int_equal(lock_parse(&a, sv_from(rows[i]), SV("x.lock"), &ds, &l, &e), -ERR_USAGE);
                assert_true(ds.n_errors > 0);
        }
}

/* The order in a struct does not matter once it is sorted: what is written is always the same. */
static void sorting_makes_it_stable(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct artifact first;
        struct lock_pair pair;
        struct lock *l;

        (void)state;
        assert_int_equal(lock_parse(&a, whole(&a), SV("train.lock"), &ds, &l, &e), 0);
        first = l->platform[0].artifact[0];
        l->platform[0].artifact[0] = l->platform[0].artifact[4];
        l->platform[0].artifact[4] = first;
        pair = l->config.labels[0];
        l->config.labels[0] = l->config.labels[1];
        l->config.labels[1] = pair;
        lock_sort(l);
        lock_write(l, &b);
        assert_string_equal(b.p, whole(&a).p);
}

/* Texts that YAML has to quote come back as they were. */
static void odd_texts_come_back(void **state)
{
        static const char *const rows[] = { "a: b",     "- x", "#", "yes",  "1.0", "\"", "two\nlines",
                                            "\xc3\xbc", "[x]", "{", "a, b", " ",   "''", "&x" };
        sv v[ARRAY_LEN(rows)];
        struct lock l = { .lock = 1, .layer_format = 1, .plan = 1, .name = SV("x"), .request = { { 1 } } }, *back;
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                v[i] = sv_from(rows[i]);
        l.config.has_cmd = true;
        l.config.cmd = v;
        l.config.n_cmd = ARRAY_LEN(rows);
        lock_write(&l, &b);
        assert_int_equal(lock_parse(&a, buf_sv(&b), SV("x"), &ds, &back, &e), 0);
        assert_int_equal(back->config.n_cmd, ARRAY_LEN(rows));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_true(sv_eq(back->config.cmd[i], v[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(read_and_written_is_the_same),
                cmocka_unit_test(values_arrive),
                cmocka_unit_test(faults),
                cmocka_unit_test(newer_ones_are_stale),
                cmocka_unit_test(odd_documents),
                cmocka_unit_test(sorting_makes_it_stable),
                cmocka_unit_test(odd_texts_come_back),
        };
        return cmocka_run_group_tests_name("lock parse", tests, NULL, NULL);
}
