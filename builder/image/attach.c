#include "image/attach.h"

#include <stdlib.h>

#include "attest/bundle.h"
#include "attest/cosign.h"
#include "attest/provenance.h"
#include "attest/sbom.h"
#include "attest/version.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "ext/hash.h"
#include "image/base_packages.h"
#include "image/image_priv.h"
#include "image/origin.h"

#define TITLE        "org.opencontainers.image.title"
#define CREATED      "org.opencontainers.image.created"
#define DOCUMENT_MAX ((size_t)256 << 20) /* bytes of an SBOM: it is made from a lock */

/* One thing that others hang on. */
struct subject {
        struct oci_desc desc;
        const struct lock_platform *platform; /* NULL: an index */
        struct reg_referrer *have;
        size_t n_have;
        bool asked;
};
struct attach {
        struct image_ctx *c;
        struct arena *a;
        struct reg_client *reg;
        const struct reg_repo *repo;
        const struct attach_opts *o;
        sha256 image; /* in the store */
        struct origin origin;
        struct lock *lock;
        struct subject top;
        struct subject *child; /* the manifests; of an image for one platform it is the top itself */
        size_t n_child;
        struct attach_count count;
};

/* --- what is pushed */

static int read_lock(struct attach *t, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 }; /* our own text: nobody can mend what is wrong with it */

        return lock_parse(t->a, t->origin.lock.text, t->origin.lock.name, &ds, &t->lock, e);
}

/* The pushed document: of the store unless its media types were changed on the way. */
static int read_pushed(struct attach *t, const sha256 *d, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        AUTO(err_done) struct err ignored = { 0 };
        struct reg_manifest m;

        if (store_read(t->c->store, STORE_BLOB, d, &b, &ignored) == 0) {
                *ret = arena_sv(t->a, buf_sv(&b));
                return 0;
        }
        if (reg_manifest_get(t->reg, t->repo, arena_fmt(t->a, "sha256:%s", sha256_hex(d).s), t->a, &m, e) < 0)
                return -(int)e->code;
        *ret = m.bytes;
        return 0;
}

static bool locked_as(const struct lock_platform *p, const sha256 *d)
{
        for (size_t i = 0; p->has_image && i < p->image.n_manifest; i++)
                if (sha256_eq(&p->image.manifest[i].digest, d))
                        return true;
        return false;
}

/* One platform's image, which may be one of several in its lock. */
static const struct lock_platform *platform_of(const struct attach *t)
{
        for (size_t i = 0; i < t->lock->n_platform; i++)
                if (locked_as(&t->lock->platform[i], &t->image))
                        return &t->lock->platform[i];
        return t->lock->n_platform == 1 ? &t->lock->platform[0] : NULL;
}

static bool is_index(const struct oci_desc *d)
{
        return sv_is(d->media_type, OCI_INDEX) || sv_is(d->media_type, OCI_DOCKER_INDEX);
}

static int find_children(struct attach *t, struct err *e)
{
        struct oci_index x = { 0 };
        sv text;

        if (!is_index(&t->top.desc)) {
                t->top.platform = platform_of(t);
                t->child = &t->top;
                t->n_child = 1;
                return 0;
        }
        if (read_pushed(t, &t->top.desc.digest, &text, e) < 0 || oci_index_parse(t->a, text, "index", &x, e) < 0)
                return -(int)e->code;
        t->child = arena_array(t->a, struct subject, x.n);
        for (size_t i = 0; i < x.n; i++) {
                sv platform = arena_fmt(t->a, "%.*s/%.*s", SV_ARG(x.v[i].os), SV_ARG(x.v[i].arch));
                t->child[t->n_child++] =
                        (struct subject){ .desc = x.v[i], .platform = lock_find_platform(t->lock, platform) };
        }
        return 0;
}

/* --- hanging one thing on another */

static bool hangs(const struct subject *s, const sha256 *d)
{
        for (size_t i = 0; i < s->n_have; i++)
                if (sha256_eq(&s->have[i].desc.digest, d))
                        return true;
        return false;
}

static bool hangs_one(const struct subject *s, const char *type)
{
        for (size_t i = 0; i < s->n_have; i++)
                if (sv_is(s->have[i].artifact_type, type))
                        return true;
        return false;
}

/* Whoever pushes what is there asks one question, not one a document: the store knows what it hung where. */
static bool remembered(struct attach *t, const sha256 *d)
{
        sv *v, repo = reg_repo_text(t->a, t->repo);
        size_t n;

        if (!t->o->remember)
                return false;
        store_origin_list(t->c->store, d, t->a, &v, &n);
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i], repo))
                        return true;
        return false;
}

