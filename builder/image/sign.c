#include "image/sign.h"

#include <stdlib.h>
#include <string.h>

#include "attest/bundle.h"
#include "attest/cosign.h"
#include "attest/dsse.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/hash.h"

#define BUNDLE_MAX ((size_t)16 << 20) /* bytes of a bundle that is looked into */
#define LOOK_MAX   64                 /* of somebody's bundles or signatures: a registry is not to keep us busy */
#define RACES_MAX  4

int image_sign_key(const char *path, struct sign_key **ret, struct err *e)
{
        const char *password = getenv("ENVBUILD_KEY_PASSWORD");
        AUTO(buf_done) struct buf pem = BUF_INIT(SIGN_KEY_MAX);
        int r;

        if (!password)
                password = getenv("COSIGN_PASSWORD");
        r = fs_read(path, &pem, e);
        if (r == 0)
                r = sign_key_read(buf_sv(&pem), password, path, ret, e);
        if (pem.p)
                explicit_bzero(pem.p, pem.cap);
        return r < 0 ? err_while(e, "reading the key to sign with") : 0;
}

struct sign {
        struct reg_client *reg;
        const struct reg_repo *repo;
        const struct sign_key *key;
        struct arena *a;
};

/* --- the bundle form */

/* A referrer of ours is one layer that is a bundle. */
static bool read_bundle(struct sign *s, const struct reg_referrer *r, struct arena *a, sv *ret)
{
        AUTO(err_done) struct err ignored = { 0 }; /* what cannot be read is no signature of ours */
        sv ref = arena_fmt(a, "sha256:%s", sha256_hex(&r->desc.digest).s);
        struct reg_manifest m;
        struct oci_manifest x;

        return reg_manifest_get(s->reg, s->repo, ref, a, &m, &ignored) == 0 &&
               oci_manifest_parse(a, m.bytes, "bundle", &x, &ignored) == 0 && x.n_layer == 1 &&
               sv_is(x.layer[0].media_type, BUNDLE_MEDIA_TYPE) &&
               reg_blob_read(s->reg, s->repo, &x.layer[0], BUNDLE_MAX, a, ret, &ignored) == 0;
}

