#include "image/fetch.h"

#include "base/cleanup.h"
#include "base/pool.h"
#include "registry/blob.h"

#define FETCHES  6 /* at once: what bounds a download is the wire, not the processors */
#define NEST_MAX 8

bool image_blob_known(struct image_ctx *c, const sha256 *d)
{
        AUTO(arena_done) struct arena a = { 0 };
        size_t n = 0;
        sv *v;

        if (store_has(c->store, STORE_BLOB, d, NULL))
                return true;
        store_origin_list(c->store, d, &a, &v, &n);
        return n > 0;
}

/* --- names: where what is missing can be had */

struct sources {
        struct image_ctx *c;
        struct arena *a;
        struct buf text; /* "REPO REPO" */
};

static bool has_word(sv text, sv word)
{
        sv one;

        while (sv_cut(&text, ' ', &one))
                if (sv_eq(one, word))
                        return true;
        return false;
}

/* One repository a blob is enough; one that is named already is preferred. */
static bool add_missing(struct sources *s, const sha256 *d)
{
        size_t n = 0;
        sv *v;

        if (store_has(s->c->store, STORE_BLOB, d, NULL))
                return false;
        store_origin_list(s->c->store, d, s->a, &v, &n);
        for (size_t i = 0; i < n; i++)
                if (has_word(buf_sv(&s->text), v[i]))
                        return true;
        if (n)
                buf_fmt(&s->text, "%s%.*s", s->text.n ? " " : "", SV_ARG(v[0]));
        return true;
}

static void add_document(struct sources *s, const sha256 *d, int depth)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        AUTO(err_done) struct err ignored = { 0 }; /* what cannot be read names nothing */
        struct oci_manifest m;
        struct oci_index x;
        sv text;

        if (add_missing(s, d) || depth == NEST_MAX || store_read(s->c->store, STORE_BLOB, d, &b, &ignored) < 0)
                return;
        text = arena_sv(s->a, buf_sv(&b));
        if (oci_is_index(s->a, text)) {
                if (oci_index_parse(s->a, text, "index", &x, &ignored) < 0)
                        return;
                for (size_t i = 0; i < x.n; i++)
                        if (oci_index_is_image(&x.v[i]))
                                add_document(s, &x.v[i].digest, depth + 1);
                return;
        }
        if (oci_manifest_parse(s->a, text, "manifest", &m, &ignored) < 0)
                return;
        add_missing(s, &m.config.digest);
        for (size_t i = 0; i < m.n_layer; i++)
                add_missing(s, &m.layer[i].digest);
}

int image_name(struct image_ctx *c, sv name, const struct oci_desc *d, struct arena *a, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct sources s = { .c = c, .a = a, .text = BUF_INIT((size_t)32 << 10) };
        struct store_ref have;
        int r = 0;

        add_document(&s, &d->digest, 0);
        if (store_ref_get(c->store, a, name, &have, &ignored) < 0 || !sha256_eq(&have.desc.digest, &d->digest) ||
            !sv_eq(have.from, buf_sv(&s.text)))
                r = store_ref_put(c->store, name, d, buf_sv(&s.text), e);
        buf_done(&s.text);
        return r;
}

/* --- one blob */

struct attempt {
        struct image_ctx *c;
        const struct oci_desc *d;
        sv subject;
        sv *repo; /* that may have it, the likeliest first */
        size_t n_repo, cap_repo;
        struct err why; /* what the first source said: it was named as the one that has it */
};

typedef int get_fn(const struct attempt *t, sv where, struct writer *w, struct arena *a, struct err *e);

static int from_repo(const struct attempt *t, sv where, struct writer *w, struct arena *a, struct err *e)
{
        struct reg_repo repo;

        return reg_repo_parse(a, where, &repo, e) < 0
                       ? -(int)e->code
                       : reg_blob_get(t->c->reg, &repo, t->d, t->d->size, w, t->subject, e);
}