/* yields: one of this type that hangs there already is as good. */
static int hang(struct attach *t, struct subject *s, const char *type, const struct reg_push_blob *layer, size_t n,
                bool yields, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        struct oci_pair note = { .key = SV(CREATED) };
        struct reg_artifact x = { .type = sv_from(type),
                                  .subject = &s->desc,
                                  .layer = layer,
                                  .n_layer = n,
                                  .annotation = &note,
                                  .n_annotation = 1 };
        struct oci_desc made;
        char created[24];
        sha256 d;

        time_format(t->lock->created, created);
        note.value = sv_from(created);
        reg_artifact_write(&x, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        d = sha256_of(buf_sv(&text));
        if (remembered(t, &d)) {
                t->count.present++;
                return 0;
        }
        if (!s->asked && reg_referrers(t->reg, t->repo, &s->desc.digest, (sv){ 0 }, t->a, &s->have, &s->n_have, e) < 0)
                return -(int)e->code;
        s->asked = true;
        if (hangs(s, &d) || (yields && hangs_one(s, type)))
                t->count.present++;
        else if (reg_artifact_push(t->reg, t->repo, &x, &made, e) < 0)
                return -(int)e->code;
        else
                t->count.made++;
        return store_origin_add(t->c->store, &d, reg_repo_text(t->a, t->repo), e);
}

static struct reg_push_blob layer_of(struct attach *t, const char *type, sv name, sv text)
{
        struct oci_pair *title = arena_new(t->a, struct oci_pair);

        *title = (struct oci_pair){ SV(TITLE), name };
        return (struct reg_push_blob){ .desc = { .media_type = sv_from(type),
                                                 .digest = sha256_of(text),
                                                 .size = text.n,
                                                 .annotation = title,
                                                 .n_annotation = 1 },
                                       .bytes.text = text,
                                       .subject = name };
}

static int hang_source(struct attach *t, struct err *e)
{
        struct reg_push_blob *file = arena_array(t->a, struct reg_push_blob, t->origin.n_definition + 1);
        struct reg_push_blob lock = layer_of(t, ATTACH_LOCK, t->origin.lock.name, t->origin.lock.text);

        if (hang(t, &t->top, ATTACH_LOCK, &lock, 1, false, e) < 0)
                return err_while(e, "attaching the lock");
        for (size_t i = 0; i < t->origin.n_definition; i++)
                file[i] = layer_of(t, ATTACH_DEFINITION, t->origin.definition[i].name, t->origin.definition[i].text);
        if (t->origin.n_definition && hang(t, &t->top, ATTACH_DEFINITION, file, t->origin.n_definition, false, e) < 0)
                return err_while(e, "attaching the definition");
        return 0;
}

/* A machine that built on a base without reading it knows less of it than one that has: the latter's SBOM stays. */
static int hang_sbom(struct attach *t, struct subject *s, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(DOCUMENT_MAX);
        struct sbom_image im = { .name = sv_basename(t->repo->repository),
                                 .repository = reg_repo_text(t->a, t->repo),
                                 .has_manifest = true,
                                 .manifest = s->desc.digest,
                                 .version = attest_version() };
        struct sbom_deb *base = NULL;
        struct reg_push_blob layer;
        bool yields;

        yields = s->platform->base.n_layer && !base_packages_find(t->c->store, s->platform, t->a, &base, &im.n_base);
        im.base = base;

        sbom_spdx_write(t->lock, s->platform, &im, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        layer = layer_of(t, SPDX_MEDIA_TYPE, arena_fmt(t->a, "%.*s.spdx.json", SV_ARG(im.name)), buf_sv(&text));
        return hang(t, s, SPDX_MEDIA_TYPE, &layer, 1, yields, e) < 0 ? err_while(e, "attaching the SBOM") : 0;
}

static int hang_sboms(struct attach *t, struct err *e)
{
        for (size_t i = 0; i < t->n_child; i++)
                if (t->child[i].platform && hang_sbom(t, &t->child[i], e) < 0)
                        return -(int)e->code;
        return 0;
}

/* --- provenance */

static sv compression_of(struct attach *t)
{
        AUTO(err_done) struct err ignored = { 0 };
        enum oci_codec codec = OCI_CODEC_GZIP;
        struct oci_manifest m;
        sv text;

        if (read_pushed(t, &t->child[0].desc.digest, &text, &ignored) == 0 &&
            oci_manifest_parse(t->a, text, "manifest", &m, &ignored) == 0)
                oci_layer_codec(m.layer[m.n_layer - 1].media_type, &codec);
        return sv_from(oci_codec_name(codec));
}

static void write_provenance(struct attach *t, struct buf *out)
{
        const struct origin *o = &t->origin;
        struct provenance_text *definition = arena_array(t->a, struct provenance_text, o->n_definition);
        sha256 *subject = arena_array(t->a, sha256, t->n_child + 1);
        size_t n = 0;
        struct provenance v = { .lock = t->lock,
                                .name = reg_repo_text(t->a, t->repo),
                                .subject = subject,
                                .lock_text = { o->lock.name, o->lock.digest },
                                .definition = definition,
                                .n_definition = o->n_definition,
                                .compression = compression_of(t),
                                .version = attest_version() };

        subject[n++] = t->top.desc.digest;
        for (size_t i = 0; i < t->n_child; i++)
                if (&t->child[i] != &t->top)
                        subject[n++] = t->child[i].desc.digest;
        v.n_subject = n;
        for (size_t i = 0; i < o->n_definition; i++)
                definition[i] = (struct provenance_text){ o->definition[i].name, o->definition[i].digest };
        provenance_write(&v, out);
}

static int hang_provenance(struct attach *t, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(DOCUMENT_MAX);
        struct image_signed count = { 0 };
        struct reg_push_blob layer;

        write_provenance(t, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        layer = layer_of(t, INTOTO_MEDIA_TYPE, SV("provenance.intoto.json"), buf_sv(&text));
        if (hang(t, &t->top, INTOTO_MEDIA_TYPE, &layer, 1, false, e) < 0 ||
            (t->o->key && image_sign_statement(t->reg, t->repo, &t->top.desc, t->o->key, buf_sv(&text),
                                               PROVENANCE_PREDICATE, &count, e) < 0))
                return err_while(e, "attaching the provenance");
        t->count.made += count.made;
        t->count.present += count.present;
        return 0;
}

/* --- all of it */

static int hang_all(struct attach *t, struct err *e)
{
        struct err missing = { 0 };

        if (origin_find(t->c, &t->image, t->a, &t->origin, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND || t->o->provenance) {
                        err_hint(&missing, "envbuild build makes it here, from its lock or definition");
                        return err_move(e, &missing);
                }
                err_done(&missing);
                return 0;
        }
        if (read_lock(t, e) < 0 || find_children(t, e) < 0 || (t->o->source && hang_source(t, e) < 0) ||
            (t->o->sbom && hang_sboms(t, e) < 0))
                return -(int)e->code;
        return t->o->provenance ? hang_provenance(t, e) : 0;
}

int attach_push(struct image_ctx *c, const struct reg_repo *repo, sv image, const struct oci_desc *pushed,
                const struct attach_opts *o, struct arena *a, struct attach_count *ret, struct err *e)
{
        const struct image_sign sign = { o->key, true, true };
        struct attach t = { .c = c, .a = a, .repo = repo, .o = o, .top.desc = *pushed };
        struct image_signed count = { 0 };
        struct image_view view = { 0 };

        if (image_ctx_store(c, true, e) < 0 || image_find(c, image, a, &view, e) < 0)
                return -(int)e->code;
        t.image = view.digest;
        if (image_ctx_registry(c, &t.reg, e) < 0 || hang_all(&t, e) < 0 ||
            (o->key && image_sign(t.reg, repo, pushed, &sign, &count, e) < 0)) {
                err_hint(e, "a registry that takes no artifacts takes the image alone: --sbom=false --source=false");
                return err_while(e, "attaching to the image, which is pushed: %.*s@sha256:%s",
                                 SV_ARG(reg_repo_text(a, repo)), sha256_hex(&pushed->digest).s);
        }
        ret->made = t.count.made + count.made;
        ret->present = t.count.present + count.present;
        return 0;
}

/* --- looking */

static const char *name_of(struct arena *a, const struct reg_referrer *r)
{
        static const struct {
                const char *type, *what;
        } known[] = { { ATTACH_LOCK, "lock" },
                      { ATTACH_DEFINITION, "definition" },
                      { SPDX_MEDIA_TYPE, "sbom" },
                      { "application/vnd.cyclonedx+json", "sbom" },
                      { INTOTO_MEDIA_TYPE, "provenance" } };

        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                if (sv_is(r->artifact_type, known[i].type))
                        return known[i].what;
        if (!sv_starts(r->artifact_type, SV("application/vnd.dev.sigstore.bundle")))
                return arena_str(a, r->artifact_type);
        return sv_is(oci_desc_annotation(&r->desc, BUNDLE_PREDICATE), COSIGN_PREDICATE_TYPE) ? "signature"
                                                                                             : "signed statement";
}

static int by_what(const void *pa, const void *pb)
{
        const struct attached *a = pa, *b = pb;
        int r = sv_cmp(sv_from(a->what), sv_from(b->what));

        return r ? r : sha256_cmp(&a->desc.digest, &b->desc.digest);
}

int attach_list(struct reg_client *reg, const struct reg_repo *repo, const sha256 *image, struct arena *a,
                struct attached **ret, size_t *ret_n, struct err *e)
{
        struct reg_referrer *v = NULL;
        struct err missing = { 0 };
        struct oci_desc classic;
        struct attached *out;
        size_t n = 0;

        if (reg_referrers(reg, repo, image, (sv){ 0 }, a, &v, &n, e) < 0)
                return -(int)e->code;
        out = arena_array(a, struct attached, n + 1);
        for (size_t i = 0; i < n; i++)
                out[i] = (struct attached){ name_of(a, &v[i]), v[i].artifact_type, v[i].desc };
        if (reg_manifest_head(reg, repo, cosign_tag(a, image), a, &classic, &missing) == 0)
                out[n++] = (struct attached){ "signature", SV(COSIGN_PAYLOAD_TYPE), classic };
        else if (missing.code != ERR_NOT_FOUND)
                return err_move(e, &missing);
        err_done(&missing);
        qsort(out, n, sizeof(*out), by_what);
        *ret = out;
        *ret_n = n;
        return 0;
}
