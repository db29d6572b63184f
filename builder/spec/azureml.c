/* Azure ML environments: the v2 YAML (image, and conda_file as a path or a mapping) and what azureml-core saves (azureml_environment.json with
 * conda_dependencies.yml beside it). The image is the base, the conda file the definition; a Dockerfile is never run. */
#include "spec/spec_priv.h"

/* What a key of such a document means. NULL take: known, and without effect on an image. */
struct azureml_key {
        const char *name;
        void (*take)(struct spec_load *l, const struct yaml *key, const struct yaml *y);
};

static void keys(struct spec_load *l, const struct yaml *map, const struct azureml_key *k, size_t n)
{
        const char *names[32];

        for (size_t i = 0; i < n; i++)
                names[i] = k[i].name;
        for (size_t i = 0; map->type == YAML_MAP && i < map->n; i++) {
                const struct yaml *key = map->v[i].key;
                size_t j = 0, d;
                const char *near;
                while (j < n && !sv_is(key->text, k[j].name))
                        j++;
                if (j < n) {
                        if (k[j].take && !yaml_is_null(map->v[i].value))
                                k[j].take(l, key, map->v[i].value);
                        continue;
                }
                d = spec_fault(l->ds, spec_at(l, key), key->text.n, "EB101", "unknown key '%.*s'", SV_ARG(key->text));
                near = spec_nearest(key->text, names, n);
                if (near)
                        diag_hint(l->ds, d, "did you mean '%s'?", near);
        }
}

static void refuse(struct spec_load *l, const struct yaml *key, const char *what, const char *hint)
{
        diag_hint(l->ds, spec_fault(l->ds, spec_at(l, key), key->text.n, "EB107", "%s", what), "%s", hint);
}

static void take_name(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        (void)key;
        if (y->type == YAML_SCALAR) /* they may hold capitals and blanks there */
                l->s->name = spec_name_repair(l->a, y->text);
}

static void take_image(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        struct spec_text t;

        (void)key;
        if (spec_node_text(l, y, "image", &t))
                l->s->base = t;
}

static void take_conda(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        struct spec_text t;

        (void)key;
        if (y->type == YAML_MAP) {
                l->named = true;
                spec_environment(l, y);
                l->named = false;
        } else if (spec_node_text(l, y, "conda_file", &t)) {
                spec_load_beside(l, t.at, sv_starts(t.text, SV("file:")) ? sv_skip(t.text, 5) : t.text);
        }
}

static void refuse_dockerfile(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        (void)y;
        refuse(l, key, "this environment is built by a Dockerfile, and none is ever run here",
               "give its image as --base, and its packages as an environment.yml or a requirements.txt");
}

static void take_os(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        struct spec_text t;

        if (spec_node_text(l, y, "os_type", &t) && !sv_eq_nocase(t.text, SV("linux")))
                refuse(l, key, "this environment is not for linux, and images are",
                       "take the key out if it runs there too");
}

static void take_docker_v2(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        static const struct azureml_key k[] = { { "image", take_image },
                                                { "build", refuse_dockerfile },
                                                { "platform", NULL } };

        (void)key;
        keys(l, y, k, ARRAY_LEN(k));
}

static void read_v2(struct spec_load *l, const struct yaml *top)
{
        static const struct azureml_key k[] = {
                { "name", take_name },
                { "image", take_image },
                { "conda_file", take_conda },
                { "build", refuse_dockerfile },
                { "docker", take_docker_v2 },
                { "os_type", take_os },
                { "$schema", NULL },
                { "version", NULL },
                { "label", NULL },
                { "description", NULL },
                { "display_name", NULL },
                { "tags", NULL },
                { "properties", NULL },
                { "inference_config", NULL },
                { "datastore", NULL },
                { "id", NULL },
                { "creation_context", NULL },
                { "resourceGroup", NULL },
                { "type", NULL },
        };

        keys(l, top, k, ARRAY_LEN(k));
}

