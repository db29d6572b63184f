#include <stdlib.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

sv conda_below(struct conda *c, sv path)
{
        return arena_fmt(&c->arena, "%.*s/env/%.*s", SV_ARG(c->ctx.root), SV_ARG(path));
}

/* conda-meta/ is the installer's own; other files there (pinned) are a package's business. */
int conda_protected(sv path, struct err *e)
{
        if (!sv_starts(path, SV("conda-meta/")) ||
            (!sv_ends(path, SV(".json")) && !sv_is(path, "conda-meta/history") && !sv_is(path, "conda-meta/state")))
                return 0;
        return err_set(e, ERR_INTEGRITY, "the package holds '%.*s', which only an installer may write", SV_ARG(path));
}

static int check_art(const struct conda *c, const struct artifact *art, struct err *e)
{
        const struct conda_index *x = &c->index;

        if (sv_eq_nocase(x->name, art->name) && sv_eq(x->version, art->version) && sv_eq(x->build, art->build))
                return 0;
        return err_set(e, ERR_INTEGRITY, "the file of '%.*s %.*s %.*s' holds '%.*s %.*s %.*s'", SV_ARG(art->name),
                       SV_ARG(art->version), SV_ARG(art->build), SV_ARG(x->name), SV_ARG(x->version), SV_ARG(x->build));
}

static int check_python(const struct conda *c, const struct artifact *art, struct err *e)
{
        const char *why;

        if (!c->python)
                return 0;
        if (!c->ctx.python.n) {
                err_set(e, ERR_FAILED, "it is a noarch python package, %s",
                        art->noarch.n ? "and the environment has no python"
                                      : "but its block in the lock does not say so");
                if (!art->noarch.n)
                        err_hint(e, "add 'noarch: python' to it, or lock again");
                return -(int)e->code;
        }
        if (entry_path_safe(c->ctx.site_packages, &why))
                return 0;
        return err_set(e, ERR_FAILED, "python's site-packages '%.*s' is no folder below the prefix: %s",
                       SV_ARG(c->ctx.site_packages), why);
}

static int place(struct conda *c, struct err *e)
{
        const char *why;

        for (size_t i = 0; i < c->paths.n; i++) {
                struct conda_path *p = c->paths.v[i];

                p->to = conda_place_path(&c->arena, p->path, c->python, c->ctx.site_packages);
                if (!entry_path_safe(p->to, &why))
                        return err_set(e, ERR_INTEGRITY, "'%.*s' would be installed as '%.*s': %s", SV_ARG(p->path),
                                       SV_ARG(p->to), why);
                if (conda_protected(p->to, e) < 0)
                        return -(int)e->code;
                map_put(&c->paths.by_to, &c->arena, p->to, p);
        }
        return 0;
}

/* As conda: what is generated takes the place of a file of that name; of two with one name the last stays. */
static int add_entry_points(struct conda *c, const struct conda_link *link, struct err *e)
{
        for (size_t i = 0; c->python && i < link->n; i++) {
                struct conda_entry_point ep;
                struct conda_path *p, *before;

                if (conda_entry_point_parse(&c->arena, link->entry_point[i], &ep, e) < 0)
                        return -(int)e->code;
                p = arena_new(&c->arena, struct conda_path);
                p->type = CONDA_ENTRY_POINT;
                p->path = p->to = arena_fmt(&c->arena, "bin/%.*s", SV_ARG(ep.name));
                p->script = conda_entry_point_script(&c->arena, c->ctx.prefix, c->ctx.python, &ep);
                before = map_get(&c->paths.by_to, p->to);
                if (before)
                        before->hidden = true;
                map_put(&c->paths.by_to, &c->arena, p->to, p);
                *arena_push(&c->arena, c->paths.v, c->paths.n, c->paths.cap) = p;
        }
        return 0;
}

static int by_type_and_path(const void *a, const void *b)
{
        const struct conda_path *x = *(const struct conda_path *const *)a, *y = *(const struct conda_path *const *)b;

        return x->type != y->type ? (x->type > y->type) - (x->type < y->type) : sv_cmp(x->to, y->to);
}

