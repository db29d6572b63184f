#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "layer/layer_priv.h"

#define STEP ((uint64_t)1 << 20) /* packed bytes between two events */

struct making {
        struct store *store;
        const struct layer_make *m;
        struct op *op;
        struct entry_source *src;
        struct arena arena;
        struct paths all; /* as they came */
        struct map index; /* path → its place in all, + 1 */
        uint64_t told;
};

static size_t index_of(const struct making *mk, sv path)
{
        return (size_t)(uintptr_t)map_get(&mk->index, path);
}

static void tell(struct making *mk, uint64_t done)
{
        if (done - mk->told < STEP)
                return;
        mk->told = done;
        op_event(mk->op, OP_LAYER, OP_STEP, mk->m->subject, mk->m->total && done > mk->m->total ? mk->m->total : done,
                 mk->m->total);
}

/* The next entry, checked; *ret_own is our copy (NULL: nothing to do, a directory told twice), *ret_src what the source wants filled. */
static int next(struct making *mk, struct entry **ret_src, struct entry *ret_own, struct content *ret_content,
                struct err *e)
{
        int rc;

        *ret_content = (struct content){ 0 };
        if (op_check(mk->op, e) < 0)
                return -(int)e->code;
        rc = mk->src->ops->next(mk->src, ret_src, ret_content, e);
        if (rc <= 0)
                return rc;
        return layer_entry_check(mk->m, *ret_src, ret_content, ret_own, e) < 0 ? -(int)e->code : 1;
}

/* A hard link has its target's attributes: readers apply those of the last header to both. */
static int resolve_link(const struct making *mk, struct entry *en, struct err *e)
{
        size_t at = index_of(mk, en->target);
        const struct entry *to = at ? &mk->all.v[at - 1] : NULL;

        if (!to || to->type != ENTRY_FILE)
                return err_set(e, ERR_INTEGRITY,
                               "'%.*s' is a hard link to '%.*s', which is no earlier file of the package",
                               SV_ARG(en->path), SV_ARG(en->target));
        en->mode = to->mode;
        en->uid = to->uid;
        en->gid = to->gid;
        en->mtime = to->mtime;
        return 0;
}

/* Take an entry into the list; *ret_new false: a directory that is there already. */
static int note(struct making *mk, struct entry *en, bool *ret_new, struct err *e)
{
        size_t at = index_of(mk, en->path);

        *ret_new = !at;
        if (at && en->type == ENTRY_DIR && mk->all.v[at - 1].type == ENTRY_DIR)
                return 0;
        if (at)
                return err_set(e, ERR_INTEGRITY, "the package has '%.*s' twice", SV_ARG(en->path));
        if (en->type == ENTRY_HARDLINK && resolve_link(mk, en, e) < 0)
                return -(int)e->code;
        paths_add(&mk->arena, &mk->all, en);
        map_put(&mk->index, &mk->arena, en->path, (void *)(uintptr_t)mk->all.n);
        return 0;
}

/* --- one pass: a body --- */

static int write_body(struct making *mk, struct body *b, struct out *out, struct err *e)
{
        struct entry *src, own;
        struct content c;
        bool new;
        int rc;

        while ((rc = next(mk, &src, &own, &c, e)) > 0) {
                if (note(mk, &own, &new, e) < 0)
                        return -(int)e->code;
                if (own.type == ENTRY_DIR)
                        continue;
                if (body_entry(b, &own, &c, e) < 0)
                        return -(int)e->code;
                if (own.type == ENTRY_FILE)
                        src->sha256 = mk->all.v[mk->all.n - 1].sha256 = own.sha256;
                tell(mk, out->total);
        }
        return rc < 0 ? rc : body_end(b, e);
}

/* A body in a file that is begun, not yet kept. */
struct loose {
        struct store_put put;
        struct out *out;
        struct layer_body body; /* without `in` */
};

static void loose_done(struct loose *l)
{
        store_put_abort(&l->put);
        free(l->out);
}

static int make_loose(struct making *mk, struct loose *l, struct paths *ret_dirs, struct err *e)
{
        AUTO(body_done) struct body b = { 0 };
        struct writer *w;

        if (store_put_begin(mk->store, STORE_BODY, &l->put, &w, e) < 0)
                return -(int)e->code;
        l->out = xmalloc(sizeof(*l->out));
        body_begin(&b, mk->m->style, out_init(l->out, w), NULL, mk->op);
        if (write_body(mk, &b, l->out, e) < 0 || writer_finish(&l->out->w, e) < 0)
                return -(int)e->code;
        l->body = (struct layer_body){
                .kind = STORE_BODY, .size = l->out->total, .tar_size = b.tar_size, .tar_crc = b.tar_crc
        };
        paths_sort(&mk->all);
        return dirs_of(&mk->arena, mk->m, &mk->all, ret_dirs, e);
}

static int make_body(struct making *mk, const sha256 *key, struct layer_fact *ret, struct err *e)
{
        AUTO(loose_done) struct loose l = { 0 };
        struct paths dirs = { 0 };

        if (make_loose(mk, &l, &dirs, e) < 0 || store_put_commit(&l.put, NULL, e) < 0)
                return -(int)e->code;
        *ret = (struct layer_fact){ .key = *key, .has_body = true, .body = l.body };
        ret->body.in = l.put.hash.digest;
        return layer_fact_keep(mk->store, ret, &mk->all, e);
}

