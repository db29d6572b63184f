#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "install/conda_priv.h"

#define META_MAX   ((size_t)1 << 30)
#define BINARY_MAX ((size_t)256 << 20) /* what a piece and the strings that end in it can give */
#define PIECE      65536

/* A package as a source: the members of pkg- and of info- (or of the .tar.bz2) that paths.json lists, in the archive's order, then what is
 * made: folders that only paths.json knows, entry points, conda-meta. */
struct conda {
        struct entry_source source;
        struct arena arena; /* the package */
        struct arena pass;  /* one pass */
        struct install_ctx ctx;
        sv file; /* "numpy-1.26.4-py312_0.conda", for messages */
        struct conda_archive archive;
        struct conda_info info;
        struct conda_paths paths;
        struct conda_meta meta;
        sv meta_path;
        struct conda_path **made; /* folders and entry points, in order */
        size_t n_made;

        /* this pass */
        struct conda_tar *tar;
        enum conda_section section;
        bool tars_ended, meta_given;
        size_t at_made;
        struct conda_tree members, installed; /* paths of the archive; below the prefix */
        struct entry entry;
        struct conda_path *given; /* whose entry was handed out last */

        /* the file that is given */
        struct hash *hash;
        struct conda_prefix *prefix; /* CONDA_BINARY, while it is read */
        uint64_t left;               /* of the member */
        uint64_t out_left;           /* of the entry */
        bool input_ended;
        struct buf out; /* bytes that are replaced, not yet given */
        size_t out_at;
        char piece[PIECE];
};

static struct conda *of(struct entry_source *s)
{
        return (struct conda *)s;
}

static int installing(const struct conda *c, struct err *e)
{
        return err_while(e, "installing the conda package '%.*s'", SV_ARG(c->file));
}

/* --- contents */

static int lies(const struct conda_path *p, const char *what, const char *is, const char *listed, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' has the %s %s, but info/paths.json says %s", SV_ARG(p->path), what, is,
                       listed);
}

static int check_digest(const struct conda_path *p, const sha256 *have, struct err *e)
{
        if (!p->has_sha256 || p->type != CONDA_HARDLINK || sha256_eq(have, &p->sha256))
                return 0;
        return lies(p, "sha256", sha256_hex(have).s, sha256_hex(&p->sha256).s, e);
}

static int check_size(const struct conda_path *p, uint64_t have, struct err *e)
{
        char is[24], listed[24];

        if (!p->has_size || p->type != CONDA_HARDLINK || have == p->size)
                return 0;
        snprintf(is, sizeof(is), "%llu", (unsigned long long)have);
        snprintf(listed, sizeof(listed), "%llu", (unsigned long long)p->size);
        return lies(p, "size", is, listed, e);
}

/* Bytes of the member; *ret_n 0: its end. */
static int member_read(struct conda *c, void *p, size_t max, size_t *ret_n, struct err *e)
{
        *ret_n = 0;
        if (!c->left)
                return 0;
        if (conda_tar_read(c->tar, p, max < c->left ? max : (size_t)c->left, ret_n, e) < 0)
                return -(int)e->code;
        if (!*ret_n)
                return err_set(e, ERR_INTEGRITY, "'%.*s' is cut off", SV_ARG(c->given->path));
        c->left -= *ret_n;
        return 0;
}

static int stream_plain(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct conda *c = arg;

        return member_read(c, p, max, ret_n, e) < 0 ? installing(c, e) : 0;
}

static int original_end(struct conda *c, struct err *e)
{
        hash_end(c->hash, c->given->original.b);
        return check_digest(c->given, &c->given->original, e);
}

/* More bytes of a binary file into c->out. */
static int replace_more(struct conda *c, struct err *e)
{
        size_t n;

        buf_clear(&c->out);
        c->out_at = 0;
        while (!c->out.n && !c->input_ended) {
                if (member_read(c, c->piece, sizeof(c->piece), &n, e) < 0)
                        return -(int)e->code;
                hash_add(c->hash, c->piece, n);
                c->input_ended = c->left == 0;
                if (conda_prefix_add(c->prefix, (sv){ c->piece, n }, &c->out, e) < 0)
                        return -(int)e->code;
                if (c->input_ended && (conda_prefix_end(c->prefix, &c->out, e) < 0 || original_end(c, e) < 0))
                        return -(int)e->code;
        }
        return buf_check(&c->out, e);
}

