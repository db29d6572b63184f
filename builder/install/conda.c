#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "install/conda_priv.h"

#define META_MAX  ((size_t)1 << 30)
#define AGAIN_MAX 64

static struct conda *of(struct entry_source *s)
{
        return (struct conda *)s;
}

int conda_installing(const struct conda *c, struct err *e)
{
        return err_while(e, "installing the conda package '%.*s'", SV_ARG(c->file));
}

/* --- entries */

static void entry_set(struct conda *c, struct conda_path *p, enum entry_type type, uint32_t mode, int64_t mtime)
{
        if (!p->entry.n) /* consumers keep it over a rewind */
                p->entry = conda_below(c, p->to);
        c->entry = (struct entry){ .path = p->entry, .type = type, .mode = mode, .mtime = mtime };
        c->given = p;
}

static int kind_fault(const struct conda_path *p, const char *is, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' is %s in the package, which info/paths.json does not say",
                       SV_ARG(p->path), is);
}

static int linked_fault(const struct conda_member *m, const char *why, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' is a hard link to '%.*s', %s", SV_ARG(m->path), SV_ARG(m->link), why);
}

int conda_member_find(struct conda *c, sv path, struct conda_tar **ret, struct conda_member *ret_file, struct err *e)
{
        const struct archive_item *it;
        int rc;

        if (++c->n_again > AGAIN_MAX)
                return err_set(e, ERR_LIMIT,
                               "the package has more than %d large texts with a prefix, or hard links to what it does "
                               "not install so",
                               AGAIN_MAX);
        if (conda_tar_open(&c->archive, c->section, ret, e) < 0)
                return -(int)e->code;
        while ((rc = conda_tar_next(*ret, &it, e)) > 0) {
                rc = conda_member_of(&c->pass, it, ret_file, e);
                if (rc < 0 || (rc > 0 && sv_eq(ret_file->path, path)))
                        break;
        }
        return rc;
}

/* The file is not installed, or not with the same bytes. */
static int link_apart(struct conda *c, const struct conda_member *m, struct conda_path *p, struct content *ret,
                      struct err *e)
{
        struct conda_member file;
        int rc = conda_member_find(c, m->link, &c->apart, &file, e);

        if (rc < 0)
                return rc;
        if (rc == 0 || file.type != ENTRY_FILE)
                return linked_fault(m, "which is no file of its own", e);
        entry_set(c, p, ENTRY_FILE, file.mode, file.mtime);
        return conda_file_begin(c, p, &file, ret, e);
}

static int hardlink_set(struct conda *c, const struct conda_member *m, struct conda_path *p, struct content *ret,
                        struct err *e)
{
        struct conda_path *to = map_get(&c->paths.by_path, m->link);
        const char *kind = map_get(&c->members.at, m->link);
        const sha256 *have;

        if (!kind || *kind != ENTRY_FILE)
                return linked_fault(m, "which is no earlier file of the package", e);
        if (!to || !to->seen || !sv_eq(p->placeholder, to->placeholder) || (p->placeholder.n && p->mode != to->mode))
                return link_apart(c, m, p, ret, e);
        if (p->has_sha256 && to->has_sha256 && p->type == CONDA_HARDLINK && !sha256_eq(&p->sha256, &to->sha256))
                return linked_fault(m, "but info/paths.json says that they differ", e);
        entry_set(c, p, ENTRY_HARDLINK, m->mode, m->mtime);
        p->first = to->first ? to->first : to;
        c->entry.target = p->first->entry;
        p->original = to->original;
        p->installed = to->installed;
        p->seen_size = to->seen_size;
        have = p->placeholder.n && to->seen_size ? &to->original : &to->installed;
        if (!sha256_is_zero(have) && conda_check_digest(p, have, e) < 0) /* where the list knows this one's only */
                return -(int)e->code;
        return conda_check_size(p, to->seen_size, e);
}

