#include "tree/join.h"

#include <stdlib.h>

#include "base/map.h"

#define LINKS_MAX 40 /* links followed for one path, as the kernel does */

/* One path of one member, at the place where the image has it. */
struct item {
        sv path;
        uint32_t member;
        const struct entry *source; /* in the member's list */
        bool moved;                 /* path is not source->path: a link of another package leads elsewhere */
};

struct join {
        struct arena *arena; /* of the result */
        struct arena tmp;
        const struct join_member *m;
        bool first_wins;
        struct diags *ds;
        struct item *v; /* sorted by path, then member */
        size_t n, cap;
        struct map
                leaf; /* path → struct item (a copy, never moved): paths that are not directories, as their winner has them */
        struct map bad; /* path → its item: told already */
        struct join_result *ret;
        size_t n_bad;
};

static int by_path(const void *a, const void *b)
{
        const struct item *x = a, *y = b;
        int c = sv_cmp(x->path, y->path);

        return c ? c : (x->member > y->member) - (x->member < y->member);
}

static void sort(struct join *j)
{
        if (j->n)
                qsort(j->v, j->n, sizeof(*j->v), by_path);
}

static bool beats(const struct join *j, const struct item *a, const struct item *b)
{
        uint32_t x = j->m[a->member].link_order, y = j->m[b->member].link_order;

        return j->first_wins ? x < y : x > y;
}

static void note_leaf(struct join *j, const struct item *it)
{
        struct item *have = map_get(&j->leaf, it->path);

        if (it->source->type == ENTRY_DIR || (have && !beats(j, it, have)))
                return;
        if (!have)
                have = arena_new(&j->tmp, struct item);
        *have = *it;
        map_put(&j->leaf, &j->tmp, it->path, have);
}

static void gather(struct join *j, size_t n)
{
        for (uint32_t k = 0; k < n; k++)
                for (size_t i = 0; i < j->m[k].paths->n; i++) {
                        const struct entry *en = &j->m[k].paths->v[i];
                        struct item it = { en->path, k, en, false };

                        *arena_push(&j->tmp, j->v, j->n, j->cap) = it;
                        note_leaf(j, &it);
                }
        sort(j);
}

/* The file that a hard link names, else the entry itself: what counts as its content. */
static const struct entry *content_of(const struct join *j, const struct item *it)
{
        const struct entry *en = it->source;

        if (en->type != ENTRY_HARDLINK)
                return en;
        en = paths_find(j->m[it->member].paths, en->target);
        return en && en->type == ENTRY_FILE ? en : it->source;
}

static bool same(const struct join *j, const struct item *a, const struct item *b)
{
        const struct entry *x = content_of(j, a), *y = content_of(j, b);

        return x->type == y->type && x->mode == y->mode && x->uid == y->uid && x->gid == y->gid && x->size == y->size &&
               sv_eq(x->target, y->target) && sha256_eq(&x->sha256, &y->sha256);
}

static sv name_of(const struct join *j, const struct item *it)
{
        return j->m[it->member].name;
}

static void add_winner(struct join *j, const struct item *it)
{
        const struct entry *source = content_of(j, it);
        struct entry *en = arena_new(j->arena, struct entry);

        *en = *source;
        en->path = arena_sv(j->arena, it->path);
        *arena_push(j->arena, j->ret->winner, j->ret->n, j->ret->cap) = (struct join_winner){ it->member, en, source };
}

/* --- files against directories, and links that stand for directories --- */

static void clash(struct join *j, struct item *file, const struct item *below)
{
        if (map_get(&j->bad, file->path))
                return;
        map_put(&j->bad, &j->tmp, file->path, file);
        diag_add(j->ds, (sv){ 0 }, 0, 0, "EB301", "'%.*s' is a file in %.*s, but a directory in %.*s",
                 SV_ARG(file->path), SV_ARG(name_of(j, file)), SV_ARG(name_of(j, below)));
        j->n_bad++;
}

/* target, seen from the directory dir: the path it names; false when it leaves the image's root. The text is in tmp. */
static bool path_resolve(struct join *j, sv dir, sv target, sv *ret)
{
        char *out = arena_alloc(&j->tmp, dir.n + target.n + 2, 1);
        size_t n = 0;
        sv rest = target, part;

        if (!sv_starts(target, SV("/")))
                for (; n < dir.n; n++)
                        out[n] = dir.p[n];
        while (sv_cut(&rest, '/', &part)) {
                if (!part.n || sv_is(part, "."))
                        continue;
                if (sv_is(part, "..")) {
                        if (!n)
                                return false;
                        n = entry_parent((sv){ out, n }).n;
                        continue;
                }
                if (n)
                        out[n++] = '/';
                for (size_t i = 0; i < part.n; i++)
                        out[n++] = part.p[i];
        }
        *ret = (sv){ out, n };
        return n > 0;
}

/* The first directory of path (or path itself when whole) that some package has as something else. */
static struct item *leaf_above(struct join *j, sv path, bool whole)
{
        for (size_t i = 0; i <= path.n; i++) {
                struct item *it;

                if (i < path.n ? path.p[i] != '/' : !whole)
                        continue;
                it = map_get(&j->leaf, sv_from_to(path, 0, i));
                if (it)
                        return it;
        }
        return NULL;
}

