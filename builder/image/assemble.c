/* Layers → config and manifest, both canonical JSON (design/layers.md §6). No tool version, host or user anywhere. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "image/image_priv.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct env_list {
        struct arena *a;
        sv *v;
        size_t n, cap;
};

static sv key_of(sv entry)
{
        ptrdiff_t eq = sv_find(entry, '=');
        return eq < 0 ? entry : sv_from_to(entry, 0, (size_t)eq);
}

/* Replaced in place, else appended: the base's order stays. */
static void env_put(struct env_list *l, sv entry)
{
        for (size_t i = 0; i < l->n; i++)
                if (sv_eq(key_of(l->v[i]), key_of(entry))) {
                        l->v[i] = entry;
                        return;
                }
        *arena_push(l->a, l->v, l->n, l->cap) = entry;
}

static sv env_get(const struct env_list *l, const char *key)
{
        for (size_t i = 0; i < l->n; i++)
                if (sv_is(key_of(l->v[i]), key))
                        return sv_skip(l->v[i], key_of(l->v[i]).n + 1);
        return (sv){ 0 };
}

static bool has_cuda(const struct lock_platform *p)
{
        for (size_t i = 0; i < p->n_artifact; i++) {
                sv n = p->artifact[i].name;
                if (p->artifact[i].kind != ARTIFACT_DEB &&
                    (sv_starts(n, SV("nvidia-cuda")) || sv_starts(n, SV("nvidia-cublas")) || sv_is(n, "cuda-version") ||
                     sv_is(n, "cudatoolkit")))
                        return true;
        }
        return false;
}

/* PATH first, then what says which kind of environment this is (design §5). CONDA_DEFAULT_ENV is the path: so conda calls an environment
 * that is in none of its envs folders. */
static void fill_prefix(struct env_list *env, const struct lock_platform *p, sv path)
{
        bool conda = image_is_conda(p);

        if (!conda && !p->has_python) {
                env_put(env, arena_fmt(env->a, "PATH=%.*s", SV_ARG(path)));
                return;
        }
        env_put(env, arena_fmt(env->a, "PATH=" IMAGE_PREFIX "/bin:%.*s", SV_ARG(path)));
        if (!conda) {
                env_put(env, SV("VIRTUAL_ENV=" IMAGE_PREFIX));
                return;
        }
        env_put(env, SV("CONDA_PREFIX=" IMAGE_PREFIX));
        env_put(env, SV("CONDA_DEFAULT_ENV=" IMAGE_PREFIX));
}

static void fill_env(struct env_list *env, const struct lock *l, const struct lock_platform *p,
                     const struct oci_config *base, const struct built_layers *layers)
{
        sv path;

        for (size_t i = 0; i < base->n_env; i++)
                env_put(env, base->env[i]);
        path = env_get(env, "PATH");
        if (path.n == 0)
                path = SV(DEFAULT_PATH);
        fill_prefix(env, p, path);
        env_put(env, SV("LANG=C.UTF-8"));
        if (has_cuda(p)) {
                env_put(env, SV("NVIDIA_VISIBLE_DEVICES=all"));
                env_put(env, SV("NVIDIA_DRIVER_CAPABILITIES=compute,utility"));
        }
        for (size_t i = 0; i < layers->n_activation; i++)
                env_put(env, layers->activation[i]);
        for (size_t i = 0; i < l->config.n_env; i++)
                env_put(env, l->config.env[i]);
}

static struct js *strings(struct arena *a, const sv *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, arr, js_new_str(a, v[i]));
        return arr;
}