static void list_made(struct conda *c)
{
        c->made = arena_array(&c->arena, struct conda_path *, c->paths.n + 1);
        for (size_t i = 0; i < c->paths.n; i++) {
                struct conda_path *p = c->paths.v[i];

                if (!p->hidden && (p->type == CONDA_DIRECTORY || p->type == CONDA_ENTRY_POINT))
                        c->made[c->n_made++] = p;
        }
        qsort(c->made, c->n_made, sizeof(struct conda_path *), by_type_and_path);
}

static void warn(const struct conda *c, struct diags *ds)
{
        for (size_t i = 0; i < c->paths.n; i++) {
                const struct conda_path *p = c->paths.v[i];

                conda_warn(ds, c->file, c->index.name, p->to, p->has_sha256 ? &p->sha256 : NULL);
        }
}

static void set_meta(struct conda *c, const struct artifact *art)
{
        uint8_t md5[16];

        hash_free(c->hash);
        c->hash = hash_new(HASH_MD5);
        hash_add(c->hash, c->archive.bytes.p, c->archive.bytes.n);
        hash_end(c->hash, md5);
        hash_free(c->hash);
        c->hash = hash_new(HASH_SHA256);
        hex_write(md5, sizeof(md5), c->meta.md5);
        c->meta.index = &c->index;
        c->meta.paths = &c->paths;
        c->meta.url = arena_sv(&c->arena, art->url);
        c->meta.sha256 = art->sha256;
        c->meta.size = c->archive.bytes.n;
        c->meta.n_depends = art->n_needs;
        c->meta.depends = arena_array(&c->arena, sv, art->n_needs + 1);
        for (size_t i = 0; i < art->n_needs; i++)
                c->meta.depends[i] = arena_sv(&c->arena, art->needs[i]);
        c->meta.n_constrains = art->n_constrains;
        c->meta.constrains = arena_array(&c->arena, sv, art->n_constrains + 1);
        for (size_t i = 0; i < art->n_constrains; i++)
                c->meta.constrains[i] = arena_sv(&c->arena, art->constrains[i]);
        c->meta_path = conda_meta_name(&c->arena, &c->index);
        c->meta_entry = conda_below(c, c->meta_path);
}

static int check_meta(const struct conda *c, const struct artifact *art, struct err *e)
{
        const char *why;
        sv name = sv_skip(c->meta_path, SV("conda-meta/").n);

        if (sv_find(name, '/') >= 0 || !entry_path_safe(c->meta_path, &why))
                return err_set(e, ERR_INTEGRITY, "name, version and build make no file name: '%.*s'", SV_ARG(name));
        if (art->md5.n && !sv_eq_nocase(art->md5, sv_from(c->meta.md5)))
                return err_set(e, ERR_INTEGRITY, "the file has the md5 %s, but the lock says %.*s", c->meta.md5,
                               SV_ARG(art->md5));
        return 0;
}

int conda_plan(struct conda *c, const struct artifact *art, struct diags *ds, struct err *e)
{
        AUTO(arena_done) struct arena texts = { 0 }; /* of info/: large, and not needed afterwards */
        struct conda_info info;

        if (conda_archive_open(&c->arena, c->archive.bytes, &c->archive, e) < 0 ||
            conda_info_read(&texts, &c->archive, art, &info, e) < 0 ||
            conda_index_parse(&c->arena, info.text.index, &c->index, e) < 0 || check_art(c, art, e) < 0)
                return -(int)e->code;
        c->python = info.python;
        if (check_python(c, art, e) < 0 || conda_paths_read(&c->arena, &info.text, &c->paths, e) < 0 ||
            place(c, e) < 0 || add_entry_points(c, &info.link, e) < 0)
                return -(int)e->code;
        list_made(c);
        set_meta(c, art);
        if (check_meta(c, art, e) < 0)
                return -(int)e->code;
        warn(c, ds);
        return 0;
}
