#include "install/deb_scripts.h"

#include "base/attr.h"
#include "base/cleanup.h"
#include "install/effects.h"
#include "tests/unit/unit.h"

#define BLOCK(name, body) "# Automatically added by " name "/13.1\n" body "# End automatically added section\n"
#define GUARD             "if [ \"$1\" = \"configure\" ] || [ \"$1\" = \"abort-upgrade\" ] ; then\n"

/* kind: v void, a alternatives, ? unknown; after it the number of alternatives */
static const struct {
        const char *name, *text, *is;
} rows[] = {
        { "postinst", "", "v0" },
        { "postinst", "#!/bin/sh\nset -e\n# a comment\n\nexit 0\n", "v0" },
        { "postinst", "#!/bin/sh -e\n", "v0" },
        { "postinst", "#!/usr/bin/perl\n", "?0" },
        { "postinst", "set -e\n", "?0" },
        { "postinst", "#!/bin/sh\nset -e\n" BLOCK("dh_installsystemd", "systemctl start x || true\n"), "v0" },
        { "postinst", "#!/bin/sh\n" BLOCK("dh_unheard_of", "true\n"), "?0" },
        { "postinst", "#!/bin/sh\n# Automatically added by dh_installinit\nnever ends\n", "?0" },
        { "postinst", "#!/bin/sh\n" BLOCK("dh_python3", "py3compile -p x\n") "rm x\n", "?0" },
        { "preinst", "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x 1.0\\~ -- \"$@\"\n", "v0" },
        { "preinst", "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x; rm -rf / -- \"$@\"\n", "?0" },
        { "preinst", "#!/bin/sh\ndpkg-maintscript-helper unheard_of /etc/x -- \"$@\"\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /usr/bin/a a /usr/bin/b 10\n", "a1" },
        { "postinst",
          "#!/bin/sh\nupdate-alternatives --quiet \\\n\t--install /usr/bin/a a /usr/bin/b 10 \\\n --slave /s s "
          "/t\nexit 0\n",
          "a1" },
        { "postinst", "#!/bin/sh\n" GUARD "update-alternatives --install /usr/bin/a a '/usr/bin/b' -5 || true\nfi\n",
          "a1" },
        { "postinst",
          "#!/bin/sh\n" BLOCK("dh_installalternatives", GUARD "update-alternatives --install /a a /b 1\nfi\n"), "a1" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a a /b 1\nupdate-alternatives --install /c c /d 2\n",
          "a2" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a a /b 1 \\\n #--slave $x \\\n #more\n", "a1" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a a /b 1 \\\n # x \\\nrm x\n",
          "?1" }, /* the comment ends with its line */
        { "preinst", "#!/bin/sh\nupdate-alternatives --install /a a /b 1\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install $X a /b 1\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a a /b 1; rm -rf /\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a a /b `id`\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a a /b 1 > /etc/passwd\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --install /a ../a /b 1\n", "?0" },
        { "postinst", "#!/bin/sh\nupdate-alternatives --remove a /b\n", "?0" },
        { "postinst", "#!/bin/sh\n" GUARD "update-alternatives --install /a a /b 1\n", "?1" }, /* the if does not end */
        { "postinst", "#!/bin/sh\nif [ \"$1\" = \"configure\" ] && rm x; then\nfi\n", "?0" },
};

static void scripts_are_told_apart(void **state)
{
        static const char kinds[] = { [SCRIPT_VOID] = 'v', [SCRIPT_ALTERNATIVES] = 'a', [SCRIPT_UNKNOWN] = '?' };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct deb_script s;

                deb_script_read(&a, sv_from(rows[i].name), sv_from(rows[i].text), &s);
                if (kinds[s.kind] != rows[i].is[0] || (int)s.n_alternative != rows[i].is[1] - '0')
                        bad++, print_error("row %zu: %c%zu\n", i, kinds[s.kind], s.n_alternative);
        }
        assert_int_equal(bad, 0);
}

static const struct {
        const char *text, *code; /* NULL: proper */
} effects_rows[] = {
        { "effects: 1\nsuite: s\npackages: []\n", NULL },
        { "effects: 1\nsuite: s\npackages: [{package: a, links: [{path: /a, target: b}], scripts: {postinst: []}}]\n",
          NULL },
        { "effects: 2\nsuite: s\npackages: []\n", "EB141" },
        { "effects: 1\nsuite: s\n", "EB142" },
        { "effects: 1\nsuite: s\npackages: [{package: a}, {package: a}]\n", "EB143" },
        { "effects: 1\nsuite: s\npackages: [{package: a, run: x}]\n", "EB140" },
        { "effects: 1\nsuite: s\npackages: [{package: a, directories: [{path: a}]}]\n", "EB141" },
        { "effects: 1\nsuite: s\npackages: [{package: a, directories: [{path: /a/../b}]}]\n", "EB141" },
        { "effects: 1\nsuite: s\npackages: [{package: a, directories: [{path: /a, mode: 0999}]}]\n", "EB141" },
        { "effects: 1\nsuite: s\npackages: [{package: a, scripts: {postinst: [12]}}]\n", "EB141" },
        { "effects: 1\nsuite: s\npackages: [{package: a, scripts: {prerm: []}}]\n", "EB140" },
};

static void effects_are_strict(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(effects_rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct effects *x;
                int r = effects_parse(&a, sv_from(effects_rows[i].text), SV("x.yml"), SV("amd64"), &ds, &x, &e);
                const char *code = ds.n ? ds.v[0].code : NULL;

                if ((r == 0) != !effects_rows[i].code ||
                    (code && !sv_is(sv_from(code), effects_rows[i].code ? effects_rows[i].code : "")))
                        bad++, print_error("row %zu: %d %s\n", i, r, code ? code : "");
        }
        assert_int_equal(bad, 0);
}

static void digests_count_what_is_used(void **state)
{
        static const char one[] = "effects: 1\nsuite: s\npackages:\n- {package: a, why: x, links: [{path: "
                                  "\"/${triplet}\", target: b}]}\n- {package: b}\n";
        static const char two[] = "effects: 1\nsuite: s\npackages: [{links: [{target: b, path: \"/${triplet}\"}], "
                                  "package: a}, {package: c}]\n";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct effects *x, *y;
        sv names[] = { SV("a"), SV("d") };
        sha256 d, f;

        (void)state;
        assert_int_equal(effects_parse(&a, sv_from(one), SV("x.yml"), SV("amd64"), &ds, &x, &e), 0);
        assert_int_equal(effects_parse(&a, sv_from(two), SV("y.yml"), SV("arm64"), &ds, &y, &e), 0);
        assert_true(sv_is(x->pkg[0].link[0].path, "/x86_64-linux-gnu"));
        assert_true(sv_is(y->pkg[0].link[0].path, "/aarch64-linux-gnu"));
        d = effects_digest(x, names, 2);
        f = effects_digest(y, names, 2);
        assert_true(sha256_eq(&d, &f)); /* order, comments and other packages do not count */
        f = effects_digest(y, names + 1, 1);
        assert_false(sha256_eq(&d, &f));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(scripts_are_told_apart),
                cmocka_unit_test(effects_are_strict),
                cmocka_unit_test(digests_count_what_is_used),
        };
        return cmocka_run_group_tests_name("deb scripts", tests, NULL, NULL);
}
