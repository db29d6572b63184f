/* The build: lock → layers → image → store, and the way past all of it when the image is there already. */
#include "base/cleanup.h"
#include "image/fetch.h"
#include "image/origin.h"
#include "image/reuse_priv.h"
#include "oci/reference.h"

static const struct lock_encoding *find_encoding(const struct lock_encoding *v, size_t n, enum oci_codec codec)
{
        for (size_t i = 0; i < n; i++)
                if (sv_is(v[i].codec, oci_codec_name(codec)))
                        return &v[i];
        return NULL;
}

/* Everything a locked image consists of is in the store, or its layers are known to be elsewhere: its manifest's text says what that is. */
static bool is_whole(struct image_ctx *c, const sha256 *manifest, struct arena *a, struct oci_desc *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        AUTO(err_done) struct err ignored = { 0 };
        struct oci_manifest m;

        if (store_read(c->store, STORE_BLOB, manifest, &b, &ignored) < 0 ||
            oci_manifest_parse(a, arena_sv(a, buf_sv(&b)), "manifest", &m, &ignored) < 0 ||
            !store_has(c->store, STORE_BLOB, &m.config.digest, NULL))
                return false;
        for (size_t i = 0; i < m.n_layer; i++)
                if (!image_blob_known(c, &m.layer[i].digest))
                        return false;
        *ret = (struct oci_desc){ .media_type = SV(OCI_MANIFEST), .digest = *manifest, .size = b.n };
        return true;
}

/* What a lock without an image half gave before: images/<sha256 of its resolution>. */
static sha256 image_note_key(const struct lock *l, const struct lock_platform *p, enum oci_codec codec)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);

        lock_write_resolution(l, &b);
        buf_fmt(&b, "\n%.*s %s %d\n", SV_ARG(p->platform), oci_codec_name(codec), LAYER_FORMAT);
        return sha256_of(buf_sv(&b));
}

static bool find_built(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, enum oci_codec codec,
                       struct arena *a, struct oci_desc *ret, sha256 *ret_image_id)
{
        AUTO(buf_done) struct buf b = BUF_INIT(65536);
        AUTO(err_done) struct err ignored = { 0 };
        const struct lock_encoding *enc =
                p->has_image ? find_encoding(p->image.manifest, p->image.n_manifest, codec) : NULL;
        sha256 key, manifest;
        sv text, head;

        if (enc) {
                *ret_image_id = p->image.image_id;
                return is_whole(c, &enc->digest, a, ret);
        }
        key = image_note_key(l, p, codec);
        if (store_note_get(c->store, STORE_IMAGE, &key, &b, &ignored) < 0)
                return false;
        text = buf_sv(&b);
        return sv_cut(&text, ' ', &head) && sha256_read(head, &manifest) && sha256_read(sv_trim(text), ret_image_id) &&
               is_whole(c, &manifest, a, ret);
}

static void keep_note(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, enum oci_codec codec,
                      const struct oci_desc *manifest, const sha256 *image_id)
{
        AUTO(err_done) struct err ignored = { 0 }; /* only saves work */
        AUTO(buf_done) struct buf b = BUF_INIT(256);
        sha256 key = image_note_key(l, p, codec);

        buf_fmt(&b, "%s %s\n", sha256_hex(&manifest->digest).s, sha256_hex(image_id).s);
        store_note_put(c->store, STORE_IMAGE, &key, buf_sv(&b), &ignored);
}

/* --- the image half of the lock */

static void put_encoding(struct arena *a, struct lock_encoding **v, size_t *n, enum oci_codec codec, const sha256 *d,
                         uint64_t size)
{
        struct lock_encoding *fresh = arena_array(a, struct lock_encoding, *n + 1);
        sv name = sv_from(oci_codec_name(codec));
        size_t k = 0;
        bool placed = false;

        for (size_t i = 0; i < *n; i++) {
                if (sv_eq((*v)[i].codec, name))
                        continue;
                if (!placed && sv_cmp(name, (*v)[i].codec) < 0) {
                        fresh[k++] = (struct lock_encoding){ name, *d, size };
                        placed = true;
                }
                fresh[k++] = (*v)[i];
        }
        if (!placed)
                fresh[k++] = (struct lock_encoding){ name, *d, size };
        *v = fresh;
        *n = k;
}

