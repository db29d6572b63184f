/* An image of the store → what reg_push takes: blobs with a name that people know, manifests with their children first. */
#include "image/push.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "image/fetch.h"
#include "image/image_priv.h"
#include "image/pull.h"
#include "image/reuse.h"
#include "oci/reference.h"

enum { NEST_MAX = 8 }; /* indexes in indexes */

struct push {
        struct image_ctx *c;
        struct arena *a;
        const struct image_push_opts *o;
        struct reg_client *reg;
        struct store_lease *lease;
        struct map seen; /* digests of blobs */
        struct reg_push_blob *blob;
        size_t n_blob, cap_blob;
        struct reg_manifest *manifest;
        size_t n_manifest, cap_manifest;
        struct reg_repo *from;
        size_t n_from, cap_from;
        sv elsewhere; /* of a sparse image: repositories, a blank between two */
};

/* --- names */

int image_push_name(struct arena *a, sv text, struct reference *ret, struct err *e)
{
        if (sv_starts(text, SV("sha256:"))) {
                err_set(e, ERR_USAGE, "'%.*s' does not say where the image should go", SV_ARG(text));
                err_hint(e, "envbuild push %.*s REGISTRY/NAME:TAG", SV_ARG(text));
                return -(int)e->code;
        }
        if (image_reference(a, text, true, ret, e) < 0)
                return -(int)e->code;
        if (!ret->registry.n) {
                err_set(e, ERR_USAGE, "'%.*s' does not say which registry", SV_ARG(text));
                err_hint(e, "REGISTRY/NAME:TAG, as in localhost:5000/team/%.*s or docker.io/USER/%.*s", SV_ARG(text),
                         SV_ARG(text));
                return -(int)e->code;
        }
        return 0;
}

struct target_repo {
        struct reg_repo repo;
        sv *tag;
        size_t n_tag, cap_tag;
};

static struct target_repo *find_repo(struct target_repo *v, size_t *n, const struct reg_repo *repo)
{
        for (size_t i = 0; i < *n; i++)
                if (reg_repo_eq(&v[i].repo, repo))
                        return &v[i];
        v[*n] = (struct target_repo){ .repo = *repo };
        return &v[(*n)++];
}

static int read_names(struct push *p, const struct image_view *image, const sv *to, size_t n_to, struct target_repo *v,
                      size_t *ret_n, struct err *e)
{
        for (size_t i = 0; i < n_to; i++) {
                struct target_repo *t;
                struct reference r;
                struct reg_repo repo;
                bool known = false;

                if (image_push_name(p->a, to[i], &r, e) < 0)
                        return -(int)e->code;
                if (r.has_digest && !sha256_eq(&r.digest, &image->digest))
                        return err_set(e, ERR_USAGE, "'%.*s' names another digest than the image's, sha256:%s",
                                       SV_ARG(to[i]), sha256_hex(&image->digest).s);
                repo = reg_repo_of(&r);
                t = find_repo(v, ret_n, &repo);
                if (r.has_digest && !r.tag.n)
                        continue;
                if (!r.tag.n)
                        r.tag = SV("latest");
                for (size_t k = 0; k < t->n_tag; k++)
                        known |= sv_eq(t->tag[k], r.tag);
                if (!known)
                        *arena_push(p->a, t->tag, t->n_tag, t->cap_tag) = r.tag;
        }
        return 0;
}

/* --- blobs */

/* Repositories that are known to have it lend it: the base's, where a fact came from, where it was pushed before. */
static void add_origins(struct push *p, struct reg_push_blob *b)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct reg_repo *from;
        size_t n;
        sv *v;

        store_origin_list(p->c->store, &b->desc.digest, p->a, &v, &n);
        from = arena_array(p->a, struct reg_repo, n);
        b->from = from;
        for (size_t i = 0; i < n; i++)
                if (reg_repo_parse(p->a, v[i], &from[b->n_from], &ignored) == 0)
                        b->n_from++;
}

static void add_blob(struct push *p, const struct oci_desc *d, sv subject)
{
        AUTO(free_ptr) char *path = NULL;
        sv key = arena_fmt(p->a, "%s", sha256_hex(&d->digest).s);
        struct reg_push_blob *b;

        if (map_get(&p->seen, key))
                return;
        b = arena_push(p->a, p->blob, p->n_blob, p->cap_blob);
        *b = (struct reg_push_blob){ .desc = *d, .subject = subject };
        path = store_find(p->c->store, STORE_BLOB, &d->digest);
        if (path)
                b->bytes.path = arena_str(p->a, sv_from(path));
        add_origins(p, b);
        map_put(&p->seen, p->a, key, p); /* any value */
}