static int stream_replaced(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct conda *c = arg;
        size_t n;

        if (c->out_at == c->out.n && replace_more(c, e) < 0)
                return installing(c, e);
        n = c->out.n - c->out_at < max ? c->out.n - c->out_at : max;
        if (n)
                memcpy(p, c->out.p + c->out_at, n);
        c->out_at += n;
        *ret_n = n;
        return 0;
}

static void out_begin(struct conda *c, size_t max)
{
        buf_clear(&c->out);
        c->out.max = max;
        c->out_at = 0;
}

static struct conda_replace how_of(const struct conda *c, const struct conda_path *p)
{
        return (struct conda_replace){
                .placeholder = p->placeholder, .prefix = c->ctx.prefix, .mode = p->mode, .file = p->path
        };
}

static void binary_begin(struct conda *c, struct conda_path *p, struct content *ret)
{
        struct conda_replace how = how_of(c, p);

        c->prefix = conda_prefix_new(&how);
        c->input_ended = false;
        out_begin(c, BINARY_MAX);
        *ret = (struct content){ .kind = CONTENT_STREAM, .arg = c, .read = stream_replaced };
}

/* Its new length must be known before its header: the whole file, in memory. */
static int text_content(struct conda *c, struct conda_path *p, struct content *ret, struct err *e)
{
        AUTO(conda_prefix_freep) struct conda_prefix *prefix = NULL;
        struct conda_replace how = how_of(c, p);
        size_t n;

        if (c->left > CONDA_TEXT_MAX)
                return err_set(e, ERR_LIMIT,
                               "'%.*s' is a text file of %llu bytes with a prefix in it; at most %zu are read",
                               SV_ARG(p->path), (unsigned long long)c->left, CONDA_TEXT_MAX);
        out_begin(c, CONDA_TEXT_MAX);
        prefix = conda_prefix_new(&how);
        do {
                if (member_read(c, c->piece, sizeof(c->piece), &n, e) < 0)
                        return -(int)e->code;
                hash_add(c->hash, c->piece, n);
                if (conda_prefix_add(prefix, (sv){ c->piece, n }, &c->out, e) < 0)
                        return -(int)e->code;
        } while (n);
        if (conda_prefix_end(prefix, &c->out, e) < 0 || original_end(c, e) < 0)
                return -(int)e->code;
        c->entry.size = c->out.n;
        if (c->out.n)
                *ret = (struct content){ .kind = CONTENT_BYTES, .p = c->out.p, .n = c->out.n };
        return 0;
}

static int file_content(struct conda *c, struct conda_path *p, uint64_t size, struct content *ret, struct err *e)
{
        static const sha256 none;
        uint8_t forgotten[32];

        c->left = size;
        c->entry.size = size;
        p->seen_size = size;
        p->original = p->installed = none;
        if (check_size(p, size, e) < 0)
                return -(int)e->code;
        hash_end(c->hash, forgotten); /* of a file that nobody read to its end */
        if (p->placeholder.n && size && p->mode == CONDA_TEXT)
                return text_content(c, p, ret, e);
        if (p->placeholder.n && size)
                binary_begin(c, p, ret);
        else if (size)
                *ret = (struct content){ .kind = CONTENT_STREAM, .arg = c, .read = stream_plain };
        return 0;
}

/* --- entries */

static void entry_set(struct conda *c, struct conda_path *p, enum entry_type type, uint32_t mode, int64_t mtime)
{
        c->entry = (struct entry){ .path = arena_fmt(&c->pass, "%.*s/env/%.*s", SV_ARG(c->ctx.root), SV_ARG(p->to)),
                                   .type = type,
                                   .mode = mode,
                                   .mtime = mtime };
        c->given = p;
}

static int kind_fault(const struct conda_path *p, const char *is, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' is %s in the package, which info/paths.json does not say",
                       SV_ARG(p->path), is);
}

/* A hard link says the same as the file that it leads to. */
static int hardlink_check(struct conda *c, const struct conda_member *m, struct conda_path *p, struct conda_path **ret,
                          struct err *e)
{
        struct conda_path *to = map_get(&c->paths.by_path, m->link);
        const char *kind = map_get(&c->members.at, m->link);

