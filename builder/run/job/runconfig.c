/* .runconfig of azureml-core: camelCase YAML in which the SDK writes every section there is, used or not. What counts is chosen by `framework` and
 * `communicator`. */
#include "run/job/job_priv.h"

static void take_target(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->compute);
}

static void take_nodes(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->nodes);
}

static void take_timeout(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_number(r, key, y, 1, 10 * 365 * 86400ull, &r->s->timeout_s);
}

static void take_command(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text = { 0 }, *v;
        size_t n;

        if (y->type == YAML_SEQ) {
                if (!job_texts(r, key, y, &v, &n))
                        return;
                for (size_t i = 0; i < n; i++)
                        text = i ? arena_fmt(r->a, "%.*s %.*s", SV_ARG(text), SV_ARG(v[i])) : v[i];
        } else if (!job_text(r, key, y, &text)) {
                return;
        }
        if (!text.n)
                return;
        r->command = key;
        r->s->command_written = text;
}

static void take_framework(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const char *const known[] = { "Python", "CNTK", "TensorFlow", "PyTorch" };
        sv text;
        size_t i = 0;

        if (!job_text(r, key, y, &text))
                return;
        while (i < ARRAY_LEN(known) && !sv_eq_nocase(text, sv_from(known[i])))
                i++;
        if (i < ARRAY_LEN(known))
                return;
        if (sv_eq_nocase(text, SV("PySpark")))
                diag_hint(r->ds, job_fault(r, y, "EB557", "a run of Spark: nothing here starts a Spark session"),
                          "write 'framework: Python' and let the script start its own");
        else
                diag_hint(r->ds, job_fault(r, y, "EB552", "'%.*s' is no framework", SV_ARG(text)),
                          "one of Python, TensorFlow, PyTorch, CNTK, PySpark");
}

static unsigned section_count(struct job_read *r, const struct yaml *top, const char *section, const char *name,
                              unsigned otherwise)
{
        const struct yaml *y = job_get(job_get(top, section), name);
        uint64_t n;

        return y && job_number(r, y, y, 0, JOB_RANKS_MAX, &n) ? (unsigned)n : otherwise;
}

static void take_pytorch(struct job_read *r, const struct yaml *top, const struct yaml *at)
{
        struct run_spec *s = r->s;
        unsigned total = section_count(r, top, "pytorch", "processCount", 0);

        s->dist = RUN_DIST_PYTORCH;
        s->backend = at->text;
        if (total % s->nodes)
                diag_hint(r->ds,
                          job_fault(r, at, "EB554", "%u processes in all cannot be spread evenly over %u nodes", total,
                                    s->nodes),
                          "pytorch.processCount is the number of all processes: %u times those of a node", s->nodes);
        else
                s->per_node = total / s->nodes;
}

static void communicator(struct job_read *r, const struct yaml *top)
{
        const struct yaml *y = job_get(top, "communicator");
        struct run_spec *s = r->s;

        if (!y || y->type != YAML_SCALAR || sv_eq_nocase(y->text, SV("None")))
                return;
        if (sv_eq_nocase(y->text, SV("OpenMpi")) || sv_eq_nocase(y->text, SV("IntelMpi")) ||
            sv_eq_nocase(y->text, SV("Mpi"))) {
                s->dist = RUN_DIST_MPI;
                s->per_node = section_count(r, top, "mpi", "processCountPerNode", 1);
                s->per_node += s->per_node == 0;
        } else if (sv_eq_nocase(y->text, SV("ParameterServer"))) {
                s->dist = RUN_DIST_TENSORFLOW;
                s->workers = section_count(r, top, "tensorflow", "workerCount", 1);
                s->servers = section_count(r, top, "tensorflow", "parameterServerCount", 1);
                s->workers += s->workers == 0;
                if (s->nodes < s->workers)
                        s->nodes = s->workers;
        } else if (sv_eq_nocase(y->text, SV("Nccl")) || sv_eq_nocase(y->text, SV("Gloo"))) {
                take_pytorch(r, top, y);
        } else {
                diag_hint(r->ds, job_fault(r, y, "EB552", "'%.*s' is no communicator that is known", SV_ARG(y->text)),
                          "one of None, OpenMpi, IntelMpi, ParameterServer, Nccl, Gloo");
        }
        if ((uint64_t)s->nodes * (s->per_node ? s->per_node : 1) > JOB_RANKS_MAX ||
            (uint64_t)s->workers + s->servers > JOB_RANKS_MAX)
                job_fault(r, y, "EB552", "more than %u ranks", JOB_RANKS_MAX);
}

