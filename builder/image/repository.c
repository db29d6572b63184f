/* Reading a repository: its tags, and what each of them means. */
#include "image/repository.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/pool.h"
#include "layer/fact_doc.h"
#include "registry/manifest.h"

#define AT_ONCE 6 /* manifests asked for */

static const char *const kind_names[] = { [REPOSITORY_IMAGE] = "image",
                                          [REPOSITORY_INDEX] = "index",
                                          [REPOSITORY_FACT] = "layer fact",
                                          [REPOSITORY_ATTACHED] = "attached",
                                          [REPOSITORY_OTHER] = "other" };

const char *repository_kind_name(enum repository_kind k)
{
        return kind_names[k];
}

/* "sha256-<64 hex>", cosign's with ".sig" or ".att" behind it. */
static bool attached_tag(sv tag, sha256 *ret)
{
        if (!sv_starts(tag, SV("sha256-")) || tag.n < 71)
                return false;
        tag = sv_skip(tag, 7);
        return sha256_read(sv_from_to(tag, 0, 64), ret) &&
               (tag.n == 64 || sv_is(sv_skip(tag, 64), ".sig") || sv_is(sv_skip(tag, 64), ".att"));
}

static int64_t created(const struct oci_pair *v, size_t n)
{
        int64_t t = 0;

        for (size_t i = 0; i < n; i++)
                if (sv_is(v[i].key, "org.opencontainers.image.created") && !time_parse(v[i].value, &t))
                        t = 0;
        return t;
}

static sv annotation(const struct oci_manifest *m, const char *key)
{
        for (size_t i = 0; i < m->n_annotation; i++)
                if (sv_is(m->annotation[i].key, key))
                        return m->annotation[i].value;
        return (sv){ 0 };
}

static void read_manifest(const struct oci_manifest *m, struct repository_item *x)
{
        sv key = annotation(m, "dev.envbuild.key");

        x->created = created(m->annotation, m->n_annotation);
        x->config = m->config.digest;
        for (size_t i = 0; i < m->n_layer; i++)
                x->bytes += m->layer[i].size;
        if (sv_is(m->artifact_type, FACT_TYPE))
                x->kind = sha256_read(key, &x->key) ? REPOSITORY_FACT : REPOSITORY_OTHER;
        else if (!m->artifact_type.n && sv_is(m->config.media_type, OCI_CONFIG))
                x->kind = REPOSITORY_IMAGE;
}

static void read_children(struct arena *a, const struct oci_index *x, struct repository_item *ret)
{
        ret->child = arena_array(a, sha256, x->n);
        for (size_t i = 0; i < x->n; i++)
                ret->child[ret->n_child++] = x->v[i].digest;
}

/* What it is; a document that cannot be read is not ours. */
static void read_document(struct arena *a, const struct reg_manifest *m, sv tag, struct repository_item *x)
{
        AUTO(err_done) struct err ignored = { 0 };
        bool attached = attached_tag(tag, &x->subject);
        struct oci_manifest manifest;
        struct oci_index index;

        x->kind = REPOSITORY_OTHER;
        if (oci_is_index(a, m->bytes)) {
                if (oci_index_parse(a, m->bytes, "index", &index, &ignored) < 0)
                        return;
                x->kind = REPOSITORY_INDEX;
                read_children(a, &index, x);
        } else if (oci_manifest_parse(a, m->bytes, "manifest", &manifest, &ignored) == 0) {
                read_manifest(&manifest, x);
        }
        if (attached)
                x->kind = REPOSITORY_ATTACHED;
}

struct ask {
        struct reg_client *c;
        const struct reg_repo *repo;
        sv tag;
        struct arena arena;
        struct repository_item item;
        bool gone;
};

static int ask_one(void *arg, struct err *e)
{
        struct ask *q = arg;
        struct err why = { 0 };
        struct reg_manifest m;

        if (reg_manifest_get(q->c, q->repo, q->tag, &q->arena, &m, &why) < 0) {
                q->gone = why.code == ERR_NOT_FOUND; /* deleted since the list was made */
                if (!q->gone)
                        return err_move(e, &why);
                err_done(&why);
                return 0;
        }
        q->item.digest = m.digest;
        read_document(&q->arena, &m, q->tag, &q->item);
        return 0;
}

static struct repository_item *find(struct repository *r, const struct repository_item *x)
{
        for (size_t i = 0; i < r->n; i++)
                if (sha256_eq(&r->v[i].digest, &x->digest) &&
                    (r->v[i].kind == REPOSITORY_ATTACHED) == (x->kind == REPOSITORY_ATTACHED))
                        return &r->v[i];
        return NULL;
}

static void add(struct arena *a, struct repository *r, const struct ask *q)
{
        struct repository_item *x = find(r, &q->item);
        sv *tags;

        if (!x) {
                x = &r->v[r->n++];
                *x = q->item;
                x->child = arena_array(a, sha256, x->n_child);
                for (size_t i = 0; i < x->n_child; i++)
                        x->child[i] = q->item.child[i];
        }
        tags = arena_array(a, sv, x->n_tag + 1);
        for (size_t i = 0; i < x->n_tag; i++)
                tags[i] = x->tag[i];
        tags[x->n_tag++] = arena_sv(a, q->tag);
        x->tag = tags;
}

int repository_list(struct image_ctx *c, sv repo, struct arena *a, struct repository *ret, struct err *e)
{
        struct op op = *c->op;
        struct reg_client *rc;
        struct pool_job *job;
        struct ask *ask;
        size_t n;
        sv *tag;
        int r;

        *ret = (struct repository){ 0 };
        if (reg_repo_parse(a, repo, &ret->repo, e) < 0 || image_ctx_registry(c, &rc, e) < 0 ||
            reg_tags(rc, &ret->repo, a, &tag, &n, e) < 0)
                return -(int)e->code;
        ask = arena_array(a, struct ask, n);
        job = arena_array(a, struct pool_job, n);
        for (size_t i = 0; i < n; i++) {
                ask[i] = (struct ask){ .c = rc, .repo = &ret->repo, .tag = tag[i] };
                job[i] = (struct pool_job){ 0, ask_one, &ask[i] };
        }
        op.jobs = AT_ONCE;
        r = pool_run(&op, job, n, e);
        ret->v = arena_array(a, struct repository_item, n);
        for (size_t i = 0; i < n; i++) {
                if (r == 0 && !ask[i].gone)
                        add(a, ret, &ask[i]);
                arena_done(&ask[i].arena);
        }
        return r < 0 ? err_while(e, "listing '%.*s'", SV_ARG(repo)) : 0;
}
