/* Bases from registries: what a reference means now, or what was locked (design/lock.md). Layers are fetched only where something must be read
 * in them: facts that nobody knows yet, certificates, foreign layers. */
#include "image/remote.h"

#include "base/cleanup.h"
#include "image/fetch.h"
#include "image/pull.h"

/* --- documents into the store */

static int keep(struct image_ctx *c, sv text, sv repo, struct err *e)
{
        sha256 d = sha256_of(text);

        if (!store_has(c->store, STORE_BLOB, &d, NULL) && store_put_bytes(c->store, STORE_BLOB, text, NULL, e) < 0)
                return -(int)e->code;
        return store_origin_add(c->store, &d, repo, e);
}

int remote_keep(struct image_ctx *c, const struct reg_image *x, struct arena *a, struct err *e)
{
        sv repo = reg_repo_text(a, &x->repo);

        if ((x->has_index && keep(c, x->index.bytes, repo, e) < 0) || keep(c, x->manifest.bytes, repo, e) < 0 ||
            keep(c, x->config_text, repo, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < x->m.n_layer; i++)
                if (store_origin_add(c->store, &x->m.layer[i].digest, repo, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; x->has_index && i < x->x.n; i++) /* a push of the index wants all of them */
                if (store_origin_add(c->store, &x->x.v[i].digest, repo, e) < 0)
                        return -(int)e->code;
        return 0;
}

/* --- what a reference means now */

static int read_doc(struct image_ctx *c, const sha256 *d, struct arena *a, sv *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        AUTO(err_done) struct err ignored = { 0 };

        if (store_read(c->store, STORE_BLOB, d, &b, &ignored) < 0)
                return -(int)ignored.code;
        *ret = arena_sv(a, buf_sv(&b));
        return 0;
}

/* A digest means the same for ever: who has its documents asks nobody. False: some are not here, or do not fit. */
static bool kept(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct reg_image *ret)
{
        struct reg_image x = { .repo = reg_repo_of(ref), .name = reg_reference_text(a, ref) };
        AUTO(err_done) struct err ignored = { 0 };
        const struct oci_desc *d;
        sha256 at = ref->digest;

        if (!ref->has_digest || read_doc(c, &at, a, &x.manifest.bytes) < 0)
                return false;
        if (oci_is_index(a, x.manifest.bytes)) {
                if (oci_index_parse(a, x.manifest.bytes, "index", &x.x, &ignored) < 0 ||
                    !(d = oci_index_pick(&x.x, platform)) || read_doc(c, &d->digest, a, &x.manifest.bytes) < 0)
                        return false;
                at = d->digest;
        }
        x.manifest.digest = at;
        if (oci_manifest_parse(a, x.manifest.bytes, "manifest", &x.m, &ignored) < 0 ||
            read_doc(c, &x.m.config.digest, a, &x.config_text) < 0 || reg_image_check(&x, platform, a, &ignored) < 0)
                return false;
        *ret = x;
        return true;
}

static int no_name(const struct reference *ref, struct arena *a, struct err *e)
{
        err_set(e, ERR_OFFLINE, "what the base '%.*s' is now has to be asked of %.*s",
                SV_ARG(reg_reference_text(a, ref)), SV_ARG(ref->registry));
        err_hint(e, "lock without --offline once: a locked base is not asked for again");
        return -(int)e->code;
}

/* A tag may move between two platforms of one lock: what it meant for the first holds for all. */
static struct reference pinned(const struct image_ctx *c, const struct reference *ref, sv name)
{
        struct reference r = *ref;

        if (!r.has_digest && c->base_ref.n && sv_eq(c->base_ref, name)) {
                r.has_digest = true;
                r.digest = c->base_index;
        }
        return r;
}

static int ask(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct reg_image *ret,
               struct err *e)
{
        struct reg_client *reg;

        return image_ctx_registry(c, &reg, e) < 0 || reg_image_get(reg, ref, platform, a, ret, e) < 0
                       ? -(int)e->code
                       : remote_keep(c, ret, a, e);
}

static int open_now(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a,
                    struct reg_image *ret, struct err *e)
{
        sv name = reg_reference_text(a, ref);
        struct reference now = pinned(c, ref, name);

        if (!kept(c, &now, platform, a, ret)) {
                if (c->offline)
                        return no_name(ref, a, e);
                if (ask(c, &now, platform, a, ret, e) < 0)
                        return -(int)e->code;
        }
        ret->name = name;
        if (ret->has_index && !ref->has_digest) {
                c->base_ref = arena_sv(&c->arena, name);
                c->base_index = ret->index.digest;
        }
        return 0;
}

/* --- a locked base */

bool remote_is_base(const struct lock_base *b)
{
        return b->ref.n && !sha256_is_zero(&b->manifest) && !sv_starts(b->ref, SV("oci:"));
}

static int repo_of(const struct lock_base *b, struct arena *a, struct reg_repo *ret, struct err *e)
{
        struct reference ref;

        if (image_reference(a, b->ref, false, &ref, e) < 0)
                return err_while(e, "reading the locked base");
        *ret = reg_repo_of(&ref);
        return 0;
}

static int gone(const struct lock_base *b, const char *what, const sha256 *d, struct err *e)
{
        err_done(e);
        err_set(e, ERR_NOT_FOUND, "the %s of the locked base '%.*s' is gone from its repository: sha256:%s", what,
                SV_ARG(b->ref), sha256_hex(d).s);
        err_hint(e, "envbuild lock --upgrade-base takes the base as it is now");
        return -(int)e->code;
}

static int not_here(const struct lock_base *b, const char *what, const sha256 *d, struct err *e)
{
        err_set(e, ERR_OFFLINE, "the %s of the base '%.*s' is not in the store: sha256:%s", what, SV_ARG(b->ref),
                sha256_hex(d).s);
        err_hint(e, "without --offline it is fetched once");
        return -(int)e->code;
}

int remote_base_config(struct image_ctx *c, const struct lock_base *b, struct arena *a, sv *ret, struct err *e)
{
        struct oci_desc d = { .media_type = SV(OCI_CONFIG), .digest = b->config };
        struct reg_client *reg;
        struct reg_repo repo;

        if (read_doc(c, &b->config, a, ret) == 0)
                return 0;
        if (c->offline)
                return not_here(b, "config", &b->config, e);
        if (repo_of(b, a, &repo, e) < 0 || image_ctx_registry(c, &reg, e) < 0)
                return -(int)e->code;
        if (reg_blob_read(reg, &repo, &d, OCI_DOC_MAX, a, ret, e) < 0)
                return e->code == ERR_NOT_FOUND ? gone(b, "config", &b->config, e) : -(int)e->code;
        return keep(c, *ret, reg_repo_text(a, &repo), e);
}

/* The layers as the manifest describes them: the lock does not keep urls. */
static int manifest_layers(struct image_ctx *c, const struct lock_base *b, const struct reg_repo *repo, struct arena *a,
                           struct oci_manifest *ret, struct err *e)
{
        struct reg_manifest m = { 0 };
        struct reg_client *reg;

        if (read_doc(c, &b->manifest, a, &m.bytes) < 0) {
                if (c->offline)
                        return not_here(b, "manifest", &b->manifest, e);
                if (image_ctx_registry(c, &reg, e) < 0)
                        return -(int)e->code;
                if (reg_manifest_get(reg, repo, arena_fmt(a, "sha256:%s", sha256_hex(&b->manifest).s), a, &m, e) < 0)
                        return e->code == ERR_NOT_FOUND ? gone(b, "manifest", &b->manifest, e) : -(int)e->code;
                if (keep(c, m.bytes, reg_repo_text(a, repo), e) < 0)
                        return -(int)e->code;
        }
        return oci_manifest_parse(a, m.bytes, "the manifest of the base", ret, e);
}

static const struct oci_desc *same_layer(const struct oci_manifest *m, const sha256 *d)
{
        for (size_t i = 0; i < m->n_layer; i++)
                if (sha256_eq(&m->layer[i].digest, d))
                        return &m->layer[i];
        return NULL;
}

/* Those that are not here; only_foreign: of those whose bytes no registry need have. */
static int layers_wanted(struct image_ctx *c, const struct lock_base *b, bool only_foreign, const struct reg_repo *repo,
                         struct arena *a, struct oci_desc **ret, size_t *ret_n, struct err *e)
{
        struct oci_desc *v = arena_array(a, struct oci_desc, b->n_layer);
        struct oci_manifest m = { 0 };
        size_t n = 0;

        for (size_t i = 0; i < b->n_layer; i++) {
                const struct lock_base_layer *l = &b->layer[i];
                bool foreign = oci_layer_foreign(l->type);
                const struct oci_desc *d;

                if ((only_foreign && !foreign) || store_has(c->store, STORE_BLOB, &l->digest, NULL))
                        continue;
                v[n] = (struct oci_desc){ .media_type = l->type, .digest = l->digest, .size = l->size };
                if (foreign && m.n_layer == 0 && manifest_layers(c, b, repo, a, &m, e) < 0)
                        return -(int)e->code;
                d = foreign ? same_layer(&m, &l->digest) : NULL;
                if (d)
                        v[n] = *d;
                n++;
        }
        *ret = v;
        *ret_n = n;
        return 0;
}

static int fetch(struct image_ctx *c, const struct lock_base *b, bool only_foreign, struct arena *a, struct err *e)
{
        struct oci_desc *v = NULL;
        struct reg_repo repo;
        size_t n = 0;

        return repo_of(b, a, &repo, e) < 0 || layers_wanted(c, b, only_foreign, &repo, a, &v, &n, e) < 0
                       ? -(int)e->code
                       : image_layers_fetch(c, v, n, reg_repo_text(a, &repo), b->ref, NULL, e);
}

int remote_base_note(struct image_ctx *c, const struct lock_base *b, struct arena *a, struct err *e)
{
        struct reg_repo repo;
        sv text;

        if (repo_of(b, a, &repo, e) < 0)
                return -(int)e->code;
        text = reg_repo_text(a, &repo);
        for (size_t i = 0; i < b->n_layer; i++)
                if (store_origin_add(c->store, &b->layer[i].digest, text, e) < 0)
                        return -(int)e->code;
        return fetch(c, b, true, a, e);
}

int remote_base_fetch(struct image_ctx *c, const struct lock_base *b, struct arena *a, struct err *e)
{
        if (fetch(c, b, false, a, e) == 0)
                return 0;
        if (e->code == ERR_NOT_FOUND)
                err_hint(e, "envbuild lock --upgrade-base takes the base as it is now");
        return err_while(e, "fetching the layers of the base '%.*s'", SV_ARG(b->ref));
}

/* --- the base of a definition */

static int facts_of(struct image_ctx *c, const struct oci_config *config, struct arena *a, struct lock_platform *into,
                    struct err *e)
{
        if (facts_recall(c->store, config, a, into))
                return 0;
        return remote_base_fetch(c, &into->base, a, e) < 0 ? -(int)e->code
                                                           : base_scan(c, config, (sv){ 0 }, a, into, e);
}

/* The facts stand in the old lock, unless it never asked for the base's python. */
static int resolve_locked(struct image_ctx *c, const struct spec *s, const struct lock_platform *old, struct arena *a,
                          struct lock_platform *into, struct err *e)
{
        bool python = old->has_python && sv_is(old->python.from, "base");
        struct oci_config config;
        sv text;

        into->base = old->base;
        if (python || s->n_conda) {
                into->facts = old->facts;
                into->has_python = python;
                into->python = old->python;
                return 0;
        }
        if (remote_base_config(c, &into->base, a, &text, e) < 0 ||
            oci_config_parse(a, text, "the config of the base", &config, e) < 0)
                return -(int)e->code;
        return facts_of(c, &config, a, into, e);
}

static void fill_base(const struct reg_image *x, struct arena *a, struct lock_base *ret)
{
        *ret = (struct lock_base){ .ref = x->name, .manifest = x->manifest.digest, .config = x->m.config.digest };
        ret->layer = arena_array(a, struct lock_base_layer, x->m.n_layer);
        ret->n_layer = x->m.n_layer;
        for (size_t i = 0; i < x->m.n_layer; i++)
                ret->layer[i] = (struct lock_base_layer){ x->config.diff_id[i], x->m.layer[i].digest,
                                                          x->m.layer[i].size, x->m.layer[i].media_type };
}

int remote_base_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                        const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e)
{
        struct reference ref;
        struct reg_image x;

        if (image_reference(a, s->base.text, false, &ref, e) < 0 || image_ctx_store(c, true, e) < 0)
                return -(int)e->code;
        if (old && !r->upgrade_base && !r->upgrade_all && remote_is_base(&old->base) &&
            sv_eq(old->base.ref, reg_reference_text(a, &ref)))
                return resolve_locked(c, s, old, a, into, e);
        if (open_now(c, &ref, into->platform, a, &x, e) < 0)
                return -(int)e->code;
        fill_base(&x, a, &into->base);
        return facts_of(c, &x.config, a, into, e);
}
