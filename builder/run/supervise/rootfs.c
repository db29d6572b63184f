/* run/supervise/rootfs.c - submit/image.json. */
#include <string.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "run/supervise/supervise_priv.h"

#define NAME       "submit/image.json"
#define LAYERS_MAX 4096

static struct js *texts(struct arena *a, const sv *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, arr, js_new_str(a, v[i]));
        return arr;
}

static struct js *digest(struct arena *a, const sha256 *d)
{
        return js_new_str(a, arena_fmt(a, "sha256:%s", sha256_hex(d).s));
}

static struct js *layer_doc(struct arena *a, const struct oci_desc *d, const sha256 *diff_id)
{
        struct js *o = js_new_obj(a);

        js_put_str(a, o, "mediaType", d->media_type);
        js_put(a, o, SV("digest"), digest(a, &d->digest));
        js_put_int(a, o, "size", (int64_t)d->size);
        js_put(a, o, SV("diffId"), digest(a, diff_id));
        return o;
}

int run_rootfs_write(const struct run_record *r, const struct run_rootfs *f, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *layers = js_new_arr(&a);

        for (size_t i = 0; i < f->n; i++)
                js_add(&a, layers, layer_doc(&a, &f->layer[i], &f->diff_id[i]));
        js_put_str(&a, doc, "name", f->name);
        js_put(&a, doc, SV("layers"), layers);
        js_put(&a, doc, SV("env"), texts(&a, f->env, f->n_env));
        js_put_str(&a, doc, "user", f->user);
        js_put_str(&a, doc, "workdir", f->workdir);
        js_put(&a, doc, SV("entrypoint"), texts(&a, f->entrypoint, f->n_entrypoint));
        js_put_str(&a, doc, "pycache", f->pycache);
        return run_js_save(run_path(&a, r, NAME).p, doc, e);
}

static bool plain(sv s)
{
        return !s.n || !memchr(s.p, '\0', s.n);
}

static bool read_texts(struct arena *a, const struct js *j, sv **ret, size_t *ret_n)
{
        if (!j || j->type != JS_ARR)
                return false;
        *ret = arena_array(a, sv, j->n);
        *ret_n = j->n;
        for (size_t i = 0; i < j->n; i++) {
                (*ret)[i] = js_str(j->v[i].value);
                if (j->v[i].value->type != JS_STR || !plain((*ret)[i]))
                        return false;
        }
        return true;
}

static bool read_layers(struct arena *a, const struct js *j, struct run_rootfs *ret)
{
        if (!j || j->type != JS_ARR || j->n == 0 || j->n > LAYERS_MAX)
                return false;
        ret->layer = arena_array(a, struct oci_desc, j->n);
        ret->diff_id = arena_array(a, sha256, j->n);
        ret->n = j->n;
        for (size_t i = 0; i < j->n; i++) {
                const struct js *o = j->v[i].value;
                struct oci_desc *d = &ret->layer[i];
                int64_t size;
                if (!sha256_read(js_get_str(o, "digest"), &d->digest) ||
                    !sha256_read(js_get_str(o, "diffId"), &ret->diff_id[i]) || !js_int(js_get(o, "size"), &size) ||
                    size < 0)
                        return false;
                d->size = (uint64_t)size;
                d->media_type = js_get_str(o, "mediaType");
        }
        return true;
}

bool run_rootfs_parse(struct arena *a, const struct js *doc, struct run_rootfs *ret)
{
        ret->name = js_get_str(doc, "name");
        ret->user = js_get_str(doc, "user");
        ret->workdir = js_get_str(doc, "workdir");
        ret->pycache = js_get_str(doc, "pycache");
        return read_layers(a, js_get(doc, "layers"), ret) &&
               read_texts(a, js_get(doc, "env"), &ret->env, &ret->n_env) &&
               read_texts(a, js_get(doc, "entrypoint"), &ret->entrypoint, &ret->n_entrypoint) && plain(ret->user) &&
               plain(ret->workdir) && plain(ret->pycache);
}

int run_rootfs_read(struct arena *a, const struct run_record *r, struct run_rootfs *ret, struct err *e)
{
        sv path = run_path(a, r, NAME);
        struct run_rootfs f = { 0 };
        struct js *doc;

        if (run_js_load(a, path.p, &doc, e) < 0)
                return -(int)e->code;
        if (!run_rootfs_parse(a, doc, &f))
                return err_set(e, ERR_INTEGRITY, "'%s' does not say what the image is made of", path.p);
        *ret = f;
        return 0;
}
