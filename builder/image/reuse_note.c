/* images/<manifest>: what this store can vouch for of an image that was built here, a line a layer: its key and its fact as a registry would
 * hold it. A push publishes it, when the build that made it is long over. */
#include "image/reuse_priv.h"

#include "base/cleanup.h"

#define NOTE_MAX ((size_t)64 << 20)

/* What readers would refuse is not said. */
static bool is_within_limits(const struct fact_doc *d)
{
        bool ok = d->paths.size <= FACT_PATHS_MAX && d->n_text <= FACT_TEXTS_MAX &&
                  d->n_member + FACT_TEXTS_MAX < FACT_BLOBS_MAX;

        for (size_t i = 0; i < d->n_member && ok; i++)
                ok = d->member[i].paths.size <= FACT_PATHS_MAX;
        for (size_t i = 0; i < d->n_text && ok; i++)
                ok = d->text[i].size <= FACT_TEXT_MAX;
        return ok;
}

static bool doc_of(struct image_ctx *c, const struct built_layer *b, enum oci_codec codec, struct fact_doc *ret)
{
        const struct layer_encoding *en = layer_fact_encoding(&b->fact, codec);

        *ret = (struct fact_doc){ .key = b->fact.key,
                                  .diff_id = b->fact.diff_id,
                                  .n_encoding = 1,
                                  .paths = { .digest = b->fact.paths },
                                  .member = (struct fact_member *)b->member,
                                  .n_member = b->n_member,
                                  .text = b->text,
                                  .n_text = b->n_text };
        if (!en || !store_has(c->store, STORE_BLOB, &b->fact.paths, &ret->paths.size))
                return false;
        ret->encoding[0] = *en;
        return is_within_limits(ret);
}

/* Layer env costs nothing to make: nobody looks for it. */
static bool is_worth(const struct built_layer *b)
{
        return !sv_starts(b->of, SV("env "));
}

void reuse_note_keep(struct image_ctx *c, const sha256 *manifest, const struct built_layers *layers,
                     enum oci_codec codec)
{
        AUTO(err_done) struct err ignored = { 0 }; /* only saves work */
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(NOTE_MAX);

        for (size_t i = 0; i < layers->n; i++) {
                struct reg_artifact art;
                struct fact_doc d;

                if (!is_worth(&layers->v[i]))
                        continue;
                if (!doc_of(c, &layers->v[i], codec, &d)) {
                        buf_add(&text, SV("\n")); /* a layer that others know of */
                        continue;
                }
                fact_doc_artifact(&d, &a, &art);
                buf_fmt(&text, "%s ", sha256_hex(&d.key).s);
                reg_artifact_write(&art, &text);
                buf_byte(&text, '\n');
        }
        if (buf_check(&text, &ignored) == 0)
                store_note_put(c->store, STORE_IMAGE, manifest, buf_sv(&text), &ignored);
}

int reuse_note_read(struct store *s, const sha256 *manifest, struct arena *a, struct fact_doc **ret, size_t *ret_n,
                    size_t *ret_unknown, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(NOTE_MAX);
        struct fact_doc *v = NULL;
        size_t n = 0, cap = 0;
        sv rest, line, head;
        sha256 key;

        *ret_unknown = 0;
        if (store_note_get(s, STORE_IMAGE, manifest, &text, e) < 0)
                return -(int)e->code;
        rest = arena_sv(a, buf_sv(&text));
        while (sv_line(&rest, &line)) {
                if (!line.n) {
                        *ret_unknown += 1;
                        continue;
                }
                if (!sv_cut(&line, ' ', &head) || head.n != 64 || !sha256_read(head, &key))
                        return err_set(e, ERR_INTEGRITY, "what the store notes of an image is damaged");
                if (fact_doc_parse(a, line, &key, arena_push(a, v, n, cap), e) < 0)
                        return -(int)e->code;
        }
        *ret = v;
        *ret_n = n;
        return 0;
}
