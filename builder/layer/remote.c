#include "layer/remote.h"

#include "base/cleanup.h"
#include "ext/hash.h"
#include "registry/blob.h"
#include "registry/manifest.h"

/* --- what a repository says --- */

int layer_remote_get(struct reg_client *c, const struct reg_repo *repo, const sha256 *key,
                     const struct ed25519_public *trust, size_t n_trust, struct arena *a, struct fact_doc *ret,
                     struct err *e)
{
        struct reg_manifest m;
        struct fact_doc d;

        if (reg_manifest_get(c, repo, fact_doc_tag(key, a), a, &m, e) < 0 || fact_doc_parse(a, m.bytes, key, &d, e) < 0)
                return -(int)e->code;
        if (n_trust && !fact_doc_is_signed(&d, trust, n_trust))
                return err_set(e, ERR_NOT_FOUND, "the fact of key %.12s is not signed by a key of cache.trust",
                               sha256_hex(key).s);
        *ret = d;
        return 0;
}

/* --- its small blobs --- */

static struct oci_desc desc_of(const struct fact_blob *b, const char *type)
{
        return (struct oci_desc){ .media_type = sv_from(type), .digest = b->digest, .size = b->size };
}

/* A list that is none is dropped again: nobody else shall stumble over it. */
static int check_list(struct store *s, const struct fact_blob *b, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct paths list;

        if (store_map(s, STORE_BLOB, &b->digest, &map, e) < 0)
                return -(int)e->code;
        if (paths_parse(&a, (sv){ (const char *)map.p, map.n }, &list, e) == 0)
                return 0;
        store_drop(s, STORE_BLOB, &b->digest, &ignored);
        return -(int)e->code;
}

int layer_remote_paths(struct reg_client *c, const struct reg_repo *repo, const struct fact_blob *b, struct store *s,
                       struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        struct oci_desc d = desc_of(b, PATHS_MEDIA_TYPE);
        sha256 empty = sha256_of((sv){ 0 });
        struct writer *w;

        if (store_has(s, STORE_BLOB, &b->digest, NULL))
                return 0;
        if (store_put_begin(s, STORE_BLOB, &put, &w, e) < 0)
                return -(int)e->code;
        if (!sha256_eq(&b->digest, &empty) && reg_blob_get(c, repo, &d, FACT_PATHS_MAX, w, (sv){ 0 }, e) < 0)
                return err_while(e, "reading the path list sha256:%.12s", sha256_hex(&b->digest).s);
        if (store_put_commit(&put, &b->digest, e) < 0)
                return -(int)e->code;
        return check_list(s, b, e);
}

int layer_remote_text(struct reg_client *c, const struct reg_repo *repo, const struct fact_blob *b, struct store *s,
                      struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf have = BUF_INIT(FACT_TEXT_MAX);
        struct oci_desc d = desc_of(b, FACT_TEXT_TYPE);
        struct err missing = { 0 };
        sv text;

        if (store_note_get(s, STORE_TEXT, &b->digest, &have, &missing) == 0)
                return 0;
        err_done(&missing);
        if (reg_blob_read(c, repo, &d, FACT_TEXT_MAX, &a, &text, e) < 0)
                return err_while(e, "reading the text sha256:%.12s", sha256_hex(&b->digest).s);
        return store_note_put(s, STORE_TEXT, &b->digest, text, e);
}

/* --- publishing --- */

struct putting {
        struct reg_client *c;
        const struct layer_remote_put *p;
        struct arena a;
        struct fact_doc doc; /* what it shall say */
};

static int conflict(const struct putting *x, const struct fact_doc *there, struct err *e)
{
        sv repo = reg_repo_text((struct arena *)&x->a, x->p->into);

        err_set(e, ERR_INTEGRITY, "key %.12s gave the layer sha256:%s here, but '%.*s' says sha256:%s",
                sha256_hex(&x->doc.key).s, sha256_hex(&x->doc.diff_id).s, SV_ARG(repo), sha256_hex(&there->diff_id).s);
        err_hint(e, "envbuild build --verify makes the layers again from their packages and tells which of the two is "
                    "wrong");
        return -(int)e->code;
}

/* Encodings that only the other one knows are kept: any of a diff_id is valid. False: it has all of ours. */
static bool join(struct fact_doc *mine, const struct fact_doc *there)
{
        bool more = false;

        for (size_t i = 0; i < mine->n_encoding; i++)
                more |= !fact_doc_encoding(there, mine->encoding[i].codec);
        for (size_t i = 0; i < there->n_encoding; i++)
                if (!fact_doc_encoding(mine, there->encoding[i].codec))
                        mine->encoding[mine->n_encoding++] = there->encoding[i];
        return more;
}

