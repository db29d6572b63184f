#include "image/image_priv.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

struct world {
        struct arena a;
        struct diags ds;
        struct image_ctx c;
        struct spec spec;
        struct lock_platform p;
        struct artifact art[3];
        sv numpy[1], two[2], by[1];
        struct joint j;
        struct err e;
};

/* conda: numpy supplies numpy, both supplies one and two, tool supplies nothing. */
static void begin(struct world *w, const char *replaces)
{
        sv rest = sv_from(replaces), one;
        size_t cap = 0;

        *w = (struct world){ .numpy = { SV("numpy 1.26.4") },
                             .two = { SV("one 1.0"), SV("two 2.0") },
                             .by = { SV("env.yml: numpy=1.26") } };
        w->art[0] = (struct artifact){
                .kind = ARTIFACT_CONDA, .name = SV("both"), .version = SV("3"), .dists = w->two, .n_dists = 2
        };
        w->art[1] = (struct artifact){ .kind = ARTIFACT_CONDA,
                                       .name = SV("numpy"),
                                       .version = SV("1.26.4"),
                                       .dists = w->numpy,
                                       .n_dists = 1,
                                       .by = w->by,
                                       .n_by = 1 };
        w->art[2] = (struct artifact){ .kind = ARTIFACT_CONDA, .name = SV("tool"), .version = SV("9") };
        w->p = (struct lock_platform){ .artifact = w->art, .n_artifact = 3 };
        w->c.diags = &w->ds;
        w->j = (struct joint){ .c = &w->c, .platform = &w->p, .arena = &w->a, .spec = &w->spec };
        while (sv_cut(&rest, ' ', &one))
                *arena_push(&w->a, w->spec.pip_replaces, w->spec.n_pip_replaces, cap) =
                        (struct spec_text){ one, { SV("env.yml"), 7, 9 } };
}

static void end(struct world *w)
{
        arena_done(&w->a);
        diags_done(&w->ds);
        err_done(&w->e);
}

static void what_conda_supplies_is_fixed(void **state)
{
        struct world w;

        (void)state;
        begin(&w, "");
        joint_fixed(&w.j);
        assert_int_equal(w.j.n_fixed, 3);
        assert_true(sv_is(w.j.fixed[0].name, "one"));
        assert_true(sv_is(w.j.fixed[0].version, "1.0"));
        assert_true(sv_is(w.j.fixed[0].by, "conda's both 3"));
        assert_true(sv_is(w.j.fixed[2].by, "conda's numpy 1.26.4 (env.yml: numpy=1.26)"));
        end(&w);
        begin(&w, "NumPy");
        joint_fixed(&w.j);
        assert_int_equal(w.j.n_fixed, 2);
        end(&w);
}

static void a_wheel_that_wins_takes_the_whole_package_out(void **state)
{
        static const struct {
                const char *replaces, *wheels, *left;
                int r;
        } rows[] = {
                { "", "numpy", "both numpy tool", 0 },     { "numpy", "numpy x", "both tool", 0 },
                { "numpy", "x", "both numpy tool", 0 }, /* nobody needed it: conda's stays */
                { "one two", "one two", "numpy tool", 0 }, { "one", "one", NULL, -ERR_USAGE },
                { "one two", "one", NULL, -ERR_USAGE },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf b = BUF_INIT(256);
                struct artifact wheel[4] = { 0 };
                sv rest = sv_from(rows[i].wheels), one;
                struct world w;
                size_t n = 0;

                begin(&w, rows[i].replaces);
                while (sv_cut(&rest, ' ', &one))
                        wheel[n++] = (struct artifact){ .kind = ARTIFACT_WHEEL, .name = one };
                assert_int_equal(joint_replace(&w.j, wheel, n, &w.e), rows[i].r);
                for (size_t k = 0; k < w.p.n_artifact; k++)
                        buf_fmt(&b, "%s%.*s", k ? " " : "", SV_ARG(w.p.artifact[k].name));
                if (rows[i].left)
                        assert_string_equal(b.p, rows[i].left);
                else
                        assert_int_equal(w.ds.n, 1);
                end(&w);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_conda_supplies_is_fixed),
                cmocka_unit_test(a_wheel_that_wins_takes_the_whole_package_out),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
