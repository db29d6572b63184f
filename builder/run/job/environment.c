/* The environment of a v2 command job: a reference, a file, an image, an image and conda dependencies; and the 2021 preview's nesting. */
#include "run/job/job_priv.h"

static bool is_definition(sv text)
{
        static const char *const ends[] = { ".yml", ".yaml", ".txt", ".in", ".lock" };

        if (sv_starts(text, SV("file:")) || sv_starts(text, SV("./")) || sv_starts(text, SV("../")) ||
            sv_starts(text, SV("/")))
                return true;
        for (size_t i = 0; i < ARRAY_LEN(ends); i++)
                if (sv_ends(text, sv_from(ends[i])))
                        return true;
        return false;
}

void job_environment_text(struct job_read *r, const struct yaml *at, sv text)
{
        struct run_environment *v = &r->s->environment;

        *v = (struct run_environment){ .line = at->line, .col = at->col, .text = text };
        if (sv_starts(text, SV("azureml:"))) {
                v->kind = RUN_ENV_AZUREML;
        } else if (sv_starts(text, SV("AzureML-"))) { /* Azure's own, as the v1 SDK names them */
                v->kind = RUN_ENV_AZUREML;
                v->text = arena_fmt(r->a, "azureml:%.*s", SV_ARG(text));
        } else if (is_definition(text)) {
                v->kind = RUN_ENV_FILE;
                v->text = job_path(r, text);
        } else {
                v->kind = text.n ? RUN_ENV_NAME : RUN_ENV_NONE;
        }
}

static void take_image(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        struct run_environment *v = &r->s->environment;
        sv text;

        if (!job_text(r, key, y, &text))
                return;
        if (v->text.n)
                job_fault(r, key, "EB554", "the environment has two images");
        if (!text.n)
                job_fault(r, y, "EB552", "an image has a name");
        v->text = text;
}

static void take_conda(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        struct run_environment *v = &r->s->environment;
        sv text;

        if (y->type == YAML_MAP) {
                v->conda_inline = job_conda_text(r->a, y);
                if (!v->conda_inline.n)
                        job_fault(r, key, "EB552", "the conda dependencies are too long");
                return;
        }
        if (!job_text(r, key, y, &text))
                return;
        if (job_remote(text)) {
                job_fault(r, y, "EB552", "'%.*s' is no file here", SV_ARG(text));
                return;
        }
        v->conda_file = job_path(r, text);
}

/* Dockerfiles are programs: nothing here ever runs one. */
static void refuse_build(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (yaml_is_null(y))
                return;
        diag_hint(r->ds,
                  job_fault(r, key, "EB555", "the environment is built by a Dockerfile, and none is ever run here"),
                  "build the image with docker and name it: environment: {image: NAME}; or write a conda file");
}

static void take_docker(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = {
                { "image", take_image }, { "build", refuse_build }, { "platform", NULL }, { NULL, NULL }
        };

        (void)key;
        job_keys(r, y, keys, "of the environment's docker");
}

static void take_os(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (job_text(r, key, y, &text) && !sv_eq_nocase(text, SV("linux")))
                job_fault(r, y, "EB555", "an environment of '%.*s': images are made for linux", SV_ARG(text));
}

static const struct job_key environment_keys[] = {
        { "image", take_image },
        { "conda_file", take_conda },
        { "build", refuse_build },
        { "docker", take_docker },
        { "os_type", take_os },
        { "environment_variables", job_variables },
        { "$schema", NULL },
        { "name", NULL },
        { "version", NULL },
        { "label", NULL },
        { "description", NULL },
        { "tags", NULL },
        { "properties", NULL },
        { "inference_config", NULL },
        { "datastore", NULL },
        { "type", NULL },
        { NULL, NULL },
};

/* {name: X, version: V} without more is a reference to one that Azure ML has. */
static bool only_a_name(struct job_read *r, const struct yaml *y)
{
        const struct yaml *name = job_get(y, "name"), *version = job_get(y, "version");

        for (size_t i = 0; i < y->n; i++)
                if (!job_key_is(y->v[i].key->text, "name") && !job_key_is(y->v[i].key->text, "version") &&
                    !job_key_is(y->v[i].key->text, "label"))
                        return false;
        if (!name || name->type != YAML_SCALAR || (version && version->type != YAML_SCALAR))
                return false;
        job_environment_text(r, y,
                             version ? arena_fmt(r->a, "azureml:%.*s:%.*s", SV_ARG(name->text), SV_ARG(version->text))
                                     : arena_fmt(r->a, "azureml:%.*s", SV_ARG(name->text)));
        return true;
}

void job_environment(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        struct run_environment *v = &r->s->environment;
        size_t errors = r->ds->n_errors;
        sv text;

        if (yaml_is_null(y))
                return;
        if (y->type == YAML_SCALAR) {
                if (job_text(r, key, y, &text))
                        job_environment_text(r, y, text);
                return;
        }
        if (!job_map(r, key, y) || only_a_name(r, y))
                return;
        if (job_is_environment_v1(y)) {
                job_environment_v1(r, key, y);
                return;
        }
        v->line = y->line;
        v->col = y->col;
        job_keys(r, y, environment_keys, "of the environment");
        if (v->conda_file.n || v->conda_inline.n)
                v->kind = RUN_ENV_INLINE;
        else if (v->text.n)
                v->kind = RUN_ENV_NAME;
        else if (r->ds->n_errors == errors)
                diag_hint(r->ds, job_fault(r, key, "EB553", "the environment says neither an image nor dependencies"),
                          "write environment: {image: NAME}, or conda_file, or the name of a definition");
}