/* Where a directory really is: links of any package followed. *ret_hit: what stands there instead, when it can't be a directory. */
static bool real_dir(struct join *j, sv dir, sv *ret, struct item **ret_hit)
{
        for (unsigned turn = 0; turn < LINKS_MAX; turn++) {
                struct item *it = leaf_above(j, dir, true);
                sv to;

                if (!it) {
                        *ret = dir;
                        return true;
                }
                *ret_hit = it;
                if (it->source->type != ENTRY_SYMLINK ||
                    !path_resolve(j, entry_parent(it->path), it->source->target, &to))
                        return false;
                dir = arena_fmt(&j->tmp, "%.*s%.*s", SV_ARG(to), SV_ARG(sv_skip(dir, it->path.n)));
        }
        return false;
}

struct fate { /* of a directory: computed once */
        sv real;
        struct item *hit; /* not NULL: no directory can be there */
};

static const struct fate *dir_fate(struct join *j, struct map *known, sv dir)
{
        struct fate *f = map_get(known, dir);

        if (f)
                return f;
        f = arena_new(&j->tmp, struct fate);
        if (real_dir(j, dir, &f->real, &f->hit))
                f->hit = NULL;
        map_put(known, &j->tmp, dir, f);
        return f;
}

/* A link that stands where other packages have a directory: it is put back when a layer with them lies on or above its own. */
static void put_back(struct join *j, struct map *done, struct item *below)
{
        struct item *link = leaf_above(j, below->path, below->source->type == ENTRY_DIR);

        if (!link || link->source->type != ENTRY_SYMLINK || map_get(done, link->path))
                return;
        if (j->m[below->member].layer < j->m[link->member].layer)
                return;
        map_put(done, &j->tmp, link->path, link);
        add_winner(j, link);
}

static void relocate(struct join *j)
{
        struct map known = { 0 }, done = { 0 };

        /* parents are resolved before anything moves: the leaves are copies */
        for (size_t i = 0; i < j->n; i++) {
                struct item *it = &j->v[i];
                bool dir = it->source->type == ENTRY_DIR;
                const struct fate *f = dir_fate(j, &known, dir ? it->path : entry_parent(it->path));
                sv to = f->real;

                if (f->hit && f->hit->member != it->member) {
                        clash(j, f->hit, it);
                        continue;
                }
                if (f->hit || sv_eq(to, dir ? it->path : entry_parent(it->path)))
                        continue;
                put_back(j, &done, it);
                it->moved = true;
                it->path = dir ? to : arena_fmt(&j->tmp, "%.*s/%.*s", SV_ARG(to), SV_ARG(sv_basename(it->path)));
        }
        sort(j);
}

/* --- the same path in several packages --- */

static const struct item *shown(const struct join *j, const struct item *v, size_t n)
{
        const struct item *best = NULL;

        for (size_t i = 0; i < n; i++)
                if (!v[i].moved && (!best || j->m[v[i].member].layer > j->m[best->member].layer))
                        best = &v[i];
        return best;
}

static void settle(struct join *j, const struct item *v, size_t n)
{
        const struct item *win = v, *see = shown(j, v, n), *other = NULL;
        bool dirs = true;

        for (size_t i = 0; i < n; i++) {
                dirs &= v[i].source->type == ENTRY_DIR;
                if (beats(j, &v[i], win))
                        win = &v[i];
        }
        for (size_t i = 0; i < n && !other; i++)
                if (!same(j, &v[i], win))
                        other = &v[i];
        if (other && !dirs) /* attributes of a directory are no content: settled without a word */
                diag_warn(j->ds, (sv){ 0 }, 0, 0, "EB510",
                          "'%.*s' is in %.*s and, with other content, in %.*s: the first is used", SV_ARG(v->path),
                          SV_ARG(name_of(j, win)), SV_ARG(name_of(j, other)));
        if (!see || !same(j, see, win))
                add_winner(j, win);
}

static int by_winner(const void *a, const void *b)
{
        return sv_cmp(((const struct join_winner *)a)->entry->path, ((const struct join_winner *)b)->entry->path);
}

static void settle_all(struct join *j)
{
        for (size_t i = 0, k; i < j->n; i = k) {
                for (k = i + 1; k < j->n && sv_eq(j->v[k].path, j->v[i].path); k++)
                        ;
                if (k - i > 1 || j->v[i].moved)
                        settle(j, j->v + i, k - i);
        }
        if (j->ret->n)
                qsort(j->ret->winner, j->ret->n, sizeof(*j->ret->winner), by_winner);
}

int paths_join(struct arena *a, const struct join_member *m, size_t n, bool first_wins, struct diags *ds,
               struct join_result *ret, struct err *e)
{
        struct join j = { .arena = a, .m = m, .first_wins = first_wins, .ds = ds, .ret = ret };

        gather(&j, n);
        relocate(&j);
        if (!j.n_bad)
                settle_all(&j);
        arena_done(&j.tmp);
        if (j.n_bad)
                return err_set(e, ERR_CONFLICT, "%zu paths are a file in one package and a directory in another",
                               j.n_bad);
        return 0;
}
