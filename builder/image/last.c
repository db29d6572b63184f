/* The last layer: what depends on several packages, and what the definition adds (design/layers.md §2, §3, §4). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "image/reuse_priv.h"

void tree_list_add(struct arena *a, struct tree_list *l, struct entry en, struct content c)
{
        if (l->n == l->cap) {
                size_t cap = l->cap;
                l->entry = arena_regrow(a, l->entry, l->n, &cap, sizeof(*l->entry));
                l->content = arena_regrow(a, l->content, l->n, &l->cap, sizeof(*l->content));
        }
        l->entry[l->n] = en;
        l->content[l->n++] = c;
}

static void put_file(struct package_shop *shop, struct tree_list *ret, sv path, uint32_t mode, sv text)
{
        tree_list_add(shop->arena, ret,
                      (struct entry){ .path = path,
                                      .type = ENTRY_FILE,
                                      .mode = mode,
                                      .mtime = ENTRY_MTIME_FLOOR,
                                      .size = text.n,
                                      .generated = true },
                      (struct content){ .kind = text.n ? CONTENT_BYTES : CONTENT_NONE, .p = text.p, .n = text.n });
}

/* --- disputed paths: which package's entry counts is known from the lists; its bytes are read when nobody has the layer */

static int put_winner(struct package_shop *shop, const struct join_winner *w, struct tree_list *ret, struct err *e)
{
        if (w->entry->type == ENTRY_HARDLINK)
                return err_set(e, ERR_INTEGRITY, "'%.*s' is a hard link to nothing in its package",
                               SV_ARG(w->entry->path));
        tree_list_add(shop->arena, ret, *w->entry, (struct content){ 0 });
        return 0;
}