        if (!to || !to->seen || !kind || *kind != ENTRY_FILE)
                return err_set(e, ERR_INTEGRITY,
                               "'%.*s' is a hard link to '%.*s', which is no earlier file that the package installs",
                               SV_ARG(m->path), SV_ARG(m->link));
        if (p->has_sha256 && to->has_sha256 && p->type == CONDA_HARDLINK && !sha256_eq(&p->sha256, &to->sha256))
                return err_set(e, ERR_INTEGRITY,
                               "'%.*s' is a hard link to '%.*s', but info/paths.json says that they differ",
                               SV_ARG(m->path), SV_ARG(m->link));
        if (!sv_eq(p->placeholder, to->placeholder) || (p->placeholder.n && p->mode != to->mode))
                return err_set(e, ERR_INTEGRITY,
                               "'%.*s' is a hard link to '%.*s', but the prefix in them is to be replaced in two ways",
                               SV_ARG(m->path), SV_ARG(m->link));
        *ret = to;
        return 0;
}

static int hardlink_set(struct conda *c, const struct conda_member *m, struct conda_path *p, struct err *e)
{
        struct conda_path *to;

        if (hardlink_check(c, m, p, &to, e) < 0)
                return -(int)e->code;
        entry_set(c, p, ENTRY_HARDLINK, m->mode, m->mtime);
        c->entry.target = arena_fmt(&c->pass, "%.*s/env/%.*s", SV_ARG(c->ctx.root), SV_ARG(to->to));
        p->original = to->original;
        p->installed = to->installed;
        p->seen_size = to->seen_size;
        return check_size(p, to->seen_size, e);
}

static int member_entry(struct conda *c, const struct conda_member *m, struct conda_path *p, struct content *ret,
                        struct err *e)
{
        if (m->type == ENTRY_DIR)
                return p->type == CONDA_DIRECTORY ? entry_set(c, p, ENTRY_DIR, 0755, ENTRY_MTIME_FLOOR),
                       0                          : kind_fault(p, "a folder", e);
        if (p->type == CONDA_DIRECTORY)
                return kind_fault(p, "no folder", e);
        if (m->type == ENTRY_SYMLINK) {
                if (!m->link.n)
                        return err_set(e, ERR_INTEGRITY, "the symbolic link '%.*s' leads nowhere: its target is empty",
                                       SV_ARG(m->path));
                entry_set(c, p, ENTRY_SYMLINK, 0777, m->mtime);
                c->entry.target = m->link;
                return 0;
        }
        if (m->type == ENTRY_HARDLINK)
                return hardlink_set(c, m, p, e);
        entry_set(c, p, ENTRY_FILE, m->mode, m->mtime);
        return file_content(c, p, m->size, ret, e);
}

/* conda-meta/ is the installer's own; other files there (pinned) are a package's business. */
static int protected_path(sv path, struct err *e)
{
        if (!sv_starts(path, SV("conda-meta/")) ||
            (!sv_ends(path, SV(".json")) && !sv_is(path, "conda-meta/history") && !sv_is(path, "conda-meta/state")))
                return 0;
        return err_set(e, ERR_INTEGRITY, "the package holds '%.*s', which only an installer may write", SV_ARG(path));
}

