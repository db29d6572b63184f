/* A description as JSON and back: what run.json keeps. One table of fields serves both ways. */
#include <stddef.h>
#include <string.h>

#include "run/job/job_priv.h"

enum kind { TEXT, BOOL, UNSIGNED, U32, U64, ENUM, TEXTS, LIST, STRUCT };
struct field {
        const char *key;
        enum kind kind;
        size_t at;
        size_t count_at;           /* lists: where their length is */
        const char *const *names;  /* ENUM; NULL at the end */
        const struct field *inner; /* LIST, STRUCT; ends with a NULL key */
        size_t size;               /* LIST: of an item */
};

static const char *const input_kinds[] = { "literal", "file", "folder", "remote", NULL };
static const char *const env_kinds[] = { "default", "name", "file", "inline", "azureml", "host", NULL };
static const char *const dists[] = { "none", "pytorch", "mpi", "tensorflow", NULL };

static const struct field pair_fields[] = { { "name", TEXT, offsetof(struct run_pair, name) },
                                            { "value", TEXT, offsetof(struct run_pair, value) },
                                            { NULL } };
static const struct field input_fields[] = {
        { "name", TEXT, offsetof(struct run_input, name) },
        { "kind", ENUM, offsetof(struct run_input, kind), .names = input_kinds },
        { "value", TEXT, offsetof(struct run_input, value) },
        { "type", TEXT, offsetof(struct run_input, type) },
        { "mode", TEXT, offsetof(struct run_input, mode) },
        { "download", BOOL, offsetof(struct run_input, download) },
        { "line", U32, offsetof(struct run_input, line) },
        { "col", U32, offsetof(struct run_input, col) },
        { NULL },
};
static const struct field output_fields[] = { { "name", TEXT, offsetof(struct run_output, name) },
                                              { "type", TEXT, offsetof(struct run_output, type) },
                                              { "mode", TEXT, offsetof(struct run_output, mode) },
                                              { "path", TEXT, offsetof(struct run_output, path) },
                                              { NULL } };
static const struct field mount_fields[] = { { "src", TEXT, offsetof(struct run_mount, src) },
                                             { "dst", TEXT, offsetof(struct run_mount, dst) },
                                             { "ro", BOOL, offsetof(struct run_mount, ro) },
                                             { NULL } };
static const struct field environment_fields[] = {
        { "kind", ENUM, offsetof(struct run_environment, kind), .names = env_kinds },
        { "text", TEXT, offsetof(struct run_environment, text) },
        { "conda_file", TEXT, offsetof(struct run_environment, conda_file) },
        { "conda", TEXT, offsetof(struct run_environment, conda_inline) },
        { "registry", TEXT, offsetof(struct run_environment, registry_host) },
        { "line", U32, offsetof(struct run_environment, line) },
        { "col", U32, offsetof(struct run_environment, col) },
        { NULL },
};
#define AT(member) offsetof(struct run_spec, member)
static const struct field spec_fields[] = {
        { "file", TEXT, AT(file) },
        { "name", TEXT, AT(name) },
        { "display_name", TEXT, AT(display_name) },
        { "experiment_name", TEXT, AT(experiment) },
        { "description", TEXT, AT(description) },
        { "tags", LIST, AT(tag), AT(n_tag), .inner = pair_fields, .size = sizeof(struct run_pair) },
        { "code", TEXT, AT(code) },
        { "command", TEXT, AT(command) },
        { "command_written", TEXT, AT(command_written) },
        { "argv", TEXTS, AT(argv), AT(n_argv) },
        { "environment", STRUCT, AT(environment), .inner = environment_fields },
        { "environment_variables", LIST, AT(env), AT(n_env), .inner = pair_fields, .size = sizeof(struct run_pair) },
        { "env_from_host", TEXTS, AT(host_env), AT(n_host_env) },
        { "distribution", ENUM, AT(dist), .names = dists },
        { "nodes", UNSIGNED, AT(nodes) },
        { "per_node", UNSIGNED, AT(per_node) },
        { "workers", UNSIGNED, AT(workers) },
        { "servers", UNSIGNED, AT(servers) },
        { "backend", TEXT, AT(backend) },
        { "compute", TEXT, AT(compute) },
        { "instance_type", TEXT, AT(instance_type) },
        { "shm_size", U64, AT(shm_size) },
        { "docker_args", TEXTS, AT(docker_arg), AT(n_docker_arg) },
        { "timeout", U64, AT(timeout_s) },
        { "grace", UNSIGNED, AT(grace_s) },
        { "retries", UNSIGNED, AT(retries) },
        { "retry_on", TEXTS, AT(retry_on), AT(n_retry_on) },
        { "mounts", LIST, AT(mount), AT(n_mount), .inner = mount_fields, .size = sizeof(struct run_mount) },
        { "gpus", UNSIGNED, AT(gpus) },
        { "cpus", UNSIGNED, AT(cpus) },
        { "memory", U64, AT(memory) },
        { "inputs", LIST, AT(input), AT(n_input), .inner = input_fields, .size = sizeof(struct run_input) },
        { "outputs", LIST, AT(output), AT(n_output), .inner = output_fields, .size = sizeof(struct run_output) },
        { "azureml_first", TEXT, AT(azureml_first) },
        { "azureml_line", U32, AT(azureml_line) },
        { NULL },
};

