#include "install/deb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "install/os.h"
#include "tests/unit/unit.h"

/* --- small .debs made here: ar, two plain tars */

struct file {
        const char *path, *text, *link; /* a path that ends in '/' is a directory */
        unsigned mode, uid, gid;
        char type; /* 0: by the rest; '1': hard link */
};

static void tar_header(struct buf *b, const struct file *f)
{
        char h[512] = { 0 };
        unsigned sum = 8 * ' ';
        size_t n = strlen(f->path);
        char type = f->type ? f->type : f->link ? '2' : f->path[n - 1] == '/' ? '5' : '0';

        snprintf(h, 100, "%s", f->path);
        snprintf(h + 100, 8, "%07o", f->mode);
        snprintf(h + 108, 8, "%07o", f->uid);
        snprintf(h + 116, 8, "%07o", f->gid);
        snprintf(h + 124, 12, "%011zo", f->text ? strlen(f->text) : (size_t)0);
        snprintf(h + 136, 12, "%011o", 1500000000);
        h[156] = type;
        snprintf(h + 157, 100, "%s", f->link ? f->link : "");
        memcpy(h + 257, "ustar\00000", 8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char)h[i];
        snprintf(h + 148, 8, "%06o", sum);
        buf_add(b, (sv){ h, sizeof(h) });
}

static void tar_make(struct buf *b, const struct file *f, size_t n)
{
        static const char zero[1024];

        for (size_t i = 0; i < n; i++) {
                size_t size = f[i].text ? strlen(f[i].text) : 0;
                tar_header(b, &f[i]);
                buf_add(b, sv_from(f[i].text));
                buf_add(b, (sv){ zero, (512 - size % 512) % 512 });
        }
        buf_add(b, (sv){ zero, sizeof(zero) });
}

static void ar_member(struct buf *b, const char *name, sv bytes)
{
        buf_fmt(b, "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", name, "0", "0", "0", "100644", bytes.n);
        buf_add(b, bytes);
        if (bytes.n & 1)
                buf_byte(b, '\n');
}

static void deb_make(struct buf *out, const struct file *control, size_t n_control, const struct file *data,
                     size_t n_data)
{
        AUTO(buf_done) struct buf c = BUF_INIT(1 << 20), d = BUF_INIT(1 << 20);

        tar_make(&c, control, n_control);
        tar_make(&d, data, n_data);
        buf_add(out, SV("!<arch>\n"));
        ar_member(out, "debian-binary", SV("2.0\n"));
        ar_member(out, "control.tar", buf_sv(&c));
        ar_member(out, "data.tar", buf_sv(&d));
}

static const struct file app_control[] = {
        { "./", NULL, NULL, 0755, 0, 0, 0 },
        { "./control",
          "Package: app\nVersion: 1:2.0-1\nArchitecture: amd64\nMulti-Arch: same\nDepends: libc6(>=2.36),foo|bar\n"
          "Description: x\n y\nHomepage: http://h\n",
          NULL, 0644, 0, 0, 0 },
        { "./conffiles", "/etc/app.conf\nremove-on-upgrade /etc/gone\n", NULL, 0644, 0, 0, 0 },
        { "./postinst",
          "#!/bin/sh\nset -e\nupdate-alternatives --install /usr/bin/a a /usr/bin/app 10 \\\n --slave /usr/share/a a.1 "
          "/none\n",
          NULL, 0755, 0, 0, 0 },
        { "./triggers", "interest-noawait /usr/lib/app\ninterest app-changed\n", NULL, 0644, 0, 0, 0 },
};
static const struct file app_data[] = {
        { "./", NULL, NULL, 0755, 0, 0, 0 },
        { "./bin/", NULL, NULL, 0755, 0, 0, 0 },
        { "./bin/app", "program", NULL, 04755, 0, 42, 0 },
        { "./bin/app2", NULL, "./bin/app", 04755, 0, 42, '1' },
        { "./etc/", NULL, NULL, 0755, 0, 0, 0 },
        { "./etc/app.conf", "conf", NULL, 0644, 0, 0, 0 },
        { "./lib/x/", NULL, NULL, 0755, 0, 0, 0 },
        { "./usr/lib/x/", NULL, NULL, 0755, 0, 0, 0 },
        { "./lib/x/l", NULL, "../y", 0777, 0, 0, 0 },
        { "./var/spool/app/", NULL, NULL, 02770, 0, 8, 0 },
};
#define APP(b) deb_make(b, app_control, ARRAY_LEN(app_control), app_data, ARRAY_LEN(app_data))

