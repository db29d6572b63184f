/* Its targets are its own: what is read here is checked against a table that nobody else changes. */
#include "run/job/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/target/target.h"
#include "tests/unit/unit.h"

static const struct run_key slurm_keys[] = {
        { "partition", RUN_KEY_TEXT, NULL },   { "mode", RUN_KEY_TEXT, "auto|bwrap|runc" },
        { "sbatch_args", RUN_KEY_LIST, NULL }, { "exclusive", RUN_KEY_BOOL, NULL },
        { "nice", RUN_KEY_NUMBER, NULL },      { NULL },
};
static const struct run_target local = { .name = "local" }, slurm = { .name = "slurm", .key = slurm_keys };
const struct run_target *const run_targets[] = { &local, &slurm, NULL };

const struct run_target *run_target_find(sv name)
{
        for (size_t i = 0; run_targets[i]; i++)
                if (sv_is(name, run_targets[i]->name))
                        return run_targets[i];
        return NULL;
}

struct world {
        struct arena a;
        struct diags ds;
        struct err e;
        char folder[64];
};

static int start(void **state)
{
        static struct world w;

        w = (struct world){ .folder = "/tmp/envbuild-profile-XXXXXX" };
        *state = &w;
        return mkdtemp(w.folder) && setenv("XDG_CONFIG_HOME", w.folder, 1) == 0 ? 0 : -1;
}

static int stop(void **state)
{
        struct world *w = *state;

        fs_remove(w->folder, &w->e);
        err_done(&w->e);
        diags_done(&w->ds);
        arena_done(&w->a);
        return 0;
}

static void put(struct world *w, const char *name, const char *text)
{
        sv dir = arena_fmt(&w->a, "%s/envbuild/compute.d", w->folder);

        assert_int_equal(fs_mkdirs(dir.p, 0755, &w->e), 0);
        assert_int_equal(fs_write(arena_fmt(&w->a, "%s/%s", dir.p, name).p, sv_from(text), 0644, &w->e), 0);
}

static void a_targets_own_name(void **state)
{
        struct world *w = *state;
        struct run_profile p;

        assert_int_equal(run_profile_find(&w->a, SV(""), &w->ds, &p, &w->e), 0);
        assert_ptr_equal(p.target, &local);
        assert_int_equal(run_profile_find(&w->a, SV("slurm"), &w->ds, &p, &w->e), 0);
        assert_ptr_equal(p.target, &slurm);
        assert_true(p.file.n == 0 && sv_is(run_profile_str(&p, "partition", SV("x")), "x"));
}

static void values(void **state)
{
        struct world *w = *state;
        struct run_profile p;
        sv *v = NULL;

        put(w, "gpu.yml",
            "type: slurm\npartition: a100\nmode: runc\nsbatch_args: [--qos=x, '-A y']\nexclusive: true\nnice: 3\n");
        assert_int_equal(run_profile_find(&w->a, SV("gpu"), &w->ds, &p, &w->e), 0);
        assert_ptr_equal(p.target, &slurm);
        assert_true(sv_is(p.name, "gpu") && sv_is(run_profile_str(&p, "partition", SV("")), "a100"));
        assert_true(run_profile_bool(&p, "exclusive", false) && run_profile_bool(&p, "other", true));
        assert_int_equal(run_profile_list_of(&w->a, &p, "sbatch_args", &v), 2);
        assert_true(sv_is(v[1], "-A y"));
        assert_int_equal(run_profile_list_of(&w->a, &p, "nothing", &v), 0);
}

static void faults(void **state)
{
        struct world *w = *state;
        struct run_profile p, *all;
        size_t n;

        put(w, "bad.yml", "type: slurm\npartitoin: x\nmode: fast\nsbatch_args: x\nexclusive: maybe\nnice: -1\n");
        put(w, "none.yaml", "partition: x\n");
        put(w, "good.yml", "type: local\n");
        put(w, "notes.txt", "hello");
        assert_int_equal(run_profile_find(&w->a, SV("bad"), &w->ds, &p, &w->e), -ERR_USAGE);
        assert_int_equal(w->ds.n_errors, 5);
        assert_true(sv_is(w->ds.v[0].hint, "did you mean 'partition'?") && w->ds.v[0].line == 2);
        assert_true(sv_is(w->ds.v[1].hint, "one of auto|bwrap|runc"));
        err_done(&w->e);
        assert_int_equal(run_profile_find(&w->a, SV("none"), &w->ds, &p, &w->e), -ERR_USAGE);
        assert_int_equal(w->ds.n_errors, 6);
        err_done(&w->e);
        assert_int_equal(run_profile_list(&w->a, &w->ds, &all, &n, &w->e), 0);
        assert_int_equal(n, 1);
        assert_true(sv_is(all[0].name, "good"));
}

static void no_such_target(void **state)
{
        struct world *w = *state;
        struct run_profile p;

        put(w, "gpu-slurm.yml", "type: slurm\n");
        assert_int_equal(run_profile_find(&w->a, SV("gpu-slrum"), &w->ds, &p, &w->e), -ERR_USAGE);
        assert_non_null(strstr(w->e.hint, "did you mean 'gpu-slurm'?"));
        err_done(&w->e);
        assert_int_equal(run_profile_find(&w->a, SV("cpu-cluster"), &w->ds, &p, &w->e), -ERR_USAGE);
        assert_non_null(strstr(w->e.hint, "there are local, slurm, gpu-slurm"));
        err_done(&w->e);
        assert_int_equal(run_profile_find(&w->a, SV("../x"), &w->ds, &p, &w->e), -ERR_USAGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_targets_own_name, start, stop),
                cmocka_unit_test_setup_teardown(values, start, stop),
                cmocka_unit_test_setup_teardown(faults, start, stop),
                cmocka_unit_test_setup_teardown(no_such_target, start, stop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
