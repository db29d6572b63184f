#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "pkg/matchspec.h"
#include "spec/spec_priv.h"

#define REQUEST_VERSION 1

/* What is not said is not written: a key that is added here later leaves every request that does not use it as it was. */

static struct js *texts(struct arena *a, const struct spec_text *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, arr, js_new_str(a, v[i].text));
        return arr;
}

static void put_texts(struct arena *a, struct js *o, const char *key, const struct spec_text *v, size_t n)
{
        if (n)
                js_put(a, o, sv_from(key), texts(a, v, n));
}

static void put_urls(struct arena *a, struct js *o, const char *key, const struct spec_text *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, arr, js_new_str(a, spec_url_public(a, v[i].text)));
        if (n)
                js_put(a, o, sv_from(key), arr);
}

static void put_text(struct arena *a, struct js *o, const char *key, sv text)
{
        if (text.n)
                js_put_str(a, o, key, text);
}

static void put_true(struct arena *a, struct js *o, const char *key, bool b)
{
        if (b)
                js_put(a, o, sv_from(key), js_new_bool(a, true));
}

static void put_pairs(struct arena *a, struct js *o, const char *key, const struct spec_pair *v, size_t n)
{
        struct js *map = js_new_obj(a);

        for (size_t i = 0; i < n; i++)
                js_put(a, map, v[i].key, js_new_str(a, v[i].value));
        if (n)
                js_put(a, o, sv_from(key), map);
}

/* "foo==1", or ["foo==1", "sha256:…"] where hashes are given. */
static void put_requirements(struct arena *a, struct js *o, const char *key, const struct spec_req *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++) {
                struct js *item = js_new_str(a, v[i].text);
                if (v[i].n_hashes) {
                        struct js *with = js_new_arr(a);
                        js_add(a, with, item);
                        for (size_t k = 0; k < v[i].n_hashes; k++)
                                js_add(a, with,
                                       js_new_str(a, arena_fmt(a, "%.*s:%.*s", SV_ARG(v[i].hashes[k].alg),
                                                               SV_ARG(v[i].hashes[k].hex))));
                        item = with;
                }
                js_add(a, arr, item);
        }
        if (n)
                js_put(a, o, sv_from(key), arr);
}

static struct js *content(struct arena *a, const struct spec *s, sv path)
{
        for (size_t i = 0; i < s->n_inputs; i++)
                if (sv_eq(s->inputs[i].path, path))
                        return js_new_str(a, arena_fmt(a, "sha256:%s", sha256_hex(&s->inputs[i].sha256).s));
        return js_new_str(a, SV(""));
}

static void put_inputs(struct arena *a, struct js *o, const struct spec *s)
{
        struct js *files = js_new_obj(a), *certificates = js_new_arr(a);

        for (size_t i = 0; i < s->n_files; i++)
                js_put(a, files, s->files[i].key, content(a, s, s->files[i].value));
        if (s->n_files)
                js_put(a, o, SV("files"), files);
        for (size_t i = 0; i < s->n_certificates; i++)
                js_add(a, certificates, content(a, s, s->certificates[i].text));
        if (s->n_certificates)
                js_put(a, o, SV("certificates"), certificates);
}

static void put_config(struct arena *a, struct js *o, const struct spec *s)
{
        struct js *env = js_new_arr(a);

        for (size_t i = 0; i < s->n_variables; i++)
                js_add(a, env,
                       js_new_str(a, arena_fmt(a, "%.*s=%.*s", SV_ARG(s->variables[i].key),
                                               SV_ARG(s->variables[i].value))));
        if (s->n_variables)
                js_put(a, o, SV("env"), env);
        put_pairs(a, o, "labels", s->labels, s->n_labels);
        put_text(a, o, "user", s->user.text);
        put_text(a, o, "workdir", s->workdir.text);
        if (s->has_entrypoint)
                js_put(a, o, SV("entrypoint"), texts(a, s->entrypoint, s->n_entrypoint));
        if (s->has_cmd)
                js_put(a, o, SV("cmd"), texts(a, s->cmd, s->n_cmd));
        put_true(a, o, "bytecode", s->bytecode);
}

/* As conda prints it: blanks and the order of fields are nobody's wish. Without .condarc, so that a request is the same everywhere. */
static sv canonical(struct arena *a, sv text)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        struct matchspec m;

        if (!matchspec_parse(a, text, NULL, &m, NULL, NULL))
                return sv_trim(text);
        matchspec_write(&m, &b);
        return arena_sv(a, buf_sv(&b));
}

static void put_conda(struct arena *a, struct js *o, const struct spec *s)
{
        struct js *conda = js_new_arr(a);
        struct js *channels = js_new_arr(a);

        if (s->n_conda == 0) /* what is said of conda then shapes nothing */
                return;
        for (size_t i = 0; i < s->n_conda; i++)
                js_add(a, conda, js_new_str(a, canonical(a, s->conda[i].text)));
        js_put(a, o, SV("conda"), conda);
        for (size_t i = 0; i < s->n_channels; i++)
                js_add(a, channels, js_new_str(a, spec_channel_public(a, s->channels[i].text)));
        js_put(a, o, SV("channels"), channels);
        put_text(a, o, "channel-priority", s->channel_priority);
        put_texts(a, o, "pip-replaces", s->pip_replaces, s->n_pip_replaces);
}

static void put_pip(struct arena *a, struct js *o, const struct spec *s)
{
        put_requirements(a, o, "pip", s->pip, s->n_pip);
        put_requirements(a, o, "constraints", s->constraints, s->n_constraints);
        put_urls(a, o, s->index_given ? "index" : "extra-index", s->index, s->n_index);
        put_urls(a, o, "find-links", s->find_links, s->n_find_links);
        put_true(a, o, "no-index", s->no_index);
        put_true(a, o, "pre", s->pre);
        put_true(a, o, "prefer-binary", s->prefer_binary);
        put_true(a, o, "require-hashes", s->require_hashes);
        put_texts(a, o, "no-binary", s->no_binary, s->n_no_binary);
        put_texts(a, o, "only-binary", s->only_binary, s->n_only_binary);
        if (s->strategy == SPEC_INDEX_MERGE)
                js_put_str(a, o, "index-strategy", SV("pip"));
        if (s->exclude_newer)
                js_put_int(a, o, "exclude-newer", s->exclude_newer);
}

void spec_write_request(const struct spec *s, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *o = js_new_obj(&a);

        js_put_int(&a, o, "request", REQUEST_VERSION);
        put_text(&a, o, "base", s->base.text);
        if (s->python == SPEC_PYTHON_BASE)
                js_put_str(&a, o, "python", SV("base"));
        put_text(&a, o, "python-version", s->python_req.text);
        put_conda(&a, o, s);
        put_true(&a, o, "venv", s->has_pip_section);
        put_pip(&a, o, s);
        put_texts(&a, o, "apt", s->apt, s->n_apt);
        put_texts(&a, o, "apt-scripts-skip", s->apt_scripts_skip, s->n_apt_scripts_skip);
        put_texts(&a, o, "platforms", s->platforms, s->n_platforms);
        put_pairs(&a, o, "virtual", s->virtual_, s->n_virtual);
        put_inputs(&a, o, s);
        if (s->taken.path.n)
                js_put_str(&a, o, "taken", arena_fmt(&a, "sha256:%s", sha256_hex(&s->taken.sha256).s));
        put_config(&a, o, s);
        js_write(o, out);
}

sha256 spec_request(const struct spec *s)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)256 << 20);

        spec_write_request(s, &b);
        return sha256_of(buf_sv(&b));
}
