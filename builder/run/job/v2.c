/* Azure ML CLI v2 command job, with the forms of the 2021 preview (code: {local_path}, compute: {target}, "{inputs.x}"). */
#include "run/job/job_priv.h"

static void take_description(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->description);
}

static void take_command(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        r->command = key;
        if (!job_text(r, key, y, &text))
                return;
        r->command = y;
        if (!sv_trim(text).n)
                job_fault(r, key, "EB552", "the command is empty");
        r->s->command_written = text;
}

static void code_path(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (!job_text(r, key, y, &text) || !text.n)
                return;
        if (job_remote(text) || sv_starts(text, SV("git+")))
                job_keep(r, key, y);
        else
                r->s->code = job_path(r, text);
}

static void take_code(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "local_path", code_path }, { "path", code_path }, { NULL, NULL } };

        if (y->type == YAML_MAP)
                job_keys(r, y, keys, "of 'code'");
        else
                code_path(r, key, y);
}

static void compute_text(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (!job_text(r, key, y, &text))
                return;
        if (sv_starts(text, SV("azureml:")))
                text = sv_skip(text, 8);
        r->s->compute = text;
}

static void take_nodes(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->nodes);
}

static void take_instance_type(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (y->type == YAML_SEQ)
                job_keep_in(r, "resources", key, y);
        else
                job_text(r, key, y, &r->s->instance_type);
}

static void take_shm(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_size(r, key, y, &r->s->shm_size);
}

static void take_docker_args(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_words(r, key, y, &r->s->docker_arg, &r->s->n_docker_arg);
}

void job_compute(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "target", compute_text },
                                               { "instance_count", take_nodes },
                                               { "instance_type", take_instance_type },
                                               { NULL, NULL } };

        if (y->type == YAML_MAP)
                job_keys(r, y, keys, "of 'compute'");
        else
                compute_text(r, key, y);
}

static void keep_resource(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_keep_in(r, "resources", key, y);
}

static void take_resources(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "instance_count", take_nodes },
                                               { "instance_type", take_instance_type },
                                               { "shm_size", take_shm },
                                               { "docker_args", take_docker_args },
                                               { "docker_args_list", take_docker_args },
                                               { "locations", keep_resource },
                                               { "max_instance_count", keep_resource },
                                               { "properties", keep_resource },
                                               { NULL, NULL } };

        (void)key;
        job_keys(r, y, keys, "of 'resources'");
}

static void take_timeout(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_number(r, key, y, 1, 10 * 365 * 86400ull, &r->s->timeout_s);
}

static void take_limits(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "timeout", take_timeout },
                                               { "job_limits_type", NULL },
                                               { NULL, NULL } };

        (void)key;
        job_keys(r, y, keys, "of 'limits'");
}

static void dist_type(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const char *const names[] = { [RUN_DIST_PYTORCH] = "pytorch",
                                             [RUN_DIST_MPI] = "mpi",
                                             [RUN_DIST_TENSORFLOW] = "tensorflow" };
        sv text;

        if (!job_text(r, key, y, &text))
                return;
        for (size_t i = RUN_DIST_PYTORCH; i < ARRAY_LEN(names); i++)
                if (sv_eq_nocase(text, sv_from(names[i]))) {
                        r->s->dist = (enum run_dist)i;
                        return;
                }
        diag_hint(r->ds, job_fault(r, y, "EB552", "'%.*s' is no distribution that is known", SV_ARG(text)),
                  "one of mpi, pytorch, tensorflow");
}

static void take_per_node(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->per_node);
}

static void take_total(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->total);
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

static void take_distribution(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "type", dist_type },
                                               { "process_count_per_instance", take_per_node },
                                               { "process_count", take_total }, /* of 2021 */
                                               { "worker_count", take_workers },
                                               { "parameter_server_count", take_servers },
                                               { NULL, NULL } };
        const struct yaml *type = job_get(y, "type");

        if (type && type->type == YAML_SCALAR && sv_eq_nocase(type->text, SV("ray"))) {
                job_keep(r, key, y);
                return;
        }
        job_keys(r, y, keys, "of 'distribution'");
        if (y->type == YAML_MAP && !type)
                diag_hint(r->ds, job_fault(r, key, "EB553", "'distribution' has no type"),
                          "one of mpi, pytorch, tensorflow");
}

