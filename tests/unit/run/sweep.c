#include "run/sweep/sweep.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/unit/unit.h"

static void what_set_says(void **state)
{
        static const struct {
                const char *text, *values; /* joined by '|'; NULL: refused */
        } rows[] = {
                { "lr=0.1,0.01", "0.1|0.01" },
                { "lr=", "" },
                { "lr=a,,b", "a||b" },
                { "s=1..5", "1|2|3|4|5" },
                { "s=5..3", "5|4|3" },
                { "s=-1..1", "-1|0|1" },
                { "s=3..3", "3" },
                { "s=1..9:3", "1|4|7" },
                { "s=10..2:-4", "10|6|2" },
                { "p=0..1:0.25", "0|0.25|0.5|0.75|1" },
                { "p=0.1..0.3:0.1", "0.1|0.2|0.3" },
                { "p=-0.5..0:0.5", "-0.5|0" },
                { "p=1..0:-0.5", "1|0.5|0" },
                { "m=1..2,x,7..8", "1|2|x|7|8" },
                { "t=../data", "../data" },
                { "t=a..b", "a..b" },
                { "t=1..", "1.." },
                { "t=..5", "..5" },
                { "t=1...3", "1...3" },
                { "t=v=1", "v=1" },
                { "t=a\\,b,c\\\\d,e\\f", "a,b|c\\d|e\\f" },
                { "t=1e-3,1E5", "1e-3|1E5" },
                { "p=0..1.5", NULL },
                { "s=1..5:0", NULL },
                { "s=1..5:-1", NULL },
                { "s=1..5:x", NULL },
                { "s=1,1", NULL },
                { "s=1..3,2", NULL },
                { "s=1..100000", NULL },
                { "s=0..1:0.000000000000001", NULL },
                { "=1", NULL },
                { "lr", NULL },
                { "", NULL },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct run_sweep s = { 0 };
                sv got = { 0 };
                int r = run_sweep_add(&a, &s, sv_from(rows[i].text), &e);
                for (size_t k = 0; r == 0 && k < s.param[0].n; k++)
                        got = arena_fmt(&a, "%.*s%s%.*s", SV_ARG(got), k ? "|" : "", SV_ARG(s.param[0].value[k]));
                if ((r == 0) != (rows[i].values != NULL) || (r == 0 && !sv_is(got, rows[i].values)))
                        bad++, print_error("row %zu: %s: '%.*s' %s\n", i, rows[i].text, SV_ARG(got),
                                           e.cause ? e.cause : "");
        }
        assert_int_equal(bad, 0);
}

static void add(struct arena *a, struct run_sweep *s, const char *text)
{
        struct err e = { 0 };

        assert_int_equal(run_sweep_add(a, s, sv_from(text), &e), 0);
}

static void all_of_them(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_sweep s = { 0 };
        uint64_t *v;
        size_t n;

        (void)state;
        add(&a, &s, "lr=0.1,0.01");
        add(&a, &s, "seed=1..3");
        assert_int_equal(run_sweep_total(&s), 6);
        assert_int_equal(run_sweep_choose(&a, &s, 0, 0, &v, &n, &e), 0);
        assert_int_equal(n, 6);
        assert_true(sv_is(run_sweep_text(&a, &s, v[0]), "lr=0.1 seed=1"));
        assert_true(sv_is(run_sweep_text(&a, &s, v[1]), "lr=0.1 seed=2"));
        assert_true(sv_is(run_sweep_text(&a, &s, v[5]), "lr=0.01 seed=3"));
        assert_int_equal(run_sweep_add(&a, &s, SV("lr=3"), &e), -ERR_USAGE);
}

