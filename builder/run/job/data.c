/* Inputs and outputs of a v2 command job, and of the 2021 preview ({data: {local_path}}, {file: …}, {folder: …}). */
#include "run/job/job_priv.h"

struct input_read {
        const struct yaml *path, *file, *folder, *type, *mode, *value;
};

static bool one_of(sv word, const char *const *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq_nocase(word, sv_from(v[i])))
                        return true;
        return false;
}

static bool name_fine(struct job_read *r, const struct yaml *key, const char *what)
{
        size_t i;

        if (job_name_valid(key->text))
                return true;
        i = job_fault(r, key, "EB552", "'%.*s' cannot name an %s", SV_ARG(key->text), what);
        diag_hint(r->ds, i, "use letters, digits and '_', and begin with a letter");
        return false;
}

/* {local_path: X}, {path: X} below `data`, or the name of a data set. */
static const struct yaml *old_data(struct job_read *r, const struct yaml *y)
{
        const struct yaml *path = job_get(y, "local_path");

        if (!y || y->type != YAML_MAP)
                return y;
        for (size_t i = 0; i < y->n; i++) {
                static const char *const known[] = { "local_path", "path", "file",   "folder",
                                                     "datastore",  "name", "version" };
                if (!one_of(y->v[i].key->text, known, ARRAY_LEN(known)))
                        job_fault(r, y->v[i].key, "EB550", "unknown key '%.*s' of 'data'", SV_ARG(y->v[i].key->text));
        }
        if (!path)
                path = job_get(y, "path");
        if (!path)
                path = job_get(y, "file");
        return path ? path : job_get(y, "folder");
}

static void read_keys(struct job_read *r, const struct yaml *y, struct input_read *in)
{
        static const struct job_key keys[] = {
                { "type", NULL },      { "path", NULL },       { "mode", NULL },        { "value", NULL },
                { "default", NULL },   { "file", NULL },       { "folder", NULL },      { "data", NULL },
                { "dataset", NULL },   { "local_path", NULL }, { "description", NULL }, { "optional", NULL },
                { "min", NULL },       { "max", NULL },        { "enum", NULL },        { "path_on_compute", NULL },
                { "datastore", NULL }, { NULL, NULL }
        };

        job_keys(r, y, keys, "of an input");
        in->type = job_get(y, "type");
        in->mode = job_get(y, "mode");
        in->value = job_get(y, "value") ? job_get(y, "value") : job_get(y, "default");
        in->file = job_get(y, "file");
        in->folder = job_get(y, "folder");
        in->path = job_get(y, "path");
        if (!in->path)
                in->path = job_get(y, "local_path");
        if (!in->path)
                in->path = old_data(r, job_get(y, "data") ? job_get(y, "data") : job_get(y, "dataset"));
}

static void read_mode(struct job_read *r, const struct yaml *y, struct run_input *in)
{
        static const char *const modes[] = { "ro_mount", "download", "direct", "eval_mount", "eval_download" };
        size_t i;

        if (!y || !job_text(r, y, y, &in->mode))
                return;
        if (sv_is(in->mode, "mount") || sv_is(in->mode, "ro")) /* of 2021 */
                in->mode = SV("ro_mount");
        in->download = sv_is(in->mode, "download") || sv_is(in->mode, "eval_download");
        if (one_of(in->mode, modes, ARRAY_LEN(modes)))
                return;
        i = job_fault(r, y, "EB552", "'%.*s' is no mode of an input", SV_ARG(in->mode));
        diag_hint(r->ds, i, "one of ro_mount, download, direct: an input is never written to");
}

static void read_type(struct job_read *r, const struct yaml *y, struct run_input *in)
{
        static const char *const types[] = { "uri_file",     "uri_folder",   "mltable", "mlflow_model",
                                             "custom_model", "triton_model", "integer", "number",
                                             "string",       "boolean",      "path" };
        size_t i;

        if (!y || !job_text(r, y, y, &in->type))
                return;
        if (one_of(in->type, types, ARRAY_LEN(types)))
                return;
        i = job_fault(r, y, "EB552", "'%.*s' is no type of an input", SV_ARG(in->type));
        diag_hint(r->ds, i,
                  "one of uri_file, uri_folder, mltable, mlflow_model, custom_model, integer, number, string, boolean");
}

