#include "layer/fact_doc.h"

#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"

#define NOTE_KEY       "dev.envbuild.key"
#define NOTE_DIFF_ID   "dev.envbuild.diff-id"
#define NOTE_FORMAT    "dev.envbuild.layer-format"
#define NOTE_SIGNATURE "dev.envbuild.signature"
#define FORMAT         "1"

static const enum oci_codec codecs[] = { OCI_CODEC_GZIP, OCI_CODEC_NONE, OCI_CODEC_ZSTD };

sv fact_doc_tag(const sha256 *key, struct arena *a)
{
        return arena_fmt(a, "lk-%s", sha256_hex(key).s);
}

const struct layer_encoding *fact_doc_encoding(const struct fact_doc *d, enum oci_codec c)
{
        for (size_t i = 0; i < d->n_encoding; i++)
                if (d->encoding[i].codec == c)
                        return &d->encoding[i];
        return NULL;
}

/* --- writing --- */

static sv hex_of(struct arena *a, const sha256 *d)
{
        return arena_sv(a, (sv){ sha256_hex(d).s, 64 });
}

static void add_blob(struct reg_push_blob *v, size_t *n, const char *type, const sha256 *digest, uint64_t size)
{
        v[(*n)++] = (struct reg_push_blob){
                .desc = { .media_type = sv_from(type), .digest = *digest, .size = size },
        };
}

static void add_member(struct arena *a, struct reg_push_blob *v, size_t *n, const struct fact_member *m)
{
        struct oci_pair *note = arena_new(a, struct oci_pair);

        *note = (struct oci_pair){ SV(NOTE_KEY), hex_of(a, &m->key) };
        add_blob(v, n, PATHS_MEDIA_TYPE, &m->paths.digest, m->paths.size);
        v[*n - 1].desc.annotation = note;
        v[*n - 1].desc.n_annotation = 1;
}

static sv signature_text(struct arena *a, const struct ed25519_signature *s)
{
        char *text = arena_alloc(a, 2 * sizeof(s->b) + 1, 1);

        hex_write(s->b, sizeof(s->b), text);
        return sv_from(text);
}

void fact_doc_artifact(const struct fact_doc *d, struct arena *a, struct reg_artifact *ret)
{
        struct reg_push_blob *v = arena_array(a, struct reg_push_blob, d->n_encoding + 1 + d->n_member + d->n_text);
        struct oci_pair *note = arena_array(a, struct oci_pair, 4);
        size_t n = 0, n_note = 0;

        for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
                const struct layer_encoding *en = fact_doc_encoding(d, codecs[i]);
                if (en)
                        add_blob(v, &n, oci_codec_type(en->codec), &en->digest, en->size);
        }
        add_blob(v, &n, PATHS_MEDIA_TYPE, &d->paths.digest, d->paths.size);
        for (size_t i = 0; i < d->n_member; i++)
                add_member(a, v, &n, &d->member[i]);
        for (size_t i = 0; i < d->n_text; i++)
                add_blob(v, &n, FACT_TEXT_TYPE, &d->text[i].digest, d->text[i].size);
        note[n_note++] = (struct oci_pair){ SV(NOTE_DIFF_ID), arena_fmt(a, "sha256:%s", sha256_hex(&d->diff_id).s) };
        note[n_note++] = (struct oci_pair){ SV(NOTE_KEY), hex_of(a, &d->key) };
        note[n_note++] = (struct oci_pair){ SV(NOTE_FORMAT), SV(FORMAT) };
        if (d->has_signature)
                note[n_note++] = (struct oci_pair){ SV(NOTE_SIGNATURE), signature_text(a, &d->signature) };
        *ret = (struct reg_artifact){ .type = SV(FACT_TYPE),
                                      .layer = v,
                                      .n_layer = n,
                                      .annotation = note,
                                      .n_annotation = n_note,
                                      .tag = fact_doc_tag(&d->key, a) };
}

/* --- reading: the first thing that is wrong makes the whole document wrong --- */

