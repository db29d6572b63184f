#include "base/cleanup.h"
#include "ext/json.h"
#include "layer/layer_priv.h"

#define FACT_MAX  ((size_t)64 << 10)
#define PATHS_MAX ((size_t)1 << 30)

static struct js *hex(struct arena *a, const sha256 *d)
{
        return js_new_str(a, arena_sv(a, (sv){ sha256_hex(d).s, 64 }));
}

static struct js *body_json(struct arena *a, const struct layer_body *b)
{
        struct js *j = js_new_obj(a);

        js_put_int(a, j, "at", (int64_t)b->at);
        js_put_int(a, j, "crc32", b->tar_crc);
        js_put(a, j, SV("in"), hex(a, &b->in));
        js_put_str(a, j, "kind", b->kind == STORE_BLOB ? SV("blob") : SV("body"));
        js_put_int(a, j, "size", (int64_t)b->size);
        js_put_int(a, j, "tar-size", (int64_t)b->tar_size);
        return j;
}

static struct js *encodings_json(struct arena *a, const struct layer_fact *f)
{
        struct js *j = js_new_obj(a);

        for (size_t i = 0; i < f->n_encoding; i++) {
                struct js *x = js_new_obj(a);

                js_put(a, x, SV("digest"), hex(a, &f->encoding[i].digest));
                js_put_int(a, x, "size", (int64_t)f->encoding[i].size);
                js_put(a, j, sv_from(oci_codec_name(f->encoding[i].codec)), x);
        }
        return j;
}

void layer_fact_write(const struct layer_fact *f, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = js_new_obj(&a);

        js_put(&a, j, SV("key"), hex(&a, &f->key));
        js_put_int(&a, j, "layer-format", 1);
        js_put(&a, j, SV("paths"), hex(&a, &f->paths));
        if (f->has_layer) {
                js_put(&a, j, SV("diff-id"), hex(&a, &f->diff_id));
                js_put(&a, j, SV("encodings"), encodings_json(&a, f));
        }
        if (f->has_body)
                js_put(&a, j, SV("body"), body_json(&a, &f->body));
        js_write(j, out);
}

/* --- reading: the first thing that is wrong makes the whole fact wrong --- */

static bool read_hex(const struct js *obj, const char *key, sha256 *ret)
{
        sv s = js_get_str(obj, key);

        return s.n == 64 && sha256_read(s, ret);
}

static bool read_size(const struct js *obj, const char *key, uint64_t *ret)
{
        int64_t n;

        if (!js_int(js_get(obj, key), &n) || n < 0)
                return false;
        *ret = (uint64_t)n;
        return true;
}

static bool read_body(const struct js *j, struct layer_body *ret)
{
        sv kind = js_get_str(j, "kind");
        uint64_t crc;

        if (!read_size(j, "at", &ret->at) || !read_size(j, "crc32", &crc) || !read_hex(j, "in", &ret->in) ||
            !read_size(j, "size", &ret->size) || !read_size(j, "tar-size", &ret->tar_size))
                return false;
        ret->tar_crc = (uint32_t)crc;
        ret->kind = sv_is(kind, "blob") ? STORE_BLOB : STORE_BODY;
        return crc <= UINT32_MAX && (sv_is(kind, "blob") || sv_is(kind, "body"));
}

static bool read_encodings(const struct js *j, struct layer_fact *ret)
{
        static const enum oci_codec codecs[] = { OCI_CODEC_GZIP, OCI_CODEC_NONE, OCI_CODEC_ZSTD };

        for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
                const struct js *x = js_get(j, oci_codec_name(codecs[i]));
                struct layer_encoding *en = &ret->encoding[ret->n_encoding];

                if (!x)
                        continue;
                if (!read_hex(x, "digest", &en->digest) || !read_size(x, "size", &en->size))
                        return false;
                en->codec = codecs[i];
                ret->n_encoding++;
        }
        return ret->n_encoding > 0 && ret->n_encoding == j->n;
}

static bool read_fact(const struct js *j, struct layer_fact *ret)
{
        uint64_t format;
        const struct js *body = js_get(j, "body"), *encodings = js_get(j, "encodings");

        if (!read_size(j, "layer-format", &format) || format != 1 || !read_hex(j, "key", &ret->key) ||
            !read_hex(j, "paths", &ret->paths))
                return false;
        if (js_get(j, "diff-id")) {
                ret->has_layer = true;
                if (!read_hex(j, "diff-id", &ret->diff_id) || !encodings || encodings->type != JS_OBJ ||
                    !read_encodings(encodings, ret))
                        return false;
        }
        if (body) {
                ret->has_body = true;
                if (!read_body(body, &ret->body))
                        return false;
        }
        return ret->has_layer || ret->has_body;
}

