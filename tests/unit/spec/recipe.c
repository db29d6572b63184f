#include "spec/recipe.h"

#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                                           \
        "recipe: 1\nname: r\nsuite: s\nversion: \"1\"\nmirror: http://m/\ncomponents: [main]\narchitectures: "         \
        "[amd64]\nkeys: k\npackages: [a]\n"

static const struct {
        const char *text, *fault; /* "line:col code text" of the first one; NULL: proper */
} rows[] = {
        { HEAD, NULL },
        { HEAD "users: [{name: me, uid: 1000}]\nend-of-life: 2030-06-30\nsuites: [{suite: t}]\n", NULL },
        { HEAD "pakages: [a]\n", "10:1 EB140 a recipe has no such key here: 'pakages'" },
        { HEAD "users: [{name: me, uid: x}]\n", "10:25 EB141 a number from 0 to 65534 is expected here: 'x'" },
        { HEAD "users: [{name: me}]\n", "10:9 EB142 a key is missing here: 'uid'" },
        { HEAD "users: [{name: me, uid: 1}, {name: you, uid: 1}]\n",
          "10:29 EB143 two users have one name or number: 'you'" },
        { HEAD "users: [{name: Me, uid: 1}]\n", "10:9 EB141 not a user name: 'Me'" },
        { HEAD "users: [{name: me, uid: 1, gecos: \"a:b\"}]\n",
          "10:9 EB141 a field of a user holds ':' or a line end: 'me'" },
        { HEAD "directories: [{path: a}]\n", "10:22 EB141 an absolute path is expected here: 'a'" },
        { HEAD "directories: [{path: /a/../b}]\n", "10:22 EB141 a path has an empty part, '.' or '..': '/a/../b'" },
        { HEAD "directories: [{path: /a, mode: 755x}]\n",
          "10:32 EB141 octal permissions like \"0755\" are expected here: '755x'" },
        { HEAD "files: [{path: /a}]\n", "10:9 EB142 a key is missing here: 'text'" },
        { HEAD "files: [{path: /a, text: x}, {path: /a, text: y}]\n",
          "10:30 EB143 this path is in the list twice: '/a'" },
        { HEAD "snapshot: ftp://x\n", "10:11 EB141 an http:// or https:// URL is expected here: 'ftp://x'" },
        { HEAD "end-of-life: soon\n", "10:14 EB141 a date like 2030-06-30 is expected here: 'soon'" },
        { "[]", "1:1 EB141 keys with values are expected here" },
};

static void faults_have_a_place(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(diags_done) struct diags ds = { 0 };
                AUTO(err_done) struct err e = { 0 };
                AUTO(buf_done) struct buf out = BUF_INIT(4096);
                struct recipe *r;
                int got = recipe_parse(&a, sv_from(rows[i].text), SV("dir/r.yml"), &ds, &r, &e);

                if (ds.n)
                        buf_fmt(&out, "%u:%u %s %.*s", ds.v[0].line, ds.v[0].col, ds.v[0].code, SV_ARG(ds.v[0].text));
                if ((got == 0) != !rows[i].fault || (rows[i].fault && strcmp(out.p ? out.p : "", rows[i].fault) != 0))
                        bad++, print_error("row %zu: %d %s\n", i, got, out.p ? out.p : "");
        }
        assert_int_equal(bad, 0);
}

static void digests_are_of_what_is_said(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct recipe *r, *s, *t;

        (void)state;
        assert_int_equal(recipe_parse(&a, SV(HEAD), SV("dir/r.yml"), &ds, &r, &e), 0);
        assert_int_equal(recipe_parse(&a, SV("# a comment\n" HEAD "description: x\n"), SV("r.yml"), &ds, &s, &e), 0);
        assert_int_equal(recipe_parse(&a, SV(HEAD "files: [{path: /a, text: x}]\n"), SV("r.yml"), &ds, &t, &e), 0);
        assert_true(sha256_eq(&r->sha256, &s->sha256));
        assert_false(sha256_eq(&r->sha256, &t->sha256));
        assert_false(sha256_eq(&r->os, &t->os));
        assert_true(sv_is(r->keys, "dir/k") && sv_is(r->mirror, "http://m"));
        assert_true(sv_is(recipe_arch(r, SV("linux/amd64")), "amd64"));
        assert_int_equal(recipe_arch(r, SV("linux/arm64")).n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(faults_have_a_place),
                cmocka_unit_test(digests_are_of_what_is_said),
        };
        return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