static void take_variables(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        struct spec_pair *v = NULL;
        size_t n = 0;

        (void)key;
        spec_node_pairs(l, y, "environmentVariables", &v, &n);
        for (size_t i = 0; i < n; i++) {
                bool placeholder = sv_is(v[i].key, "EXAMPLE_ENV_VAR") && sv_is(v[i].value, "EXAMPLE_VALUE");
                if (!placeholder && spec_check_variable(l, &v[i])) /* the SDK writes that one into every file */
                        SPEC_PUSH(l->a, l->s->variables, l->s->n_variables, v[i]);
        }
}

static void refuse_base_env(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        (void)y;
        refuse(l, key, "this environment is added to a conda environment of its image, which is not done here",
               "write down what that one holds in the conda file");
}

static void refuse_r(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        (void)y;
        refuse(l, key, "packages of CRAN are not installed here", "name them as conda packages: r-NAME");
}

/* {userManagedDependencies: true}: the image holds everything. Else a mapping, a file, or the file that the SDK saves beside. */
static void take_python(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        static const struct azureml_key k[] = { { "userManagedDependencies", NULL },
                                                { "interpreterPath", NULL },
                                                { "condaDependenciesFile", NULL },
                                                { "condaDependencies", NULL },
                                                { "baseCondaEnvironment", refuse_base_env } };
        const struct yaml *own = yaml_get(y, "userManagedDependencies"), *map = yaml_get(y, "condaDependencies"),
                          *file = yaml_get(y, "condaDependenciesFile");

        keys(l, y, k, ARRAY_LEN(k));
        if (own && own->type == YAML_SCALAR && sv_is(own->text, "true"))
                return;
        if (map && !yaml_is_null(map))
                take_conda(l, key, map);
        else if (file && !yaml_is_null(file))
                take_conda(l, key, file);
        else
                spec_load_beside(l, spec_at(l, key), SV("conda_dependencies.yml"));
}

static void take_docker_v1(struct spec_load *l, const struct yaml *key, const struct yaml *y)
{
        static const struct azureml_key k[] = {
                { "enabled", NULL },
                { "baseImage", take_image },
                { "baseDockerfile", refuse_dockerfile },
                { "buildContext", refuse_dockerfile },
                { "baseImageRegistry", NULL },
                { "platform", NULL },
                { "sharedVolumes", NULL },
                { "gpuSupport", NULL },
                { "shmSize", NULL },
                { "arguments", NULL },
        };

        keys(l, y, k, ARRAY_LEN(k));
        if (!l->s->base.text.n && l->ds->n_errors == 0)
                refuse_dockerfile(l, key, y); /* the text is in BaseDockerfile beside it */
}

static void read_v1(struct spec_load *l, const struct yaml *top)
{
        static const struct azureml_key k[] = {
                { "name", take_name },
                { "environmentVariables", take_variables },
                { "docker", take_docker_v1 },
                { "python", take_python },
                { "r", refuse_r },
                { "version", NULL },
                { "spark", NULL },
                { "databricks", NULL },
                { "inferencingStackVersion", NULL },
                { "assetId", NULL },
        };

        keys(l, top, k, ARRAY_LEN(k));
}

static bool is_map(const struct yaml *top, const char *key)
{
        const struct yaml *y = yaml_get(top, key);

        return y && y->type == YAML_MAP;
}

static bool is_v2(const struct yaml *top)
{
        bool named = yaml_get(top, "$schema") || yaml_get(top, "name") || yaml_get(top, "version");

        if (yaml_get(top, "dependencies") || yaml_get(top, "channels") || yaml_get(top, "command") ||
            yaml_get(top, "services") || yaml_get(top, "jobs") || yaml_get(top, "envbuild"))
                return false;
        return yaml_get(top, "conda_file") ||
               (named && (yaml_get(top, "image") || is_map(top, "build") || is_map(top, "docker")));
}

bool spec_azureml(struct spec_load *l, const struct yaml *top)
{
        bool v1 = is_map(top, "python") && is_map(top, "docker");

        if (!v1 && !is_v2(top))
                return false;
        if (l->named)
                diag_hint(l->ds,
                          spec_fault(l->ds, (struct spec_where){ l->file, 1, 1 }, 0, "EB107",
                                     "this is an Azure ML environment, named as the conda file of another"),
                          "name an environment.yml");
        else if (v1)
                read_v1(l, top);
        else
                read_v2(l, top);
        return true;
}
