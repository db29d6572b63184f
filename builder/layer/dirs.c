#include <stdlib.h>

#include "layer/layer_priv.h"

/* Directories of Debian that are not 0755 0:0, as base-files and others make them: part of layer-format 1. */
static const struct {
        const char *path;
        uint32_t mode, gid;
} table[] = {
        { "root", 0700, 0 },      { "tmp", 01777, 0 },     { "var/local", 02775, 50 },
        { "var/lock", 01777, 0 }, { "var/tmp", 01777, 0 },
};

struct dirs {
        struct arena *arena;
        const struct layer_make *m;
        const struct paths *list;
        sv top; /* root/env, or empty */
        struct map seen;
        struct paths *ret;
};

static const struct entry *given(const struct layer_make *m, sv path)
{
        struct entry want = { .path = path };

        return m->n_dir ? bsearch(&want, m->dir, m->n_dir, sizeof(want), entry_cmp) : NULL;
}

static void attributes(const struct dirs *d, struct entry *en)
{
        const struct entry *from = paths_find(d->list, en->path);

        if (!from)
                from = given(d->m, en->path);
        if (from) {
                en->mode = from->mode;
                en->uid = from->uid;
                en->gid = from->gid;
                return;
        }
        for (size_t i = 0; d->m->deb_table && i < ARRAY_LEN(table); i++)
                if (sv_is(en->path, table[i].path)) {
                        en->mode = table[i].mode;
                        en->gid = table[i].gid;
                }
}

static bool inside(const struct dirs *d, sv path)
{
        return !d->top.n || sv_eq(path, d->top) ||
               (path.n > d->top.n && sv_starts(path, d->top) && path.p[d->top.n] == '/');
}

/* path and what it lies in; stops at one that is known. */
static int add(struct dirs *d, sv path, struct err *e)
{
        for (; path.n && inside(d, path); path = entry_parent(path)) {
                struct entry en = { .path = path, .type = ENTRY_DIR, .mode = 0755, .mtime = ENTRY_MTIME_FLOOR };
                const struct entry *own = paths_find(d->list, path);

                if (map_get(&d->seen, path))
                        break;
                if (own && own->type != ENTRY_DIR)
                        return err_set(e, ERR_INTEGRITY, "'%.*s' is a file and a directory of the same package",
                                       SV_ARG(path));
                attributes(d, &en);
                map_put(&d->seen, d->arena, path, d);
                paths_add(d->arena, d->ret, &en);
        }
        return 0;
}

int dirs_of(struct arena *a, const struct layer_make *m, const struct paths *list, struct paths *ret, struct err *e)
{
        struct dirs d = { .arena = a, .m = m, .list = list, .ret = ret };

        if (m->root.n)
                d.top = arena_fmt(a, "%.*s/env", SV_ARG(m->root));
        if (add(&d, d.top, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < list->n; i++) {
                const struct entry *en = &list->v[i];

                if (!inside(&d, en->path) || (d.top.n && sv_eq(en->path, d.top) && en->type != ENTRY_DIR))
                        return err_set(e, ERR_INTEGRITY, "'%.*s' does not lie below '%.*s'", SV_ARG(en->path),
                                       SV_ARG(d.top));
                if (add(&d, en->type == ENTRY_DIR ? en->path : entry_parent(en->path), e) < 0)
                        return -(int)e->code;
        }
        paths_sort(ret);
        return 0;
}
