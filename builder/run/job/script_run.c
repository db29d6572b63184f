/* ScriptRunConfig of azureml-core as JSON or YAML: the arguments of its constructor as keys. */
#include "base/buf.h"
#include "run/job/job_priv.h"

static void take_text_command(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        struct buf out = BUF_INIT((size_t)4 << 20);
        sv *v, text;
        size_t n;

        r->command = key;
        if (y->type != YAML_SEQ) {
                if (job_text(r, key, y, &text)) {
                        r->command = y;
                        r->s->command_written = text;
                }
                return;
        }
        if (!job_texts(r, key, y, &v, &n))
                return;
        for (size_t i = 0; i < n; i++) { /* as the SDK joins it: quoting is the writer's */
                if (i)
                        buf_byte(&out, ' ');
                buf_add(&out, v[i]);
        }
        r->s->command_written = arena_sv(r->a, buf_sv(&out));
        buf_done(&out);
}

static void take_source(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (job_text(r, key, y, &text))
                r->s->code = job_path(r, text);
}

static void take_timeout(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_number(r, key, y, 1, 10 * 365 * 86400ull, &r->s->timeout_s);
}

/* A folder with a checkpoint: an input of that name. */
static void take_resume(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        struct run_input in = {
                .name = SV("resume_from"), .type = SV("uri_folder"), .line = key->line, .col = key->col
        };

        if (y->type == YAML_MAP) {
                diag_hint(r->ds,
                          job_fault(r, key, "EB557", "a datastore is what only the v1 SDK of Azure ML brings to a run"),
                          "write the path of the folder, or its address: azureml://…");
                return;
        }
        if (!job_text(r, key, y, &in.value) || !in.value.n)
                return;
        in.kind = job_remote(in.value) ? RUN_INPUT_REMOTE : RUN_INPUT_FOLDER;
        if (in.kind == RUN_INPUT_FOLDER)
                in.value = job_path(r, in.value);
        *arena_push(r->a, r->s->input, r->s->n_input, r->cap_input) = in;
}

static void refuse_run_config(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!yaml_is_null(y))
                diag_hint(r->ds, job_fault(r, key, "EB554", "a run has one description"),
                          "run the .runconfig itself, or write its settings here");
}

static void take_per_node(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->per_node);
}

static void take_nodes(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->nodes);
}

/* Until the number of nodes is known: processes in all. */
static void take_total(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->per_node);
}

static void take_backend(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->backend);
}

static void take_workers(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->workers);
}

static void take_servers(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        uint64_t n;

        if (job_number(r, key, y, 0, JOB_RANKS_MAX, &n))
                r->s->servers = (unsigned)n;
}

static void mpi(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = {
                { "type", NULL }, { "processCountPerNode", take_per_node }, { "nodeCount", take_nodes }, { NULL, NULL }
        };

        (void)key;
        r->s->dist = RUN_DIST_MPI;
        r->s->per_node = 1;
        job_keys(r, y, keys, "of MpiConfiguration");
}

static void pytorch(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "type", NULL },
                                               { "communicationBackend", take_backend },
                                               { "processCount", take_total },
                                               { "nodeCount", take_nodes },
                                               { NULL, NULL } };
        struct run_spec *s = r->s;

        s->dist = RUN_DIST_PYTORCH;
        job_keys(r, y, keys, "of PyTorchConfiguration");
        if (s->per_node % s->nodes) {
                diag_hint(r->ds,
                          job_fault(r, key, "EB554", "%u processes in all cannot be spread evenly over %u nodes",
                                    s->per_node, s->nodes),
                          "process_count is the number of all processes: %u times those of a node", s->nodes);
                return;
        }
        s->per_node /= s->nodes;
}

static void tensorflow(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "type", NULL },
                                               { "workerCount", take_workers },
                                               { "parameterServerCount", take_servers },
                                               { "nodeCount", NULL },
                                               { NULL, NULL } };
        struct run_spec *s = r->s;

        (void)key;
        s->dist = RUN_DIST_TENSORFLOW;
        s->workers = s->servers = 1;
        job_keys(r, y, keys, "of TensorflowConfiguration");
        s->nodes = s->workers > s->servers ? s->workers : s->servers; /* at most one parameter server a node */
}