/* The line of paths.json that this member belongs to; *ret NULL: it is not installed. */
static int find_path(struct conda *c, const struct conda_member *m, struct conda_path **ret, struct err *e)
{
        struct conda_path *p = map_get(&c->paths.by_path, m->path);

        *ret = NULL;
        if (sv_is(m->path, "info") || sv_starts(m->path, SV("info/")))
                return 0;
        if (!p && !c->paths.listed && m->type != ENTRY_DIR) {
                p = conda_paths_add(&c->arena, &c->paths, arena_sv(&c->arena, m->path), e);
                if (!p)
                        return -(int)e->code;
                p->to = conda_place_path(&c->arena, p->path, c->info.python, c->ctx.site_packages);
                if (protected_path(p->to, e) < 0)
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
        out_begin(c, META_MAX);
        conda_meta_write(&c->meta, &c->out);
        if (buf_check(&c->out, e) < 0 || conda_tree_add(&c->installed, &c->pass, c->meta_path, ENTRY_FILE, e) < 0)
                return -(int)e->code;
        c->entry =
                (struct entry){ .path = arena_fmt(&c->pass, "%.*s/env/%.*s", SV_ARG(c->ctx.root), SV_ARG(c->meta_path)),
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
        if (!p || c->entry.type != ENTRY_FILE || sha256_is_zero(&c->entry.sha256))
                return 0;
        p->installed = c->entry.sha256;
        return p->placeholder.n && p->seen_size ? 0 : check_digest(p, &p->installed, e);
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
                return installing(c, e);
        *ret = &c->entry;
        return rc;
}

static int conda_rewind(struct entry_source *s, struct err *e)
{
        static const sha256 none;
        struct conda *c = of(s);

        conda_tar_free(STEAL(c->tar));
        conda_prefix_free(STEAL(c->prefix));
        arena_done(&c->pass);
        c->pass = (struct arena){ 0 };
        c->members = c->installed = (struct conda_tree){ 0 };
        c->given = NULL;
        c->tars_ended = c->meta_given = false;
        c->at_made = 0;
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
        conda_prefix_free(c->prefix);
        hash_free(c->hash);
        buf_done(&c->out);
        arena_done(&c->pass);
        arena_done(&c->arena);
        free(c);
}

/* --- planning */

static int check_art(const struct conda *c, const struct artifact *art, struct err *e)
{
        const struct conda_index *x = &c->info.index;

        if (sv_eq_nocase(x->name, art->name) && sv_eq(x->version, art->version) && sv_eq(x->build, art->build))
                return 0;
        return err_set(e, ERR_INTEGRITY, "the file of '%.*s %.*s %.*s' holds '%.*s %.*s %.*s'", SV_ARG(art->name),
                       SV_ARG(art->version), SV_ARG(art->build), SV_ARG(x->name), SV_ARG(x->version), SV_ARG(x->build));
}

static int check_python(const struct conda *c, struct err *e)
{
        const char *why;

        if (!c->info.python)
                return 0;
        if (!c->ctx.python.n)
                return err_set(e, ERR_FAILED, "it is a noarch python package, and the environment has no python");
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

                p->to = conda_place_path(&c->arena, p->path, c->info.python, c->ctx.site_packages);
                if (!entry_path_safe(p->to, &why))
                        return err_set(e, ERR_INTEGRITY, "'%.*s' would be installed as '%.*s': %s", SV_ARG(p->path),
                                       SV_ARG(p->to), why);
                if (protected_path(p->to, e) < 0)
                        return -(int)e->code;
                map_put(&c->paths.by_to, &c->arena, p->to, p);
        }
        return 0;
}

/* As pip and conda: what is generated takes the place of a file of that name; of two with one name the last stays. */
static int add_entry_points(struct conda *c, struct err *e)
{
        for (size_t i = 0; c->info.python && i < c->info.link.n; i++) {
                struct conda_entry_point ep;
                struct conda_path *p, *before;

                if (conda_entry_point_parse(&c->arena, c->info.link.entry_point[i], &ep, e) < 0)
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

static void warn_script(struct conda *c, const char *when, struct diags *ds)
{
        sv path = arena_fmt(&c->arena, "bin/.%.*s-%s.sh", SV_ARG(c->info.index.name), when);
        const struct conda_path *p = map_get(&c->paths.by_to, path);
        size_t i;

        if (!p || (p->has_sha256 && conda_script_needless(&p->sha256)))
                return;
        i = diag_warn(ds, c->file, 0, 0, "EB530", "'%.*s' is not run: nothing of a package is", SV_ARG(path));
        diag_hint(ds, i, "read it; what it does can be done by `envbuild: files:`");
}

static void warn(struct conda *c, struct diags *ds)
{
        size_t i;

        warn_script(c, "pre-link", ds);
        warn_script(c, "post-link", ds);
        warn_script(c, "pre-unlink", ds);
        for (size_t k = 0; k < c->paths.n; k++) {
                const struct conda_path *p = c->paths.v[k];

                if (!sv_starts(p->to, SV("Menu/")) || !sv_ends(p->to, SV(".json")))
                        continue;
                i = diag_warn(ds, c->file, 0, 0, "EB531", "no menu entry is made of '%.*s'", SV_ARG(p->to));
                ds->v[i].level = DIAG_NOTE;
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
        c->meta.index = &c->info.index;
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
        c->meta_path = conda_meta_name(&c->arena, &c->info.index);
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

static int plan(struct conda *c, const struct artifact *art, struct diags *ds, struct err *e)
{
        if (conda_archive_open(&c->arena, c->archive.bytes, &c->archive, e) < 0 ||
            conda_info_read(&c->arena, &c->archive, art, &c->info, e) < 0 || check_art(c, art, e) < 0 ||
            check_python(c, e) < 0 || conda_paths_read(&c->arena, &c->info.text, &c->paths, e) < 0 || place(c, e) < 0 ||
            add_entry_points(c, e) < 0)
                return -(int)e->code;
        list_made(c);
        set_meta(c, art);
        if (check_meta(c, art, e) < 0)
                return -(int)e->code;
        warn(c, ds);
        return conda_rewind(&c->source, e);
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
        if (plan(c, art, ds, e) < 0) {
                installing(c, e);
                conda_free(&c->source);
                return -(int)e->code;
        }
        *ret = &c->source;
        return 0;
}
