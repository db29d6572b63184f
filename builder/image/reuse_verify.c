/* --verify: layers made again from their packages, and compared with what lock, store and repositories say of their keys. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/fetch.h"
#include "image/reuse_priv.h"

struct known { /* of a key whose layer is made again */
        sha256 key;
        struct layer_fact fact; /* of the lock or the store; without encodings: neither knows it */
        const char *who;
        sv from;
};

static int by_key(const void *a, const void *b)
{
        return sha256_cmp(a, b);
}

static void remember(struct reuse *r, const sha256 *key)
{
        const struct lock_layer *pin = map_get(&r->pin, reuse_key(key));
        AUTO(err_done) struct err none = { 0 };
        struct known *k = arena_new(r->arena, struct known);

        k->key = *key;
        if (pin) {
                k->who = "the lock";
                k->from = pin->from;
                k->fact.diff_id = pin->diff_id;
                for (size_t i = 0; i < pin->n_encoding; i++)
                        if (sv_is(pin->encoding[i].codec, oci_codec_name(r->o->codec)))
                                k->fact.encoding[k->fact.n_encoding++] =
                                        (struct layer_encoding){ r->o->codec, pin->encoding[i].digest,
                                                                 pin->encoding[i].size };
        } else if (layer_fact_get(r->c->store, key, &k->fact, &none) == 0 && k->fact.has_layer) {
                k->who = "the store";
        } else {
                k->fact = (struct layer_fact){ 0 };
        }
        map_put(&r->again, r->arena, reuse_key(&k->key), k);
}

int reuse_choose(struct reuse *r, const sha256 *key, size_t n, struct err *e)
{
        size_t take = r->o->verify_layers && r->o->verify_layers < n ? r->o->verify_layers : n;
        struct reuse_want *want = arena_array(r->arena, struct reuse_want, n);
        sha256 *v = arena_array(r->arena, sha256, n);

        r->again = (struct map){ 0 };
        if (!r->o->verify || n == 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                v[i] = key[i];
        qsort(v, n, sizeof(*v), by_key);
        for (size_t i = 0; i < take; i++) {
                remember(r, &v[i]);
                want[i] = (struct reuse_want){ v[i], false };
        }
        return reuse_look(r, want, take, e);
}

bool reuse_is_again(const struct reuse *r, const sha256 *key)
{
        return r && map_get(&r->again, reuse_key(key));
}

static int differs(const struct built_layer *b, const char *who, const sha256 *known, const sha256 *made,
                   const char *what, struct err *e)
{
        err_set(e, ERR_INTEGRITY, "the layer '%.*s' is not what %s says: %s made again is sha256:%s, not sha256:%s",
                SV_ARG(b->of), who, what, sha256_hex(made).s, sha256_hex(known).s);
        err_hint(e, "whoever wrote the other digest chose other bytes: do not run that image");
        return -(int)e->code;
}

/* Another compressor gives another digest of the same tar: then the bytes themselves are read. */
static int compare_bytes(struct reuse *r, const struct built_layer *b, const char *who, sv from,
                         const struct layer_encoding *known, const struct layer_encoding *made, struct err *e)
{
        struct oci_desc d = { .media_type = sv_from(oci_codec_type(known->codec)),
                              .digest = known->digest,
                              .size = known->size };
        struct err why = { 0 };
        int rc;

        if (sha256_eq(&known->digest, &made->digest))
                return known->size == made->size
                               ? 0
                               : err_set(e, ERR_INTEGRITY, "the layer '%.*s' has %llu bytes, not the %llu that %s says",
                                         SV_ARG(b->of), (unsigned long long)made->size, (unsigned long long)known->size,
                                         who);
        rc = image_blob_fetch(r->c, &d, from, b->of, &why);
        if (rc < 0 && (why.code == ERR_CANCELLED || why.code == ERR_IO))
                return err_move(e, &why);
        err_done(&why);
        if (rc == 0 && layer_encoding_check(r->c->store, known, &b->fact.diff_id, r->c->op, &why) == 0)
                return 0;
        err_done(&why);
        return differs(b, who, &known->digest, &made->digest, "its blob", e);
}

static int compare(struct reuse *r, const struct built_layer *b, const char *who, sv from, const sha256 *diff_id,
                   const struct layer_encoding *known, struct err *e)
{
        const struct layer_encoding *made = layer_fact_encoding(&b->fact, r->o->codec);

        if (!sha256_eq(diff_id, &b->fact.diff_id))
                return differs(b, who, diff_id, &b->fact.diff_id, "its tar", e);
        return known && made ? compare_bytes(r, b, who, from, known, made, e) : 0;
}

int reuse_verify(struct reuse *r, const struct built_layers *made, struct err *e)
{
        size_t n = 0;

        for (size_t i = 0; i < made->n; i++) {
                const struct built_layer *b = &made->v[i];
                const struct known *k = map_get(&r->again, reuse_key(&b->fact.key));
                const struct reuse_fact *f = map_get(&r->fact, reuse_key(&b->fact.key));

                if (!k)
                        continue;
                n++;
                if ((k->who && compare(r, b, k->who, k->from, &k->fact.diff_id,
                                       layer_fact_encoding(&k->fact, r->o->codec), e) < 0) ||
                    (f && compare(r, b, f->repo->name.p, f->repo->name, &f->doc.diff_id,
                                  fact_doc_encoding(&f->doc, r->o->codec), e) < 0))
                        return -(int)e->code;
        }
        if (n)
                op_say(r->c->op, OP_NOTE, "%zu of %zu layers made again, and found to be the same", n, made->n);
        return 0;
}
