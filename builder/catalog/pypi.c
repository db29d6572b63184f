#include "catalog/pypi.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "catalog/pypi_priv.h"

struct pkg *pypi_pkg(struct catalog_pypi *p, sv name)
{
        struct pkg *pkg = map_get(&p->pkgs, name);

        if (!pkg) {
                pkg = arena_new(&p->arena, struct pkg);
                pkg->name = arena_sv(&p->arena, name);
                map_put(&p->pkgs, &p->arena, pkg->name, pkg);
        }
        return pkg;
}

struct entry *pypi_entry(struct catalog_pypi *p, struct pkg *pkg, sv extra)
{
        struct arena *a = &p->arena;
        sv text = extra.n ? arena_fmt(a, "%.*s[%.*s]", SV_ARG(pkg->name), SV_ARG(extra)) : pkg->name;
        struct entry *x = map_get(&p->by_text, text);

        if (x)
                return x;
        if (extra.n)
                pypi_entry(p, pkg, (sv){ 0 }); /* foo before foo[x] */
        x = arena_new(a, struct entry);
        x->pkg = pkg;
        x->extra = arena_sv(a, extra);
        x->id = (name_id)p->n_entry;
        x->name.text = text;
        x->name.of = extra.n ? ((struct entry *)map_get(&p->by_text, pkg->name))->id : x->id;
        x->next = pkg->entry;
        pkg->entry = x;
        map_put(&p->by_text, a, text, x);
        *arena_push(a, p->entry, p->n_entry, p->cap_entry) = x;
        return x;
}

bool pypi_pkg_ready(struct catalog_pypi *p, struct pkg *pkg)
{
        return pkg->loaded || pkg->fixed || pkg->n_url || p->source->ops->page_ready(p->source, pkg->name);
}

int pypi_pkg_load(struct catalog_pypi *p, struct pkg *pkg, struct err *e)
{
        const struct pypi_source_ops *ops = p->source->ops;

        if (pkg->loaded)
                return 0;
        if (!pkg->n_url && !pkg->fixed) {
                ops->page_soon(p->source, pkg->name);
                while (ops->wait && !ops->page_ready(p->source, pkg->name)) {
                        pypi_ahead_pump(p); /* the wait is put to use */
                        if (ops->page_ready(p->source, pkg->name))
                                break;
                        if (ops->wait(p->source, e) < 0)
                                return -(int)e->code;
                }
                if (ops->page(p->source, pkg->name, &pkg->page, e) < 0)
                        return err_while(e, "looking for '%.*s'", SV_ARG(pkg->name));
        }
        pypi_cands_make(p, pkg);
        pkg->loaded = true;
        return 0;
}

static int op_name(struct catalog *c, name_id n, const struct name **ret, struct err *e)
{
        struct catalog_pypi *p = pypi_self(c);
        struct entry *x = p->entry[n];
        struct pkg *pkg = x->pkg;

        if (pypi_pkg_load(p, pkg, e) < 0)
                return -(int)e->code;
        x->name.cand = pkg->cand;
        x->name.n = pkg->n;
        x->name.absent = !pkg->n_url && !pkg->fixed && pkg->page->absent;
        if (x->name.absent && !x->name.near.n)
                x->name.near = pypi_near(p, pkg->name);
        if (!x->rels)
                x->rels = arena_array(&p->arena, struct rels *, pkg->n);
        *ret = &x->name;
        return 0;
}

static void op_free(struct catalog *c)
{
        struct catalog_pypi *p = pypi_self(c);

        if (p->source)
                p->source->ops->free(p->source);
        sets_free(p->catalog.sets);
        arena_done(&p->arena);
        free(p);
}

static const sv *copy_list(struct arena *a, const sv *v, size_t n)
{
        sv *r = arena_array(a, sv, n);

        for (size_t i = 0; v && i < n; i++)
                r[i] = arena_sv(a, v[i]);
        return v ? r : NULL;
}

int pypi_open(const struct pypi_opts *o, struct pypi_source *source, struct op *op, struct catalog_pypi **ret,
              struct err *e)
{
        static const struct catalog_ops ops = {
                .name = op_name,
                .rels = pypi_rels,
                .known = pypi_known,
                .soon = pypi_soon,
                .text = pypi_text,
                .cand_text = pypi_cand_text,
                .hints = pypi_hints,
                .free = op_free,
        };
        struct catalog_pypi *p = xcalloc(1, sizeof(*p));
        struct arena *a = &p->arena;

        p->catalog.ops = &ops;
        p->catalog.sets = sets_new();
        p->source = source;
        p->op = op;
        p->opts = *o;
        p->opts.index = copy_list(a, o->index, o->n_index);
        p->opts.index_public = copy_list(a, o->index_public ? o->index_public : o->index, o->n_index);
        p->opts.find_links = copy_list(a, o->find_links, o->n_find_links);
        p->opts.dir = arena_sv(a, o->dir);
        p->opts.python_full = arena_sv(a, o->python_full);
        p->opts.machine = arena_sv(a, o->machine);
        p->opts.tags.arch = arena_sv(a, o->tags.arch);
        p->python = pep440_parse(a, p->opts.python_full);
        if (!p->python) {
                err_set(e, ERR_USAGE, "'%.*s' is not a version of Python", SV_ARG(o->python_full));
                op_free(&p->catalog);
                return -ERR_USAGE;
        }
        tags_make(a, &p->opts.tags, &p->tags);
        marker_env_linux(a, p->opts.python_full, p->opts.machine, &p->env);
        pypi_fixed_take(p);
        *ret = p;
        return 0;
}

struct catalog *pypi_catalog(struct catalog_pypi *p)
{
        return &p->catalog;
}
