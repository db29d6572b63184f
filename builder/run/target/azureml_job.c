/* A description → Azure ML's own: a command job of its CLI v2. */
#include <inttypes.h>

#include "base/cleanup.h"
#include "run/target/azureml_priv.h"

#define SCHEMA "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json"

sv aml_size(struct arena *a, uint64_t bytes)
{
        static const char unit[] = "bkmg";
        size_t u = 0;

        while (bytes && bytes % 1024 == 0 && u < 3) {
                bytes /= 1024;
                u++;
        }
        return arena_fmt(a, "%" PRIu64 "%c", bytes, unit[u]);
}

sv aml_quote(struct arena *a, sv word)
{
        static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
        AUTO(buf_done) struct buf b = BUF_INIT(4 * word.n + 16);
        bool plain = word.n > 0;

        for (size_t i = 0; i < word.n && plain; i++)
                plain = sv_find(sv_from(safe), word.p[i]) >= 0;
        if (plain)
                return word;
        buf_byte(&b, '\'');
        for (size_t i = 0; i < word.n; i++)
                if (word.p[i] == '\'')
                        buf_add(&b, SV("'\\''"));
                else
                        buf_byte(&b, word.p[i]);
        buf_byte(&b, '\'');
        return arena_sv(a, buf_sv(&b));
}

static int refuse(struct err *e, const char *what, const char *hint)
{
        err_set(e, ERR_USAGE, "Azure ML: %s", what);
        err_hint(e, "%s", hint);
        return -(int)e->code;
}

static sv command_of(struct arena *a, const struct run_spec *s)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)8 << 20);

        if (s->command_written.n)
                return s->command_written;
        if (s->command.n)
                return s->command;
        for (size_t i = 0; i < s->n_argv; i++)
                buf_fmt(&b, "%s%.*s", i ? " " : "", SV_ARG(aml_quote(a, s->argv[i])));
        return arena_sv(a, buf_sv(&b));
}

static void put_tags(struct run *r, struct js *job)
{
        struct arena *a = r->arena;
        const struct run_record *rec = r->rec;
        struct js *tags = js_new_obj(a);

        for (size_t i = 0; i < rec->spec->n_tag; i++)
                js_put(a, tags, rec->spec->tag[i].name, js_new_str(a, rec->spec->tag[i].value));
        js_put_str(a, tags, "envbuild.run", rec->id);
        if (rec->image.n)
                js_put_str(a, tags, "envbuild.image", rec->image);
        if (rec->lock_digest.n)
                js_put_str(a, tags, "envbuild.lock", rec->lock_digest);
        if (rec->snapshot.digest.n)
                js_put_str(a, tags, "envbuild.snapshot", rec->snapshot.digest);
        js_put(a, job, SV("tags"), tags);
}

static int put_environment(struct run *r, struct js *job, struct err *e)
{
        struct arena *a = r->arena;
        const struct run_environment *env = &r->rec->spec->environment;
        struct js *j = js_new_obj(a);

        if (r->rec->run_image.n || r->rec->image.n) {
                sv image = r->rec->run_image.n ? r->rec->run_image : r->rec->image;
                if (sv_find_sv(image, SV("@sha256:")) < 0)
                        return refuse(e, "the image has no digest",
                                      "push it, and let the profile say image_repository: REGISTRY/NAME");
                js_put_str(a, j, "image", image);
                js_put(a, job, SV("environment"), j);
        } else if (env->kind == RUN_ENV_AZUREML) {
                js_put_str(a, job, "environment", env->text);
        } else {
                return refuse(e, "there is no image that it could pull",
                              "name an environment; the profile says where images go: image_repository");
        }
        return 0;
}

static void put_distribution(struct run *r, struct js *job)
{
        static const char *const names[] = { "", "pytorch", "mpi", "tensorflow" };
        const struct run_spec *s = r->rec->spec;
        struct arena *a = r->arena;
        struct js *d = js_new_obj(a);

        if (s->dist == RUN_DIST_NONE)
                return;
        js_put_str(a, d, "type", sv_from(names[s->dist]));
        if (s->dist == RUN_DIST_TENSORFLOW) {
                js_put_int(a, d, "worker_count", s->workers);
                js_put_int(a, d, "parameter_server_count", s->servers);
        } else {
                js_put_int(a, d, "process_count_per_instance", s->per_node ? s->per_node : 1);
        }
        js_put(a, job, SV("distribution"), d);
}

