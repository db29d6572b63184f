#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "layer/layer.h"

#define FORMAT 1 /* layer-format: every byte of a layer follows from its key and this number */

static struct js *hex(struct arena *a, const sha256 *d)
{
        return js_new_str(a, arena_sv(a, (sv){ sha256_hex(d).s, 64 }));
}

static struct js *document(struct arena *a)
{
        struct js *j = js_new_obj(a);

        js_put_int(a, j, "layer-format", FORMAT);
        return j;
}

static struct js *texts(struct arena *a, const sv *v, size_t n)
{
        struct js *j = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, j, js_new_str(a, v[i]));
        return j;
}

static sha256 digest(const struct js *j)
{
        AUTO(buf_done) struct buf b = BUF_INIT(SIZE_MAX);

        js_write(j, &b);
        return sha256_of(buf_sv(&b));
}

/* "https://host/conda-forge" of "https://host/conda-forge/linux-64/x.conda" */
static sv channel_of(sv url)
{
        for (int i = 0; i < 2; i++) {
                ptrdiff_t at = sv_rfind(url, '/');

                url = sv_from_to(url, 0, at < 0 ? 0 : (size_t)at);
        }
        return url;
}

static struct js *artifact_json(struct arena *a, const struct artifact *art)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "kind", sv_from(artifact_kind_name(art->kind)));
        js_put(a, j, SV("sha256"), hex(a, &art->sha256));
        if (art->kind == ARTIFACT_CONDA) {
                js_put_str(a, j, "channel", channel_of(art->url));
                js_put(a, j, SV("constrains"), texts(a, art->constrains, art->n_constrains));
                js_put(a, j, SV("depends"), texts(a, art->needs, art->n_needs));
        }
        if (art->kind == ARTIFACT_CONDA || (art->kind == ARTIFACT_WHEEL && art->direct))
                js_put_str(a, j, "url", art->url);
        return j;
}

static struct js *package_json(struct arena *a, const struct artifact *art, const struct install_ctx *ctx,
                               uint32_t part, uint32_t parts)
{
        struct js *j = document(a), *p = js_new_arr(a);

        js_add(a, p, js_new_int(a, part));
        js_add(a, p, js_new_int(a, parts));
        js_put(a, j, SV("part"), p);
        js_put(a, j, SV("artifact"), artifact_json(a, art));
        if (art->kind == ARTIFACT_DEB) {
                js_put(a, j, SV("usrmerged"), js_new_bool(a, ctx->usrmerged));
                return j;
        }
        js_put(a, j, SV("bytecode"), js_new_bool(a, false));
        js_put_str(a, j, "prefix", ctx->prefix);
        js_put_str(a, j, "root", ctx->root);
        if (art->kind == ARTIFACT_WHEEL || ctx->python.n) {
                js_put_str(a, j, "python", ctx->python);
                js_put_str(a, j, "site-packages", ctx->site_packages);
        }
        return j;
}

void layer_key_package_text(const struct artifact *art, const struct install_ctx *ctx, uint32_t part, uint32_t parts,
                            struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };

        js_write(package_json(&a, art, ctx, part, parts), out);
}

sha256 layer_key_package(const struct artifact *art, const struct install_ctx *ctx, uint32_t part, uint32_t parts)
{
        AUTO(arena_done) struct arena a = { 0 };

        return digest(package_json(&a, art, ctx, part, parts));
}

sha256 layer_key_bucket(const sha256 *member, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = document(&a), *keys = js_new_arr(&a);

        for (size_t i = 0; i < n; i++)
                js_add(&a, keys, hex(&a, &member[i]));
        js_put(&a, j, SV("bucket"), keys);
        return digest(j);
}

sha256 layer_key_os(const struct layer_key_os *k)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = document(&a), *debs = js_new_arr(&a);

        for (size_t i = 0; i < k->n_deb; i++)
                js_add(&a, debs, hex(&a, &k->deb[i]));
        js_put(&a, j, SV("debs"), debs);
        js_put(&a, j, SV("effects"), hex(&a, &k->effects));
        js_put(&a, j, SV("os"), hex(&a, &k->os));
        return digest(j);
}

static struct js *env_json(struct arena *a, const struct install_venv *v, sv kind)
{
        struct js *j = document(a), *parents = js_new_arr(a);

        for (size_t i = 0; i < v->n_parent; i++) {
                const struct entry *en = &v->parent[i];
                struct js *p = js_new_arr(a);

                js_add(a, p, js_new_str(a, en->path));
                js_add(a, p, js_new_int(a, en->mode));
                js_add(a, p, js_new_int(a, en->uid));
                js_add(a, p, js_new_int(a, en->gid));
                js_add(a, parents, p);
        }
        js_put_str(a, j, "env", kind);
        js_put(a, j, SV("parents"), parents);
        js_put_str(a, j, "prefix", v->prefix);
        js_put_str(a, j, "root", v->root);
        return j;
}

sha256 layer_key_venv(const struct install_venv *v)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = env_json(&a, v, SV("venv"));

        js_put_str(&a, j, "python", v->python);
        js_put_str(&a, j, "python-version", v->python_version);
        return digest(j);
}

sha256 layer_key_conda_env(const struct install_venv *v)
{
        AUTO(arena_done) struct arena a = { 0 };

        return digest(env_json(&a, v, SV("conda")));
}

sha256 layer_key_last(const sha256 *paths_digest)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = document(&a);

        js_put(&a, j, SV("last"), hex(&a, paths_digest));
        return digest(j);
}
