#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "layer/layer_priv.h"

/* What happens to one entry of a member in its bucket. */
struct fate {
        bool drop;      /* an earlier member has the path, or stands in its way */
        const sv *heir; /* of a dropped file: its first hard link, which becomes the file */
};

struct member {
        struct paths list;
        struct fate *fate;
        bool remake;
};

struct bucket {
        struct store *store;
        const struct layer_make *m;
        const struct layer_member *given;
        struct member *member;
        size_t n;
        struct op *op;
        struct arena arena;
        struct map leaf, dir; /* paths of the members so far; dir: ancestors too */
        struct paths all;
        struct frame frame;
};

static bool is_taken(const struct bucket *b, const struct entry *en)
{
        if (map_get(&b->leaf, en->path) || (en->type != ENTRY_DIR && map_get(&b->dir, en->path)))
                return true;
        for (sv up = entry_parent(en->path); up.n; up = entry_parent(up))
                if (map_get(&b->leaf, up))
                        return true;
        return false;
}

static void occupy(struct bucket *b, const struct entry *en)
{
        if (en->type != ENTRY_DIR)
                map_put(&b->leaf, &b->arena, en->path, b);
        for (sv up = en->type == ENTRY_DIR ? en->path : entry_parent(en->path); up.n && !map_get(&b->dir, up);
             up = entry_parent(up))
                map_put(&b->dir, &b->arena, up, b);
}

static size_t place(const struct member *mb, sv path)
{
        const struct entry *en = paths_find(&mb->list, path);

        return en ? (size_t)(en - mb->list.v) : SIZE_MAX;
}

/* Links that stay although their file goes need its content: the first of them gets it. */
static void find_heirs(struct member *mb)
{
        for (size_t i = 0; i < mb->list.n; i++) {
                const struct entry *en = &mb->list.v[i];
                size_t at;

                if (en->type != ENTRY_HARDLINK || mb->fate[i].drop)
                        continue;
                at = place(mb, en->target);
                if (at != SIZE_MAX && mb->fate[at].drop && !mb->fate[at].heir)
                        mb->fate[at].heir = &en->path;
        }
}

/* How an entry stands in the bucket: false when it is not there under this path (a dropped one, or an heir's link entry). */
static bool as_kept(const struct member *mb, struct entry *en)
{
        size_t at = place(mb, en->path), to;

        if (mb->fate[at].drop)
                return false;
        if (en->type != ENTRY_HARDLINK)
                return true;
        to = place(mb, en->target);
        if (to == SIZE_MAX || !mb->fate[to].heir)
                return true;
        en->target = *mb->fate[to].heir;
        return !sv_eq(en->target, en->path);
}

static void judge(struct bucket *b, struct member *mb)
{
        mb->fate = arena_array(&b->arena, struct fate, mb->list.n);
        for (size_t i = 0; i < mb->list.n; i++) {
                mb->fate[i].drop = is_taken(b, &mb->list.v[i]);
                mb->remake |= mb->fate[i].drop && mb->list.v[i].type != ENTRY_DIR;
        }
        find_heirs(mb);
}

static void keep(struct bucket *b, struct member *mb)
{
        const struct paths before = b->all; /* sorted: what earlier members have */
        struct entry en;

        for (size_t i = 0; i < mb->list.n; i++) {
                en = mb->list.v[i];
                if (mb->fate[i].heir)
                        en.path = *mb->fate[i].heir;
                else if (!as_kept(mb, &en))
                        continue;
                if (en.type == ENTRY_DIR && paths_find(&before, en.path))
                        continue; /* the first member's attributes */
                paths_add(&b->arena, &b->all, &en);
                occupy(b, &en);
        }
        paths_sort(&b->all);
}

/* --- a body without what is taken --- */

static int write_nothing(struct writer *w, const void *p, size_t n, struct err *e)
{
        (void)w, (void)p, (void)n, (void)e;
        return 0;
}

static int finish_nothing(struct writer *w, struct err *e)
{
        (void)w, (void)e;
        return 0;
}

static const struct writer_ops nothing = { "nothing", write_nothing, finish_nothing };

/* Dropped contents are read all the same: a RECORD that is generated later names their digests. */
static int rewrite_entry(struct bucket *b, const struct member *mb, struct body *kept, struct body *dropped,
                         struct entry *src, const struct content *c, struct err *e)
{
        size_t at = place(mb, src->path);
        struct entry en;
        struct body *to = kept;

        if (at == SIZE_MAX || mb->list.v[at].type != src->type)
                return err_set(e, ERR_INTEGRITY, "'%.*s' was not in the package when its body was made",
                               SV_ARG(src->path));
        if (src->type == ENTRY_DIR)
                return 0;
        en = mb->list.v[at]; /* checked when the body was made */
        if (mb->fate[at].heir)
                en.path = *mb->fate[at].heir;
        else if (!as_kept(mb, &en))
                to = dropped;
        if (op_check(b->op, e) < 0 || body_entry(to, &en, c, e) < 0)
                return -(int)e->code;
        src->sha256 = en.sha256;
        return 0;
}