static const struct job_key command_keys[] = {
        { "$schema", NULL },
        { "type", NULL },
        { "name", job_take_name },
        { "display_name", job_take_display_name },
        { "experiment_name", job_take_experiment },
        { "description", take_description },
        { "tags", job_take_tags },
        { "command", take_command },
        { "code", take_code },
        { "environment", job_environment },
        { "environment_variables", job_variables },
        { "distribution", take_distribution },
        { "compute", job_compute },
        { "resources", take_resources },
        { "limits", take_limits },
        { "inputs", job_inputs },
        { "outputs", job_outputs },
        { "services", job_keep },
        { "identity", job_keep },
        { "queue_settings", job_keep },
        { "component", job_keep },
        { "properties", job_keep },
        { "parent_job_name", job_keep },
        { "x-envbuild", job_x_envbuild },
        { NULL, NULL },
};

/* Other documents of Azure ML that describe work, by their type or by a key that only they have. */
static bool other_kind(struct job_read *r, const struct yaml *top)
{
        static const struct {
                const char *type, *key, *what, *hint;
        } kinds[] = {
                { "pipeline", "jobs", "a pipeline of jobs", "run its jobs one by one" },
                { "sweep", "search_space", "a sweep job", "run its trial: envbuild sweep job.yml --set NAME=a,b" },
                { "spark", "entry", "a Spark job", "run it as a command: spark-submit …, in an image that has it" },
                { "automl", "training", "an AutoML job", "only Azure ML runs those: az ml job create" },
                { "parallel", NULL, "a parallel job", "only Azure ML runs those: az ml job create" },
                { "import", NULL, "an import job", "only Azure ML runs those: az ml job create" },
                { "finetuning", NULL, "a fine-tuning job", "only Azure ML runs those: az ml job create" },
        };
        const struct yaml *type = job_get(top, "type");
        sv text = type && type->type == YAML_SCALAR ? type->text : (sv){ 0 };

        if (sv_is(text, "command") || sv_is(text, "command_job"))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (sv_is(text, kinds[i].type) || (!text.n && kinds[i].key && yaml_get(top, kinds[i].key))) {
                        diag_hint(r->ds,
                                  job_fault(r, type ? type : top, "EB557",
                                            "this is %s, and only single commands are run", kinds[i].what),
                                  "%s", kinds[i].hint);
                        return true;
                }
        if (text.n || (type && type->type != YAML_SCALAR)) {
                diag_hint(r->ds, job_fault(r, type, "EB557", "'%.*s' is no type of a run", SV_ARG(text)),
                          "write 'type: command'");
                return true;
        }
        return false;
}

/* The preview wrote "{inputs.x}"; only its files nest the docker image, the compute target or the data. */
static bool is_preview(const struct yaml *top)
{
        const struct yaml *inputs = job_get(top, "inputs");

        if (job_get(job_get(top, "environment"), "docker") || job_get(job_get(top, "compute"), "target"))
                return true;
        for (size_t i = 0; inputs && inputs->type == YAML_MAP && i < inputs->n; i++)
                if (job_get(inputs->v[i].value, "data"))
                        return true;
        return false;
}

static void numbers(struct job_read *r, const struct yaml *top)
{
        struct run_spec *s = r->s;
        const struct yaml *at = job_get(top, "distribution");

        if (r->total % s->nodes)
                diag_hint(r->ds,
                          job_fault(r, at, "EB554", "%u processes in all cannot be spread evenly over %u nodes",
                                    r->total, s->nodes),
                          "write process_count_per_instance");
        else if (r->total && !s->per_node)
                s->per_node = r->total / s->nodes;
        if (s->dist == RUN_DIST_MPI && !s->per_node)
                s->per_node = 1;
        if (s->dist == RUN_DIST_TENSORFLOW && !s->workers)
                s->workers = s->nodes;
        if ((uint64_t)s->nodes * (s->per_node ? s->per_node : 1) > JOB_RANKS_MAX ||
            (uint64_t)s->workers + s->servers > JOB_RANKS_MAX)
                job_fault(r, at ? at : top, "EB552", "more than %u ranks", JOB_RANKS_MAX);
        if (s->dist != RUN_DIST_TENSORFLOW && (s->workers || s->servers) && at)
                job_fault(r, at, "EB554", "worker_count and parameter_server_count are of 'type: tensorflow'");
}

void job_read_command(struct job_read *r, const struct yaml *top)
{
        if (other_kind(r, top))
                return;
        job_keys(r, top, command_keys, "");
        numbers(r, top);
        if (!r->command && !job_get(top, "component"))
                diag_hint(r->ds, job_fault(r, top, "EB553", "there is no command"), "write 'command: python train.py'");
        r->old_references = is_preview(top);
        if (r->old_references)
                r->s->command_written = job_new_references(r->a, r->s->command_written);
}