static void fill_config(struct js *cfg, const struct lock *l, const struct lock_platform *p,
                        const struct oci_config *base, const struct built_layers *layers, struct arena *a)
{
        struct env_list env = { .a = a };
        struct js *labels = js_get(cfg, "Labels");

        fill_env(&env, l, p, base, layers);
        js_put(a, cfg, SV("Env"), strings(a, env.v, env.n));
        if (l->config.user.n)
                js_put_str(a, cfg, "User", l->config.user);
        if (l->config.workdir.n)
                js_put_str(a, cfg, "WorkingDir", l->config.workdir);
        if (l->config.has_entrypoint) {
                js_put(a, cfg, SV("Entrypoint"), strings(a, l->config.entrypoint, l->config.n_entrypoint));
                if (!l->config.has_cmd) /* docker's rule: a new entrypoint does not run the base's command */
                        js_drop(cfg, "Cmd");
        }
        if (l->config.has_cmd)
                js_put(a, cfg, SV("Cmd"), strings(a, l->config.cmd, l->config.n_cmd));
        if (l->config.n_labels && (!labels || labels->type != JS_OBJ)) {
                labels = js_new_obj(a);
                js_put(a, cfg, SV("Labels"), labels);
        }
        for (size_t i = 0; i < l->config.n_labels; i++)
                js_put(a, labels, l->config.labels[i].key, js_new_str(a, l->config.labels[i].value));
}

static struct js *digest_str(struct arena *a, const sha256 *d)
{
        return js_new_str(a, arena_fmt(a, "sha256:%s", sha256_hex(d).s));
}

static struct js *history_of(const struct oci_config *base, const struct built_layers *layers, sv created,
                             struct arena *a)
{
        struct js *h = js_new_arr(a);

        if (base->history)
                for (size_t i = 0; i < base->history->n; i++)
                        js_add(a, h, base->history->v[i].value);
        else
                for (size_t i = 0; i < base->n_diff_id; i++) {
                        struct js *one = js_new_obj(a);
                        js_put_str(a, one, "created_by", SV("base"));
                        js_add(a, h, one);
                }
        for (size_t i = 0; i < layers->n; i++) {
                struct js *one = js_new_obj(a);
                js_put_str(a, one, "created", created);
                js_put_str(a, one, "created_by", arena_fmt(a, "envbuild %.*s", SV_ARG(layers->v[i].of)));
                js_add(a, h, one);
        }
        return h;
}

/* The base's document is shared, not copied: it belongs to this build alone. */
void assemble_config(const struct lock *l, const struct lock_platform *p, const struct oci_config *base,
                     const struct built_layers *layers, struct arena *a, struct buf *out)
{
        struct js *doc = base->doc ? base->doc : js_new_obj(a), *cfg = js_get(doc, "config"), *rootfs = js_new_obj(a),
                  *ids = js_new_arr(a);
        struct target t = { 0 };
        char created[24];

        target_read(p->platform, &t);
        time_format(l->created, created);
        js_drop(doc, "container");
        js_drop(doc, "container_config");
        js_put_str(a, doc, "created", arena_sv(a, sv_from(created)));
        if (!js_get(doc, "architecture"))
                js_put_str(a, doc, "architecture", t.arch);
        if (!js_get(doc, "os"))
                js_put_str(a, doc, "os", SV("linux"));
        if (!cfg || cfg->type != JS_OBJ) {
                cfg = js_new_obj(a);
                js_put(a, doc, SV("config"), cfg);
        }
        fill_config(cfg, l, p, base, layers, a);
        for (size_t i = 0; i < base->n_diff_id; i++)
                js_add(a, ids, digest_str(a, &base->diff_id[i]));
        for (size_t i = 0; i < layers->n; i++)
                js_add(a, ids, digest_str(a, &layers->v[i].fact.diff_id));
        js_put_str(a, rootfs, "type", SV("layers"));
        js_put(a, rootfs, SV("diff_ids"), ids);
        js_put(a, doc, SV("rootfs"), rootfs);
        js_put(a, doc, SV("history"), history_of(base, layers, arena_sv(a, sv_from(created)), a));
        js_write(doc, out);
}

/* Docker's names of the base's layers become OCI's: the bytes are the same (specs/oci.md §1.3). */
static int base_layers(const struct lock_platform *p, struct oci_desc *v, struct err *e)
{
        for (size_t i = 0; i < p->base.n_layer; i++) {
                const struct lock_base_layer *b = &p->base.layer[i];
                enum oci_codec codec;
                if (!oci_layer_codec(b->type, &codec))
                        return err_set(e, ERR_FAILED, "the base's layer %zu is of a kind we cannot pass on: %.*s",
                                       i + 1, SV_ARG(b->type));
                v[i] = (struct oci_desc){ .media_type = sv_from(oci_codec_type(codec)),
                                          .digest = b->digest,
                                          .size = b->size };
        }
        return 0;
}

