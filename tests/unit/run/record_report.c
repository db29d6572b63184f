/* Names of runs, advice, git facts, copies. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/proc.h"
#include "run/record/report.h"
#include "tests/unit/run/record_place.h"

static void modules_are_sorted(void **state)
{
        (void)state;
        for (size_t i = 0; run_modules[i][0]; i++) {
                assert_string_not_equal(run_modules[i][0], run_modules[i][1]);
                if (i)
                        assert_true(strcmp(run_modules[i - 1][0], run_modules[i][0]) < 0);
        }
        assert_true(sv_is(run_module_supplier(SV("yaml")), "PyYAML"));
        assert_true(sv_is(run_module_supplier(SV("cv2")), "opencv-python"));
        assert_true(sv_is(run_module_supplier(SV("sklearn")), "scikit-learn"));
        assert_true(sv_is(run_module_supplier(SV("PIL")), "pillow"));
        assert_true(sv_is(run_module_supplier(SV("numpy")), "numpy"));
}

static bool has_pillow(void *arg, sv name, sv *ret_version)
{
        (void)arg;
        *ret_version = SV("11.0");
        return sv_is(name, "pillow");
}

static void advice_rows(void **state)
{
        static const struct {
                const char *log, *text;
        } rows[] = {
                { "No module named 'PIL'", "has pillow 11.0" },
                { "No module named 'yaml'", "PyYAML, which the environment does not have" },
                { "No module named 'a'\nNo module named 'b.c'", "'b' is supplied" }, /* the last one counts */
                { "No module named 'rm -rf; x'", NULL },
                { "No module named '", NULL },
                { "all is well", NULL },
        };
        struct place *p = *state;
        struct run_lock_view lock = { NULL, has_pillow };
        struct run_record *r = place_record(p);
        int bad = 0;

        r->status.state = RUN_FAILED;
        r->status.reason = RUN_R_EXIT_CODE;
        r->status.exit_code = 1;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct run_advice *v = NULL;
                size_t n = 0;
                run_advise(&p->arena, r, NULL, sv_from(rows[i].log), &lock, &v, &n);
                if (n != (rows[i].text != NULL) || (n && sv_find_sv(v[0].text, sv_from(rows[i].text)) < 0))
                        bad++, print_error("row %zu: %zu %.*s\n", i, n, SV_ARG(n ? v[0].text : SV("")));
        }
        assert_int_equal(bad, 0);
        r->status.state = RUN_COMPLETED;
        {
                struct run_advice *v = NULL;
                size_t n = 0;
                run_advise(&p->arena, r, NULL, SV("No module named 'yaml'"), &lock, &v, &n);
                assert_int_equal(n, 0);
        }
}

static void found_by_name(void **state)
{
        struct place *p = *state;
        struct run_record *one, *two, *got = NULL;
        struct run_row *v = NULL;
        struct err e = { 0 };
        size_t n = 0;

        p->spec.name = SV("aaa");
        one = place_record(p);
        p->spec.name = SV("aab");
        two = place_record(p);
        two->created_us = one->created_us + 1;
        must(run_record_write(two, &e), &e);
        must(run_record_find(&p->ctx, &p->arena, SV("aab"), &got, &e), &e);
        assert_true(sv_eq(got->id, two->id));
        must(run_record_find(&p->ctx, &p->arena, SV("@latest"), &got, &e), &e);
        assert_true(sv_eq(got->id, two->id));
        must(run_record_find(&p->ctx, &p->arena, one->id, &got, &e), &e);
        assert_true(sv_eq(got->id, one->id));
        assert_int_equal(run_record_find(&p->ctx, &p->arena, SV("aa"), &got, &e), -ERR_USAGE);
        assert_non_null(strstr(e.hint, one->id.p));
        err_done(&e);
        assert_int_equal(run_record_find(&p->ctx, &p->arena, SV(".."), &got, &e), -ERR_NOT_FOUND);
        err_done(&e);
        /* one that is damaged, one that is being made, one that is no run: the rest is listed */
        place_write(p, one, "run.json", "{\"format\":1,");
        must(fs_mkdirs(arena_fmt(&p->arena, "%s/fresh", p->runs).p, 0777, &e), &e);
        must(fs_write(arena_fmt(&p->arena, "%s/notes.txt", p->runs).p, SV("x"), 0644, &e), &e);
        must(run_list(&p->ctx, &p->arena, &v, &n, &e), &e);
        assert_int_equal(n, 1);
        assert_int_equal(p->diags.n, 1);
        assert_string_equal(p->diags.v[0].code, "EB590");
}