static int member_entry(struct conda *c, const struct conda_member *m, struct conda_path *p, struct content *ret,
                        struct err *e)
{
        if (m->type == ENTRY_DIR && p->type == CONDA_DIRECTORY) {
                entry_set(c, p, ENTRY_DIR, 0755, ENTRY_MTIME_FLOOR);
                return 0;
        }
        if (m->type == ENTRY_DIR)
                return kind_fault(p, "a folder", e);
        if (p->type == CONDA_DIRECTORY)
                return kind_fault(p, "no folder", e);
        if (m->type == ENTRY_SYMLINK) {
                if (!m->link.n)
                        return err_set(e, ERR_INTEGRITY, "the symbolic link '%.*s' leads nowhere: its target is empty",
                                       SV_ARG(m->path));
                entry_set(c, p, ENTRY_SYMLINK, 0777, m->mtime);
                if (!p->target.n)
                        p->target = arena_sv(&c->arena, m->link);
                c->entry.target = p->target;
                return 0;
        }
        if (m->type == ENTRY_HARDLINK)
                return hardlink_set(c, m, p, ret, e);
        entry_set(c, p, ENTRY_FILE, m->mode, m->mtime);
        return conda_file_begin(c, p, m, ret, e);
}

/* The line of paths.json that this member belongs to; *ret NULL: it is not installed. */
static int find_path(struct conda *c, const struct conda_member *m, struct conda_path **ret, struct err *e)
{
        struct conda_path *p = map_get(&c->paths.by_path, m->path);

        *ret = NULL;
        if (sv_is(m->path, "info") || sv_starts(m->path, SV("info/")))
                return 0;
        if (!p && !c->paths.listed && m->type != ENTRY_DIR) {
                p = conda_paths_add(&c->arena, &c->paths, m->path, e);
                if (!p)
                        return -(int)e->code;
                p->to = conda_place_path(&c->arena, p->path, c->python, c->ctx.site_packages);
                if (conda_protected(p->to, e) < 0)
                        return -(int)e->code;
        }
        *ret = p && !p->hidden ? p : NULL;
        return 0;
}

/* 1: an entry · 0: the tars are read */
static int next_member(struct conda *c, struct content *ret, struct err *e)
{
        const struct archive_item *it;
        struct conda_member m;
        struct conda_path *p;
        int rc;

        while ((rc = conda_tar_next(c->tar, &it, e)) > 0) {
                rc = conda_member_of(&c->pass, it, &m, e);
                if (rc < 0)
                        return rc;
                if (rc == 0)
                        continue;
                if (conda_tree_add(&c->members, &c->pass, m.path, m.type, e) < 0 || find_path(c, &m, &p, e) < 0)
                        return -(int)e->code;
                if (!p)
                        continue;
                if (conda_tree_add(&c->installed, &c->pass, p->to, m.type, e) < 0 || member_entry(c, &m, p, ret, e) < 0)
                        return -(int)e->code;
                p->seen = true;
                return 1;
        }
        if (rc < 0 || c->section != CONDA_PKG)
                return rc;
        conda_tar_free(STEAL(c->tar));
        c->section = CONDA_INFO;
        return conda_tar_open(&c->archive, c->section, &c->tar, e) < 0 ? -(int)e->code : next_member(c, ret, e);
}

/* What the list has and the archive has not: folders can be made, files cannot. */
static int end_members(struct conda *c, struct err *e)
{
        for (size_t i = 0; i < c->paths.n; i++) {
                const struct conda_path *p = c->paths.v[i];

                if (!p->seen && !p->hidden && p->type != CONDA_DIRECTORY && p->type != CONDA_ENTRY_POINT)
                        return err_set(e, ERR_INTEGRITY, "the package lists '%.*s', but its archive does not hold it",
                                       SV_ARG(p->path));
        }
        c->tars_ended = true;
        return 0;
}

static int next_made(struct conda *c, struct content *ret, struct err *e)
{
        struct conda_path *p = NULL;

        while (c->at_made < c->n_made) {
                p = c->made[c->at_made++];
                if (!p->seen)
                        break;
                p = NULL;
        }
        if (!p)
                return 0;
        entry_set(c, p, p->type == CONDA_DIRECTORY ? ENTRY_DIR : ENTRY_FILE, 0755, ENTRY_MTIME_FLOOR);
        c->entry.generated = true;
        if (conda_tree_add(&c->installed, &c->pass, p->to, c->entry.type, e) < 0)
                return -(int)e->code;
        c->entry.size = p->seen_size = p->script.n;
        if (p->script.n)
                *ret = (struct content){ .kind = CONTENT_BYTES, .p = p->script.p, .n = p->script.n };
        p->seen = true;
        return 1;
}