/* The directories are known when the body is done: its blob is put together then, and the tar digested by inflating (which is cheap
 * beside compressing). */
static int make_packed(struct making *mk, const sha256 *key, struct layer_fact *ret, struct err *e)
{
        AUTO(loose_done) struct loose l = { 0 };
        AUTO(frame_done) struct frame f = { 0 };
        AUTO(fs_map_close) struct fs_map map = { 0 };
        struct paths dirs = { 0 };
        struct layer_fact fact = { .key = *key };

        if (make_loose(mk, &l, &dirs, e) < 0 || frame_begin(&f, mk->store, &dirs, mk->op, e) < 0)
                return -(int)e->code;
        l.body.at = f.out->total;
        if (l.body.size && fs_map_open(l.put.tmp, &map, e) < 0)
                return -(int)e->code;
        if (frame_copy(&f, (sv){ (const char *)map.p, map.n }, l.body.tar_size, l.body.tar_crc, e) < 0 ||
            frame_end(&f, &fact, e) < 0)
                return -(int)e->code;
        fact.has_body = true;
        fact.body = l.body;
        fact.body.kind = STORE_BLOB;
        fact.body.in = fact.encoding[0].digest;
        *ret = fact;
        return layer_fact_keep(mk->store, ret, &mk->all, e);
}

/* --- two passes: the blobs at once, one a part --- */

struct part {
        struct frame frame;
        struct body body;
        struct paths list;
        uint64_t at; /* where the body begins */
};

struct parts {
        struct part *v;
        uint32_t n;
        uint32_t *of;  /* entry → its part */
        bool *written; /* entry → the second pass had it */
        size_t n_written;
};

static void parts_done(struct parts *p)
{
        for (uint32_t k = 0; p->v && k < p->n; k++) {
                body_done(&p->v[k].body);
                frame_done(&p->v[k].frame);
        }
        free(p->v);
}

static int scan(struct making *mk, struct err *e)
{
        struct entry *src, own;
        struct content c;
        bool new;
        int rc;

        while ((rc = next(mk, &src, &own, &c, e)) > 0)
                if (note(mk, &own, &new, e) < 0)
                        return -(int)e->code;
        return rc;
}

static int by_size(const void *a, const void *b)
{
        const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;

        return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : sv_cmp(x->path, y->path);
}

/* Files with their hard links and symbolic links by size, then path, each to the part with the fewest bytes so far. What is generated
 * stays in part 0 and does not count. */
static void assign_files(struct making *mk, struct parts *p)
{
        struct entry **v = arena_array(&mk->arena, struct entry *, mk->all.n);
        uint64_t *bytes = arena_array(&mk->arena, uint64_t, p->n);
        size_t n = 0;

        for (size_t i = 0; i < mk->all.n; i++) {
                struct entry *en = &mk->all.v[i];

                if (!en->generated && (en->type == ENTRY_FILE || en->type == ENTRY_SYMLINK))
                        v[n++] = en;
        }
        if (n)
                qsort(v, n, sizeof(*v), by_size);
        for (size_t i = 0; i < n; i++) {
                uint32_t least = 0;

                for (uint32_t k = 1; k < p->n; k++)
                        if (bytes[k] < bytes[least])
                                least = k;
                bytes[least] += v[i]->size;
                p->of[v[i] - mk->all.v] = least;
        }
        for (size_t i = 0; i < mk->all.n; i++)
                if (mk->all.v[i].type == ENTRY_HARDLINK)
                        p->of[i] = p->of[index_of(mk, mk->all.v[i].target) - 1];
}

/* A directory that the package ships belongs to each part that has something below it, else to part 0. */
static void list_parts(struct making *mk, struct parts *p)
{
        uint8_t *in = arena_array(&mk->arena, uint8_t, mk->all.n); /* bits: parts have at most 8 */

        for (size_t i = 0; i < mk->all.n; i++) {
                const struct entry *en = &mk->all.v[i];

                if (en->type == ENTRY_DIR)
                        continue;
                in[i] = (uint8_t)(1U << p->of[i]);
                for (sv up = entry_parent(en->path); up.n; up = entry_parent(up)) {
                        size_t at = index_of(mk, up);
                        if (at)
                                in[at - 1] |= in[i];
                }
        }
        for (size_t i = 0; i < mk->all.n; i++)
                for (uint32_t k = 0; k < p->n; k++)
                        if (in[i] ? in[i] >> k & 1 : k == 0)
                                paths_add(&mk->arena, &p->v[k].list, &mk->all.v[i]);
}

static int begin_part(struct making *mk, struct part *p, struct err *e)
{
        struct paths dirs = { 0 };

        paths_sort(&p->list);
        if (dirs_of(&mk->arena, mk->m, &p->list, &dirs, e) < 0 ||
            frame_begin(&p->frame, mk->store, &dirs, mk->op, e) < 0)
                return -(int)e->code;
        p->at = p->frame.out->total;
        body_begin(&p->body, mk->m->style, &p->frame.out->w, p->frame.tar, mk->op);
        return 0;
}