static void fill_image(struct arena *a, struct lock_platform *p, const struct built_layers *b, enum oci_codec codec,
                       const struct oci_desc *manifest, const sha256 *image_id)
{
        if (p->has_image && !sha256_eq(&p->image.image_id, image_id))
                p->image = (struct lock_image){ 0 };
        p->has_image = true;
        p->image.image_id = *image_id;
        put_encoding(a, &p->image.manifest, &p->image.n_manifest, codec, &manifest->digest, 0);
        if (p->image.n_layer != b->n) {
                p->image.layer = arena_array(a, struct lock_layer, b->n);
                p->image.n_layer = b->n;
        }
        for (size_t i = 0; i < b->n; i++) {
                struct lock_layer *l = &p->image.layer[i];
                const struct layer_encoding *enc = layer_fact_encoding(&b->v[i].fact, codec);
                l->of = b->v[i].of;
                l->key = b->v[i].fact.key;
                l->diff_id = b->v[i].fact.diff_id;
                if (b->v[i].from.n)
                        l->from = b->v[i].from;
                put_encoding(a, &l->encoding, &l->n_encoding, codec, &enc->digest, enc->size);
        }
}

static int mismatch(const char *what, const sha256 *locked, const sha256 *made, struct err *e)
{
        err_set(e, ERR_INTEGRITY, "the %s is not the locked one: made sha256:%s, locked sha256:%s", what,
                sha256_hex(made).s, sha256_hex(locked).s);
        err_hint(e, "the lock was edited, or a layer format changed: envbuild build without --locked writes it anew");
        return -(int)e->code;
}

/* The image half is a promise: what was made must be what it says. */
static int verify_image(const struct lock_platform *p, const struct built_layers *b, enum oci_codec codec,
                        const struct oci_desc *manifest, const sha256 *image_id, struct err *e)
{
        const struct lock_encoding *enc;

        if (!p->has_image)
                return 0;
        for (size_t i = 0; i < b->n && b->n == p->image.n_layer; i++)
                if (!sha256_eq(&p->image.layer[i].diff_id, &b->v[i].fact.diff_id))
                        return mismatch("layer", &p->image.layer[i].diff_id, &b->v[i].fact.diff_id, e);
        if (!sha256_eq(&p->image.image_id, image_id))
                return mismatch("image id", &p->image.image_id, image_id, e);
        enc = find_encoding(p->image.manifest, p->image.n_manifest, codec);
        return enc && !sha256_eq(&enc->digest, &manifest->digest)
                       ? mismatch("manifest", &enc->digest, &manifest->digest, e)
                       : 0;
}

/* --- one platform */

struct build {
        struct image_ctx *c;
        const struct image_request *r;
        const struct image_build_opts *o;
        struct arena *a;
        struct image_locked *l;
        struct image_built *ret;
        struct store_lease *lease;
        struct reuse *reuse;
        bool keep_lock; /* --locked, --frozen: the image half is never rewritten */
};

static int lease_layers(struct build *b, const struct lock_platform *p, const struct built_layers *layers,
                        struct err *e)
{
        sha256 *d = arena_array(b->a, sha256, layers->n + p->base.n_layer);
        size_t n = 0;

        for (size_t i = 0; i < p->base.n_layer; i++)
                d[n++] = p->base.layer[i].digest;
        for (size_t i = 0; i < layers->n; i++) {
                const struct layer_encoding *enc = layer_fact_encoding(&layers->v[i].fact, b->o->codec);
                if (enc)
                        d[n++] = enc->digest;
        }
        return store_lease_add(b->lease, d, n, e);
}

/* A package's file has done its work once its layer is in the store (design/store.md). */
static int drop_packages(struct build *b, const struct lock_platform *p, struct err *e)
{
        for (size_t i = 0; i < p->n_artifact && !b->reuse->settings->keep_packages; i++)
                if (store_drop(b->c->store, STORE_PACKAGE, &p->artifact[i].sha256, e) < 0)
                        return -(int)e->code;
        return 0;
}