static void git(const char *dir, const char *words)
{
        char command[512];
        int status;

        snprintf(command, sizeof(command), "git -C '%s' -c user.name=a -c user.email=b %s >/dev/null 2>&1", dir, words);
        status = system(command);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void git_facts(void **state)
{
        AUTO(free_ptr) char *have = proc_which("git");
        struct place *p = *state;
        char *dir = arena_str(&p->arena, arena_fmt(&p->arena, "%s/src", p->path));
        struct run_git g;
        struct err e = { 0 };

        if (!have)
                skip();
        setenv("HOME", p->path, 1);
        setenv("GIT_CEILING_DIRECTORIES", p->path, 1);
        setenv("GIT_DIR", "/nonexistent", 1); /* of a hook that started us: not what is asked about */
        must(fs_mkdirs(dir, 0777, &e), &e);
        run_git_look(&p->arena, dir, NULL, &g);
        assert_false(g.known);
        assert_true(sv_is(g.note, "not in a git work tree"));
        unsetenv("GIT_DIR");
        git(dir, "init -q -b main");
        run_git_look(&p->arena, dir, NULL, &g);
        assert_true(g.known && !g.dirty && !g.commit.n && sv_is(g.branch, "main") && !g.repository.n);
        git(dir, "commit -q --allow-empty -m x");
        git(dir, "remote add origin https://user:secret@host/team/x.git");
        run_git_look(&p->arena, dir, NULL, &g);
        assert_true(g.known && g.commit.n == 40 && sv_is(g.repository, "https://host/team/x.git"));
        must(fs_write(arena_fmt(&p->arena, "%s/new", dir).p, SV("x"), 0644, &e), &e);
        git(dir, "checkout -q --detach");
        run_git_look(&p->arena, dir, NULL, &g);
        assert_true(g.known && g.dirty && !g.branch.n && g.commit.n == 40);
        if (geteuid() == 0) { /* somebody else's: git does not read it, and says so */
                AUTO(free_ptr) char *inner = fs_path("%s/.git", dir);
                assert_int_equal(chown(dir, 65534, 65534), 0);
                assert_int_equal(chown(inner, 65534, 65534), 0);
                run_git_look(&p->arena, dir, NULL, &g);
                assert_false(g.known);
                assert_true(sv_find_sv(g.note, SV("belongs to another user")) >= 0);
        }
        unsetenv("GIT_CEILING_DIRECTORIES");
}

static void urls_without_secrets(void **state)
{
        static const char *const rows[][2] = {
                { "https://user:secret@host/x", "https://host/x" },
                { "https://token@host", "https://host" },
                { "https://a@b:c@host/x@y", "https://host/x@y" },
                { "https://host/x@y", "https://host/x@y" },
                { "ssh://git@host/x", "ssh://host/x" },
                { "git@host:team/x.git", "git@host:team/x.git" },
                { "/some/folder", "/some/folder" },
                { "", "" },
        };
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (!sv_is(run_git_url(&p->arena, sv_from(rows[i][0])), rows[i][1]))
                        bad++, print_error("row %zu\n", i);
        assert_int_equal(bad, 0);
}

static void copies(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p);
        sv to = arena_fmt(&p->arena, "%s/copy", p->path), from = run_path(&p->arena, r, "outputs");
        struct stat st;
        struct err e = { 0 };

        place_write(p, r, "outputs/a b", "text");
        assert_int_equal(chmod(run_path(&p->arena, r, "outputs/a b").p, 0750), 0);
        assert_int_equal(symlink("/etc/passwd", run_path(&p->arena, r, "outputs/link").p), 0);
        assert_int_equal(mkfifo(run_path(&p->arena, r, "outputs/fifo").p, 0600), 0);
        must(fs_mkdirs(run_path(&p->arena, r, "outputs/empty/deep").p, 0777, &e), &e);
        must(run_folder_copy(from.p, to.p, NULL, &e), &e);
        assert_int_equal(stat(arena_fmt(&p->arena, "%s/a b", to.p).p, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0750);
        assert_int_equal(lstat(arena_fmt(&p->arena, "%s/link", to.p).p, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_true(fs_is_dir(arena_fmt(&p->arena, "%s/empty/deep", to.p).p));
        assert_false(fs_exists(arena_fmt(&p->arena, "%s/fifo", to.p).p));
        assert_true(run_folder_copy(from.p, to.p, NULL, &e) < 0); /* nothing is written over */
        err_done(&e);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(modules_are_sorted),
                cmocka_unit_test_setup_teardown(advice_rows, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(found_by_name, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(git_facts, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(urls_without_secrets, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(copies, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