static int next_meta(struct conda *c, struct content *ret, struct err *e)
{
        if (c->meta_given)
                return 0;
        c->meta_given = true;
        conda_out_begin(c, META_MAX);
        conda_meta_write(&c->meta, &c->out);
        if (buf_check(&c->out, e) < 0 || conda_tree_add(&c->installed, &c->pass, c->meta_path, ENTRY_FILE, e) < 0)
                return -(int)e->code;
        c->entry = (struct entry){ .path = c->meta_entry,
                                   .type = ENTRY_FILE,
                                   .mode = 0644,
                                   .mtime = ENTRY_MTIME_FLOOR,
                                   .size = c->out.n,
                                   .generated = true };
        *ret = (struct content){ .kind = CONTENT_BYTES, .p = c->out.p, .n = c->out.n };
        return 1;
}

/* The consumer digested the last file: what was not rewritten must be what paths.json says. Zero: it only looked. */
static int end_given(struct conda *c, struct err *e)
{
        struct conda_path *p = c->given;

        c->given = NULL;
        conda_prefix_free(STEAL(c->prefix));
        conda_tar_free(STEAL(c->apart));
        if (!p || c->entry.type != ENTRY_FILE || sha256_is_zero(&c->entry.sha256))
                return 0;
        p->installed = c->entry.sha256;
        return p->placeholder.n && p->seen_size ? 0 : conda_check_digest(p, &p->installed, e);
}

static int next(struct conda *c, struct content *ret, struct err *e)
{
        int rc = 0;

        if (end_given(c, e) < 0)
                return -(int)e->code;
        if (!c->tars_ended) {
                rc = next_member(c, ret, e);
                if (rc == 0)
                        rc = end_members(c, e);
        }
        if (rc == 0)
                rc = next_made(c, ret, e);
        return rc == 0 ? next_meta(c, ret, e) : rc;
}

static int conda_next(struct entry_source *s, struct entry **ret, struct content *ret_content, struct err *e)
{
        struct conda *c = of(s);
        int rc;

        *ret_content = (struct content){ 0 };
        rc = next(c, ret_content, e);
        if (rc < 0)
                return conda_installing(c, e);
        *ret = &c->entry;
        return rc;
}

static int conda_rewind(struct entry_source *s, struct err *e)
{
        static const sha256 none;
        struct conda *c = of(s);

        conda_tar_free(STEAL(c->tar));
        conda_tar_free(STEAL(c->apart));
        conda_prefix_free(STEAL(c->prefix));
        arena_done(&c->pass);
        c->pass = (struct arena){ 0 };
        c->members = c->installed = (struct conda_tree){ 0 };
        c->given = NULL;
        c->tars_ended = c->meta_given = false;
        c->at_made = 0;
        c->n_again = 0;
        for (size_t i = 0; i < c->paths.n; i++) {
                c->paths.v[i]->seen = false;
                c->paths.v[i]->original = c->paths.v[i]->installed = none;
        }
        c->section = !c->archive.zip ? CONDA_WHOLE : c->archive.has_pkg ? CONDA_PKG : CONDA_INFO;
        return conda_tar_open(&c->archive, c->section, &c->tar, e);
}

static void conda_free(struct entry_source *s)
{
        struct conda *c = of(s);

        conda_tar_free(c->tar);
        conda_tar_free(c->apart);
        conda_prefix_free(c->prefix);
        hash_free(c->hash);
        buf_done(&c->out);
        arena_done(&c->pass);
        arena_done(&c->arena);
        free(c);
}

int install_conda(const struct artifact *art, sv bytes, const struct install_ctx *ctx, struct diags *ds,
                  struct entry_source **ret, struct err *e)
{
        static const struct entry_source_ops ops = { conda_next, conda_rewind, conda_free };
        struct conda *c = xcalloc(1, sizeof(*c));

        c->source.ops = &ops;
        c->archive.bytes = bytes;
        c->hash = hash_new(HASH_SHA256);
        c->ctx = (struct install_ctx){ .prefix = arena_sv(&c->arena, ctx->prefix),
                                       .root = arena_sv(&c->arena, ctx->root),
                                       .python = arena_sv(&c->arena, ctx->python),
                                       .site_packages = arena_sv(&c->arena, ctx->site_packages) };
        c->file = conda_url_file(&c->arena, art->url);
        if (!c->file.n)
                c->file = arena_fmt(&c->arena, "%.*s-%.*s-%.*s", SV_ARG(art->name), SV_ARG(art->version),
                                    SV_ARG(art->build));
        if (conda_plan(c, art, ds, e) < 0 || conda_rewind(&c->source, e) < 0) {
                conda_installing(c, e);
                conda_free(&c->source);
                return -(int)e->code;
        }
        *ret = &c->source;
        return 0;
}
