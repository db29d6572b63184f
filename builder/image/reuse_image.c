/* The lock's image half alone: it pins every layer by digest, so a layer need not be here, only somewhere. One question for the whole image,
 * else one for each layer; no package, no path list. */
#include "image/fetch.h"
#include "image/reuse_priv.h"

#include "base/cleanup.h"
#include "base/pool.h"

struct seek { /* one layer that is not here */
        struct reuse *r;
        struct reg_client *client;
        struct built_layer *layer;
        const struct reuse_repo *first; /* what the lock names, or NULL */
};

static const struct lock_encoding *encoding_of(const struct lock_encoding *v, size_t n, enum oci_codec codec)
{
        for (size_t i = 0; i < n; i++)
                if (sv_is(v[i].codec, oci_codec_name(codec)))
                        return &v[i];
        return NULL;
}

/* False: the lock does not know this encoding. */
static bool pinned(struct reuse *r, const struct lock_image *g, struct built_layers *ret)
{
        *ret = (struct built_layers){ .v = arena_array(r->arena, struct built_layer, g->n_layer), .cap = g->n_layer };
        for (; ret->n < g->n_layer; ret->n++) {
                const struct lock_layer *y = &g->layer[ret->n];
                const struct lock_encoding *en = encoding_of(y->encoding, y->n_encoding, r->o->codec);

                if (!en)
                        return false;
                ret->v[ret->n] = (struct built_layer){
                        .of = y->of,
                        .fact = { .key = y->key,
                                  .has_layer = true,
                                  .diff_id = y->diff_id,
                                  .encoding = { { r->o->codec, en->digest, en->size } },
                                  .n_encoding = 1 },
                        .reused = true,
                };
        }
        return true;
}

static bool is_here(struct reuse *r, const struct built_layer *b)
{
        return image_blob_known(r->c, &b->fact.encoding[0].digest);
}

/* 1: it has it. 0: not, or it cannot be asked. */
static int has_blob(struct seek *s, struct reuse_repo *repo, struct err *e)
{
        const struct layer_encoding *en = &s->layer->fact.encoding[0];
        struct err why = { 0 };
        uint64_t size;

        if (atomic_load(&repo->off))
                return 0;
        if (reg_blob_head(s->client, &repo->repo, &en->digest, &size, &why) < 0)
                return reuse_failed(s->r, repo, &why, e);
        return size == en->size;
}

static int run_seek(void *arg, struct err *e)
{
        struct seek *s = arg;
        int found = 0;

        for (size_t turn = 0; turn < 2 && found == 0; turn++) /* what the lock names, then all others */
                for (size_t i = 0; i < s->r->n_repo && found == 0; i++) {
                        struct reuse_repo *repo = s->r->repo[i];

                        if ((turn == 0) != (repo == s->first || repo == s->r->target))
                                continue;
                        found = has_blob(s, repo, e);
                        if (found == 1)
                                s->layer->from = repo->name;
                }
        return found < 0 ? found : 0;
}

/* The manifest is in the target repository: then all of it is. */
static int seek_whole(struct reuse *r, struct reg_client *client, const struct lock_image *g, bool *ret, struct err *e)
{
        const struct lock_encoding *m = encoding_of(g->manifest, g->n_manifest, r->o->codec);
        struct reuse_repo *repo = r->target ? reuse_repo(r, r->target->name) : NULL;
        AUTO(arena_done) struct arena a = { 0 };
        struct err why = { 0 };
        struct oci_desc d;

        *ret = false;
        if (!m || !repo || atomic_load(&repo->off))
                return 0;
        if (reg_manifest_head(client, &repo->repo, arena_fmt(&a, "sha256:%s", sha256_hex(&m->digest).s), &a, &d, &why) <
            0)
                return reuse_failed(r, repo, &why, e);
        *ret = sha256_eq(&d.digest, &m->digest);
        return 0;
}