/* "bucket: apt 3.0.4, base-passwd 3.6.7, …" is too long for a line of progress: "bucket: apt 3.0.4 and 29 more". */
static sv short_name(struct arena *a, sv of)
{
        size_t more = 0;

        for (size_t i = 0; i < of.n; i++)
                more += of.p[i] == ',';
        return more < 3 ? of
                        : arena_fmt(a, "%.*s and %zu more", SV_ARG(sv_from_to(of, 0, (size_t)sv_find(of, ','))), more);
}

/* created_by of our layers is "envbuild numpy 2.1.0"; what a base says there is a shell command. */
static sv layer_subject(struct arena *a, const struct oci_config *c, size_t i)
{
        size_t k = 0;

        for (size_t h = 0; c->history && h < c->history->n; h++) {
                const struct js *one = c->history->v[h].value;
                sv by = js_get_str(one, "created_by");

                if (js_true(js_get(one, "empty_layer")) || k++ != i)
                        continue;
                if (sv_starts(by, SV("envbuild ")))
                        return short_name(a, sv_skip(by, 9));
        }
        return arena_fmt(a, "base layer %zu", i + 1);
}

static void add_from(struct push *p, const struct reg_repo *repo)
{
        for (size_t i = 0; i < p->n_from; i++)
                if (reg_repo_eq(&p->from[i], repo))
                        return;
        *arena_push(p->a, p->from, p->n_from, p->cap_from) = *repo;
}

/* Where the base came from: "docker.io/library/python:3.12". Bases that are no registry's ("recipe:…", "oci:…") are passed over. */
static void add_base(struct push *p, sv text)
{
        struct reference r;
        struct reg_repo repo;
        const char *why;

        if (sv_starts(text, SV("recipe:")) || sv_starts(text, SV("oci:")) || sv_is(text, "scratch") ||
            !reference_parse(p->a, text, false, &r, &why))
                return;
        repo = reg_repo_of(&r);
        add_from(p, &repo);
}

/* --- manifests */

static void add_manifest(struct push *p, sv bytes, const char *type, struct oci_desc *ret)
{
        struct reg_manifest *m = arena_push(p->a, p->manifest, p->n_manifest, p->cap_manifest);

        *m = (struct reg_manifest){ .bytes = bytes, .media_type = sv_from(type), .digest = sha256_of(bytes) };
        ret->media_type = m->media_type;
        ret->digest = m->digest;
        ret->size = bytes.n;
}

/* What it says that it is: an image that was pulled may be Docker's. */
static const char *media_type(struct push *p, sv text, const char *otherwise)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct js *doc;
        sv type;

        if (js_parse(p->a, text, &doc, &ignored) < 0)
                return otherwise;
        type = js_get_str(doc, "mediaType");
        return type.n ? arena_str(p->a, type) : otherwise;
}

static int to_docker(struct push *p, const struct oci_manifest *m, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX);
        sv type;

        if (!oci_manifest_write_docker(m, &out, &type)) {
                err_set(e, ERR_USAGE, "Docker's format has no name for layers of type '%.*s'", SV_ARG(type));
                err_hint(e, "build with --compression gzip, or push in OCI's format");
                return -(int)e->code;
        }
        *ret = arena_sv(p->a, buf_sv(&out));
        return buf_check(&out, e);
}

/* A manifest of an image that was pulled for another platform only: from whoever has it, into the store. */
static int fetch_manifest(struct push *p, const sha256 *d, struct err *e)
{
        sv ref = arena_fmt(p->a, "sha256:%s", sha256_hex(d).s), text = p->elsewhere, one;
        struct reg_manifest m;
        struct reg_repo repo;
        size_t n;
        sv *v;

        store_origin_list(p->c->store, d, p->a, &v, &n);
        for (size_t i = 0; i < n || text.n; i++) {
                AUTO(err_done) struct err why = { 0 };

                if (i < n)
                        one = v[i];
                else
                        sv_cut(&text, ' ', &one);
                if (reg_repo_parse(p->a, one, &repo, &why) == 0 &&
                    reg_manifest_get(p->reg, &repo, ref, p->a, &m, &why) == 0)
                        return store_put_bytes(p->c->store, STORE_BLOB, m.bytes, &m.digest, e);
                if (why.code == ERR_CANCELLED || why.code == ERR_OFFLINE)
                        return err_move(e, &why);
        }
        return err_set(e, ERR_NOT_FOUND,
                       "the manifest %.*s is not in the store, and no registry that it came from has it", SV_ARG(ref));
}

