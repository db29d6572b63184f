#include "image/reuse.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "image/reuse_priv.h"

struct publishing {
        struct image_ctx *c;
        struct reg_client *client;
        struct layer_remote_put how;
        sv name; /* of the repository */
        atomic_bool off;
        atomic_size_t written, present, unknown;
};
struct publish_job {
        struct publishing *x;
        const struct fact_doc *doc;
};

/* Facts only save work: whoever cannot write them has pushed all the same. */
static int failed(struct publishing *x, struct err *why, struct err *e)
{
        if (why->code == ERR_CANCELLED || why->code == ERR_INTEGRITY)
                return err_move(e, why);
        if (!atomic_exchange(&x->off, true))
                op_say(x->c->op, OP_WARN, "facts about the layers cannot be kept in %.*s: %s", SV_ARG(x->name),
                       why->cause);
        err_done(why);
        return 0;
}

static int run_publish(void *arg, struct err *e)
{
        struct publish_job *j = arg;
        struct err why = { 0 };
        bool written;

        if (atomic_load(&j->x->off))
                return 0;
        if (layer_remote_put(j->x->client, &j->x->how, j->doc, &written, &why) == 0) {
                atomic_fetch_add(written ? &j->x->written : &j->x->present, 1);
                return 0;
        }
        if (why.code == ERR_NOT_FOUND) { /* a path list that only the repository it came from has */
                op_say(j->x->c->op, OP_NOTE, "%.*s: nothing is said of key %.12s: %s", SV_ARG(j->x->name),
                       sha256_hex(&j->doc->key).s, why.cause);
                err_done(&why);
                atomic_fetch_add(&j->x->unknown, 1);
                return 0;
        }
        return failed(j->x, &why, e);
}

/* The first one alone: all have the empty config, and docker-registry 2.8 loses sight of a blob for a moment while two send it. */
static int publish_docs(struct publishing *x, const struct fact_doc *doc, size_t n, struct arena *a, struct err *e)
{
        struct publish_job *v = arena_array(a, struct publish_job, n);
        struct pool_job *job = arena_array(a, struct pool_job, n);
        struct op op = { .jobs = REUSE_JOBS };

        for (size_t i = 0; i < n; i++) {
                v[i] = (struct publish_job){ x, &doc[i] };
                job[i] = (struct pool_job){ 0, run_publish, &v[i] };
        }
        return n && job[0].run(job[0].arg, e) < 0 ? -(int)e->code : pool_run(&op, job + (n > 0), n - (n > 0), e);
}

static int signing_key(const struct settings *s, struct ed25519_key **ret, struct err *e)
{
        AUTO(buf_done) struct buf pem = BUF_INIT((size_t)64 << 10);
        int r;

        if (!s->sign.n)
                return 0;
        r = fs_read(s->sign.p, &pem, e) < 0 ? -(int)e->code : ed25519_key_read(buf_sv(&pem), ret, e);
        if (pem.p)
                explicit_bzero(pem.p, pem.cap);
        return r < 0 ? err_while(e, "reading the key '%.*s' of cache.sign", SV_ARG(s->sign)) : 0;
}

int reuse_ready(struct image_ctx *c, struct err *e)
{
        AUTO(ed25519_key_freep) struct ed25519_key *key = NULL;
        const struct settings *s;

        return image_ctx_settings(c, &s, e) < 0 ? -(int)e->code : signing_key(s, &key, e);
}

static int publish_manifest(struct publishing *x, const sha256 *manifest, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct err missing = { 0 };
        struct fact_doc *doc;
        size_t n, unknown;

        if (reuse_note_read(x->c->store, manifest, &a, &doc, &n, &unknown, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND && missing.code != ERR_INTEGRITY)
                        return err_move(e, &missing);
                err_done(&missing); /* the image was not built here */
                return 0;
        }
        atomic_fetch_add(&x->unknown, unknown);
        return publish_docs(x, doc, n, &a, e);
}

/* Of an index the images that are here. */
static int publish_image(struct publishing *x, const sha256 *image, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        struct oci_index index;

        if (store_read(x->c->store, STORE_BLOB, image, &b, e) < 0)
                return -(int)e->code;
        if (!oci_is_index(&a, buf_sv(&b)))
                return publish_manifest(x, image, e);
        if (oci_index_parse(&a, buf_sv(&b), "index", &index, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < index.n; i++)
                if (publish_manifest(x, &index.v[i].digest, e) < 0)
                        return -(int)e->code;
        return 0;
}

/* A push that had nothing to send need not ask for every fact either, once they were all there. */
static sha256 mark_of(const struct publishing *x, const sha256 *image)
{
        AUTO(arena_done) struct arena a = { 0 };

        return sha256_of(arena_fmt(&a, "facts of %s in %.*s", sha256_hex(image).s, SV_ARG(x->name)));
}

static bool is_marked(const struct publishing *x, const sha256 *mark)
{
        AUTO(buf_done) struct buf b = BUF_INIT(256);
        AUTO(err_done) struct err none = { 0 };

        return store_note_get(x->c->store, STORE_IMAGE, mark, &b, &none) == 0;
}

int reuse_publish(struct image_ctx *c, const struct reuse_publish *p, struct reuse_published *ret, struct err *e)
{
        AUTO(ed25519_key_freep) struct ed25519_key *key = NULL;
        AUTO(arena_done) struct arena a = { 0 };
        struct publishing x = { .c = c };
        struct reg_repo own = { p->target.registry, arena_fmt(&a, "%.*s-layers", SV_ARG(p->target.repository)) };
        const struct settings *s;
        sha256 mark;
        bool near;

        *ret = (struct reuse_published){ 0 };
        x.how.into = p->into ? p->into : &own;
        near = sv_eq(x.how.into->registry, p->target.registry);
        x.how.from = near ? &p->target : NULL;
        x.name = reg_repo_text(&a, x.how.into);
        if (image_ctx_settings(c, &s, e) < 0 || image_ctx_store(c, true, e) < 0 ||
            image_ctx_registry(c, &x.client, e) < 0 || signing_key(s, &key, e) < 0)
                return -(int)e->code;
        x.how.store = c->store;
        x.how.sign = key;
        x.how.trust = s->trust;
        x.how.n_trust = s->n_trust;
        mark = mark_of(&x, &p->image);
        if (p->only_once && is_marked(&x, &mark))
                return 0;
        if (publish_image(&x, &p->image, e) < 0)
                return err_while(e, "publishing facts about the layers in %.*s", SV_ARG(x.name));
        if (!atomic_load(&x.off) && atomic_load(&x.present) + atomic_load(&x.written) > 0 &&
            store_note_put(c->store, STORE_IMAGE, &mark, SV("published\n"), e) < 0)
                return -(int)e->code;
        ret->present = atomic_load(&x.present);
        ret->written = atomic_load(&x.written);
        ret->unknown = atomic_load(&x.unknown);
        return 0;
}