int layer_fact_parse(sv text, struct layer_fact *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct layer_fact f = { 0 };
        struct err why = { 0 };
        struct js *j;

        if (js_parse(&a, text, &j, &why) < 0) {
                err_set(e, ERR_INTEGRITY, "a layer's fact is not JSON: %s", why.cause);
                err_done(&why);
                return -(int)e->code;
        }
        if (!read_fact(j, &f))
                return err_set(e, ERR_INTEGRITY, "a layer's fact lacks what it must say");
        *ret = f;
        return 0;
}

/* --- in the store --- */

static bool body_is_there(struct store *s, const struct layer_body *b)
{
        uint64_t size;

        return store_has(s, b->kind, &b->in, &size) && b->at <= size && b->size <= size - b->at;
}

/* Leaves out what is gone; false when nothing is left. */
static bool reduce(struct store *s, struct layer_fact *f)
{
        size_t n = 0;

        for (size_t i = 0; i < f->n_encoding; i++)
                if (store_has(s, STORE_BLOB, &f->encoding[i].digest, NULL))
                        f->encoding[n++] = f->encoding[i];
        f->n_encoding = n;
        f->has_layer = n > 0;
        f->has_body = f->has_body && body_is_there(s, &f->body);
        return store_has(s, STORE_BLOB, &f->paths, NULL) && (f->has_layer || f->has_body);
}

int layer_fact_get(struct store *s, const sha256 *key, struct layer_fact *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(FACT_MAX);
        AUTO(err_done) struct err why = { 0 };
        struct layer_fact f;

        if (store_note_get(s, STORE_FACT, key, &text, e) < 0)
                return -(int)e->code;
        if (layer_fact_parse(buf_sv(&text), &f, &why) == 0 && sha256_eq(&f.key, key) && reduce(s, &f)) {
                *ret = f;
                return 0;
        }
        if (store_note_drop(s, STORE_FACT, key, e) <
            0) /* damaged, or about files that were pruned: it can be made again */
                return -(int)e->code;
        return err_set(e, ERR_NOT_FOUND, "the layer of key %.12s is not in the store any more", sha256_hex(key).s);
}

int layer_fact_put(struct store *s, const struct layer_fact *f, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(FACT_MAX);

        layer_fact_write(f, &text);
        return store_note_put(s, STORE_FACT, &f->key, buf_sv(&text), e);
}

static int merge(struct layer_fact *f, const struct layer_fact *old, struct err *e)
{
        if (!old->has_layer)
                return 0;
        if (f->has_layer && !sha256_eq(&f->diff_id, &old->diff_id))
                return err_set(e, ERR_INTEGRITY, "key %s gave the layer sha256:%s before and gives sha256:%s now",
                               sha256_hex(&f->key).s, sha256_hex(&old->diff_id).s, sha256_hex(&f->diff_id).s);
        f->has_layer = true;
        f->diff_id = old->diff_id;
        for (size_t i = 0; i < old->n_encoding; i++)
                if (!layer_fact_encoding(f, old->encoding[i].codec))
                        f->encoding[f->n_encoding++] = old->encoding[i];
        return 0;
}

static int merge_old(struct store *s, struct layer_fact *f, struct err *e)
{
        AUTO(err_done) struct err missing = { 0 };
        struct layer_fact old;

        if (layer_fact_get(s, &f->key, &old, &missing) == 0)
                return merge(f, &old, e);
        return missing.code == ERR_NOT_FOUND ? 0 : err_move(e, &missing);
}

int layer_fact_keep(struct store *s, struct layer_fact *f, const struct paths *list, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(PATHS_MAX);

        paths_write(list, &text);
        if (buf_check(&text, e) < 0 || store_put_bytes(s, STORE_BLOB, buf_sv(&text), &f->paths, e) < 0 ||
            merge_old(s, f, e) < 0)
                return -(int)e->code;
        return layer_fact_put(s, f, e);
}

int layer_fact_paths(struct store *s, const struct layer_fact *f, struct arena *a, struct paths *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(PATHS_MAX);

        if (store_read(s, STORE_BLOB, &f->paths, &text, e) < 0)
                return -(int)e->code;
        if (paths_parse(a, arena_sv(a, buf_sv(&text)), ret, e) < 0)
                return err_while(e, "reading the path list of key %.12s", sha256_hex(&f->key).s);
        return 0;
}

const struct layer_encoding *layer_fact_encoding(const struct layer_fact *f, enum oci_codec c)
{
        for (size_t i = 0; i < f->n_encoding; i++)
                if (f->encoding[i].codec == c)
                        return &f->encoding[i];
        return NULL;
}

int layer_body_map(struct store *s, const struct layer_body *b, struct fs_map *ret_map, sv *ret, struct err *e)
{
        *ret = (sv){ 0 };
        if (!b->size)
                return 0;
        if (store_map(s, b->kind, &b->in, ret_map, e) < 0)
                return -(int)e->code;
        if (b->at > ret_map->n || b->size > ret_map->n - b->at)
                return err_set(e, ERR_INTEGRITY, "a package's body in the store is cut off");
        *ret = (sv){ (const char *)ret_map->p + b->at, (size_t)b->size };
        return 0;
}