static int seek_each(struct reuse *r, struct reg_client *client, const struct lock_image *g, struct built_layers *b,
                     struct err *e)
{
        struct seek *v = arena_array(r->arena, struct seek, b->n);
        struct pool_job *job = arena_array(r->arena, struct pool_job, b->n);
        struct op op = { .jobs = REUSE_JOBS };
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                if (is_here(r, &b->v[i]))
                        continue;
                v[n] = (struct seek){ r, client, &b->v[i],
                                      g->layer[i].from.n ? reuse_repo(r, g->layer[i].from) : NULL };
                job[n] = (struct pool_job){ 0, run_seek, &v[n] };
                n++;
        }
        return pool_run(&op, job, n, e);
}

static int seek(struct reuse *r, const struct lock_image *g, struct built_layers *b, struct err *e)
{
        struct reg_client *client;
        bool whole;

        if (r->c->offline)
                return 0;
        for (size_t i = 0; i < g->n_layer; i++)
                if (g->layer[i].from.n)
                        reuse_repo(r, g->layer[i].from);
        if (r->n_repo == 0)
                return 0;
        if (image_ctx_registry(r->c, &client, e) < 0 || seek_whole(r, client, g, &whole, e) < 0)
                return -(int)e->code;
        if (!whole)
                return seek_each(r, client, g, b, e);
        for (size_t i = 0; i < b->n; i++)
                if (!is_here(r, &b->v[i]))
                        b->v[i].from = r->target->name;
        return 0;
}

static int note(struct reuse *r, struct built_layers *b, bool *ret_ok, struct err *e)
{
        for (size_t i = 0; i < b->n; i++) {
                const struct built_layer *x = &b->v[i];

                if (!x->from.n && !is_here(r, x))
                        return 0;
        }
        for (size_t i = 0; i < b->n; i++)
                if (b->v[i].from.n && !r->o->dry_run &&
                    store_origin_add(r->c->store, &b->v[i].fact.encoding[0].digest, b->v[i].from, e) < 0)
                        return -(int)e->code;
        b->reused = b->n;
        *ret_ok = true;
        return 0;
}

int reuse_image(struct reuse *r, const struct lock_platform *p, struct built_layers *ret, bool *ret_ok, struct err *e)
{
        bool all = true;

        *ret_ok = false;
        if (!p->has_image || reuse_anew(r) || r->o->verify || !pinned(r, &p->image, ret))
                return 0;
        for (size_t i = 0; i < ret->n && all; i++)
                all = is_here(r, &ret->v[i]);
        if (!all && seek(r, &p->image, ret, e) < 0)
                return err_while(e, "looking for the locked layers");
        return note(r, ret, ret_ok, e);
}

/* --- the config, where it cannot be computed: a conda package's activation scripts shape it */

static int config_from(struct reuse *r, struct reg_client *client, struct reuse_repo *repo, const struct oci_desc *d,
                       struct arena *a, sv *ret, struct err *e)
{
        struct err why = { 0 };

        if (atomic_load(&repo->off))
                return 0;
        if (reg_blob_read(client, &repo->repo, d, OCI_DOC_MAX, a, ret, &why) < 0)
                return reuse_failed(r, repo, &why, e);
        return 1;
}

int reuse_config(struct reuse *r, const struct lock_platform *p, struct arena *a, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        struct oci_desc d = { .media_type = SV(OCI_CONFIG), .digest = p->image.image_id };
        struct reg_client *client;
        struct err missing = { 0 };
        int found = 0;

        if (store_read(r->c->store, STORE_BLOB, &d.digest, &b, &missing) == 0) {
                *ret = arena_sv(a, buf_sv(&b));
                return 0;
        }
        err_done(&missing);
        if (!r->c->offline && r->n_repo && image_ctx_registry(r->c, &client, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < r->n_repo && found == 0 && !r->c->offline; i++)
                found = config_from(r, client, r->repo[i], &d, a, ret, e);
        if (found == 0)
                return err_set(e, ERR_NOT_FOUND, "the config sha256:%s is nowhere", sha256_hex(&d.digest).s);
        return found < 0 ? found : 0;
}