static enum image_layer_how how_of(const struct build *b, const struct built_layer *y)
{
        const struct reuse_repo *target = b->reuse->target;
        struct reg_repo from;
        struct err none = { 0 };

        if (!y->from.n)
                return y->reused ? IMAGE_LOCAL : IMAGE_MAKE;
        if (!target || sv_eq(target->name, y->from) || reg_repo_parse(b->a, y->from, &from, &none) < 0) {
                err_done(&none);
                return IMAGE_REGISTRY;
        }
        return sv_eq(from.registry, target->repo.registry) ? IMAGE_MOUNT : IMAGE_REGISTRY;
}

static void view_layers(struct build *b, const struct built_layers *layers)
{
        struct image_layer_view *v = arena_array(b->a, struct image_layer_view, b->ret->n_layer + layers->n);

        for (size_t i = 0; i < b->ret->n_layer; i++)
                v[i] = b->ret->layer[i];
        for (size_t i = 0; i < layers->n; i++)
                v[b->ret->n_layer++] =
                        (struct image_layer_view){ layers->v[i].of, how_of(b, &layers->v[i]), layers->v[i].need };
        b->ret->layer = v;
}

/* What people would wonder about: an image is there, and its layers are not. */
static void tell_remote(struct build *b)
{
        const struct image_count *n = &b->ret->count;

        if (n->remote && !b->o->dry_run)
                op_say(b->c->op, OP_NOTE, "%zu of %zu layers stay where they are, in a registry", n->remote, n->layers);
}

static void count_layers(struct build *b, const struct built_layers *layers)
{
        b->ret->count.layers += layers->n;
        b->ret->count.reused += layers->reused;
        b->ret->count.fetched += layers->fetched;
        for (size_t i = 0; i < layers->n; i++)
                b->ret->count.remote += layers->v[i].from.n > 0;
}