static const struct artifact app_art = {
        .kind = ARTIFACT_DEB, .name = { "app", 3 }, .version = { "1:2.0-1", 7 }, .arch = { "amd64", 5 }
};

static void read_content(const struct content *c, struct buf *out)
{
        AUTO(err_done) struct err e = { 0 };
        char piece[3];
        size_t n = 0;

        if (c->kind == CONTENT_BYTES)
                buf_add(out, (sv){ c->p, c->n });
        while (c->kind == CONTENT_STREAM && c->read(c->arg, piece, sizeof(piece), &n, &e) == 0 && n)
                buf_add(out, (sv){ piece, n });
}

static void list_source(struct entry_source *s, struct buf *out)
{
        AUTO(err_done) struct err e = { 0 };
        struct entry *en;
        struct content c;

        while (s->ops->next(s, &en, &c, &e) == 1) {
                buf_fmt(out, "%c %o %u:%u %.*s", en->type, en->mode, en->uid, en->gid, SV_ARG(en->path));
                if (en->target.n)
                        buf_fmt(out, " -> %.*s", SV_ARG(en->target));
                if (sv_ends(en->path, SV("list")) || sv_ends(en->path, SV("md5sums")) ||
                    sv_ends(en->path, SV("bin/app"))) {
                        buf_add(out, SV(" ["));
                        read_content(&c, out);
                        buf_add(out, SV("]"));
                }
                buf_byte(out, '\n');
        }
        assert_null(e.cause);
}

static const char app_entries[] =
        "f 4755 0:42 usr/bin/app [program]\n"
        "h 4755 0:42 usr/bin/app2 -> usr/bin/app\n"
        "d 755 0:0 etc\n"
        "f 644 0:0 etc/app.conf\n"
        "d 755 0:0 usr/lib/x\n"
        "l 777 0:0 usr/lib/x/l -> ../y\n"
        "d 2770 0:8 var/spool/app\n"
        "f 644 0:0 var/lib/dpkg/info/app:amd64.conffiles\n"
        "f 644 0:0 var/lib/dpkg/info/app:amd64.list "
        "[/.\n/bin\n/bin/app\n/bin/app2\n/etc\n/etc/app.conf\n/lib/x\n/usr/lib/x\n/lib/x/l\n"
        "/var/spool/app\n]\n"
        "f 644 0:0 var/lib/dpkg/info/app:amd64.md5sums [a9c449d4fa44e9e5a41c574ae55ce4d9  bin/app\n]\n"
        "f 755 0:0 var/lib/dpkg/info/app:amd64.postinst\n"
        "f 644 0:0 var/lib/dpkg/info/app:amd64.triggers\n";

static void entries_are_dpkgs_and_usrmerged(void **state)
{
        AUTO(buf_done) struct buf deb = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(entry_source_freep) struct entry_source *s = NULL;

        (void)state;
        APP(&deb);
        assert_int_equal(install_deb(&app_art, buf_sv(&deb), &(struct install_ctx){ .usrmerged = true }, &ds, &s, &e),
                         0);
        list_source(s, &out);
        assert_string_equal(out.p, app_entries);
        assert_int_equal(s->ops->rewind(s, &e), 0); /* a second pass gives the same */
        buf_clear(&out);
        list_source(s, &out);
        assert_string_equal(out.p, app_entries);
}

static const struct {
        struct file f;
        const char *cause;
} bad_rows[] = {
        { { "./../x", "t", NULL, 0644, 0, 0, 0 }, "the package holds the path './../x': " },
        { { "./a/../../x", "t", NULL, 0644, 0, 0, 0 }, "the package holds the path './a/../../x': " },
        { { "./x", "t", NULL, 0644, 1000, 0, 0 },
          "'x' belongs to 1000:0: ids from 100 on differ from system to system" },
        { { "./dev/x", NULL, NULL, 0644, 0, 0, '3' },
          "the package holds a device or pipe, 'dev/x', which an image can't" },
        { { "./x", NULL, "./../../etc/passwd", 0644, 0, 0, '1' }, "the hard link 'x' leads to './../../etc/passwd': " },
};