/* A document, from here or fetched: a manifest (config NULL), or a config. */
static int read_doc(struct push *p, const sha256 *d, const struct oci_desc *config, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        int r = 0;

        if (!store_has(p->c->store, STORE_BLOB, d, NULL))
                r = config ? image_blob_fetch(p->c, config, p->elsewhere, (sv){ 0 }, e) : fetch_manifest(p, d, e);
        if (r < 0 || store_read(p->c->store, STORE_BLOB, d, &b, e) < 0)
                return -(int)e->code;
        *ret = arena_sv(p->a, buf_sv(&b));
        return 0;
}

/* d: what names it; on return, what names it where it goes. suffix: tells platforms apart for people. */
static int add_image(struct push *p, sv text, sv suffix, struct oci_desc *d, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct oci_manifest m = { 0 };
        struct oci_config config = { 0 };
        sv config_text = { 0 };

        if (oci_manifest_parse(p->a, text, "manifest", &m, e) < 0 ||
            read_doc(p, &m.config.digest, &m.config, &config_text, e) < 0)
                return -(int)e->code;
        oci_config_parse(p->a, config_text, "config", &config, &ignored); /* what hangs in an index may have none */
        for (size_t i = 0; i < m.n_annotation; i++)
                if (sv_is(m.annotation[i].key, "org.opencontainers.image.base.name"))
                        add_base(p, m.annotation[i].value);
        for (size_t i = 0; i < m.n_layer; i++)
                add_blob(p, &m.layer[i],
                         arena_fmt(p->a, "%.*s%.*s", SV_ARG(layer_subject(p->a, &config, i)), SV_ARG(suffix)));
        add_blob(p, &m.config, (sv){ 0 });
        if (p->o->docker && to_docker(p, &m, &text, e) < 0)
                return -(int)e->code;
        add_manifest(p, text, p->o->docker ? OCI_DOCKER_MANIFEST : media_type(p, text, OCI_MANIFEST), d);
        return 0;
}

static int add_document(struct push *p, sv text, sv suffix, int depth, struct oci_desc *d, struct err *e);

static int add_index(struct push *p, sv text, int depth, struct oci_desc *ret, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX);
        struct oci_index x = { 0 };
        size_t n = 0;

        if (oci_index_parse(p->a, text, "index", &x, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < x.n; i++) {
                sv name = arena_fmt(p->a, "%.*s/%.*s", SV_ARG(x.v[i].os), SV_ARG(x.v[i].arch)), child;

                if (p->o->docker && !oci_index_is_image(&x.v[i]))
                        continue;
                if (read_doc(p, &x.v[i].digest, NULL, &child, e) < 0 ||
                    add_document(p, child, arena_fmt(p->a, " (%.*s)", SV_ARG(name)), depth + 1, &x.v[i], e) < 0)
                        return err_while(e, "reading the image for %.*s", SV_ARG(name));
                x.v[n++] = x.v[i];
        }
        if (p->o->docker) {
                x.n = n;
                oci_index_write_docker(&x, &out);
                if (buf_check(&out, e) < 0)
                        return -(int)e->code;
                text = arena_sv(p->a, buf_sv(&out));
        }
        add_manifest(p, text, p->o->docker ? OCI_DOCKER_INDEX : media_type(p, text, OCI_INDEX), ret);
        return 0;
}

static int add_document(struct push *p, sv text, sv suffix, int depth, struct oci_desc *d, struct err *e)
{
        if (depth > NEST_MAX)
                return err_set(e, ERR_INTEGRITY, "the image has indexes within indexes");
        return oci_is_index(p->a, text) ? add_index(p, text, depth, d, e) : add_image(p, text, suffix, d, e);
}

static int collect(struct push *p, const struct image_view *image, struct oci_desc *ret, struct err *e)
{
        sv text;

        p->elsewhere = image->from;
        if (read_doc(p, &image->digest, NULL, &text, e) < 0 || add_document(p, text, (sv){ 0 }, 0, ret, e) < 0)
                return err_while(e, "reading the image '%.*s'", SV_ARG(image->name));
        return 0;
}