struct reading {
        struct arena *a;
        const struct oci_manifest *m;
        size_t at; /* layers that were taken */
        struct fact_doc *ret;
};

static const struct oci_desc *peek(const struct reading *r)
{
        return r->at < r->m->n_layer ? &r->m->layer[r->at] : NULL;
}

static bool is_plain(const struct oci_desc *d)
{
        return d->n_annotation == 0 && d->os.n == 0;
}

/* In the order of the codecs, so each once. */
static const char *read_encodings(struct reading *r)
{
        for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
                const struct oci_desc *d = peek(r);

                if (!d || !sv_is(d->media_type, oci_codec_type(codecs[i])) || !is_plain(d))
                        continue;
                r->ret->encoding[r->ret->n_encoding++] = (struct layer_encoding){ codecs[i], d->digest, d->size };
                r->at++;
        }
        return r->ret->n_encoding ? NULL : "its first blob is no layer";
}

static bool take_blob(struct reading *r, const char *type, uint64_t max, struct fact_blob *ret)
{
        const struct oci_desc *d = peek(r);

        if (!d || !sv_is(d->media_type, type) || d->size > max)
                return false;
        *ret = (struct fact_blob){ d->digest, d->size };
        r->at++;
        return true;
}

static const char *read_members(struct reading *r)
{
        struct fact_doc *f = r->ret;
        const struct oci_desc *d;

        f->member = arena_array(r->a, struct fact_member, r->m->n_layer - r->at);
        while ((d = peek(r)) && sv_is(d->media_type, PATHS_MEDIA_TYPE)) {
                struct fact_member *m = &f->member[f->n_member];

                if (d->n_annotation != 1 || d->os.n || d->annotation[0].value.n != 64 ||
                    !sha256_read(oci_desc_annotation(d, NOTE_KEY), &m->key) ||
                    !take_blob(r, PATHS_MEDIA_TYPE, FACT_PATHS_MAX, &m->paths))
                        return "a member's path list does not say whose it is, or is too large";
                f->n_member++;
        }
        return NULL;
}

static const char *read_texts(struct reading *r)
{
        struct fact_doc *f = r->ret;

        f->text = arena_array(r->a, struct fact_blob, r->m->n_layer - r->at);
        while (peek(r) && f->n_text < FACT_TEXTS_MAX && is_plain(peek(r)) &&
               take_blob(r, FACT_TEXT_TYPE, FACT_TEXT_MAX, &f->text[f->n_text]))
                f->n_text++;
        return peek(r) ? "it has a blob that is none of a layer's fact, or too many texts" : NULL;
}

static const char *read_blobs(struct reading *r)
{
        const char *why = read_encodings(r);

        if (why)
                return why;
        if (r->m->n_layer > FACT_BLOBS_MAX)
                return "it names too many blobs";
        if (!peek(r) || !is_plain(peek(r)) || !take_blob(r, PATHS_MEDIA_TYPE, FACT_PATHS_MAX, &r->ret->paths))
                return "it has no path list, or one that is too large";
        why = read_members(r);
        return why ? why : read_texts(r);
}

static const char *read_notes(const struct oci_manifest *m, struct fact_doc *ret)
{
        size_t seen = 0;

        for (size_t i = 0; i < m->n_annotation; i++) {
                sv key = m->annotation[i].key, value = m->annotation[i].value;

                if (sv_is(key, NOTE_KEY))
                        seen += value.n == 64 && sha256_read(value, &ret->key);
                else if (sv_is(key, NOTE_DIFF_ID))
                        seen += value.n == 71 && sha256_read(value, &ret->diff_id);
                else if (sv_is(key, NOTE_FORMAT))
                        seen += sv_is(value, FORMAT);
                else if (sv_is(key, NOTE_SIGNATURE) && hex_read(value, ret->signature.b, sizeof(ret->signature.b)))
                        ret->has_signature = true;
                else
                        return "it has an annotation that cannot be read";
        }
        return seen == 3 ? NULL : "key, diff-id or layer-format is missing, or is no such thing";
}

