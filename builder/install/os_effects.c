#include "install/os_priv.h"

/* cp -p: contents, mode, owner and time of what a package ships. */
static void copy(struct os *o, const struct effect_path *c)
{
        const struct deb_text *t = os_text(o, os_real(o, c->text));

        if (t)
                os_put(o, &(struct entry){ .path = c->path, .type = ENTRY_FILE, .mode = t->mode, .uid = t->uid, .gid = t->gid, .mtime = t->mtime },
                       t->text);
}

static bool empty_dir(const struct os *o, sv path)
{
        const struct os_path *p = map_get(&o->shipped, path);

        if (!p || p->p->type != ENTRY_DIR)
                return false;
        for (size_t i = 0; i < o->n_list; i++) {
                sv other = o->list[i].p->path;
                if (other.n > path.n && other.p[path.n] == '/' && sv_starts(other, path))
                        return false;
        }
        return true;
}

/* rmdir and ln -s where a package ships an empty directory: /var/run. */
static void link_to(struct os *o, const struct effect_path *l)
{
        sv path = os_real(o, l->path);

        if (empty_dir(o, path))
                os_replace(o, &(struct entry){ .path = path, .type = ENTRY_SYMLINK, .mode = 0777, .target = l->text });
        else
                os_link(o, path, l->text);
}

static void apply(struct os *o, const struct effect_pkg *p)
{
        for (size_t i = 0; i < p->n_dir; i++)
                os_dir(o, p->dir[i].path, p->dir[i].mode, p->dir[i].uid, p->dir[i].gid);
        for (size_t i = 0; i < p->n_file; i++)
                os_put(o, &(struct entry){ .path = p->file[i].path, .type = ENTRY_FILE, .mode = p->file[i].mode, .uid = p->file[i].uid,
                                           .gid = p->file[i].gid },
                       p->file[i].text);
        for (size_t i = 0; i < p->n_copy; i++)
                copy(o, &p->copy[i]);
        for (size_t i = 0; i < p->n_link; i++)
                link_to(o, &p->link[i]);
}

void os_effects(struct os *o)
{
        for (size_t i = 0; i < o->in->n_deb; i++) {
                const struct effect_pkg *p = effects_find(o->in->effects, o->in->deb[i].control.name);
                if (p)
                        apply(o, p);
        }
}