/* Whoever wrote the manifest chose the address: it may lead where the image's registry may send us, and no login of ours goes along. */
static int from_url(const struct attempt *t, sv where, struct writer *w, struct arena *a, struct err *e)
{
        struct reg_request r = { .actions = REG_PULL,
                                 .path = where,
                                 .into = w,
                                 .max_body = t->d->size,
                                 .keep_partial = true,
                                 .subject = t->subject,
                                 .expect = t->d->size };
        struct net_answer ans;

        if (sv_find_sv(where, SV("://")) < 0 || t->n_repo == 0)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' is no address that we go to", SV_ARG(where));
        if (reg_repo_parse(a, t->repo[0], &r.repo, e) < 0 || reg_do(t->c->reg, &r, a, &ans, e) < 0)
                return -(int)e->code;
        return ans.status == 200 ? 0 : reg_status_err(t->c->reg, &r, &ans, "fetching a foreign layer", e);
}

static int put_once(const struct attempt *t, get_fn *get, sv where, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(arena_done) struct arena a = { 0 };
        struct writer *w;

        if (store_put_begin(t->c->store, STORE_BLOB, &put, &w, e) < 0 || get(t, where, w, &a, e) < 0 ||
            store_put_commit(&put, &t->d->digest, e) < 0)
                return -(int)e->code;
        return put.hash.size == t->d->size
                       ? 0
                       : err_set(e, ERR_INTEGRITY, "the manifest says it has %llu bytes, it has %llu",
                                 (unsigned long long)t->d->size, (unsigned long long)put.hash.size);
}

/* Wrong bytes are asked for once more: a bit that turned over on the way does not turn over again. */
static int put_blob(const struct attempt *t, get_fn *get, sv where, struct err *e)
{
        struct err wrong = { 0 };

        if (put_once(t, get, where, &wrong) == 0)
                return 0;
        if (wrong.code != ERR_INTEGRITY)
                return err_move(e, &wrong);
        err_done(&wrong);
        if (put_once(t, get, where, e) == 0)
                return 0;
        if (e->code == ERR_INTEGRITY)
                err_hint(e, "that copy is damaged, or something between here and there changes it");
        return -(int)e->code;
}

/* The next source may have it, unless it is us who cannot go on. */
static bool is_theirs(enum err_code code)
{
        return code == ERR_NOT_FOUND || code == ERR_NET || code == ERR_AUTH || code == ERR_INTEGRITY ||
               code == ERR_LIMIT || code == ERR_USAGE;
}

/* True: it is here now, or there is no point in asking further. */
static bool try_one(struct attempt *t, get_fn *get, sv where)
{
        struct err one = { 0 };
        bool ours;

        if (put_blob(t, get, where, &one) == 0) {
                err_done(&t->why);
                if (get == from_repo)
                        store_origin_add(t->c->store, &t->d->digest, where, &one); /* only saves work */
                err_done(&one);
                return true;
        }
        err_while(&one, "fetching %.*s from %.*s", SV_ARG(t->subject), SV_ARG(where));
        ours = !is_theirs(one.code);
        if (ours || t->why.code == ERR_NONE)
                err_move(&t->why, &one);
        err_done(&one);
        return ours;
}

static bool try_all(struct attempt *t, get_fn *get, const sv *where, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (try_one(t, get, where[i]))
                        return true;
        return false;
}

/* Those of its record, then those of the image's ref. */
static void find_repos(struct attempt *t, sv from, struct arena *a)
{
        sv one;

        store_origin_list(t->c->store, &t->d->digest, a, &t->repo, &t->n_repo);
        t->cap_repo = t->n_repo;
        while (sv_cut(&from, ' ', &one)) {
                bool known = one.n == 0;
                for (size_t i = 0; i < t->n_repo && !known; i++)
                        known = sv_eq(t->repo[i], one);
                if (!known)
                        *arena_push(a, t->repo, t->n_repo, t->cap_repo) = one;
        }
}