/* A bucket's key is made of its members': no list of another package can stand in for one. */
static const char *check_bucket(struct arena *a, const struct fact_doc *d)
{
        sha256 *key = arena_array(a, sha256, d->n_member), made;

        if (d->n_member == 0)
                return NULL;
        for (size_t i = 0; i < d->n_member; i++)
                key[i] = d->member[i].key;
        made = layer_key_bucket(key, d->n_member);
        return sha256_eq(&made, &d->key) ? NULL : "the keys of its members are not those of this bucket";
}

static const char *check_type(struct arena *a, sv manifest, const struct oci_manifest *m)
{
        struct err ignored = { 0 };
        struct js *j = NULL;
        sha256 empty = sha256_of(SV("{}"));
        bool ok = js_parse(a, manifest, &j, &ignored) == 0 && sv_is(js_get_str(j, "artifactType"), FACT_TYPE) &&
                  !js_get(j, "subject") && m->config.size == 2 && sha256_eq(&m->config.digest, &empty);

        err_done(&ignored);
        return ok ? NULL : "it is of another artifactType, has a config, or is about something else";
}

int fact_doc_parse(struct arena *a, sv manifest, const sha256 *key, struct fact_doc *ret, struct err *e)
{
        struct fact_doc d = { 0 };
        struct oci_manifest m;
        struct reading r = { a, &m, 0, &d };
        struct err unread = { 0 };
        const char *why;

        if (oci_manifest_parse(a, manifest, "its manifest", &m, &unread) < 0) {
                err_set(e, ERR_INTEGRITY, "the fact of key %.12s is none: %s", sha256_hex(key).s, unread.cause);
                err_done(&unread);
                return -(int)e->code;
        }
        why = read_notes(&m, &d);
        if (!why)
                why = check_type(a, manifest, &m);
        if (!why)
                why = read_blobs(&r);
        if (!why && !sha256_eq(&d.key, key))
                why = "it is about another key";
        if (!why)
                why = check_bucket(a, &d);
        if (why)
                return err_set(e, ERR_INTEGRITY, "the fact of key %.12s is none: %s", sha256_hex(key).s, why);
        *ret = d;
        return 0;
}

/* --- signing --- */

static void put_blob(struct buf *out, const char *what, const struct fact_blob *b)
{
        buf_fmt(out, "%s %s %llu\n", what, sha256_hex(&b->digest).s, (unsigned long long)b->size);
}

void fact_doc_signed_text(const struct fact_doc *d, struct buf *out)
{
        buf_fmt(out, "envbuild layer fact, format " FORMAT "\nkey %s\ndiff-id %s\n", sha256_hex(&d->key).s,
                sha256_hex(&d->diff_id).s);
        for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
                const struct layer_encoding *en = fact_doc_encoding(d, codecs[i]);
                struct fact_blob b;
                if (!en)
                        continue;
                b = (struct fact_blob){ en->digest, en->size };
                put_blob(out, oci_codec_name(codecs[i]), &b);
        }
        put_blob(out, "paths", &d->paths);
        for (size_t i = 0; i < d->n_member; i++) {
                buf_fmt(out, "member %s\n", sha256_hex(&d->member[i].key).s);
                put_blob(out, "paths", &d->member[i].paths);
        }
        for (size_t i = 0; i < d->n_text; i++)
                put_blob(out, "text", &d->text[i]);
}

int fact_doc_sign(struct fact_doc *d, const struct ed25519_key *k, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);

        fact_doc_signed_text(d, &b);
        if (buf_check(&b, e) < 0 || ed25519_sign(k, buf_sv(&b), &d->signature, e) < 0)
                return -(int)e->code;
        d->has_signature = true;
        return 0;
}

bool fact_doc_is_signed(const struct fact_doc *d, const struct ed25519_public *trust, size_t n)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);

        if (!d->has_signature)
                return false;
        fact_doc_signed_text(d, &b);
        for (size_t i = 0; i < n && !b.over; i++)
                if (ed25519_verify(&trust[i], buf_sv(&b), &d->signature))
                        return true;
        return false;
}
