/* Which place is asked first, and where a login is written: over real files in a folder of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "registry/credentials.h"
#include "tests/unit/unit.h"

struct world {
        char dir[64];
        struct op op;
        struct arena a;
        struct err e;
};

static void put(struct world *w, const char *path, const char *text, mode_t mode)
{
        AUTO(free_ptr) char *full = fs_path("%s/%s", w->dir, path), *dir = NULL;

        dir = fs_path("%.*s", SV_ARG(sv_dirname(sv_from(full))));
        assert_int_equal(fs_mkdirs(dir, 0755, &w->e), 0);
        assert_int_equal(fs_write(full, sv_from(text), mode, &w->e), 0);
}

static sv at(struct world *w, const char *path)
{
        return arena_fmt(&w->a, "%s/%s", w->dir, path);
}

static int begin(void **state)
{
        struct world *w = calloc(1, sizeof(*w));

        strcpy(w->dir, "/tmp/envbuild-login-XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        w->op.jobs = 1;
        setenv("HOME", at(w, "home").p, 1);
        setenv("XDG_RUNTIME_DIR", at(w, "run").p, 1);
        setenv("PATH", at(w, "bin:/usr/bin:/bin").p, 1);
        unsetenv("XDG_CONFIG_HOME");
        unsetenv("DOCKER_CONFIG");
        unsetenv("REGISTRY_AUTH_FILE");
        assert_int_equal(mkdir(at(w, "home").p, 0755), 0);
        assert_int_equal(mkdir(at(w, "run").p, 0755), 0);
        *state = w;
        return 0;
}

static int end(void **state)
{
        struct world *w = *state;

        fs_remove(w->dir, &w->e);
        arena_wipe(&w->a);
        err_done(&w->e);
        free(w);
        return 0;
}

static const struct reg_repo repo = { { "h", 1 }, { "a/b", 3 } };

static struct reg_login found(struct world *w, const struct reg_opts *o)
{
        struct reg_login l = { 0 };

        err_done(&w->e);
        reg_login_find(o, &repo, &w->op, &w->a, &l, &w->e);
        return l;
}

/* Each place in turn, the last first: it must take over. */
static void order_of_places(void **state)
{
        static const struct {
                const char *path, *text;
        } rows[] = { { "home/.dockercfg", "{\"h\":{\"auth\":\"MTp4\"}}" },
                     { "home/.docker/config.json", "{\"auths\":{\"h\":{\"auth\":\"Mjp4\"}}}" },
                     { "home/.config/containers/auth.json", "{\"auths\":{\"h\":{\"auth\":\"Mzp4\"}}}" },
                     { "run/containers/auth.json", "{\"auths\":{\"h\":{\"auth\":\"NDp4\"}}}" } };
        struct world *w = *state;
        struct reg_opts o = { 0 };
        char want[2] = "1";

        assert_int_equal(found(w, &o).from.n, 0);
        assert_int_equal(w->e.code, ERR_NOT_FOUND);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++, want[0]++) {
                struct reg_login l;

                put(w, rows[i].path, rows[i].text, 0600);
                l = found(w, &o);
                assert_true(sv_is(l.username, want));
                assert_true(sv_eq(l.from, at(w, rows[i].path)));
        }
        put(w, "named", "{\"auths\":{\"h\":{\"auth\":\"NTp4\"}}}", 0600);
        setenv("REGISTRY_AUTH_FILE", at(w, "named").p, 1);
        assert_true(sv_is(found(w, &o).username, "5"));
        put(w, "given", "{}", 0600);
        o.auth_file = at(w, "given").p; /* that one and no other */
        assert_int_equal(found(w, &o).from.n, 0);
        o.auth_file = at(w, "missing").p;
        found(w, &o);
        assert_int_equal(w->e.code, ERR_USAGE);
        assert_non_null(strstr(w->e.cause, "missing' is not there"));
        o.username = SV("me");
        assert_true(sv_is(found(w, &o).username, "me"));
}

/* A file that knows nothing of a registry leaves it to the next; one that is broken is said. */
static void files_that_do_not_know(void **state)
{
        struct world *w = *state;
        struct reg_opts o = { 0 };

        put(w, "run/containers/auth.json", "{\"auths\":{\"other\":{\"auth\":\"MTp4\"}}}", 0600);
        put(w, "home/.docker/config.json", "{\"auths\":{\"h\":{\"auth\":\"Mjp4\"}}}", 0600);
        assert_true(sv_is(found(w, &o).username, "2"));
        if (getuid() != 0) { /* whom nothing is closed to */
                assert_int_equal(chmod(at(w, "run/containers").p, 0), 0);
                assert_true(sv_is(found(w, &o).username, "2"));
                assert_int_equal(chmod(at(w, "run/containers").p, 0755), 0);
        }
        put(w, "run/containers/auth.json", "{\n  oops", 0600);
        found(w, &o);
        assert_int_equal(w->e.code, ERR_USAGE);
        assert_non_null(strstr(w->e.cause, "run/containers/auth.json:2:"));
}

