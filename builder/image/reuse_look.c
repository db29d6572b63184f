/* Facts by key: every repository is asked for every key at once; then what the chosen facts need besides is read. */
#include "image/reuse_priv.h"

#include "base/cleanup.h"
#include "base/pool.h"

struct look { /* one key at one repository */
        struct reuse *r;
        struct reg_client *client;
        struct reuse_repo *repo;
        const sha256 *key;
        struct arena a; /* of the worker's answer */
        bool found;
        struct fact_doc doc;
};

static int run_look(void *arg, struct err *e)
{
        struct look *k = arg;
        const struct settings *s = k->r->settings;
        struct err why = { 0 };

        if (atomic_load(&k->repo->off))
                return 0;
        if (layer_remote_get(k->client, &k->repo->repo, k->key, s->trust, s->n_trust, &k->a, &k->doc, &why) == 0) {
                k->found = true;
                return 0;
        }
        if (why.code == ERR_INTEGRITY) { /* this document is of no use, others of the repository may be */
                op_say(k->r->c->op, OP_WARN, "%.*s: %s; it is passed over", SV_ARG(k->repo->name), why.cause);
                err_done(&why);
                return 0;
        }
        return reuse_failed(k->r, k->repo, &why, e);
}

static struct fact_doc copy_doc(struct arena *a, const struct fact_doc *d)
{
        struct fact_doc c = *d;

        c.member = arena_array(a, struct fact_member, d->n_member);
        for (size_t i = 0; i < d->n_member; i++)
                c.member[i] = d->member[i];
        c.text = arena_array(a, struct fact_blob, d->n_text);
        for (size_t i = 0; i < d->n_text; i++)
                c.text[i] = d->text[i];
        return c;
}

static int disagree(const struct reuse_fact *a, const struct look *b, struct err *e)
{
        err_set(e, ERR_INTEGRITY, "key %.12s is the layer sha256:%s at %.*s, but sha256:%s at %.*s",
                sha256_hex(b->key).s, sha256_hex(&a->doc.diff_id).s, SV_ARG(a->repo->name),
                sha256_hex(&b->doc.diff_id).s, SV_ARG(b->repo->name));
        err_hint(e, "one of them is wrong: envbuild build --no-cache makes the layer from its packages");
        return -(int)e->code;
}

/* The first repository that knows a key counts; another one may have the encoding that the first lacks. */
static int take(struct reuse *r, struct look *k, struct err *e)
{
        struct reuse_fact *f = map_get(&r->fact, reuse_key(k->key));

        if (!k->found)
                return 0;
        if (reuse_check(r, k->key, &k->doc.diff_id, k->repo->name.p, e) < 0)
                return -(int)e->code;
        if (f && !sha256_eq(&f->doc.diff_id, &k->doc.diff_id))
                return disagree(f, k, e);
        if (f && (fact_doc_encoding(&f->doc, r->o->codec) || !fact_doc_encoding(&k->doc, r->o->codec)))
                return 0;
        f = arena_new(r->arena, struct reuse_fact);
        *f = (struct reuse_fact){ copy_doc(r->arena, &k->doc), k->repo, false };
        map_put(&r->fact, r->arena, reuse_key(&f->doc.key), f);
        return 0;
}

static int run_all(struct reuse *r, struct pool_job *job, size_t n, struct err *e)
{
        struct op op = {
                .jobs = REUSE_JOBS
        }; /* who waits for the network needs no processor; the client watches the real one */

        return op_check(r->c->op, e) < 0 ? -(int)e->code : pool_run(&op, job, n, e);
}

static int ask(struct reuse *r, struct reg_client *client, const struct reuse_want *want, size_t n, struct err *e)
{
        size_t n_look = 0;
        struct look *look = arena_array(r->arena, struct look, n * r->n_facts);
        struct pool_job *job = arena_array(r->arena, struct pool_job, n * r->n_facts);
        int rc;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < r->n_repo; k++) {
                        if (!r->repo[k]->facts)
                                continue;
                        look[n_look] =
                                (struct look){ .r = r, .client = client, .repo = r->repo[k], .key = &want[i].key };
                        job[n_look] = (struct pool_job){ 0, run_look, &look[n_look] };
                        n_look++;
                }
        rc = run_all(r, job, n_look, e);
        for (size_t i = 0; i < n_look; i++) {
                if (rc == 0)
                        rc = take(r, &look[i], e);
                arena_done(&look[i].a);
        }
        return rc;
}