static void put_resources(struct run *r, struct js *job)
{
        const struct run_spec *s = r->rec->spec;
        struct arena *a = r->arena;
        struct js *j = js_new_obj(a);
        AUTO(buf_done) struct buf args = BUF_INIT((size_t)1 << 20);

        js_put_int(a, j, "instance_count", s->nodes ? s->nodes : 1);
        if (s->instance_type.n)
                js_put_str(a, j, "instance_type", s->instance_type);
        if (s->shm_size)
                js_put_str(a, j, "shm_size", aml_size(a, s->shm_size));
        for (size_t i = 0; i < s->n_docker_arg; i++)
                buf_fmt(&args, "%s%.*s", i ? " " : "", SV_ARG(s->docker_arg[i]));
        if (args.n)
                js_put_str(a, j, "docker_args", arena_sv(a, buf_sv(&args)));
        js_put(a, job, SV("resources"), j);
}

static void put_text(struct arena *a, struct js *j, const char *key, sv text)
{
        if (text.n)
                js_put_str(a, j, key, text);
}

static void put_data(struct run *r, struct js *job)
{
        const struct run_spec *s = r->rec->spec;
        struct arena *a = r->arena;
        struct js *in = js_new_obj(a), *out = js_new_obj(a);

        for (size_t i = 0; i < s->n_input; i++) {
                const struct run_input *x = &s->input[i];
                struct js *j = js_new_obj(a);
                if (x->kind == RUN_INPUT_LITERAL) {
                        js_put(a, in, x->name, js_new_str(a, x->value));
                        continue;
                }
                js_put_str(a, j, "type",
                           x->type.n                   ? x->type
                           : x->kind == RUN_INPUT_FILE ? SV("uri_file")
                                                       : SV("uri_folder"));
                js_put_str(a, j, "path", x->value);
                put_text(a, j, "mode", x->mode);
                js_put(a, in, x->name, j);
        }
        for (size_t i = 0; i < s->n_output; i++) {
                struct js *j = js_new_obj(a);
                js_put_str(a, j, "type", s->output[i].type.n ? s->output[i].type : SV("uri_folder"));
                put_text(a, j, "mode", s->output[i].mode);
                put_text(a, j, "path", s->output[i].path);
                js_put(a, out, s->output[i].name, j);
        }
        if (in->n)
                js_put(a, job, SV("inputs"), in);
        if (out->n)
                js_put(a, job, SV("outputs"), out);
}

static int check(const struct run_spec *s, struct err *e)
{
        if (s->n_host_env)
                return refuse(
                        e, "a variable of this machine (env_from_host) would be readable by everybody who sees the job",
                        "keep the secret in the workspace's Key Vault and let the script read it there");
        if (s->n_mount)
                return refuse(e, "it sees no folders of this machine (mounts)", "make them inputs: they are uploaded");
        if (s->environment.kind == RUN_ENV_HOST)
                return refuse(e, "it has no interpreter of yours", "name an environment");
        return 0;
}

/* Keys that only Azure ML knows come through as they were read; what is below `resources` is joined with ours. */
static void put_own(struct run *r, struct js *job)
{
        const struct js *own = r->rec->spec->azureml;

        for (size_t i = 0; own && own->type == JS_OBJ && i < own->n; i++) {
                struct js *value = own->v[i].value, *ours = js_get(job, "resources");
                if (!ours || !sv_is(own->v[i].key, "resources"))
                        js_put(r->arena, job, own->v[i].key, value);
                else
                        for (size_t k = 0; k < value->n; k++)
                                js_put(r->arena, ours, value->v[k].key, value->v[k].value);
        }
}

int aml_job(struct run *r, sv name, sv code, struct js **ret, struct err *e)
{
        const struct run_spec *s = r->rec->spec;
        struct arena *a = r->arena;
        struct js *job = js_new_obj(a), *env = js_new_obj(a), *limits = js_new_obj(a);
        sv compute = run_profile_str(r->profile, "compute", (sv){ 0 });

        if (check(s, e) < 0)
                return -(int)e->code;
        js_put_str(a, job, "$schema", SV(SCHEMA));
        js_put_str(a, job, "type", SV("command"));
        js_put_str(a, job, "name", name);
        js_put_str(a, job, "display_name", s->display_name.n ? s->display_name : s->name.n ? s->name : r->rec->id);
        put_text(a, job, "experiment_name", s->experiment);
        put_text(a, job, "description", s->description);
        put_tags(r, job);
        js_put_str(a, job, "command", command_of(a, s));
        put_text(a, job, "code", code);
        if (put_environment(r, job, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < s->n_env; i++)
                js_put(a, env, s->env[i].name, js_new_str(a, s->env[i].value));
        if (env->n)
                js_put(a, job, SV("environment_variables"), env);
        put_distribution(r, job);
        if (compute.n)
                js_put_str(a, job, "compute",
                           sv_starts(compute, SV("azureml:")) ? compute
                                                              : arena_fmt(a, "azureml:%.*s", SV_ARG(compute)));
        put_resources(r, job);
        if (s->timeout_s) {
                js_put_int(a, limits, "timeout", (int64_t)s->timeout_s);
                js_put(a, job, SV("limits"), limits);
        }
        put_data(r, job);
        put_own(r, job);
        *ret = job;
        return 0;
}