static void helpers(void **state)
{
        static const struct {
                const char *script, *user, *password, *token, *cause;
                enum err_code code;
        } rows[] = {
                { "read k; echo "
                  "\"{\\\"ServerURL\\\":\\\"$k\\\",\\\"Username\\\":\\\"$1-$k\\\",\\\"Secret\\\":\\\"s\\\"}\"",
                  "get-h", "s", "" },
                { "echo '{\"Username\":\"<token>\",\"Secret\":\"T\"}'", "", "", "T" },
                { "echo 'credentials not found in native keychain'; exit 1", "", "", "", "no login", ERR_NOT_FOUND },
                { "echo 'TOPSECRET'; exit 3", "", "", "", "'docker-credential-fake get' failed (exit 3)", ERR_FAILED },
                { "echo 'TOPSECRET{'", "", "", "", "JSON", ERR_FAILED },
        };
        struct world *w = *state;
        struct reg_opts o = { 0 };

        put(w, "home/.docker/config.json", "{\"credHelpers\":{\"h\":\"fake\"}}", 0600);
        found(w, &o);
        assert_int_equal(w->e.code, ERR_FAILED);
        assert_non_null(strstr(w->e.cause, "'docker-credential-fake' is not installed"));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct reg_login l;

                put(w, "bin/docker-credential-fake", arena_fmt(&w->a, "#!/bin/sh\n%s\n", rows[i].script).p, 0755);
                l = found(w, &o);
                assert_int_equal(w->e.code, rows[i].code);
                assert_true(sv_is(l.username, rows[i].user) && sv_is(l.password, rows[i].password));
                assert_true(sv_is(l.identity_token, rows[i].token));
                if (rows[i].cause && !strstr(w->e.cause, rows[i].cause))
                        fail_msg("row %zu: %s", i, w->e.cause);
                assert_true(!w->e.cause || !strstr(w->e.cause, "TOPSECRET"));
        }
        put(w, "home/.docker/config.json", "{\"credsStore\":\"../../bin/sh\"}", 0600);
        found(w, &o);
        assert_int_equal(w->e.code, ERR_FAILED);
        assert_non_null(strstr(w->e.cause, "is not the name of a credential helper"));
}

static sv read_file(struct world *w, const char *path)
{
        AUTO(buf_done) struct buf b = BUF_INIT(65536);

        assert_int_equal(fs_read(at(w, path).p, &b, &w->e), 0);
        return arena_sv(&w->a, buf_sv(&b));
}

static void keep(struct world *w, const char *where)
{
        struct reg_login l = { .username = SV("a"), .password = SV("b") };
        struct reg_opts o = { 0 };
        sv got;

        assert_int_equal(reg_login_keep(&o, SV("h"), &l, &w->op, &w->a, &got, &w->e), 0);
        assert_true(sv_eq(got, *where == 'd' ? sv_from(where) : at(w, where)));
}

static void keeping(void **state)
{
        static const char kept[] = "{\n  \"auths\": {\n    \"h\": {\n      \"auth\": \"YTpi\"\n    }\n  }\n}\n";
        struct world *w = *state;
        struct reg_opts o = { 0 };
        struct stat st;

        keep(w, "run/containers/auth.json"); /* podman's, unless another has it */
        assert_true(sv_eq(sv_trim(read_file(w, "run/containers/auth.json")), sv_trim(sv_from(kept))));
        assert_int_equal(stat(at(w, "run/containers/auth.json").p, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(reg_login_drop(&o, SV("h"), &w->op, &w->a, &w->e), 0);
        assert_int_equal(found(w, &o).from.n, 0);
        err_done(&w->e);
        assert_int_equal(reg_login_drop(&o, SV("h"), &w->op, &w->a, &w->e), -ERR_NOT_FOUND);
        err_done(&w->e);

        put(w, "home/real.json", "{\"auths\":{\"https://h/v1/\":{\"auth\":\"Yzpk\"}},\"keep\":[1]}", 0644);
        put(w, "home/.docker/other", "", 0644);
        assert_int_equal(symlink("../real.json", at(w, "home/.docker/config.json").p), 0);
        keep(w, "home/.docker/config.json");
        assert_true(sv_find_sv(read_file(w, "home/real.json"), SV("\"keep\"")) > 0); /* through the link */
        assert_int_equal(lstat(at(w, "home/.docker/config.json").p, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_true(sv_is(found(w, &o).username, "a"));
}

static void keeping_with_a_helper(void **state)
{
        struct world *w = *state;
        struct reg_opts o = { 0 };

        unsetenv("XDG_RUNTIME_DIR"); /* without a session: this user's file, unless another has it */
        keep(w, "home/.config/containers/auth.json");
        assert_int_equal(reg_login_drop(&o, SV("h"), &w->op, &w->a, &w->e), 0);
        put(w, "bin/docker-credential-fake",
            "#!/bin/sh\nf=$HOME/kept\ncase $1 in\nstore) cat > $f;;\nget) test -e $f && cat $f || "
            "{ echo credentials not found in native keychain; exit 1; };;\nerase) rm $f;;\nesac\n",
            0755);
        put(w, "home/.docker/config.json", "{\"credsStore\":\"fake\"}", 0600);
        keep(w, "docker-credential-fake");
        assert_true(sv_is(read_file(w, "home/kept"), "{\"Secret\":\"b\",\"ServerURL\":\"h\",\"Username\":\"a\"}"));
        assert_true(sv_find_sv(read_file(w, "home/.docker/config.json"), SV("\"h\": {}")) > 0);
        assert_true(sv_is(found(w, &o).password, "b"));
        assert_int_equal(reg_login_drop(&o, SV("h"), &w->op, &w->a, &w->e), 0);
        assert_int_equal(found(w, &o).from.n, 0);
        assert_true(sv_find_sv(read_file(w, "home/.docker/config.json"), SV("\"h\"")) < 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = { TEST(order_of_places), TEST(files_that_do_not_know), TEST(helpers),
                                            TEST(keeping), TEST(keeping_with_a_helper) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