/* What a workspace of Azure ML has, and its v1 SDK brings to a run: neither a command job nor anybody else knows those words. */
static void refuse_data(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!yaml_is_null(y) && (y->type == YAML_SCALAR || y->n))
                diag_hint(r->ds,
                          job_fault(r, key, "EB557", "'%.*s' is what only the v1 SDK of Azure ML brings to a run",
                                    SV_ARG(key->text)),
                          "write a command job with inputs: {NAME: {type: uri_folder, path: …}}");
}

static const struct job_key runconfig_keys[] = {
        { "$schema", NULL },
        { "name", NULL },
        { "script", NULL },
        { "arguments", NULL },
        { "command", take_command },
        { "useAbsolutePath", NULL },
        { "target", take_target },
        { "framework", take_framework },
        { "communicator", NULL },
        { "autoPrepareEnvironment", NULL },
        { "prepareEnvironment", NULL },
        { "maxRunDurationSeconds", take_timeout },
        { "nodeCount", take_nodes },
        { "priority", NULL },
        { "environment", job_environment_v1 },
        { "environmentVariables", job_variables },
        { "history", NULL },
        { "spark", NULL },
        { "docker", job_docker_run },
        { "hdi", NULL },
        { "tensorflow", NULL },
        { "mpi", NULL },
        { "pytorch", NULL },
        { "paralleltask", NULL },
        { "dataReferences", refuse_data },
        { "data", refuse_data },
        { "datacaches", refuse_data },
        { "outputData", refuse_data },
        { "sourceDirectoryDataStore", refuse_data },
        { "amlcompute", NULL },
        { "kubernetescompute", NULL },
        { "cmk8sCompute", NULL },
        { "commandReturnCodeConfig", NULL },
        { "containerInstance", NULL },
        { "exposedPorts", refuse_data },
        { "credentialPassthrough", NULL },
        { "identity", job_keep },
        { "applicationEndpoints", refuse_data },
        { "services", job_keep },
        { "x-envbuild", job_x_envbuild },
        { NULL, NULL },
};

/* Paths of a .runconfig start at the project: the folder above .azureml or aml_config. */
static void project(struct job_read *r)
{
        sv last = sv_basename(r->dir);

        if (sv_is(last, ".azureml") || sv_is(last, "aml_config"))
                r->dir = sv_dirname(r->dir);
        r->s->code = job_path(r, SV("."));
}

void job_read_runconfig(struct job_read *r, const struct yaml *top)
{
        const struct yaml *script = job_get(top, "script"), *args = job_get(top, "arguments");
        sv name = { 0 }, *v = NULL;
        size_t n = 0;

        project(r);
        r->docker = job_get(top, "docker");
        job_keys(r, top, runconfig_keys, "");
        communicator(r, top);
        if (script)
                job_text(r, script, script, &name);
        if (args)
                job_words(r, args, args, &v, &n);
        if (name.n && r->command)
                diag_hint(r->ds, job_fault(r, r->command, "EB554", "there are both a command and a script"),
                          "take one out");
        else if (name.n)
                job_script(r, r->s->environment.kind == RUN_ENV_HOST ? r->s->environment.text : SV("python"), name, v,
                           n);
        else if (!r->command)
                diag_hint(
                        r->ds,
                        job_fault(r, top, "EB553",
                                  "there is neither a script nor a command: programs fill that in before they submit"),
                        "write 'script: train.py'");
}
