#include "store/store_priv.h"

#include <stdlib.h>

#include "base/cleanup.h"

#define FROM      "dev.envbuild.from"
#define INDEX_MAX ((size_t)64 << 20)
#define NEST_MAX  4

/* Only our own folder counts: tools that read the layout know nothing of other roots. */
static bool here(struct store *s, const sha256 *d)
{
        AUTO(free_ptr) char *path = store_path(s, 0, STORE_BLOB, d);
        return fs_exists(path);
}

static bool whole(struct store *s, const struct oci_desc *d, int depth);

static bool manifest_whole(struct store *s, const struct oci_manifest *m)
{
        bool ok = here(s, &m->config.digest);

        for (size_t i = 0; ok && i < m->n_layer; i++)
                ok = here(s, &m->layer[i].digest);
        return ok;
}

/* Of a pulled index the platforms that were asked for are here, the others' manifests are not: readers choose one. What is here must be whole. */
static bool index_whole(struct store *s, const struct oci_index *x, int depth)
{
        bool ok = depth < NEST_MAX, any = false;

        for (size_t i = 0; ok && i < x->n; i++) {
                if (!here(s, &x->v[i].digest))
                        continue;
                any = true;
                ok = whole(s, &x->v[i], depth + 1);
        }
        return ok && any;
}

static bool whole(struct store *s, const struct oci_desc *d, int depth)
{
        AUTO(free_ptr) char *path = store_path(s, 0, STORE_BLOB, &d->digest);
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct oci_manifest m;
        struct oci_index x;

        if (fs_read(path, &text, &e) < 0)
                return false;
        if (oci_is_index(&a, buf_sv(&text)))
                return oci_index_parse(&a, buf_sv(&text), path, &x, &e) == 0 && index_whole(s, &x, depth);
        return oci_manifest_parse(&a, buf_sv(&text), path, &m, &e) == 0 && manifest_whole(s, &m);
}

static struct oci_desc entry_of(struct arena *a, const struct store_ref *r)
{
        struct oci_desc d = r->desc;

        d.annotation = arena_array(a, struct oci_pair, r->desc.n_annotation);
        d.n_annotation = 0;
        for (size_t i = 0; i < r->desc.n_annotation; i++)
                if (!sv_is(r->desc.annotation[i].key, FROM)) /* it is whole now; where it came from is ours to know */
                        d.annotation[d.n_annotation++] = r->desc.annotation[i];
        return d;
}

static int by_name(const void *a, const void *b)
{
        return sv_cmp(((const struct store_ref *)a)->name, ((const struct store_ref *)b)->name);
}

/* What index.json must say for refs/ as they are. */
static int derive(struct store *s, struct buf *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct store_ref *v = NULL;
        struct oci_index x = { 0 };
        size_t n = 0, cap = 0;

        if (store_ref_read(s, 0, &a, &v, &n, &cap, e) < 0)
                return -(int)e->code;
        if (n)
                qsort(v, n, sizeof(*v), by_name);
        x.v = arena_array(&a, struct oci_desc, n);
        for (size_t i = 0; i < n; i++)
                if (whole(s, &v[i].desc, 0))
                        x.v[x.n++] = entry_of(&a, &v[i]);
        oci_index_write(&x, ret);
        return buf_check(ret, e);
}

/* 1: it was the same. */
static int write_unless_same(struct store *s, const char *path, sv text, struct err *e)
{
        AUTO(buf_done) struct buf now = BUF_INIT(INDEX_MAX);
        AUTO(err_done) struct err ignored = { 0 };

        if (fs_read(path, &now, &ignored) == 0 && sv_eq(buf_sv(&now), text))
                return 1;
        return store_replace(s, path, text, e);
}

/* Whoever renames an index.json reads refs/ once more and goes on until nothing differs. So the last one to rename has seen every ref that
 * was written before, and who writes a ref later renames later; a killed one is healed by the next to open the store. Whoever finds the
 * index right has nothing to read again: one who replaces it by an older state looks again himself. */
int store_index_sync(struct store *s, struct err *e)
{
        AUTO(free_ptr) char *refs = fs_path("%s/refs", s->root[0]), *index = fs_path("%s/oci/index.json", s->root[0]);

        for (;;) {
                AUTO(buf_done) struct buf text = BUF_INIT(INDEX_MAX);
                int r;
                store_freshen(s, refs);
                if (op_check(s->op, e) < 0 || derive(s, &text, e) < 0)
                        return -(int)e->code;
                r = write_unless_same(s, index, buf_sv(&text), e);
                if (r)
                        return r < 0 ? r : 0;
        }
}