/* --- path lists and texts --- */

struct read_blob {
        struct reuse *r;
        struct reg_client *client;
        struct reuse_fact *fact;
        const struct fact_blob *blob;
        bool is_text;
        atomic_bool *bad; /* of its fact */
};

static int run_read(void *arg, struct err *e)
{
        struct read_blob *b = arg;
        struct reuse_repo *repo = b->fact->repo;
        struct store *s = b->r->c->store;
        struct err why = { 0 };
        int rc;

        rc = b->is_text ? layer_remote_text(b->client, &repo->repo, b->blob, s, &why)
                        : layer_remote_paths(b->client, &repo->repo, b->blob, s, &why);
        if (rc == 0)
                return 0;
        atomic_store(b->bad, true);
        if (why.code == ERR_CANCELLED || why.code == ERR_IO || why.code == ERR_LIMIT)
                return err_move(e, &why);
        op_say(b->r->c->op, OP_WARN, "%.*s: the fact of key %.12s cannot be used: %s", SV_ARG(repo->name),
               sha256_hex(&b->fact->doc.key).s, why.cause);
        err_done(&why);
        return 0;
}

/* A bucket's own list is for who joins it again; the members' are what the last layer is made from. */
static void add_reads(struct reuse_fact *f, struct read_blob as, struct read_blob *v, size_t *n)
{
        const struct fact_doc *d = &f->doc;

        as.fact = f;
        for (size_t i = 0; i < (d->n_member ? d->n_member : 1); i++) {
                as.blob = d->n_member ? &d->member[i].paths : &d->paths;
                v[(*n)++] = as;
        }
        as.is_text = true;
        for (size_t i = 0; i < d->n_text; i++) {
                as.blob = &d->text[i];
                v[(*n)++] = as;
        }
}

static int read_lists(struct reuse *r, struct reg_client *client, const struct reuse_want *want, size_t n,
                      struct err *e)
{
        struct read_blob *v;
        struct pool_job *job;
        atomic_bool *bad = arena_array(r->arena, atomic_bool, n);
        size_t total = 0, n_read = 0;
        struct reuse_fact *f;

        for (size_t i = 0; i < n; i++)
                if (want[i].lists && (f = map_get(&r->fact, reuse_key(&want[i].key))))
                        total += 1 + f->doc.n_member + f->doc.n_text;
        v = arena_array(r->arena, struct read_blob, total);
        job = arena_array(r->arena, struct pool_job, total);
        for (size_t i = 0; i < n; i++)
                if (want[i].lists && (f = map_get(&r->fact, reuse_key(&want[i].key))) && !f->listed)
                        add_reads(f, (struct read_blob){ .r = r, .client = client, .bad = &bad[i] }, v, &n_read);
        for (size_t i = 0; i < n_read; i++)
                job[i] = (struct pool_job){ v[i].blob->size, run_read, &v[i] };
        if (n_read && run_all(r, job, n_read, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (want[i].lists && (f = map_get(&r->fact, reuse_key(&want[i].key))))
                        f->listed = f->listed || !atomic_load(&bad[i]);
        return 0;
}

int reuse_look(struct reuse *r, const struct reuse_want *want, size_t n, struct err *e)
{
        struct reg_client *client;

        if (n == 0 || r->n_facts == 0 || reuse_anew(r) || r->c->offline)
                return 0;
        if (image_ctx_registry(r->c, &client, e) < 0 || ask(r, client, want, n, e) < 0)
                return -(int)e->code;
        return read_lists(r, client, want, n, e);
}

const struct reuse_fact *reuse_get(const struct reuse *r, const sha256 *key, enum oci_codec codec, bool lists)
{
        const struct reuse_fact *f = r ? map_get(&r->fact, reuse_key(key)) : NULL;

        return f && fact_doc_encoding(&f->doc, codec) && (f->listed || !lists) ? f : NULL;
}