/* Blobs that are elsewhere are as good as here: who needs one finds it by this note. */
static int note_origins(struct build *b, const struct built_layers *layers, struct err *e)
{
        for (size_t i = 0; i < layers->n; i++) {
                const struct layer_encoding *en = layer_fact_encoding(&layers->v[i].fact, b->o->codec);

                if (layers->v[i].from.n && en && store_origin_add(b->c->store, &en->digest, layers->v[i].from, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

/* A config that was not computed is the one of the image id; its layers must be those that the lock names. */
static bool has_layers(struct build *b, sv config, const struct lock_platform *p)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct oci_config c;
        bool same = oci_config_parse(b->a, config, "config", &c, &ignored) == 0 &&
                    c.n_diff_id == p->base.n_layer + p->image.n_layer;

        for (size_t i = 0; same && i < c.n_diff_id; i++)
                same = sha256_eq(&c.diff_id[i], i < p->base.n_layer ? &p->base.layer[i].diff_id
                                                                    : &p->image.layer[i - p->base.n_layer].diff_id);
        return same;
}

/* The image half alone: config and manifest are computed, and must be what it says. *ret_done false: layers have to be looked at. */
static int build_pinned(struct build *b, struct lock_platform *p, const struct oci_config *base, struct oci_desc *ret,
                        bool *ret_done, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        const struct lock_encoding *locked = find_encoding(p->image.manifest, p->image.n_manifest, b->o->codec);
        struct built_layers layers;
        struct err nowhere = { 0 };
        sha256 image_id;
        sv config;

        *ret_done = false;
        if (reuse_image(b->reuse, p, &layers, ret_done, e) < 0 || !*ret_done)
                return -(int)e->code;
        if (b->o->dry_run) {
                count_layers(b, &layers);
                view_layers(b, &layers);
                return 0;
        }
        *ret_done = false;
        assemble_config(b->l->lock, p, base, &layers, b->a, &text);
        config = arena_sv(b->a, buf_sv(&text));
        image_id = sha256_of(config);
        if (!sha256_eq(&image_id, &p->image.image_id) && reuse_config(b->reuse, p, b->a, &config, &nowhere) < 0)
                return nowhere.code == ERR_CANCELLED ? err_move(e, &nowhere) : (err_done(&nowhere), 0);
        if (!has_layers(b, config, p))
                return 0;
        if (buf_check(&text, e) < 0 || lease_layers(b, p, &layers, e) < 0 ||
            assemble_with(b->c, b->l->lock, p, &layers, b->o->codec, config, b->a, &image_id, ret, e) < 0)
                return -(int)e->code;
        if (locked && !sha256_eq(&locked->digest, &ret->digest))
                return 0;
        count_layers(b, &layers);
        b->ret->image_id = image_id;
        *ret_done = true;
        return 0;
}

static int build_layers(struct build *b, struct lock_platform *p, struct oci_desc *ret, struct err *e)
{
        sv dir = sv_dirname(b->l->path);
        struct built_layers layers = { 0 };
        struct oci_config base = { 0 };
        sha256 image_id;

        if (base_config(b->c, b->l->lock, p, dir, b->a, &base, e) < 0)
                return err_while(e, "reading the base");
        if (layers_build(b->reuse, b->l->lock, p, b->l->spec, dir, b->a, &layers, e) < 0)
                return -(int)e->code;
        count_layers(b, &layers);
        if (b->o->dry_run) {
                view_layers(b, &layers);
                return 0;
        }
        if (lease_layers(b, p, &layers, e) < 0 || note_origins(b, &layers, e) < 0 ||
            assemble(b->c, b->l->lock, p, &base, &layers, b->o->codec, b->a, &image_id, ret, e) < 0)
                return -(int)e->code;
        if (b->keep_lock && verify_image(p, &layers, b->o->codec, ret, &image_id, e) < 0)
                return -(int)e->code;
        keep_note(b->c, b->l->lock, p, b->o->codec, ret, &image_id);
        reuse_note_keep(b->c, &ret->digest, &layers, b->o->codec);
        fill_image(b->a, p, &layers, b->o->codec, ret,
                   &image_id); /* also when the file stays: the lock that hangs on the image pins it */
        b->l->changed = b->l->changed || !b->keep_lock;
        b->ret->image_id = image_id;
        return drop_packages(b, p, e);
}

static bool may_recall(const struct build *b)
{
        return !b->o->dry_run && !b->o->no_cache && !b->o->verify;
}

/* A lock that is ours to write is not left without its image half: that is what lets another machine fetch no package. Its layers are known,
 * so it costs little to go by way of them, once. */
static bool is_told(const struct build *b, const struct lock_platform *p)
{
        return b->keep_lock || (p->has_image && find_encoding(p->image.manifest, p->image.n_manifest, b->o->codec));
}

/* A rebase leaves what was known of the layers in the lock, and nothing of the image: that half is to be made. */
static bool has_layers_only(const struct lock_platform *p)
{
        return p->has_image && p->image.n_manifest == 0;
}

static int build_platform(struct build *b, struct lock_platform *p, struct oci_desc *ret, struct err *e)
{
        sv dir = sv_dirname(b->l->path);
        struct oci_config base = { 0 };
        bool done = false;

        if (may_recall(b) && is_told(b, p) &&
            find_built(b->c, b->l->lock, p, b->o->codec, b->a, ret, &b->ret->image_id)) {
                struct target t = { 0 };

                target_read(p->platform, &t); /* an index over several says for which each is */
                ret->os = SV("linux");
                ret->arch = t.arch;
                b->ret->count.layers += p->image.n_layer;
                b->ret->count.reused += p->image.n_layer;
                return 0;
        }
        reuse_platform(b->reuse, p);
        if (base_config(b->c, b->l->lock, p, dir, b->a, &base, e) < 0 ||
            (!b->o->dry_run && base_fetch(b->c, p, dir, e) < 0))
                return err_while(e, "reading the base");
        if (!has_layers_only(p) && build_pinned(b, p, &base, ret, &done, e) < 0)
                return -(int)e->code;
        return done ? 0 : build_layers(b, p, ret, e);
}

static int put_index(struct build *b, struct oci_desc *v, size_t n, struct oci_desc *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        struct oci_index x = { v, n };

        oci_index_write(&x, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        *ret = (struct oci_desc){ .media_type = SV(OCI_INDEX), .size = text.n };
        if (store_put_bytes(b->c->store, STORE_BLOB, buf_sv(&text), &ret->digest, e) < 0)
                return -(int)e->code;
        if (!b->keep_lock && n == b->l->lock->n_platform) {
                b->l->changed |= !b->l->lock->has_index || !sha256_eq(&b->l->lock->index, &ret->digest);
                b->l->lock->has_index = true;
                b->l->lock->index = ret->digest;
        }
        return 0;
}

static int local_name(struct build *b, struct err *e)
{
        sv text = b->o->tag.n ? b->o->tag : b->l->lock->name;
        struct reference r;
        const char *why = NULL;

        if (!reference_parse(b->a, text, true, &r, &why) || r.has_digest)
                return err_set(e, ERR_USAGE, "'%.*s' is not a name for an image: %s", SV_ARG(text),
                               why ? why : "a digest cannot be chosen");
        b->ret->name = reference_local_name(b->a, &r);
        return 0;
}

/* --platform: some of those that the lock is for. */
static bool is_wanted(const struct image_request *r, sv platform)
{
        for (size_t i = 0; i < r->n_platform; i++)
                if (sv_eq(r->platform[i], platform))
                        return true;
        return r->n_platform == 0;
}

static int check_platforms(const struct image_request *r, const struct lock *l, struct err *e)
{
        for (size_t i = 0; i < r->n_platform; i++) {
                if (lock_find_platform(l, r->platform[i]))
                        continue;
                err_set(e, ERR_USAGE, "the lock of '%.*s' has nothing for %.*s", SV_ARG(l->name),
                        SV_ARG(r->platform[i]));
                for (size_t k = 0; k < l->n_platform; k++)
                        err_hint(e, "it has %.*s", SV_ARG(l->platform[k].platform));
                return -(int)e->code;
        }
        return 0;
}

static int build_all(struct build *b, struct err *e)
{
        struct lock *l = b->l->lock;
        struct oci_desc *v = arena_array(b->a, struct oci_desc, l->n_platform), whole = { 0 };
        size_t n = 0;

        for (size_t i = 0; i < l->n_platform; i++) {
                if (!is_wanted(b->r, l->platform[i].platform))
                        continue;
                if (build_platform(b, &l->platform[i], &v[n++], e) < 0)
                        return l->n_platform > 1 ? err_while(e, "building for %.*s", SV_ARG(l->platform[i].platform))
                                                 : -(int)e->code;
        }
        if (b->o->dry_run)
                return 0;
        whole = v[0];
        if (n > 1 && put_index(b, v, n, &whole, e) < 0)
                return -(int)e->code;
        b->ret->digest = whole.digest;
        return image_name(b->c, b->ret->name, &whole, b->a, e);
}

int image_build(struct image_ctx *c, const struct image_request *r, const struct image_build_opts *o, struct arena *a,
                struct image_locked *l, struct image_built *ret, struct err *e)
{
        AUTO(store_lease_dropp) struct store_lease *lease = NULL;
        struct build b = {
                .c = c, .r = r, .o = o, .a = a, .l = l, .ret = ret, .keep_lock = r->locked || r->frozen || !l->spec
        };

        *ret = (struct image_built){ 0 };
        if (check_platforms(r, l->lock, e) < 0 || local_name(&b, e) < 0 || image_ctx_store(c, true, e) < 0 ||
            store_lease_take(c->store, &lease, e) < 0)
                return -(int)e->code;
        b.lease = lease;
        if (reuse_open(c, o, a, &b.reuse, e) < 0 || build_all(&b, e) < 0)
                return -(int)e->code;
        tell_remote(&b);
        return o->dry_run ? 0 : origin_keep(c, r, l, &ret->digest, e);
}