static int winners(struct package_shop *shop, struct last *ret, struct err *e)
{
        struct arena *a = shop->arena;
        struct join_member *m = arena_array(a, struct join_member, ret->n);

        for (size_t i = 0; i < ret->n; i++) {
                const struct last_member *x = &ret->member[i];
                const struct artifact *art = x->package ? x->package->art : NULL;
                sv name = art ? arena_fmt(a, "%s %.*s %.*s", artifact_kind_name(art->kind), SV_ARG(art->name),
                                          SV_ARG(art->version))
                              : SV("the environment itself");
                m[i] = (struct join_member){ name, (uint32_t)i, x->layer, x->paths };
        }
        if (paths_join(a, m, ret->n, false, shop->c->diags, &ret->join, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < ret->join.n; i++)
                if (ret->member[ret->join.winner[i].member].package &&
                    put_winner(shop, &ret->join.winner[i], &ret->list, e) < 0)
                        return -(int)e->code;
        return 0;
}

struct holding { /* one package's disputed files, read out of it again */
        struct package_shop *shop;
        uint32_t member;
        struct last *l;
};

static bool lacks_bytes(const struct tree_list *t, size_t i)
{
        return t->entry[i].type == ENTRY_FILE && t->entry[i].size && t->content[i].kind == CONTENT_NONE;
}

/* A path list is somebody's word: the package's own bytes must be what it says. */
static int hold_one(struct holding *x, const struct join_winner *w, const struct entry *en, const struct content *c,
                    struct err *e)
{
        struct tree_list *t = &x->l->list;
        struct content bytes;
        sha256 got;

        for (size_t i = 0; i < t->n; i++) {
                if (!lacks_bytes(t, i) || !sv_eq(t->entry[i].path, w->entry->path))
                        continue;
                if (content_hold(en, c, x->shop->arena, &bytes, e) < 0)
                        return -(int)e->code;
                got = sha256_of((sv){ bytes.p, bytes.n });
                if (!sha256_eq(&got, &t->entry[i].sha256))
                        return err_set(e, ERR_INTEGRITY,
                                       "'%.*s' is sha256:%s by its path list, but sha256:%s in its package",
                                       SV_ARG(en->path), sha256_hex(&t->entry[i].sha256).s, sha256_hex(&got).s);
                t->content[i] = bytes;
        }
        return 0;
}

static int hold(void *arg, const struct entry *en, const struct content *c, struct err *e)
{
        struct holding *x = arg;

        for (size_t i = 0; i < x->l->join.n; i++) {
                const struct join_winner *w = &x->l->join.winner[i];

                if (w->member == x->member && sv_eq((w->source ? w->source : w->entry)->path, en->path) &&
                    hold_one(x, w, en, c, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static bool needs_member(const struct last *l, uint32_t member)
{
        for (size_t i = 0; i < l->join.n; i++)
                if (l->join.winner[i].member == member && l->join.winner[i].entry->type == ENTRY_FILE)
                        return true;
        return false;
}

static int hold_all(struct package_shop *shop, struct last *l, struct err *e)
{
        for (uint32_t i = 0; i < l->n; i++)
                if (l->member[i].package && needs_member(l, i) &&
                    package_walk(shop, l->member[i].package, hold, &(struct holding){ shop, i, l }, e) < 0)
                        return err_while(e, "putting right what several packages hold");
        for (size_t i = 0; i < l->list.n; i++)
                if (lacks_bytes(&l->list, i))
                        return err_set(e, ERR_INTEGRITY, "'%.*s' is in a package's path list, but not in the package",
                                       SV_ARG(l->list.entry[i].path));
        return 0;
}

/* --- files: of the definition */

static int changed(const struct lock_file *f, struct err *e)
{
        err_set(e, ERR_STALE, "'%.*s' is not what was locked for %.*s", SV_ARG(f->source), SV_ARG(f->path));
        err_hint(e, "envbuild lock takes the file as it is now");
        return -(int)e->code;
}

/* A rebase has taken it out of the old image. The locked hash says what it is, so nothing of this machine need be read then: that lock may be
 * anybody's. */
static bool kept(struct package_shop *shop, const struct lock_file *f, struct buf *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        sha256 got;

        if (store_read(shop->c->store, STORE_BLOB, &f->sha256, ret, &ignored) < 0)
                return false;
        got = sha256_of(buf_sv(ret));
        return sha256_eq(&got, &f->sha256);
}

static int read_file(struct package_shop *shop, const char *path, const struct lock_file *f, struct buf *ret,
                     struct err *e)
{
        sha256 got;

        if (kept(shop, f, ret))
                return 0;
        ret->n = 0;
        if (fs_read(path, ret, e) < 0)
                return err_while(e, "reading the file for %.*s", SV_ARG(f->path));
        got = sha256_of(buf_sv(ret));
        return sha256_eq(&got, &f->sha256) ? 0 : changed(f, e);
}

static int add_files(struct package_shop *shop, sv dir, struct tree_list *ret, struct err *e)
{
        for (size_t i = 0; i < shop->lock->n_file; i++) {
                const struct lock_file *f = &shop->lock->file[i];
                AUTO(free_ptr) char *path = f->source.n && f->source.p[0] == '/'
                                                    ? xstrndup(f->source.p, f->source.n)
                                                    : fs_path("%.*s/%.*s", SV_ARG(dir), SV_ARG(f->source));
                AUTO(buf_done) struct buf b = BUF_INIT(CONTENT_HOLD_MAX);

                if (read_file(shop, path, f, &b, e) < 0)
                        return -(int)e->code;
                put_file(shop, ret, sv_skip(f->path, 1), f->mode, arena_sv(shop->arena, buf_sv(&b)));
        }
        return 0;
}

/* --- base directories that are not 0755 0:0: a layer that passes through without repeating them would reset them */

static bool passes(sv dir, sv path)
{
        return path.n > dir.n && sv_starts(path, dir) && path.p[dir.n] == '/';
}

static void repeat_dirs(const struct package_shop *shop, struct tree_list *ret)
{
        const struct lock_facts *f = &shop->platform->facts;
        sv prefix = arena_fmt(shop->arena, "%.*s/" PREFIX_NAME, SV_ARG(f->root));
        size_t n = ret->n;

        for (size_t i = 0; i < f->n_odd_dir; i++) {
                const struct lock_dir *d = &f->odd_dir[i];
                bool used = (shop->platform->has_python || image_is_conda(shop->platform)) && passes(d->path, prefix);
                for (size_t k = 0; k < n && !used; k++)
                        used = passes(d->path, ret->entry[k].path);
                if (used)
                        tree_list_add(shop->arena, ret,
                                      (struct entry){ .path = d->path,
                                                      .type = ENTRY_DIR,
                                                      .mode = d->mode,
                                                      .uid = d->uid,
                                                      .gid = d->gid,
                                                      .mtime = ENTRY_MTIME_FLOOR,
                                                      .generated = true },
                                      (struct content){ 0 });
        }
}

/* Sorted by path: entries and contents move together. */
static int by_path(const void *pa, const void *pb, void *arg)
{
        const struct tree_list *l = arg;
        return sv_cmp(l->entry[*(const size_t *)pa].path, l->entry[*(const size_t *)pb].path);
}

static void sort_list(struct arena *a, struct tree_list *l)
{
        struct tree_list out = { .entry = arena_array(a, struct entry, l->n),
                                 .content = arena_array(a, struct content, l->n),
                                 .n = l->n,
                                 .cap = l->n };
        size_t *at = arena_array(a, size_t, l->n);

        for (size_t i = 0; i < l->n; i++)
                at[i] = i;
        if (l->n)
                qsort_r(at, l->n, sizeof(*at), by_path, l);
        for (size_t i = 0; i < l->n; i++) {
                out.entry[i] = l->entry[at[i]];
                out.content[i] = l->content[at[i]];
        }
        *l = out;
}

static int add_bundle(struct package_shop *shop, const struct built_layers *below, sv dir, struct tree_list *ret,
                      struct err *e)
{
        sv path, text;

        if (bundle_build(shop, below, ret, dir, &path, &text, e) < 0)
                return -(int)e->code;
        if (text.n)
                put_file(shop, ret, path, 0644, text);
        return 0;
}

static void add_text(struct package_shop *shop, struct tree_list *ret, const char *path, const struct buf *b)
{
        struct arena *a = shop->arena;

        put_file(shop, ret, arena_fmt(a, "%.*s/" PREFIX_NAME "/%s", SV_ARG(shop->platform->facts.root), path), 0644,
                 arena_sv(a, buf_sv(b)));
}

/* What conda itself would have noted down while it made the prefix. */
static int add_conda(struct package_shop *shop, struct tree_list *ret, struct err *e)
{
        AUTO(buf_done) struct buf history = BUF_INIT(LOCK_MAX);
        AUTO(buf_done) struct buf state = BUF_INIT(LOCK_MAX);

        if (!image_is_conda(shop->platform))
                return 0;
        history_write(shop->lock, shop->platform, &history);
        add_text(shop, ret, "conda-meta/history", &history);
        if (state_write(shop->lock, &state))
                add_text(shop, ret, "conda-meta/state", &state);
        return buf_check(&history, e) < 0 ? -(int)e->code : buf_check(&state, e);
}

int last_build(struct package_shop *shop, const struct last_member *member, size_t n, const struct built_layers *below,
               sv dir, struct last *ret, struct err *e)
{
        struct tree_list *t = &ret->list;

        *ret = (struct last){ .member = member, .n = n };
        if (winners(shop, ret, e) < 0 || add_conda(shop, t, e) < 0 || add_files(shop, dir, t, e) < 0 ||
            add_bundle(shop, below, dir, t, e) < 0)
                return -(int)e->code;
        repeat_dirs(shop, t);
        sort_list(shop->arena, t);
        return 0;
}

static int last_key(struct package_shop *shop, struct tree_list *t, sha256 *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)256 << 20);
        struct paths list = { 0 };
        sha256 digest;

        for (size_t i = 0; i < t->n; i++) {
                if (t->entry[i].type == ENTRY_FILE && !lacks_bytes(t, i))
                        t->entry[i].sha256 = sha256_of((sv){ t->content[i].p, t->content[i].n });
                paths_add(shop->arena, &list, &t->entry[i]);
        }
        paths_sort(&list);
        paths_write(&list, &text);
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        digest = sha256_of(buf_sv(&text));
        *ret = layer_key_last(&digest);
        return 0;
}

/* Only a layer that packages would have to be fetched for is asked of repositories. */
int last_make(struct package_shop *shop, struct last *l, struct built_layer *ret, struct err *e)
{
        struct reuse_want want = { 0 };
        bool lacks = false;

        *ret = (struct built_layer){ .of = SV("last") };
        if (last_key(shop, &l->list, &want.key, e) < 0 || layer_known(shop, &want.key, ret, e) < 0 || ret->reused)
                return -(int)e->code;
        for (size_t i = 0; i < l->list.n; i++)
                lacks |= lacks_bytes(&l->list, i);
        if (lacks &&
            (reuse_look(shop->reuse, &want, 1, e) < 0 || layer_known(shop, &want.key, ret, e) < 0 || ret->reused))
                return -(int)e->code;
        if (hold_all(shop, l, e) < 0)
                return -(int)e->code;
        return layer_from_list(shop, &want.key, &l->list, LAYER_JOIN, shop->recipe != NULL, ret, e);
}