static void bad_members_are_refused(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
                AUTO(buf_done) struct buf deb = BUF_INIT(1 << 20);
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                AUTO(entry_source_freep) struct entry_source *s = NULL;
                struct entry *en;
                struct content c;

                deb_make(&deb, app_control, ARRAY_LEN(app_control), &bad_rows[i].f, 1);
                if (install_deb(&app_art, buf_sv(&deb), &(struct install_ctx){ .usrmerged = true }, &ds, &s, &e) == 0)
                        s->ops->next(s, &en, &c, &e);
                if (!e.cause || strncmp(e.cause, bad_rows[i].cause, strlen(bad_rows[i].cause)) != 0)
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "accepted");
        }
        assert_int_equal(bad, 0);
}

static const struct {
        const char *bytes, *cause;
} ar_rows[] = {
        { "", "not a .deb: no ar archive" },
        { "!<arch>\nshort", "not a .deb of format 2" },
        { "!<arch>\ndebian-binary   0           0     0     100644  4         `\n3.0\n", "not a .deb of format 2" },
        { "!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n", "a .deb has no control.tar" },
        { "!<arch>\ndebian-binary   0           0     0     100644  99        `\n2.0\n", "not a .deb of format 2" },
};

static void broken_archives_are_refused(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(ar_rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct deb_parts p;

                if (deb_split(sv_from(ar_rows[i].bytes), &p, &e) != -ERR_INTEGRITY ||
                    strcmp(e.cause, ar_rows[i].cause) != 0)
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "accepted");
        }
        assert_int_equal(bad, 0);
}

static void another_package_is_refused(void **state)
{
        AUTO(buf_done) struct buf deb = BUF_INIT(1 << 20);
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art = app_art;
        struct entry_source *s = NULL;

        (void)state;
        APP(&deb);
        art.version = SV("1:2.0-2");
        assert_int_equal(install_deb(&art, buf_sv(&deb), &(struct install_ctx){ .usrmerged = true }, &ds, &s, &e),
                         -ERR_INTEGRITY);
        assert_string_equal(e.cause, "the file of 'app 1:2.0-2 amd64' holds 'app 1:2.0-1 amd64'");
}

/* --- layer os of this one package */

static const struct {
        const char *path, *is; /* text, or "-> target", or "mode uid:gid" of a directory */
} os_rows[] = {
        { "var/lib/dpkg/status",
          "Package: app\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 1:2.0-1\n"
          "Depends: libc6 (>= 2.36), foo | bar\nConffiles:\n /etc/app.conf 3a8e4c06e471595f6eb262bb9b5582d9\n "
          "/etc/gone newconffile "
          "remove-on-upgrade\nDescription: x\n y\nHomepage: http://h\n\n" },
        { "var/lib/dpkg/triggers/File", "/usr/lib/app app:amd64/noawait\n" },
        { "var/lib/dpkg/triggers/app-changed", "app:amd64\n" },
        { "var/lib/dpkg/alternatives/a", "auto\n/usr/bin/a\na.1\n/usr/share/a\n\n/usr/bin/app\n10\n/none\n\n" },
        { "usr/bin/a", "-> /etc/alternatives/a" },
        { "etc/alternatives/a", "-> /usr/bin/app" },
        { "etc/alternatives/a.1", NULL }, /* its file is in no package */
        { "bin", "-> usr/bin" },
        { "sbin", NULL },
        { "var/spool/app", "2770 0:8" },
        { "tmp", "1777 0:0" },
        { "etc/machine-id", "" },
        { "etc/passwd", "root:*:0:0:root:/root:/bin/sh\nme:*:1000:1000::/home/me:/bin/bash\n" },
        { "etc/group", "root:*:0:\nme:*:1000:\n" },
        { "home/me", "700 1000:1000" },
        { "etc/motd", "hello\n" },
        { "srv/data", "755 0:0" },
};