static int is_signed(struct sign *s, const sha256 *subject, sv statement, sv covered, bool *ret, struct err *e)
{
        struct reg_referrer *v = NULL;
        size_t n = 0;
        sv text, signature;

        *ret = false;
        if (reg_referrers(s->reg, s->repo, subject, SV(BUNDLE_MEDIA_TYPE), s->a, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n && i < LOOK_MAX && !*ret; i++) {
                AUTO(arena_done) struct arena a = { 0 };
                *ret = read_bundle(s, &v[i], &a, &text) && bundle_has(&a, text, statement, &signature) &&
                       sign_is_valid(s->key, covered, signature);
        }
        return 0;
}

static int push_bundle(struct sign *s, const struct oci_desc *subject, sv bundle, const char *predicate_type,
                       struct err *e)
{
        const struct oci_pair note[] = { { SV(BUNDLE_CONTENT), SV("dsse-envelope") },
                                         { SV(BUNDLE_PREDICATE), sv_from(predicate_type) } };
        struct reg_push_blob layer = {
                .desc = { .media_type = SV(BUNDLE_MEDIA_TYPE), .digest = sha256_of(bundle), .size = bundle.n },
                .bytes.text = bundle,
                .subject = SV("signature")
        };
        struct reg_artifact x = { .type = SV(BUNDLE_MEDIA_TYPE),
                                  .subject = subject,
                                  .layer = &layer,
                                  .n_layer = 1,
                                  .annotation = note,
                                  .n_annotation = ARRAY_LEN(note) };
        struct oci_desc made;

        return reg_artifact_push(s->reg, s->repo, &x, &made, e);
}

static int sign_statement(struct sign *s, const struct oci_desc *subject, sv statement, const char *predicate_type,
                          struct image_signed *ret, struct err *e)
{
        AUTO(buf_done) struct buf covered = BUF_INIT(BUNDLE_MAX), bundle = BUF_INIT(BUNDLE_MAX * 2);
        bool present;
        sv signature;

        dsse_signed_bytes(SV(INTOTO_MEDIA_TYPE), statement, &covered);
        if (buf_check(&covered, e) < 0 || is_signed(s, &subject->digest, statement, buf_sv(&covered), &present, e) < 0)
                return -(int)e->code;
        if (present) {
                ret->present++;
                return 0;
        }
        if (sign_make(s->key, buf_sv(&covered), s->a, &signature, e) < 0)
                return -(int)e->code;
        bundle_write(statement, signature, sign_key_public(s->key, s->a), &bundle);
        if (buf_check(&bundle, e) < 0 || push_bundle(s, subject, buf_sv(&bundle), predicate_type, e) < 0)
                return -(int)e->code;
        ret->made++;
        return 0;
}

int image_sign_statement(struct reg_client *reg, const struct reg_repo *repo, const struct oci_desc *subject,
                         const struct sign_key *key, sv statement, const char *predicate_type, struct image_signed *ret,
                         struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct sign s = { reg, repo, key, &a };

        return sign_statement(&s, subject, statement, predicate_type, ret, e);
}

/* --- the classic form */

struct classic {
        const sha256 *image;
        sv tag, payload;
        sha256 digest;            /* of the payload */
        struct oci_manifest have; /* what the tag means now */
};

/* Is this layer a signature by our key over a payload about our image? */
static bool is_ours(struct sign *s, const struct classic *x, const struct oci_desc *layer)
{
        AUTO(err_done) struct err ignored = { 0 };
        sv text = oci_desc_annotation(layer, COSIGN_SIGNATURE), payload = x->payload;
        AUTO(buf_done) struct buf der = { .max = text.n + 1 };

        if (!text.n || !sv_is(layer->media_type, COSIGN_PAYLOAD_TYPE) || !base64_read(text, &der))
                return false;
        if (!sha256_eq(&layer->digest, &x->digest) &&
            (layer->size > COSIGN_PAYLOAD_MAX ||
             reg_blob_read(s->reg, s->repo, layer, COSIGN_PAYLOAD_MAX, s->a, &payload, &ignored) < 0 ||
             !cosign_payload_means(payload, x->image)))
                return false;
        return sign_is_valid(s->key, payload, buf_sv(&der));
}

/* The registry itself is asked what the tag means: a mirror may be late, and what it does not know would be lost. */
static int read_tag(struct sign *s, struct classic *x, struct err *e)
{
        struct err missing = { 0 };
        struct reg_manifest m;
        struct oci_desc d;

        x->have = (struct oci_manifest){ 0 };
        if (reg_manifest_head(s->reg, s->repo, x->tag, s->a, &d, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return 0;
        }
        if (reg_manifest_get(s->reg, s->repo, arena_fmt(s->a, "sha256:%s", sha256_hex(&d.digest).s), s->a, &m, e) < 0 ||
            oci_manifest_parse(s->a, m.bytes, x->tag.p, &x->have, e) < 0)
                return err_while(e, "reading the signatures that are there");
        return 0;
}

static int send_blob(struct sign *s, const struct oci_desc *d, sv text, struct err *e)
{
        const struct reg_bytes bytes = { .text = text };
        enum reg_how how;

        return reg_blob_ensure(s->reg, s->repo, d, &bytes, NULL, 0, SV("signature"), &how, NULL, e);
}

/* What is there, and ours after it. */
static int put_tag(struct sign *s, const struct classic *x, const struct oci_desc *layer, struct err *e)
{
        AUTO(buf_done) struct buf config = BUF_INIT(OCI_DOC_MAX), text = BUF_INIT(OCI_DOC_MAX);
        struct oci_manifest m = x->have;
        struct reg_manifest out = { .media_type = SV(OCI_MANIFEST) };

        m.layer = arena_array(s->a, struct oci_desc, x->have.n_layer + 1);
        for (size_t i = 0; i < x->have.n_layer; i++)
                m.layer[i] = x->have.layer[i];
        m.layer[m.n_layer++] = *layer;
        cosign_config_write(m.layer, m.n_layer, &config);
        m.config = (struct oci_desc){ .media_type = SV(OCI_CONFIG),
                                      .digest = sha256_of(buf_sv(&config)),
                                      .size = config.n };
        oci_manifest_write(&m, &text);
        if (buf_check(&config, e) < 0 || buf_check(&text, e) < 0 || send_blob(s, &m.config, buf_sv(&config), e) < 0)
                return -(int)e->code;
        out.bytes = buf_sv(&text);
        out.digest = sha256_of(out.bytes);
        return reg_manifest_put(s->reg, s->repo, x->tag, &out, NULL, e);
}

/* A tag has no compare-and-set: somebody else who signs at this moment may have overwritten ours, or we theirs. What it means is looked at again,
 * and what is missing added. */
static int sign_classic(struct sign *s, const struct oci_desc *image, struct image_signed *ret, struct err *e)
{
        AUTO(buf_done) struct buf payload = BUF_INIT(COSIGN_PAYLOAD_MAX);
        struct classic x = { .image = &image->digest, .tag = cosign_tag(s->a, &image->digest) };
        struct oci_pair note = { .key = SV(COSIGN_SIGNATURE) };
        struct oci_desc layer = { .media_type = SV(COSIGN_PAYLOAD_TYPE), .annotation = &note, .n_annotation = 1 };
        AUTO(buf_done) struct buf base64 = BUF_INIT(4096);
        bool made = false;
        sv der;

        cosign_payload_write(reg_repo_text(s->a, s->repo), &image->digest, &payload);
        x.payload = buf_sv(&payload);
        x.digest = layer.digest = sha256_of(x.payload);
        layer.size = payload.n;
        for (unsigned round = 0; round < RACES_MAX; round++) {
                bool present = false;

                if (read_tag(s, &x, e) < 0)
                        return -(int)e->code;
                for (size_t i = 0; i < x.have.n_layer && i < LOOK_MAX && !present; i++) /* the latest first */
                        present = is_ours(s, &x, &x.have.layer[x.have.n_layer - 1 - i]);
                if (present) {
                        ret->made += made;
                        ret->present += !made;
                        return 0;
                }
                if (!made) {
                        if (sign_make(s->key, x.payload, s->a, &der, e) < 0)
                                return -(int)e->code;
                        base64_write(der, &base64);
                        note.value = buf_sv(&base64);
                        made = true;
                }
                if (send_blob(s, &layer, x.payload, e) < 0 || put_tag(s, &x, &layer, e) < 0)
                        return -(int)e->code;
        }
        err_set(e, ERR_NET, "the signature does not stay under the tag '%.*s': others write it too", SV_ARG(x.tag));
        err_hint(e, "sign again when they are done");
        return -(int)e->code;
}

int image_sign(struct reg_client *reg, const struct reg_repo *repo, const struct oci_desc *image,
               const struct image_sign *o, struct image_signed *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf statement = BUF_INIT(65536);
        struct sign s = { reg, repo, o->key, &a };

        *ret = (struct image_signed){ 0 };
        if (o->classic && sign_classic(&s, image, ret, e) < 0)
                return err_while(e, "signing %.*s@sha256:%s", SV_ARG(reg_repo_text(&a, repo)),
                                 sha256_hex(&image->digest).s);
        if (!o->bundle)
                return 0;
        cosign_statement_write(&image->digest, &statement);
        if (sign_statement(&s, image, buf_sv(&statement), COSIGN_PREDICATE_TYPE, ret, e) < 0)
                return err_while(e, "signing %.*s@sha256:%s", SV_ARG(reg_repo_text(&a, repo)),
                                 sha256_hex(&image->digest).s);
        return 0;
}