static void some_of_them(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_sweep s = { 0 };
        uint64_t *v, *again, *other;
        size_t n, m, same = 0, hits[6] = { 0 };

        (void)state;
        for (int i = 0; i < 12; i++)
                add(&a, &s, arena_fmt(&a, "p%d=1..20", i).p); /* 4 · 10^15 */
        assert_int_equal(run_sweep_choose(&a, &s, 500, 1, &v, &n, &e), 0);
        assert_int_equal(run_sweep_choose(&a, &s, 500, 1, &again, &m, &e), 0);
        assert_int_equal(run_sweep_choose(&a, &s, 500, 2, &other, &m, &e), 0);
        assert_int_equal(n, 500);
        for (size_t i = 0; i < n; i++) {
                assert_true(v[i] == again[i] && v[i] < run_sweep_total(&s));
                same += v[i] == other[i];
                for (size_t k = 0; k < i; k++)
                        assert_true(v[i] != v[k]);
        }
        assert_true(same < 5);
        assert_int_equal(run_sweep_choose(&a, &s, 0, 0, &v, &n, &e), -ERR_LIMIT);
        err_done(&e);

        s = (struct run_sweep){ 0 };
        add(&a, &s, "x=1..6");
        for (unsigned seed = 0; seed < 600; seed++) { /* each of them is the first about as often */
                assert_int_equal(run_sweep_choose(&a, &s, 2, seed, &v, &n, &e), 0);
                assert_true(n == 2 && v[0] != v[1] && v[0] < 6 && v[1] < 6);
                hits[v[0]]++;
        }
        for (size_t i = 0; i < 6; i++)
                assert_true(hits[i] > 60 && hits[i] < 140);
        assert_int_equal(run_sweep_choose(&a, &s, 100, 7, &v, &n, &e), 0); /* more than there are: all */
        assert_int_equal(n, 6);
}

static void too_many(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_sweep s = { 0 };
        uint64_t *v;
        size_t n;

        (void)state;
        for (int i = 0; i < 20; i++)
                add(&a, &s, arena_fmt(&a, "p%d=1..100", i).p);
        assert_true(run_sweep_total(&s) == UINT64_MAX);
        assert_int_equal(run_sweep_choose(&a, &s, 5, 0, &v, &n, &e), -ERR_LIMIT);
}

static void one_description_each(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_sweep s = { 0 };
        struct run_spec *base, *one, *two;

        (void)state;
        add(&a, &s, "lr=1,2");
        add(&a, &s, "SEED=3,4");
        assert_int_equal(run_job_parse(&a,
                                       SV("command: t ${{inputs.lr}}\ninputs: {lr: 0}\ntags: {lr: old, a: b}\n"
                                          "environment_variables: {SEED: 0}"),
                                       SV("job.yml"), SV("/p"), &ds, &base, &e),
                         0);
        assert_int_equal(run_sweep_spec(&a, base, &s, 0, &one, &e), 0);
        assert_int_equal(run_sweep_spec(&a, base, &s, 3, &two, &e), 0);
        assert_true(sv_is(base->command, "t 0") && sv_is(one->command, "t 1") && sv_is(two->command, "t 2"));
        assert_true(sv_is(base->env[0].value, "0") && sv_is(one->env[0].value, "3") && sv_is(two->env[0].value, "4"));
        assert_true(base->n_tag == 2 && one->n_tag == 3 && sv_is(two->tag[0].value, "2"));
        add(&a, &s, "other=1");
        assert_int_equal(run_sweep_spec(&a, base, &s, 0, &one, &e), -ERR_USAGE);
}

static void metrics(void **state)
{
        static const struct {
                const char *text, *value; /* NULL: none */
        } rows[] = {
                { "{\"loss\": 0.250, \"n\": 1}", "0.25" },
                { "{\"loss\": 0.011}", "0.011" },
                { "{\"loss\": 1e-07}", "1e-07" },
                { "{\"loss\": 12}", "12" },
                { "{\"loss\": \"low\"}", "low" },
                { "{\"loss\": 3}\n{\"loss\": 2}\n{\"acc\": 1}\n", "2" },
                { "{\"loss\": 3}\n{\"loss\": NaN}\n", "3" },
                { "{\"loss\": [1]}", NULL },
                { "{\"lose\": 1}", NULL },
                { "[1]", NULL },
                { "", NULL },
        };
        char folder[] = "/tmp/envbuild-metric-XXXXXX";
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char *outputs = NULL, *file = NULL;
        int bad = 0;

        (void)state;
        assert_non_null(mkdtemp(folder));
        outputs = fs_path("%s/outputs", folder);
        file = fs_path("%s/metrics.json", outputs);
        assert_int_equal(fs_mkdirs(outputs, 0755, &e), 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct js v = { 0 };
                sv got;
                bool has;
                assert_int_equal(fs_write(file, sv_from(rows[i].text), 0644, &e), 0);
                has = run_sweep_metric(&a, sv_from(folder), SV("loss"), &v);
                got = v.type == JS_INT ? arena_fmt(&a, "%lld", (long long)v.num) : v.str;
                if (has != (rows[i].value != NULL) || (has && !sv_is(got, rows[i].value)))
                        bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
        assert_int_equal(fs_remove(folder, &e), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_set_says), cmocka_unit_test(all_of_them),          cmocka_unit_test(some_of_them),
                cmocka_unit_test(too_many),      cmocka_unit_test(one_description_each), cmocka_unit_test(metrics),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