static const char recipe_text[] =
        "recipe: 1\nname: r\nsuite: s\nversion: \"1\"\nmirror: http://m\ncomponents: [main]\narchitectures: [amd64]\n"
        "keys: k\npackages: [app]\nusers: [{name: me, uid: 1000, home: /home/me, shell: /bin/bash}]\n"
        "directories: [{path: /home/me, mode: \"0700\", uid: 1000, gid: 1000}]\n"
        "files: [{path: /etc/motd, text: \"hello\\n\"}]\n";
static const char effects_text[] =
        "effects: 1\nsuite: s\npackages:\n- {package: app, directories: [{path: /srv/data}]}\n"
        "- {package: other, directories: [{path: /srv/other}]}\n";

static void describe(const struct entry *en, const struct content *c, struct buf *out)
{
        if (en->type == ENTRY_DIR)
                buf_fmt(out, "%o %u:%u", en->mode, en->uid, en->gid);
        else if (en->type == ENTRY_SYMLINK)
                buf_fmt(out, "-> %.*s", SV_ARG(en->target));
        else
                read_content(c, out);
}

static void os_does_what_dpkg_would(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf deb = BUF_INIT(1 << 20);
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct deb_info info;
        struct recipe *r;
        struct effects *x;
        struct entry *en;
        struct content *c;
        size_t n;
        int bad = 0;

        (void)state;
        APP(&deb);
        assert_int_equal(recipe_parse(&a, sv_from(recipe_text), SV("r.yml"), &ds, &r, &e), 0);
        assert_int_equal(effects_parse(&a, sv_from(effects_text), SV("x.yml"), SV("amd64"), &ds, &x, &e), 0);
        assert_int_equal(deb_info_read(&a, &app_art, buf_sv(&deb), true, &(struct deb_want){ 0 }, &info, &e), 0);
        assert_int_equal(os_build(&a, &(struct os_input){ .deb = &info, .n_deb = 1, .effects = x, .recipe = r }, &ds,
                                  &en, &c, &n, &e),
                         0);
        for (size_t i = 0; i < ARRAY_LEN(os_rows); i++) {
                AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
                struct entry key = { .path = sv_from(os_rows[i].path) },
                             *found = bsearch(&key, en, n, sizeof(*en), entry_cmp);

                if (found)
                        describe(found, &c[found - en], &out);
                if (!found != !os_rows[i].is || (found && strcmp(out.p ? out.p : "", os_rows[i].is) != 0))
                        bad++, print_error("row %zu: %s is '%s'\n", i, os_rows[i].path, found ? out.p : "(absent)");
        }
        assert_int_equal(bad, 0);
        for (size_t i = 1; i < n; i++)
                assert_true(sv_cmp(en[i - 1].path, en[i].path) < 0);
}

static void unknown_scripts_are_refused_unless_skipped(void **state)
{
        static const struct file control[] = { { "control", "Package: app\nVersion: 1:2.0-1\nArchitecture: amd64\n",
                                                 NULL, 0644, 0, 0, 0 },
                                               { "postinst", "#!/bin/sh\nrm -rf /\n", NULL, 0755, 0, 0, 0 } };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf deb = BUF_INIT(1 << 20);
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct deb_info info;
        sv skip = SV("app");
        struct os_input in = { .deb = &info, .n_deb = 1 };

        (void)state;
        deb_make(&deb, control, 2, app_data, ARRAY_LEN(app_data));
        assert_int_equal(deb_info_read(&a, &app_art, buf_sv(&deb), true, NULL, &info, &e), 0);
        assert_int_equal(os_check_scripts(&in, &ds, &e), -ERR_FAILED);
        assert_true(sv_is(ds.v[0].text, "postinst of 'app 1:2.0-1' would have to be run: 'rm -rf /'"));
        err_done(&e);
        in.skip = &skip;
        in.n_skip = 1;
        assert_int_equal(os_check_scripts(&in, &ds, &e), 0);
        assert_int_equal(ds.n_errors, 1); /* the one from before */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(entries_are_dpkgs_and_usrmerged),
                cmocka_unit_test(bad_members_are_refused),
                cmocka_unit_test(broken_archives_are_refused),
                cmocka_unit_test(another_package_is_refused),
                cmocka_unit_test(os_does_what_dpkg_would),
                cmocka_unit_test(unknown_scripts_are_refused_unless_skipped),
        };
        return cmocka_run_group_tests_name("deb", tests, NULL, NULL);
}