static bool literal_type(sv type)
{
        return sv_is(type, "integer") || sv_is(type, "number") || sv_is(type, "string") || sv_is(type, "boolean");
}

static bool mapped_input(struct job_read *r, const struct yaml *key, const struct yaml *y, struct run_input *in)
{
        struct input_read k = { 0 };
        const struct yaml *path;

        read_keys(r, y, &k);
        read_type(r, k.type, in);
        read_mode(r, k.mode, in);
        path = k.path ? k.path : k.file ? k.file : k.folder;
        if (!path && k.value) {
                in->kind = RUN_INPUT_LITERAL;
                return job_text(r, key, k.value, &in->value);
        }
        if (path && literal_type(in->type)) {
                job_fault(r, path, "EB554", "input '%.*s' is of type '%.*s' and has a path", SV_ARG(in->name),
                          SV_ARG(in->type));
                return false;
        }
        if (!path) {
                diag_hint(r->ds,
                          job_fault(r, key, "EB553", "input '%.*s' has neither a path nor a value", SV_ARG(in->name)),
                          "write '%.*s: {type: uri_folder, path: …}', or '%.*s: 0.1'", SV_ARG(in->name),
                          SV_ARG(in->name));
                return false;
        }
        if (!job_text(r, path, path, &in->value))
                return false;
        if (!in->value.n) {
                job_fault(r, path, "EB552", "the path of input '%.*s' is empty", SV_ARG(in->name));
                return false;
        }
        if (job_remote(in->value)) {
                in->kind = RUN_INPUT_REMOTE;
                return true;
        }
        in->kind = (path == k.file) || sv_is(in->type, "uri_file") ? RUN_INPUT_FILE : RUN_INPUT_FOLDER;
        in->value = job_path(r, in->value);
        return true;
}

void job_inputs(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!job_map(r, key, y))
                return;
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *k = y->v[i].key, *v = y->v[i].value;
                struct run_input in = { .name = k->text, .line = k->line, .col = k->col };
                bool ok = name_fine(r, k, "input");
                if (v->type == YAML_MAP) {
                        ok = mapped_input(r, k, v, &in) && ok;
                } else if (yaml_is_null(v)) {
                        job_fault(r, k, "EB553", "input '%.*s' has no value", SV_ARG(k->text));
                        ok = false;
                } else {
                        ok = job_text(r, k, v, &in.value) && ok;
                }
                if (ok)
                        *arena_push(r->a, r->s->input, r->s->n_input, r->cap_input) = in;
        }
}

static void read_output(struct job_read *r, const struct yaml *key, const struct yaml *y, struct run_output *out)
{
        static const struct job_key keys[] = { { "type", NULL },
                                               { "path", NULL },
                                               { "mode", NULL },
                                               { "name", NULL },
                                               { "version", NULL },
                                               { "description", NULL },
                                               { "early_available", NULL },
                                               { "data", NULL },
                                               { "datastore", NULL },
                                               { NULL, NULL } };
        const struct yaml *v;

        if (yaml_is_null(y))
                return;
        if (y->type == YAML_SCALAR) { /* out: azureml://…, or just a path */
                job_text(r, key, y, &out->path);
        } else {
                job_keys(r, y, keys, "of an output");
                if ((v = job_get(y, "type")))
                        job_text(r, v, v, &out->type);
                if ((v = job_get(y, "mode")))
                        job_text(r, v, v, &out->mode);
                if ((v = job_get(y, "path")))
                        job_text(r, v, v, &out->path);
        }
        if (out->path.n)
                diag_hint(r->ds,
                          job_warn(r, key, "EB561", "where output '%.*s' is put counts for Azure ML alone",
                                   SV_ARG(out->name)),
                          "elsewhere it is in the run's outputs/%.*s", SV_ARG(out->name));
}

void job_outputs(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!job_map(r, key, y))
                return;
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *k = y->v[i].key;
                struct run_output out = { .name = k->text };
                if (!name_fine(r, k, "output"))
                        continue;
                read_output(r, k, y->v[i].value, &out);
                *arena_push(r->a, r->s->output, r->s->n_output, r->cap_output) = out;
        }
}