static struct js *write_struct(struct arena *a, const struct field *f, const char *base);

static struct js *write_list(struct arena *a, const struct field *f, const char *base)
{
        struct js *list = js_new_arr(a);
        const char *v = *(const char *const *)(base + f->at);
        size_t n = *(const size_t *)(base + f->count_at);

        for (size_t i = 0; i < n; i++)
                js_add(a, list,
                       f->kind == TEXTS ? js_new_str(a, ((const sv *)v)[i])
                                        : write_struct(a, f->inner, v + i * f->size));
        return n ? list : NULL;
}

static struct js *number(struct arena *a, uint64_t n)
{
        return n ? js_new_int(a, n > INT64_MAX ? INT64_MAX : (int64_t)n) : NULL;
}

/* NULL: as it is when nothing is said, and left out. */
static struct js *write_field(struct arena *a, const struct field *f, const char *base)
{
        const char *p = base + f->at;

        switch (f->kind) {
        case TEXT:
                return ((const sv *)p)->n ? js_new_str(a, *(const sv *)p) : NULL;
        case BOOL:
                return *(const bool *)p ? js_new_bool(a, true) : NULL;
        case UNSIGNED:
                return number(a, *(const unsigned *)p);
        case U32:
                return number(a, *(const uint32_t *)p);
        case U64:
                return number(a, *(const uint64_t *)p);
        case ENUM:
                return js_new_str(a, sv_from(f->names[*(const unsigned *)p]));
        case STRUCT:
                return write_struct(a, f->inner, p);
        default:
                return write_list(a, f, base);
        }
}

static struct js *write_struct(struct arena *a, const struct field *f, const char *base)
{
        struct js *j = js_new_obj(a);

        for (; f->key; f++)
                js_put(a, j, sv_from(f->key), write_field(a, f, base));
        return j;
}

struct js *run_job_json(struct arena *a, const struct run_spec *s)
{
        struct js *j = write_struct(a, spec_fields, (const char *)s);

        js_put(a, j, SV("azureml"), s->azureml);
        return j;
}

static bool read_struct(struct arena *a, const struct field *f, const struct js *j, char *base);

static bool read_list(struct arena *a, const struct field *f, const struct js *j, char *base)
{
        size_t size = f->kind == TEXTS ? sizeof(sv) : f->size;
        char *v;

        if (j->type != JS_ARR)
                return false;
        v = arena_alloc(a, arena_mul(j->n + 1, size), 16);
        for (size_t i = 0; i < j->n; i++) {
                if (f->kind == TEXTS && j->v[i].value->type != JS_STR)
                        return false;
                if (f->kind == TEXTS)
                        ((sv *)v)[i] = j->v[i].value->str;
                else if (!read_struct(a, f->inner, j->v[i].value, v + i * size))
                        return false;
        }
        *(char **)(base + f->at) = v;
        *(size_t *)(base + f->count_at) = j->n;
        return true;
}

static bool read_number(const struct field *f, const struct js *j, char *p)
{
        int64_t n;

        if (!js_int(j, &n) || n < 0 || (f->kind != U64 && n > UINT32_MAX))
                return false;
        if (f->kind == U64)
                *(uint64_t *)p = (uint64_t)n;
        else if (f->kind == U32)
                *(uint32_t *)p = (uint32_t)n;
        else
                *(unsigned *)p = (unsigned)n;
        return true;
}

static bool read_enum(const struct field *f, const struct js *j, char *p)
{
        for (unsigned i = 0; f->names[i]; i++)
                if (sv_is(js_str(j), f->names[i])) {
                        *(unsigned *)p = i;
                        return true;
                }
        return false;
}

static bool read_field(struct arena *a, const struct field *f, const struct js *j, char *base)
{
        char *p = base + f->at;

        switch (f->kind) {
        case TEXT:
                *(sv *)p = js_str(j);
                return j->type == JS_STR;
        case BOOL:
                *(bool *)p = js_true(j);
                return j->type == JS_TRUE || j->type == JS_FALSE;
        case UNSIGNED:
        case U32:
        case U64:
                return read_number(f, j, p);
        case ENUM:
                return read_enum(f, j, p);
        case STRUCT:
                return read_struct(a, f->inner, j, p);
        default:
                return read_list(a, f, j, base);
        }
}

static bool read_struct(struct arena *a, const struct field *f, const struct js *j, char *base)
{
        if (j->type != JS_OBJ)
                return false;
        for (; f->key; f++) {
                const struct js *v = js_get(j, f->key);
                if (v && !read_field(a, f, v, base))
                        return false;
        }
        return true;
}

int run_job_from_json(struct arena *a, const struct js *j, struct run_spec **ret, struct err *e)
{
        struct run_spec *s = arena_new(a, struct run_spec);

        if (!j || !read_struct(a, spec_fields, j, (char *)s) || s->nodes == 0 || s->nodes > JOB_RANKS_MAX ||
            (uint64_t)s->nodes * (s->per_node ? s->per_node : 1) > JOB_RANKS_MAX ||
            (uint64_t)s->workers + s->servers > JOB_RANKS_MAX)
                return err_set(e, ERR_INTEGRITY, "the description in the record cannot be read");
        s->azureml = js_get(j, "azureml");
        *ret = s;
        return 0;
}