int image_blob_fetch(struct image_ctx *c, const struct oci_desc *d, sv from, sv subject, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct attempt t = { .c = c, .d = d, .subject = subject };
        bool done;

        if (store_has(c->store, STORE_BLOB, &d->digest, NULL))
                return 0;
        find_repos(&t, from, &a);
        if (oci_layer_foreign(d->media_type))
                done = try_all(&t, from_url, d->url, d->n_url) || try_all(&t, from_repo, t.repo, t.n_repo);
        else
                done = try_all(&t, from_repo, t.repo, t.n_repo) || try_all(&t, from_url, d->url, d->n_url);
        if (t.why.code != ERR_NONE)
                return err_move(e, &t.why);
        if (done)
                return 0;
        err_set(e, ERR_NOT_FOUND, "%.*s (sha256:%s) is not in the store, and nothing says where it is", SV_ARG(subject),
                sha256_hex(&d->digest).s);
        err_hint(e, "build or pull the image again");
        return -(int)e->code;
}

/* --- many */

struct job {
        struct image_ctx *c;
        const struct oci_desc *d;
        sv from, subject;
};

/* Two processes that want the same share one download. */
static int run_job(void *arg, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        struct job *j = arg;
        int r = op_check(j->c->op, e);

        if (r == 0)
                r = store_claim_take(j->c->store, &j->d->digest, &claim, e);
        return r == 0 ? image_blob_fetch(j->c, j->d, j->from, j->subject, e) : r;
}

static int missing_offline(const struct job *job, size_t n, sv what, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)16 << 10);

        for (size_t i = 0; i < n; i++)
                buf_fmt(&b, "%ssha256:%s (%llu bytes)", i ? ", " : "", sha256_hex(&job[i].d->digest).s,
                        (unsigned long long)job[i].d->size);
        err_set(e, ERR_OFFLINE, "%zu layer%s of '%.*s' %s not in the store: %.*s", n, n == 1 ? "" : "s", SV_ARG(what),
                n == 1 ? "is" : "are", SV_ARG(buf_sv(&b)));
        err_hint(e, "without --offline it is fetched once");
        return -(int)e->code;
}

static bool listed(const struct job *job, size_t n, const sha256 *d)
{
        for (size_t i = 0; i < n; i++)
                if (sha256_eq(&job[i].d->digest, d))
                        return true;
        return false;
}

int image_layers_fetch(struct image_ctx *c, const struct oci_desc *layer, size_t n, sv from, sv what,
                       uint64_t *ret_bytes, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct job *job = arena_array(&a, struct job, n);
        struct pool_job *pool = arena_array(&a, struct pool_job, n);
        struct op many = { .jobs = FETCHES }; /* a job asks the real one whether to go on */
        struct reg_client *reg;
        uint64_t bytes = 0;
        size_t k = 0;

        for (size_t i = 0; i < n; i++) {
                if (listed(job, k, &layer[i].digest) || store_has(c->store, STORE_BLOB, &layer[i].digest, NULL))
                        continue;
                job[k] = (struct job){ c, &layer[i], from,
                                       arena_fmt(&a, "layer %zu/%zu of %.*s", i + 1, n, SV_ARG(what)) };
                pool[k] = (struct pool_job){ layer[i].size, run_job, &job[k] };
                bytes += layer[i].size;
                k++;
        }
        if (k == 0)
                return 0;
        if (c->offline)
                return missing_offline(job, k, what, e);
        if (image_ctx_registry(c, &reg, e) < 0 || pool_run(&many, pool, k, e) < 0)
                return -(int)e->code;
        if (ret_bytes)
                *ret_bytes += bytes;
        return 0;
}

int image_fetch(struct image_ctx *c, const struct image_view *v, struct arena *a, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct store_ref *ref = NULL;
        size_t n = 0;

        if (image_ctx_store(c, true, e) < 0 ||
            image_layers_fetch(c, v->manifest.layer, v->manifest.n_layer, v->from, v->name, NULL, e) < 0)
                return -(int)e->code;
        if (store_ref_list(c->store, a, &ref, &n, &ignored) < 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                if (ref[i].from.n && sha256_eq(&ref[i].desc.digest, &v->digest) &&
                    image_name(c, ref[i].name, &ref[i].desc, a, e) < 0)
                        return -(int)e->code;
        return 0;
}