/* For tools that look what the base's tag means by now: the digest stands beside it. */
static sv base_name(sv ref)
{
        ptrdiff_t at = sv_find_sv(ref, SV("@sha256:"));
        sv name = at < 0 ? ref : sv_from_to(ref, 0, (size_t)at);

        return sv_find(sv_basename(name), ':') >= 0 ? name : ref;
}

static int write_manifest(const struct lock *l, const struct lock_platform *p, const struct built_layers *layers,
                          enum oci_codec codec, const struct oci_desc *config, struct arena *a, struct buf *out,
                          struct err *e)
{
        struct oci_manifest m = { .config = *config };
        struct oci_pair note[3];
        char created[24];

        m.layer = arena_array(a, struct oci_desc, p->base.n_layer + layers->n);
        m.n_layer = p->base.n_layer + layers->n;
        if (base_layers(p, m.layer, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < layers->n; i++) {
                const struct layer_encoding *enc = layer_fact_encoding(&layers->v[i].fact, codec);
                if (!enc)
                        return err_set(e, ERR_FAILED, "the layer '%.*s' has no %s encoding", SV_ARG(layers->v[i].of),
                                       oci_codec_name(codec));
                m.layer[p->base.n_layer + i] = (struct oci_desc){ .media_type = sv_from(oci_codec_type(codec)),
                                                                  .digest = enc->digest,
                                                                  .size = enc->size };
        }
        time_format(l->created, created);
        m.annotation = note;
        note[m.n_annotation++] = (struct oci_pair){ SV("org.opencontainers.image.created"), sv_from(created) };
        if (p->base.ref.n && !sv_is(p->base.ref, "scratch")) {
                note[m.n_annotation++] =
                        (struct oci_pair){ SV("org.opencontainers.image.base.name"), base_name(p->base.ref) };
                note[m.n_annotation++] =
                        (struct oci_pair){ SV("org.opencontainers.image.base.digest"),
                                           arena_fmt(a, "sha256:%s", sha256_hex(&p->base.manifest).s) };
        }
        oci_manifest_write(&m, out);
        return 0;
}

int assemble_with(struct image_ctx *c, const struct lock *l, const struct lock_platform *p,
                  const struct built_layers *layers, enum oci_codec codec, sv config, struct arena *a,
                  sha256 *ret_image_id, struct oci_desc *ret_manifest, struct err *e)
{
        AUTO(buf_done) struct buf manifest = BUF_INIT(OCI_DOC_MAX);
        struct oci_desc desc = { .media_type = SV(OCI_CONFIG), .size = config.n };
        struct target t = { 0 };

        if (store_put_bytes(c->store, STORE_BLOB, config, &desc.digest, e) < 0 ||
            write_manifest(l, p, layers, codec, &desc, a, &manifest, e) < 0 || buf_check(&manifest, e) < 0)
                return -(int)e->code;
        target_read(p->platform, &t);
        *ret_manifest = (struct oci_desc){
                .media_type = SV(OCI_MANIFEST), .size = manifest.n, .os = SV("linux"), .arch = t.arch
        };
        *ret_image_id = desc.digest;
        return store_put_bytes(c->store, STORE_BLOB, buf_sv(&manifest), &ret_manifest->digest, e);
}

int assemble(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, const struct oci_config *base,
             const struct built_layers *layers, enum oci_codec codec, struct arena *a, sha256 *ret_image_id,
             struct oci_desc *ret_manifest, struct err *e)
{
        AUTO(buf_done) struct buf config = BUF_INIT(OCI_DOC_MAX);

        assemble_config(l, p, base, layers, a, &config);
        if (buf_check(&config, e) < 0)
                return -(int)e->code;
        return assemble_with(c, l, p, layers, codec, buf_sv(&config), a, ret_image_id, ret_manifest, e);
}
