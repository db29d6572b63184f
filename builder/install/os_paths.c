#include "install/os_priv.h"

#include <stdlib.h>

#define LINKS_MAX 40

static bool same_attributes(const struct deb_path *a, const struct deb_path *b)
{
        return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

/* Two packages, one path: fine for directories, and for the same link; dpkg would refuse anything else. */
static void meet(struct os *o, struct os_path *first, const struct deb_path *p, const struct deb_info *deb)
{
        const struct deb_path *q = first->p;
        const struct deb_control *a = &first->deb->control, *b = &deb->control;

        if (q->type == ENTRY_DIR && p->type == ENTRY_DIR) {
                first->disagree |= !same_attributes(q, p);
                return;
        }
        if (q->type == ENTRY_SYMLINK && p->type == ENTRY_SYMLINK && sv_eq(q->target, p->target))
                return;
        diag_add(o->ds, (sv){ 0 }, 0, 0, "EB403", "'%.*s' is in '%.*s %.*s' and in '%.*s %.*s'", SV_ARG(p->path),
                 SV_ARG(a->name), SV_ARG(a->version), SV_ARG(b->name), SV_ARG(b->version));
}

int os_merge(struct os *o, struct err *e)
{
        size_t before = o->ds->n_errors, n = 0;

        for (size_t i = 0; i < o->in->n_deb; i++)
                n += o->in->deb[i].n_path;
        o->list = arena_array(o->a, struct os_path, n + 1);
        for (size_t i = 0; i < o->in->n_deb; i++)
                for (size_t k = 0; k < o->in->deb[i].n_path; k++) {
                        const struct deb_path *p = &o->in->deb[i].path[k];
                        struct os_path *there = map_get(&o->shipped, p->path);

                        if (there) {
                                meet(o, there, p, &o->in->deb[i]);
                                continue;
                        }
                        o->list[o->n_list] = (struct os_path){ p, &o->in->deb[i], false };
                        map_put(&o->shipped, o->a, p->path, &o->list[o->n_list++]);
                }
        if (o->ds->n_errors != before)
                return err_set(e, ERR_CONFLICT, "%zu paths are in two packages", o->ds->n_errors - before);
        return 0;
}

static bool link_at(const struct os *o, sv path, sv *ret_target)
{
        const struct os_made *m = map_get(&o->by_path, path);
        const struct os_path *s = map_get(&o->shipped, path);

        if (m && m->entry.type == ENTRY_SYMLINK)
                *ret_target = m->entry.target;
        else if (!m && s && s->p->type == ENTRY_SYMLINK)
                *ret_target = s->p->target;
        else
                return false;
        return true;
}

/* path without its last part; "." and ".." of `rest` taken away. */
static sv joined(struct os *o, sv dir, sv part)
{
        if (sv_is(part, ".") || part.n == 0)
                return dir;
        if (sv_is(part, ".."))
                return sv_from_to(dir, 0, sv_rfind(dir, '/') < 0 ? 0 : (size_t)sv_rfind(dir, '/'));
        return dir.n ? arena_fmt(o->a, "%.*s/%.*s", SV_ARG(dir), SV_ARG(part)) : part;
}

sv os_resolve(struct os *o, sv path)
{
        sv rest = path, done = { 0 }, part, target;
        int links = 0;

        while (sv_cut(&rest, '/', &part)) {
                sv at = joined(o, done, part);

                if (part.n == 0 || !link_at(o, at, &target)) {
                        done = at;
                        continue;
                }
                if (++links > LINKS_MAX)
                        return (sv){ 0 };
                if (target.n && target.p[0] == '/')
                        done = (sv){ 0 };
                rest = rest.n ? arena_fmt(o->a, "%.*s/%.*s", SV_ARG(target), SV_ARG(rest)) : target;
        }
        return done.n && (map_get(&o->by_path, done) || map_get(&o->shipped, done)) ? done : (sv){ 0 };
}

static void repeat(struct os *o, const struct os_path *p)
{
        struct os_made *m;

        if (map_get(&o->by_path, p->p->path))
                return;
        m = arena_new(o->a, struct os_made);
        m->entry = (struct entry){ .path = p->p->path,
                                   .type = ENTRY_DIR,
                                   .mode = p->p->mode,
                                   .uid = p->p->uid,
                                   .gid = p->p->gid,
                                   .mtime = p->p->mtime,
                                   .generated = true };
        *arena_push(o->a, o->made, o->n_made, o->cap_made) = m;
        map_put(&o->by_path, o->a, m->entry.path, m);
}

/* A layer that passes through a directory shows it with the attributes of its own package, or those of the table. This is the last layer
 * of the base: it says once more what is not 0755 0:0, what debs disagree about, and what its own paths pass through. */
void os_repeat_dirs(struct os *o)
{
        size_t n = o->n_made;

        for (size_t i = 0; i < o->n_list; i++) {
                const struct deb_path *p = o->list[i].p;
                if (p->type == ENTRY_DIR && (o->list[i].disagree || p->mode != 0755 || p->uid || p->gid))
                        repeat(o, &o->list[i]);
        }
        for (size_t i = 0; i < n; i++) {
                sv dir = o->made[i]->entry.path;

                for (ptrdiff_t at = sv_rfind(dir, '/'); at > 0; at = sv_rfind(dir, '/')) {
                        const struct os_path *p;

                        dir.n = (size_t)at;
                        p = map_get(&o->shipped, dir);
                        if (p && p->p->type == ENTRY_DIR)
                                repeat(o, p);
                }
        }
}
