/* The environment of azureml-core, as in .runconfig files and azureml_environment.json: camelCase, with everything there ever was in it. Sections of
 * Spark and Databricks are written into every file by the SDK and mean nothing without those. */
#include "run/job/job_priv.h"

bool job_is_environment_v1(const struct yaml *y)
{
        return job_get(y, "python") || job_get(y, "environmentVariables") || job_get(y, "spark") ||
               job_get(y, "databricks") || job_get(job_get(y, "docker"), "baseImage") ||
               job_get(job_get(y, "docker"), "baseDockerfile");
}

static void refuse(struct job_read *r, const struct yaml *key, const struct yaml *y, const char *what, const char *hint)
{
        if (!yaml_is_null(y))
                diag_hint(r->ds, job_fault(r, key, "EB555", "%s", what), "%s", hint);
}

static void refuse_dockerfile(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        refuse(r, key, y, "the environment is built by a Dockerfile, and none is ever run here",
               "build the image with docker and name it as 'baseImage'");
}

static void refuse_base_env(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        refuse(r, key, y, "the environment is added to a conda environment of the image, which is not done here",
               "write down what that one holds in the conda file");
}

static void refuse_r(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        refuse(r, key, y, "the section 'r' installs packages of CRAN, which is not done here",
               "name them as conda packages: r-NAME");
}

static void take_conda_file(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (job_text(r, key, y, &text) && text.n)
                r->s->environment.conda_file = job_path(r, text);
}

static void take_conda(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (job_map(r, key, y) && y->n)
                r->s->environment.conda_inline = job_conda_text(r->a, y);
}

static void take_image(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (job_text(r, key, y, &text))
                r->s->environment.text = text;
}

static void take_address(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->environment.registry_host);
}

static void no_credentials(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!yaml_is_null(y) && !(y->type == YAML_SCALAR && !y->text.n))
                diag_hint(r->ds, job_warn(r, key, "EB561", "credentials are never taken from a description"),
                          "take them out, and run: envbuild login REGISTRY");
}

static void take_registry(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "address", take_address },
                                               { "username", NULL },
                                               { "password", no_credentials },
                                               { "registryIdentity", NULL },
                                               { NULL, NULL } };

        (void)key;
        job_keys(r, y, keys, "of 'baseImageRegistry'");
}

static void take_os(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (job_text(r, key, y, &text) && !sv_eq_nocase(text, SV("linux")))
                job_fault(r, y, "EB555", "an environment of '%.*s': images are made for linux", SV_ARG(text));
}

static void take_platform(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "os", take_os }, { "architecture", NULL }, { NULL, NULL } };

        (void)key;
        job_keys(r, y, keys, "of 'platform'");
}

static void take_shm(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_size(r, key, y, &r->s->shm_size);
}

static void take_arguments(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_words(r, key, y, &r->s->docker_arg, &r->s->n_docker_arg);
}

static const struct job_key docker_keys[] = {
        { "enabled", NULL }, /* a run in an image is what this is about */
        { "useDocker", NULL },
        { "baseImage", take_image },
        { "image", take_image },
        { "baseDockerfile", refuse_dockerfile },
        { "buildContext", refuse_dockerfile },
        { "baseImageRegistry", take_registry },
        { "platform", take_platform },
        { "shmSize", take_shm },
        { "arguments", take_arguments },
        { "sharedVolumes", NULL },
        { "gpuSupport", NULL },
        { "preparedTarball", NULL },
        { NULL, NULL },
};

void job_docker_run(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "useDocker", NULL },   { "sharedVolumes", NULL },
                                               { "shmSize", take_shm }, { "arguments", take_arguments },
                                               { "gpuSupport", NULL },  { "type", NULL },
                                               { NULL, NULL } };

        (void)key;
        r->docker = y;
        job_keys(r, y, keys, "of the run's docker");
}

static void take_docker(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        (void)key;
        job_keys(r, y, docker_keys, "of the environment's docker");
}

static void take_python(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = {
                { "userManagedDependencies", NULL },          { "interpreterPath", NULL },
                { "condaDependenciesFile", take_conda_file }, { "condaDependencies", take_conda },
                { "baseCondaEnvironment", refuse_base_env },  { NULL, NULL }
        };

        (void)key;
        job_keys(r, y, keys, "of 'python'");
}

static const struct job_key environment_keys[] = {
        { "name", NULL },
        { "version", NULL },
        { "environmentVariables", job_variables },
        { "python", take_python },
        { "docker", take_docker },
        { "spark", NULL },
        { "databricks", NULL },
        { "r", refuse_r },
        { "inferencingStackVersion", NULL },
        { "assetId", NULL },
        { "description", NULL },
        { "tags", NULL },
        { NULL, NULL },
};

bool job_docker_used(const struct yaml *docker)
{
        const struct yaml *on = job_get(docker, "enabled"), *use = job_get(docker, "useDocker");

        return (on && on->type == YAML_SCALAR && sv_eq_nocase(on->text, SV("true"))) ||
               (use && use->type == YAML_SCALAR && sv_eq_nocase(use->text, SV("true")));
}

/* Packages are the user's: without docker the interpreter of this machine, with it the image as it is. */
static void user_managed(struct job_read *r, const struct yaml *y, const struct yaml *python)
{
        struct run_environment *v = &r->s->environment;
        const struct yaml *path = job_get(python, "interpreterPath");

        v->conda_file = v->conda_inline = (sv){ 0 };
        if (v->text.n && (job_docker_used(job_get(y, "docker")) || job_docker_used(r->docker))) {
                v->kind = RUN_ENV_NAME;
                return;
        }
        v->kind = RUN_ENV_HOST;
        v->text = SV("python");
        if (path && path->type == YAML_SCALAR && path->text.n)
                v->text = path->text;
}

void job_environment_v1(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        struct run_environment *v = &r->s->environment;
        const struct yaml *python = job_get(y, "python");
        const struct yaml *managed = job_get(python, "userManagedDependencies");
        bool own = false;

        if (!job_map(r, key, y))
                return;
        v->line = y->line;
        v->col = y->col;
        job_keys(r, y, environment_keys, "of the environment");
        if (managed && job_bool(r, managed, managed, &own) && own) {
                user_managed(r, y, python);
                return;
        }
        if (v->conda_inline.n)
                v->conda_file = (sv){ 0 };
        v->kind = v->conda_file.n || v->conda_inline.n ? RUN_ENV_INLINE : v->text.n ? RUN_ENV_NAME : RUN_ENV_NONE;
}