/* What is neither here nor there: a base's layer for another registry. Through the store, so that it is fetched once. Any thread. */
static int fetch(void *arg, const struct reg_push_blob *b, char **ret_path, struct err *e)
{
        struct push *p = arg;

        if (image_blob_fetch(p->c, &b->desc, p->elsewhere, b->subject, e) < 0)
                return -(int)e->code;
        *ret_path = store_find(p->c->store, STORE_BLOB, &b->desc.digest);
        return *ret_path ? 0
                         : err_set(e, ERR_NOT_FOUND, "%.*s was dropped from the store meanwhile", SV_ARG(b->subject));
}

/* --- all of it */

static int lease(struct push *p, struct err *e)
{
        sha256 *d = arena_array(p->a, sha256, p->n_blob);

        for (size_t i = 0; i < p->n_blob; i++)
                d[i] = p->blob[i].desc.digest;
        return store_lease_add(p->lease, d, p->n_blob, e);
}

static void tell(struct push *p, const struct image_pushed *x)
{
        sv name = reg_repo_text(p->a, &x->repo);
        const struct reg_push_count *n = &x->count;

        if (n->whole)
                name = arena_fmt(p->a, "%.*s: was there", SV_ARG(name));
        else
                name = arena_fmt(p->a, "%.*s: %zu blobs sent, %zu mounted, %zu there", SV_ARG(name), n->sent,
                                 n->mounted, n->present);
        op_event(p->c->op, OP_PUSH, OP_END, name, 0, 0);
}

/* What the next build would otherwise find out by making the layers. */
static int publish(struct push *p, const struct reg_repo *target, const sha256 *image, bool whole, struct err *e)
{
        struct reuse_publish x = { .target = *target, .image = *image, .only_once = whole };
        struct reuse_published count;
        struct reg_repo into;

        if (p->o->cache_repo.n) {
                if (reg_repo_parse(p->a, p->o->cache_repo, &into, e) < 0)
                        return err_while(e, "reading --cache-repo");
                x.into = &into;
        }
        return reuse_publish(p->c, &x, &count, e);
}

static int push_to(struct push *p, const struct target_repo *t, const sha256 *image, const struct oci_desc *desc,
                   struct image_pushed *ret, struct err *e)
{
        struct reg_push x = { .repo = t->repo,
                              .blob = p->blob,
                              .n_blob = p->n_blob,
                              .from = p->from,
                              .n_from = p->n_from,
                              .fetch = fetch,
                              .arg = p,
                              .manifest = p->manifest,
                              .n_manifest = p->n_manifest,
                              .tag = t->tag,
                              .n_tag = t->n_tag };
        sv where = reg_repo_text(p->a, &t->repo);

        *ret = (struct image_pushed){ .repo = t->repo, .tag = t->tag, .n_tag = t->n_tag, .desc = *desc };
        if (reg_push(p->reg, &x, &ret->count, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < p->n_blob; i++)
                if (store_origin_add(p->c->store, &p->blob[i].desc.digest, where, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < p->n_manifest; i++)
                if (store_origin_add(p->c->store, &p->manifest[i].digest, where, e) < 0)
                        return -(int)e->code;
        tell(p, ret);
        return publish(p, &t->repo, image, ret->count.whole, e);
}

int image_push(struct image_ctx *c, sv image, const sv *to, size_t n_to, const struct image_push_opts *o,
               struct arena *a, struct image_pushed **ret, size_t *ret_n, struct err *e)
{
        AUTO(store_lease_dropp) struct store_lease *lease_of = NULL;
        struct push p = { .c = c, .a = a, .o = o };
        struct image_view view = { 0 };
        struct oci_desc desc = { 0 };
        struct target_repo *t;
        struct image_pushed *v;
        size_t n = 0;

        if (reuse_ready(c, e) < 0 || image_ctx_store(c, true, e) < 0 || store_lease_take(c->store, &lease_of, e) < 0 ||
            image_find(c, image, a, &view, e) < 0)
                return -(int)e->code;
        p.lease = lease_of;
        if (n_to == 0) {
                to = &image;
                n_to = 1;
        }
        t = arena_array(a, struct target_repo, n_to);
        if (read_names(&p, &view, to, n_to, t, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < o->n_from; i++)
                add_from(&p, &o->from[i]);
        if (image_ctx_registry(c, &p.reg, e) < 0 || collect(&p, &view, &desc, e) < 0 || lease(&p, e) < 0)
                return -(int)e->code;
        v = arena_array(a, struct image_pushed, n);
        for (size_t i = 0; i < n; i++)
                if (push_to(&p, &t[i], &view.digest, &desc, &v[i], e) < 0)
                        return -(int)e->code;
        *ret = v;
        *ret_n = n;
        return 0;
}