static int end_part(struct making *mk, struct part *p, const sha256 *key, struct layer_fact *ret, struct err *e)
{
        struct layer_fact f = { .key = *key, .has_body = true };

        if (body_end(&p->body, e) < 0)
                return -(int)e->code;
        f.body = (struct layer_body){ .kind = STORE_BLOB,
                                      .at = p->at,
                                      .size = p->frame.out->total - p->at,
                                      .tar_size = p->body.tar_size,
                                      .tar_crc = p->body.tar_crc };
        frame_joined(&p->frame, f.body.tar_crc, f.body.tar_size);
        if (frame_end(&p->frame, &f, e) < 0)
                return -(int)e->code;
        f.body.in = f.encoding[0].digest;
        *ret = f;
        return layer_fact_keep(mk->store, ret, &p->list, e);
}

static uint64_t packed_bytes(const struct parts *p)
{
        uint64_t sum = 0;

        for (uint32_t k = 0; k < p->n; k++)
                sum += p->v[k].frame.out->total;
        return sum;
}

static int changed(const struct entry *en, struct err *e)
{
        return err_set(e, ERR_FAILED, "'%.*s' was not the same in the second pass over its package", SV_ARG(en->path));
}

/* One entry of the second pass, into its part. */
static int write_part(struct making *mk, struct parts *p, struct entry *src, const struct entry *own,
                      const struct content *c, struct err *e)
{
        size_t at = index_of(mk, own->path);
        struct entry *en = at ? &mk->all.v[at - 1] : NULL, out;
        struct part *part;

        /* what is generated from digests may be longer now: they are known */
        if (!en || en->type != own->type || (en->size != own->size && !own->generated))
                return changed(own, e);
        if (en->type == ENTRY_DIR)
                return 0;
        if (p->written[at - 1])
                return changed(own, e);
        p->written[at - 1] = true;
        p->n_written++;
        part = &p->v[p->of[at - 1]];
        out = *en;
        out.size = own->size;
        if (body_entry(&part->body, &out, c, e) < 0)
                return -(int)e->code;
        if (out.type == ENTRY_FILE) {
                struct entry *listed = (struct entry *)paths_find(&part->list, out.path);

                *listed = out;
                src->sha256 = out.sha256;
        }
        tell(mk, packed_bytes(p));
        return 0;
}

static int write_parts(struct making *mk, struct parts *p, struct err *e)
{
        struct entry *src, own;
        struct content c;
        size_t want = 0;
        int rc;

        while ((rc = next(mk, &src, &own, &c, e)) > 0)
                if (write_part(mk, p, src, &own, &c, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < mk->all.n; i++)
                want += mk->all.v[i].type != ENTRY_DIR;
        if (rc == 0 && want != p->n_written)
                return err_set(e, ERR_FAILED, "the second pass over a package gave %zu of %zu entries", p->n_written,
                               want);
        return rc;
}

static int make_parts(struct making *mk, const sha256 *keys, uint32_t n, struct layer_fact *ret, struct err *e)
{
        AUTO(parts_done) struct parts p = { .n = n };

        p.v = xcalloc(n, sizeof(*p.v));
        if (scan(mk, e) < 0)
                return -(int)e->code;
        p.of = arena_array(&mk->arena, uint32_t, mk->all.n);
        p.written = arena_array(&mk->arena, bool, mk->all.n);
        if (n > 1)
                assign_files(mk, &p);
        list_parts(mk, &p);
        for (uint32_t k = 0; k < n; k++)
                if (begin_part(mk, &p.v[k], e) < 0)
                        return -(int)e->code;
        if (mk->src->ops->rewind(mk->src, e) < 0 || write_parts(mk, &p, e) < 0)
                return -(int)e->code;
        for (uint32_t k = 0; k < n; k++)
                if (end_part(mk, &p.v[k], &keys[k], &ret[k], e) < 0)
                        return -(int)e->code;
        return 0;
}

int layer_make(struct store *s, const struct layer_make *m, const sha256 *keys, uint32_t n_keys, bool only_body,
               struct entry_source *src, struct op *op, struct layer_fact *ret, struct err *e)
{
        struct making mk = { .store = s, .m = m, .op = op, .src = src };
        int rc;

        op_event(op, OP_LAYER, OP_BEGIN, m->subject, 0, m->total);
        if (n_keys > 8 || n_keys == 0)
                rc = err_set(e, ERR_FAILED, "a package has 1 to 8 parts, not %u", n_keys);
        else if (only_body && n_keys == 1)
                rc = make_body(&mk, keys, ret, e);
        else if (m->style == LAYER_CHUNK && n_keys == 1)
                rc = make_packed(&mk, keys, ret, e);
        else
                rc = make_parts(&mk, keys, n_keys, ret, e);
        arena_done(&mk.arena);
        op_event(op, OP_LAYER, OP_END, m->subject, m->total, m->total);
        return rc < 0 ? err_while(e, "making the layer of %.*s", SV_ARG(m->subject)) : 0;
}
