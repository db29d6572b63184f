#include "lock/lock_priv.h"

static void check_codec(struct lock_read *r, const struct yaml *key)
{
        if (!sv_is(key->text, "gzip") && !sv_is(key->text, "zstd") && !sv_is(key->text, "none"))
                lock_fault(r, key, "EB121", "'%.*s' is no encoding: gzip, zstd or none", SV_ARG(key->text));
}

/* {gzip: {digest: …, size: …}} */
static void read_encodings(struct lock_read *r, const struct yaml *layer, struct lock_layer *ret)
{
        static const char *const known[] = { "digest", "size", NULL };
        const struct yaml *y = yaml_get(layer, "encodings");

        if (!y || !lock_is_map(r, y, "encodings", NULL))
                return;
        ret->encoding = arena_array(r->a, struct lock_encoding, y->n);
        for (size_t i = 0; i < y->n; i++) {
                struct lock_encoding *e = &ret->encoding[ret->n_encoding];
                check_codec(r, y->v[i].key);
                if (!lock_is_map(r, y->v[i].value, "an encoding", known))
                        continue;
                e->codec = y->v[i].key->text;
                lock_get_digest(r, y->v[i].value, "digest", true, &e->digest);
                lock_get_u64(r, y->v[i].value, "size", true, &e->size);
                ret->n_encoding++;
        }
}

/* {gzip: sha256:…} */
static void read_manifests(struct lock_read *r, const struct yaml *image, struct lock_image *ret)
{
        const struct yaml *y = yaml_get(image, "manifest");

        if (!y || !lock_is_map(r, y, "manifest", NULL))
                return;
        ret->manifest = arena_array(r->a, struct lock_encoding, y->n);
        for (size_t i = 0; i < y->n; i++) {
                struct lock_encoding *e = &ret->manifest[ret->n_manifest++];
                check_codec(r, y->v[i].key);
                e->codec = y->v[i].key->text;
                if (y->v[i].value->type != YAML_SCALAR || !sv_starts(y->v[i].value->text, SV("sha256:")) ||
                    !sha256_read(y->v[i].value->text, &e->digest))
                        lock_fault(r, y->v[i].value, "EB122", "'manifest' takes sha256: and 64 hexadecimal digits");
        }
}

static void read_layers(struct lock_read *r, const struct yaml *image, struct lock_image *ret)
{
        static const char *const known[] = { "of", "key", "diff_id", "from", "encodings", NULL };
        const struct yaml *seq = lock_get_seq(r, image, "layers");

        ret->layer = arena_array(r->a, struct lock_layer, seq->n);
        for (size_t i = 0; i < seq->n; i++) {
                const struct yaml *y = seq->v[i].value;
                struct lock_layer *layer = &ret->layer[ret->n_layer];
                if (!lock_is_map(r, y, "a layer", known))
                        continue;
                lock_get_text(r, y, "of", true, &layer->of);
                lock_check_clean(r, y, "of", layer->of);
                lock_get_hash(r, y, "key", true, &layer->key);
                lock_get_digest(r, y, "diff_id", true, &layer->diff_id);
                lock_get_text(r, y, "from", false, &layer->from);
                lock_check_clean(r, y, "from", layer->from);
                read_encodings(r, y, layer);
                ret->n_layer++;
        }
}

static struct lock_platform *platform_of(struct lock *l, sv name)
{
        for (size_t i = 0; i < l->n_platform; i++)
                if (sv_eq(l->platform[i].platform, name))
                        return &l->platform[i];
        return NULL;
}

void lock_read_image(struct lock_read *r, const struct yaml *y, struct lock *l)
{
        static const char *const known[] = { "layers", "image-id", "manifest", NULL };

        if (!lock_is_map(r, y, "image", NULL))
                return;
        l->has_index = yaml_get(y, "index");
        lock_get_digest(r, y, "index", false, &l->index);
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *key = y->v[i].key, *value = y->v[i].value;
                struct lock_platform *p = platform_of(l, key->text);
                if (sv_is(key->text, "index"))
                        continue;
                if (!p) {
                        lock_fault(r, key, "EB121", "'%.*s' is not among the platforms", SV_ARG(key->text));
                        continue;
                }
                if (!lock_is_map(r, value, "an image", known))
                        continue;
                p->has_image = true;
                read_layers(r, value, &p->image);
                lock_get_digest(r, value, "image-id", true, &p->image.image_id);
                read_manifests(r, value, &p->image);
        }
}