static int rewrite(struct bucket *b, size_t k, struct writer *out, struct layer_body *ret, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        AUTO(body_done) struct body kept = { 0 };
        AUTO(body_done) struct body dropped = { 0 };
        struct writer sink = { &nothing, NULL };
        struct entry *en;
        struct content c = { 0 };
        int rc;

        if (b->given[k].remake(b->given[k].arg, &src, e) < 0)
                return -(int)e->code;
        body_begin(&kept, b->given[k].style, out, NULL, b->op);
        body_begin(&dropped, LAYER_JOIN, &sink, NULL, NULL);
        while ((rc = src->ops->next(src, &en, &c, e)) > 0) {
                if (rewrite_entry(b, &b->member[k], &kept, &dropped, en, &c, e) < 0)
                        return -(int)e->code;
                c = (struct content){ 0 };
        }
        if (rc < 0 || body_end(&kept, e) < 0)
                return -(int)e->code;
        *ret = (struct layer_body){ .tar_size = kept.tar_size, .tar_crc = kept.tar_crc };
        return 0;
}

struct loose {
        struct store_put put;
        struct out *out;
        struct fs_map map;
};

static void loose_done(struct loose *l)
{
        fs_map_close(&l->map);
        store_put_abort(&l->put);
        free(l->out);
}

static int copy_remade(struct bucket *b, size_t k, struct err *e)
{
        AUTO(loose_done) struct loose l = { 0 };
        struct layer_body body = { 0 };
        struct writer *w;

        if (store_put_begin(b->store, STORE_BODY, &l.put, &w, e) < 0)
                return -(int)e->code;
        l.out = xmalloc(sizeof(*l.out));
        w = out_init(l.out, w);
        if (rewrite(b, k, w, &body, e) < 0 || writer_finish(w, e) < 0 ||
            (l.out->total && fs_map_open(l.put.tmp, &l.map, e) < 0))
                return -(int)e->code;
        return frame_copy(&b->frame, (sv){ (const char *)l.map.p, l.map.n }, body.tar_size, body.tar_crc, e);
}

static int copy_whole(struct bucket *b, size_t k, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        const struct layer_body *body = &b->given[k].fact->body;
        sv bytes;

        if (layer_body_map(b->store, body, &map, &bytes, e) < 0)
                return -(int)e->code;
        return frame_copy(&b->frame, bytes, body->tar_size, body->tar_crc, e);
}

static int read_members(struct bucket *b, struct err *e)
{
        for (size_t k = 0; k < b->n; k++) {
                if (!b->given[k].fact->has_body)
                        return err_set(e, ERR_FAILED, "a bucket's member has no body: make it first");
                if (layer_fact_paths(b->store, b->given[k].fact, &b->arena, &b->member[k].list, e) < 0)
                        return -(int)e->code;
                judge(b, &b->member[k]);
                keep(b, &b->member[k]);
        }
        return 0;
}

static int make(struct bucket *b, const sha256 *key, struct layer_fact *ret, struct err *e)
{
        struct layer_fact f = { .key = *key };
        struct paths dirs = { 0 };

        if (read_members(b, e) < 0 || dirs_of(&b->arena, b->m, &b->all, &dirs, e) < 0 ||
            frame_begin(&b->frame, b->store, &dirs, b->op, e) < 0)
                return -(int)e->code;
        for (size_t k = 0; k < b->n; k++)
                if ((b->member[k].remake ? copy_remade(b, k, e) : copy_whole(b, k, e)) < 0)
                        return err_while(e, "adding member %zu of the bucket", k + 1);
        if (frame_end(&b->frame, &f, e) < 0)
                return -(int)e->code;
        *ret = f;
        return layer_fact_keep(b->store, ret, &b->all, e);
}

int layer_bucket(struct store *s, const struct layer_make *m, const sha256 *key, const struct layer_member *member,
                 size_t n, struct op *op, struct layer_fact *ret, struct err *e)
{
        struct bucket b = { .store = s, .m = m, .given = member, .n = n, .op = op };
        int rc;

        op_event(op, OP_LAYER, OP_BEGIN, m->subject, 0, m->total);
        b.member = arena_array(&b.arena, struct member, n);
        rc = make(&b, key, ret, e);
        frame_done(&b.frame);
        arena_done(&b.arena);
        op_event(op, OP_LAYER, OP_END, m->subject, m->total, m->total);
        return rc < 0 ? err_while(e, "making the layer of %.*s", SV_ARG(m->subject)) : 0;
}