/* What is there decides whether there is anything to say. What cannot be read, or counts for nothing, is replaced. */
static int look(struct putting *x, bool *ret_needed, struct err *e)
{
        const struct layer_remote_put *p = x->p;
        struct err why = { 0 };
        struct fact_doc there;
        bool replace = false;

        *ret_needed = true;
        if (layer_remote_get(x->c, p->into, &x->doc.key, p->trust, p->n_trust, &x->a, &there, &why) < 0) {
                replace = why.code == ERR_INTEGRITY || why.code == ERR_NOT_FOUND;
                if (!replace)
                        return err_move(e, &why);
                err_done(&why);
                return 0;
        }
        if (!sha256_eq(&there.diff_id, &x->doc.diff_id))
                return conflict(x, &there, e);
        if (there.has_signature && !p->sign) /* saying more would take its signature away */
                *ret_needed = false;
        else
                *ret_needed = join(&x->doc, &there) || (p->sign && !there.has_signature);
        return 0;
}

static int bytes_of(struct putting *x, struct reg_push_blob *b, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(FACT_TEXT_MAX);
        AUTO(free_ptr) char *path = NULL;

        if (!sv_is(b->desc.media_type, FACT_TEXT_TYPE)) {
                path = store_find(x->p->store, STORE_BLOB, &b->desc.digest);
                b->bytes.path = path ? arena_str(&x->a, sv_from(path)) : NULL;
                return 0;
        }
        if (store_note_get(x->p->store, STORE_TEXT, &b->desc.digest, &text, e) < 0)
                return -(int)e->code;
        b->bytes.text = arena_sv(&x->a, buf_sv(&text));
        return 0;
}

/* Each once; the empty config first. */
static int blobs_of(struct putting *x, const struct reg_artifact *art, struct reg_push_blob *v, size_t *ret_n,
                    struct err *e)
{
        static const sv empty = { "{}", 2 };

        v[0] = (struct reg_push_blob){ .desc = { .media_type = SV(OCI_EMPTY), .digest = sha256_of(empty), .size = 2 },
                                       .bytes.text = empty };
        *ret_n = 1;
        for (size_t i = 0; i < art->n_layer; i++) {
                bool seen = false;

                for (size_t k = 0; k < *ret_n && !seen; k++)
                        seen = sha256_eq(&v[k].desc.digest, &art->layer[i].desc.digest);
                if (seen)
                        continue;
                v[*ret_n] = art->layer[i];
                if (bytes_of(x, &v[(*ret_n)++], e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

/* The manifest that says it; art's texts live in x->a. */
static int write(struct putting *x, struct reg_artifact *art, struct reg_manifest *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);

        if (x->p->sign && fact_doc_sign(&x->doc, x->p->sign, e) < 0)
                return -(int)e->code;
        fact_doc_artifact(&x->doc, &x->a, art);
        reg_artifact_write(art, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        *ret = (struct reg_manifest){ .bytes = arena_sv(&x->a, buf_sv(&text)), .media_type = SV(OCI_MANIFEST) };
        ret->digest = sha256_of(ret->bytes);
        return 0;
}

static int put(struct putting *x, struct err *e)
{
        struct reg_manifest m;
        struct reg_push push = { .repo = *x->p->into, .manifest = &m, .n_manifest = 1, .n_tag = 1 };
        struct reg_push_count ignored;
        struct reg_push_blob *blob;
        struct reg_artifact art;

        if (write(x, &art, &m, e) < 0)
                return -(int)e->code;
        push.tag = &art.tag;
        push.blob = blob = arena_array(&x->a, struct reg_push_blob, art.n_layer + 1);
        push.from = x->p->from;
        push.n_from = x->p->from != NULL;
        if (blobs_of(x, &art, blob, &push.n_blob, e) < 0)
                return -(int)e->code;
        return reg_push(x->c, &push, &ignored, e);
}

/* One HEAD when the same is there. */
static int put_needed(struct putting *x, bool *ret_needed, struct err *e)
{
        struct err missing = { 0 };
        struct reg_artifact art;
        struct reg_manifest m;
        struct oci_desc there;

        *ret_needed = true;
        if (write(x, &art, &m, e) < 0)
                return -(int)e->code;
        if (reg_manifest_head(x->c, x->p->into, art.tag, &x->a, &there, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return 0;
        }
        *ret_needed = !sha256_eq(&there.digest, &m.digest);
        return *ret_needed ? look(x, ret_needed, e) : 0;
}

int layer_remote_put(struct reg_client *c, const struct layer_remote_put *p, const struct fact_doc *d,
                     bool *ret_written, struct err *e)
{
        struct putting x = { .c = c, .p = p, .doc = *d };
        bool needed = false;
        int r = put_needed(&x, &needed, e);

        if (r == 0 && needed)
                r = put(&x, e);
        *ret_written = r == 0 && needed;
        arena_done(&x.a);
        return r;
}
