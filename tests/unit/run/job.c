#include "run/job/job.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "base/fs.h"
#include "tests/unit/unit.h"

struct world {
        struct arena a;
        struct diags ds;
        struct err e;
};

static struct run_spec *parse(struct world *w, const char *text)
{
        struct run_spec *s = NULL;

        if (run_job_parse(&w->a, sv_from(text), SV("job.yml"), SV("/p"), &w->ds, &s, &w->e) < 0) {
                AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
                diag_write(&w->ds, false, &out);
                print_error("%s\n%s\n", w->e.cause, out.p ? out.p : "");
        }
        return s;
}

static void done(struct world *w)
{
        err_done(&w->e);
        diags_done(&w->ds);
        arena_done(&w->a);
}

static void told_apart(void **state)
{
        static const struct {
                const char *text;
                bool is;
        } rows[] = {
                { "command: x", true },
                { "type: command", true },
                { "type: sweep\ntrial: {}", true }, /* refused by name, not as a definition */
                { "type: script_run\nscript: a.py", true },
                { "{\"source_directory\": \".\", \"script\": \"a.py\"}", true },
                { "script: a.py\ncompute_target: local", true },
                { "script: a.py\nframework: Python\ntarget: local", true },
                { "script: a.py\narguments: []", true },
                { "command: x\nenvironment_variables: {A: 1}\nenvironment_variables: {B: 1}", true },
                { "command: [unclosed", true },
                { "dependencies: [python]", false },
                { "channels: [x]\ndependencies: [python]\ncommand: x", false },
                { "type: command\ncommand: x\ninputs: {}\n", true },
                { "image: x\nconda_file: c.yml", false },
                { "$schema: x\nname: n\nbuild: {path: .}", false },
                { "name: n\npython: {}\ndocker: {}", false },
                { "type: environment\nspec: spec.yaml", false },
                { "services: {web: {image: x, command: y}}", false },
                { "flask<3\nnumpy", false },
                { "", false },
                { "- command: x", false },
                { "# command: x", false },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (run_job_is(sv_from(rows[i].text)) != rows[i].is)
                        bad++, print_error("row %zu: '%s'\n", i, rows[i].text);
        assert_int_equal(bad, 0);
}

static void single_parameters(void **state)
{
        struct world w = { 0 };
        struct run_spec *s =
                parse(&w, "command: t --lr ${{inputs.lr}} --lr ${{inputs.lr}} ${{inputs.d}} ${{outputs.o}}\n"
                          "inputs: {lr: 1, d: {path: x}}\noutputs: {o: }\nenvironment_variables: {SEED: 1}");

        (void)state;
        assert_non_null(s);
        assert_int_equal(run_job_set(&w.a, s, SV("lr"), SV("0.1"), &w.e), 0);
        assert_true(sv_is(s->command, "t --lr 0.1 --lr 0.1 ${ENVBUILD_INPUT_d} ${ENVBUILD_OUTPUTS}/o"));
        assert_int_equal(run_job_set(&w.a, s, SV("lr"), SV("${{inputs.d}}"), &w.e), 0);
        assert_true(sv_starts(s->command, SV("t --lr ${{inputs.d}} --lr"))); /* a value is text, whatever it holds */
        assert_int_equal(run_job_set(&w.a, s, SV("SEED"), SV("2"), &w.e), 0);
        assert_true(sv_is(s->env[0].value, "2"));
        assert_int_equal(run_job_set(&w.a, s, SV("d"), SV("/data/./y/../z"), &w.e), 0);
        assert_true(s->input[1].kind == RUN_INPUT_FOLDER && sv_is(s->input[1].value, "/data/z"));
        assert_int_equal(run_job_set(&w.a, s, SV("d"), SV("y"), &w.e), 0);
        assert_true(s->input[1].value.p[0] == '/' && sv_ends(s->input[1].value, SV("/y")));
        assert_int_equal(run_job_set(&w.a, s, SV("d"), SV("azureml:x:1"), &w.e), 0);
        assert_true(s->input[1].kind == RUN_INPUT_REMOTE && sv_is(s->input[1].value, "azureml:x:1"));
        assert_int_equal(run_job_set(&w.a, s, SV("d"), SV(""), &w.e), -ERR_USAGE);
        err_done(&w.e);
        assert_int_equal(run_job_set(&w.a, s, SV("rl"), SV("1"), &w.e), -ERR_USAGE);
        assert_string_equal(w.e.hint, "its parameters are lr, d");
        done(&w);
}

/* What a shell makes of a reference, wherever it stands. */
static void references_in_quotes(void **state)
{
        static const struct {
                const char *command, *filled;
        } rows[] = {
                { "a ${{inputs.d}}", "a ${ENVBUILD_INPUT_d}" },
                { "a \"${{inputs.d}}/x\"", "a \"${ENVBUILD_INPUT_d}/x\"" },
                { "a '${{inputs.d}}/x'", "a ''\"${ENVBUILD_INPUT_d}\"'/x'" },
                { "a 'it'\\''s ${{inputs.d}}'", "a 'it'\\''s '\"${ENVBUILD_INPUT_d}\"''" },
                { "a \"it's ${{inputs.d}}\"", "a \"it's ${ENVBUILD_INPUT_d}\"" },
                { "a \\' ${{inputs.d}}", "a \\' ${ENVBUILD_INPUT_d}" },
                { "a ${{inputs.v}}${{inputs.v}} '${{inputs.v}}'", "a 77 '7'" },
                { "a $RANK ${RANK} $$ ${{ inputs.v }}", "a $RANK ${RANK} $$ 7" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w = { 0 };
                sv text = arena_fmt(&w.a, "command: |-\n  %s\ninputs: {d: {path: x}, v: \"7\"}", rows[i].command);
                struct run_spec *s = parse(&w, text.p);
                if (!s || !sv_is(s->command, rows[i].filled))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(s ? s->command : SV("")));
                done(&w);
        }
        assert_int_equal(bad, 0);
}

static void ranks(void **state)
{
        static const struct {
                const char *text;
                unsigned n;
        } rows[] = {
                { "command: x", 1 },
                { "command: x\nresources: {instance_count: 3}", 3 },
                { "command: x\nresources: {instance_count: 3}\ndistribution: {type: pytorch}", 3 },
                { "command: x\nresources: {instance_count: 3}\ndistribution: {type: mpi, process_count_per_instance: "
                  "4}",
                  12 },
                { "command: x\nresources: {instance_count: 3}\ndistribution: {type: tensorflow, "
                  "parameter_server_count: 1}",
                  4 },
                { "type: script_run\ncommand: x\ndistributed_job_config: {type: PyTorch, process_count: 8, node_count: "
                  "4}",
                  8 },
                { "type: script_run\ncommand: x\ndistributed_job_config: {type: PyTorch, node_count: 4}", 4 },
                { "type: script_run\ncommand: x\ndistributed_job_config: {type: Tensorflow, worker_count: 2}", 3 },
                { "command: x\ncompute: {target: a, instance_count: 2}\ndistribution: {type: pytorch, process_count: "
                  "8}",
                  8 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w = { 0 };
                struct run_spec *s = parse(&w, rows[i].text);
                if (!s || run_job_ranks(s) != rows[i].n)
                        bad++, print_error("row %zu\n", i);
                done(&w);
        }
        assert_int_equal(bad, 0);
}

static sv json(struct arena *a, const struct run_spec *s)
{
        struct buf out = BUF_INIT(1 << 20);
        sv ret;

        js_write(run_job_json(a, s), &out);
        ret = arena_sv(a, buf_sv(&out));
        buf_done(&out);
        return ret;
}

static void json_comes_back(void **state)
{
        static const char *const rows[] = {
                "command: t ${{inputs.a}}\nname: n\nexperiment_name: e\ntags: {a: b, c: }\ncode: .\nenvironment: "
                "{image: i, "
                "conda_file: {dependencies: [x]}}\nenvironment_variables: {A: \"\"}\ndistribution: {type: mpi}\n"
                "resources: {instance_count: 2, instance_type: t, shm_size: 1g, docker_args: -v a}\nlimits: {timeout: "
                "5}\n"
                "inputs: {a: 1, b: {path: x, type: uri_file, mode: download}, c: {path: \"azureml:x:1\"}}\noutputs: "
                "{o: {type: x}}\n"
                "services: {a: [1, 1.5, true, null, x]}\nx-envbuild: {grace: 0, retry: {max: 3, on: [lost]}, mounts: "
                "[{src: /a, dst: /b, ro: true}], env_from_host: [X], gpus: 1, cpus: 2, memory: 3g}",
                "script: a.py\nframework: Python\narguments: [1, 2]\nenvironment: {python: {userManagedDependencies: "
                "true}}",
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w = { 0 };
                struct run_spec *s = parse(&w, rows[i]), *back;
                struct js *j;
                sv text;
                assert_non_null(s);
                text = json(&w.a, s);
                assert_int_equal(js_parse(&w.a, text, &j, &w.e), 0);
                assert_int_equal(run_job_from_json(&w.a, j, &back, &w.e), 0);
                assert_true(sv_eq(text, json(&w.a, back)));
                assert_int_equal(back->environment.kind, s->environment.kind);
                assert_int_equal(back->n_input, s->n_input);
                assert_int_equal(back->grace_s, s->grace_s);
                done(&w);
        }
}

static void broken_json(void **state)
{
        static const char *const rows[] = {
                "[]",
                "{}",
                "{\"nodes\":0}",
                "{\"nodes\":\"1\"}",
                "{\"nodes\":1,\"argv\":[1]}",
                "{\"nodes\":1,\"inputs\":[1]}",
                "{\"nodes\":1,\"distribution\":\"ring\"}",
                "{\"nodes\":1,\"environment\":[]}",
                "{\"nodes\":4294967296}",
                "{\"nodes\":1000000,\"per_node\":1000000}",
                "{\"nodes\":1,\"timeout\":-1}",
                "{\"nodes\":1,\"name\":null}",
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w = { 0 };
                struct run_spec *s;
                struct js *j;
                assert_int_equal(js_parse(&w.a, sv_from(rows[i]), &j, &w.e), 0);
                if (run_job_from_json(&w.a, j, &s, &w.e) != -ERR_INTEGRITY)
                        bad++, print_error("row %zu\n", i);
                done(&w);
        }
        assert_int_equal(bad, 0);
}

static void curated(void **state)
{
        static const struct {
                const char *text, *name;
        } rows[] = {
                { "azureml:AzureML-Minimal@latest", "minimal" },
                { "azureml:AzureML-Minimal:34", "minimal" },
                { "azureml:AzureML-Minimal", "minimal" },
                { "azureml:AzureML-Minimal-Plus:1", "" },
                { "azureml:AzureML-sklearn-0.24-ubuntu18.04-py37-cpu:1", "sklearn" },
                { "azureml:AzureML-Scikit-learn-0.20.3", "sklearn" },
                { "azureml://registries/azureml/environments/sklearn-1.5/versions/12", "sklearn" },
                { "azureml://registries/azureml/environments/sklearn-1.5/labels/latest", "sklearn" },
                { "azureml:minimal:1", "" }, /* somebody's own */
                { "azureml:sklearnish:1", "" },
                { "azureml:AzureML-PyTorch-1.3-CPU", "" },
                { "azureml:", "" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct run_environment v = { .kind = RUN_ENV_AZUREML, .text = sv_from(rows[i].text) };
                if (!sv_is(run_job_curated_name(&v), rows[i].name))
                        bad++, print_error("row %zu: %s\n", i, rows[i].text);
        }
        assert_int_equal(bad, 0);
}

static bool has(const struct diags *ds, const char *code, const char *text)
{
        for (size_t i = 0; i < ds->n; i++)
                if (sv_is(sv_from(ds->v[i].code), code) && sv_find_sv(ds->v[i].text, sv_from(text)) >= 0)
                        return true;
        return false;
}

static void before_anything_is_done(void **state)
{
        char folder[] = "/tmp/envbuild-job-XXXXXX";
        AUTO(free_ptr) char *file = NULL, *job = NULL;
        struct world w = { 0 };
        struct run_spec *s;

        (void)state;
        assert_non_null(mkdtemp(folder));
        file = fs_path("%s/data.csv", folder);
        job = fs_path("%s/job.yml", folder);
        assert_int_equal(fs_write(file, SV("1"), 0644, &w.e), 0);
        assert_int_equal(fs_write(job,
                                  SV("command: python a.py && mpirun -n 2 python train.py\ncode: nowhere\n"
                                     "environment: {image: x, conda_file: gone.yml}\ndistribution: {type: mpi}\n"
                                     "inputs: {good: {path: data.csv, type: uri_file}, any: {path: data.csv}, "
                                     "folder: {path: data.csv, type: uri_folder},"
                                     " gone: {path: gone}, far: {path: \"https://x/y\"}}\n"),
                                  0644, &w.e),
                         0);
        assert_int_equal(run_job_load(&w.a, job, &w.ds, &s, &w.e), 0);
        assert_int_equal(run_job_check(s, &w.ds, &w.e), -ERR_USAGE);
        assert_true(has(&w.ds, "EB559", "nowhere' is not there"));
        assert_true(has(&w.ds, "EB559", "input 'folder'"));
        assert_true(has(&w.ds, "EB559", "input 'gone'"));
        assert_true(has(&w.ds, "EB559", "gone.yml' is not there"));
        assert_true(has(&w.ds, "EB554", "'mpirun'"));
        assert_int_equal(w.ds.n_errors, 5);
        assert_int_equal(fs_remove(folder, &w.e), 0);
        done(&w);
}

static void not_there(void **state)
{
        struct world w = { 0 };
        struct run_spec *s;

        (void)state;
        assert_int_equal(run_job_load(&w.a, "/nonexistent/job.yml", &w.ds, &s, &w.e), -ERR_NOT_FOUND);
        done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(told_apart),
                cmocka_unit_test(single_parameters),
                cmocka_unit_test(references_in_quotes),
                cmocka_unit_test(ranks),
                cmocka_unit_test(json_comes_back),
                cmocka_unit_test(broken_json),
                cmocka_unit_test(curated),
                cmocka_unit_test(before_anything_is_done),
                cmocka_unit_test(not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