static const struct {
        const char *name[2];
        void (*take)(struct job_read *r, const struct yaml *key, const struct yaml *y);
} configurations[] = {
        { { "mpi", "MpiConfiguration" }, mpi },
        { { "pytorch", "PyTorchConfiguration" }, pytorch },
        { { "tensorflow", "TensorflowConfiguration" }, tensorflow },
};

static bool one_configuration(struct job_read *r, const struct yaml *at, sv name, const struct yaml *y)
{
        for (size_t i = 0; i < ARRAY_LEN(configurations); i++)
                for (size_t k = 0; k < 2; k++)
                        if (sv_eq_nocase(name, sv_from(configurations[i].name[k]))) {
                                configurations[i].take(r, at, y);
                                return true;
                        }
        return false;
}

/* {type: PyTorchConfiguration, …}, or {PyTorchConfiguration: {…}}. */
static void take_distributed(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        const struct yaml *type = job_get(y, "type");

        if (!job_map(r, key, y))
                return;
        if (type && type->type == YAML_SCALAR) {
                if (one_configuration(r, type, type->text, y))
                        return;
        } else if (y->n == 1 && one_configuration(r, y->v[0].key, y->v[0].key->text, y->v[0].value)) {
                return;
        }
        diag_hint(r->ds, job_fault(r, type ? type : key, "EB552", "this is no distribution that is known"),
                  "write {type: MpiConfiguration, …}, PyTorchConfiguration or TensorflowConfiguration");
}

static const struct job_key script_run_keys[] = {
        { "$schema", NULL },
        { "type", NULL },
        { "sourceDirectory", take_source },
        { "script", NULL },
        { "arguments", NULL },
        { "command", take_text_command },
        { "computeTarget", job_compute },
        { "environment", job_environment },
        { "environmentVariables", job_variables },
        { "distributedJobConfig", take_distributed },
        { "maxRunDurationSeconds", take_timeout },
        { "resumeFrom", take_resume },
        { "dockerRuntimeConfig", job_docker_run },
        { "runConfig", refuse_run_config },
        { "experimentName", job_take_experiment },
        { "name", job_take_name },
        { "displayName", job_take_display_name },
        { "tags", job_take_tags },
        { "inputs", job_inputs },
        { "outputs", job_outputs },
        { "x-envbuild", job_x_envbuild },
        { NULL, NULL },
};

void job_read_script_run(struct job_read *r, const struct yaml *top)
{
        const struct yaml *script = job_get(top, "script"), *args = job_get(top, "arguments");
        sv name = { 0 }, *v = NULL;
        size_t n = 0;

        r->s->code = job_path(r, SV("."));
        r->docker = job_get(top, "dockerRuntimeConfig");
        job_keys(r, top, script_run_keys, "");
        if ((uint64_t)r->s->nodes * (r->s->per_node ? r->s->per_node : 1) > JOB_RANKS_MAX)
                job_fault(r, top, "EB552", "more than %u ranks", JOB_RANKS_MAX);
        if (args)
                job_words(r, args, args, &v, &n);
        if (script && r->command) {
                diag_hint(r->ds, job_fault(r, r->command, "EB554", "there are both a command and a script"),
                          "take one out");
        } else if (script && job_text(r, script, script, &name)) {
                job_script(r, r->s->environment.kind == RUN_ENV_HOST ? r->s->environment.text : SV("python"), name, v,
                           n);
        } else if (!script && !r->command) {
                diag_hint(r->ds, job_fault(r, top, "EB553", "there is neither a script nor a command"),
                          "write 'script: train.py'");
        } else if (args && r->command) {
                diag_hint(r->ds, job_fault(r, args, "EB554", "'arguments' are those of a script"),
                          "write them into the command");
        }
}
