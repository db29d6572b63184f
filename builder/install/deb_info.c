#include "install/deb_info.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "install/soname.h"

struct scan {
        struct arena *a;
        const struct archive_table *t;
        struct archive_reader *r;
        struct deb_info *d;
        const struct deb_want *want;
        struct elf_catch elf;
        struct hash *md5;
        size_t cap_path, cap_lib, cap_text;
};
static void scan_done(struct scan *s)
{
        if (s->t)
                s->t->close(s->r);
        hash_free(s->md5);
        elf_done(&s->elf);
}

static int by_path(const void *a, const void *b) /* each of our structs begins with its path */
{
        return sv_cmp(*(const sv *)a, *(const sv *)b);
}

static bool wanted(const struct deb_want *w, sv path)
{
        for (size_t i = 0; w && i < w->n; i++) {
                sv p = w->path[i];
                if (sv_eq(p, path) || (p.n && p.p[p.n - 1] == '/' && sv_starts(path, p)))
                        return true;
        }
        return false;
}

/* ldconfig's idea of a name worth a look: lib*.so*, ld-*.so*, ld.so*. */
static bool library_name(sv base)
{
        if (!sv_starts(base, SV("lib")) && !sv_starts(base, SV("ld-")) && !sv_starts(base, SV("ld.so")))
                return false;
        return sv_find_sv(base, SV(".so")) >= 0 && sv_find_sv(base, SV(".gdb")) < 0 && sv_find_sv(base, SV(".py")) < 0;
}

static struct deb_conffile *conffile_of(struct deb_info *d, sv wrote)
{
        for (size_t i = 0; i < d->n_conffile; i++)
                if (sv_eq(d->conffile[i].path, wrote))
                        return &d->conffile[i];
        return NULL;
}

static void read_conffiles(struct scan *s)
{
        sv rest = deb_control_file(&s->d->control, "conffiles"), line;
        size_t cap = 0;

        while (sv_line(&rest, &line)) {
                struct deb_conffile c = { .path = sv_trim(line) };

                if (c.path.n == 0)
                        continue;
                if (c.path.p[0] != '/') { /* "remove-on-upgrade /etc/x" */
                        ptrdiff_t at = sv_find(c.path, ' ');
                        c.flag = sv_from_to(c.path, 0, at < 0 ? 0 : (size_t)at);
                        c.path = sv_trim(sv_skip(c.path, c.flag.n));
                }
                *arena_push(s->a, s->d->conffile, s->d->n_conffile, cap) = c;
        }
}

/* --- one file's contents, for all who want them */

static int keep_text(struct scan *s, const struct entry *en, struct err *e)
{
        struct deb_text t = { .path = en->path, .mode = en->mode, .uid = en->uid, .gid = en->gid, .mtime = en->mtime };
        char *p;

        if (en->size > DEB_TEXT_MAX)
                return err_set(e, ERR_LIMIT, "'%.*s' has %llu bytes: more than 4 MiB are not read", SV_ARG(en->path),
                               (unsigned long long)en->size);
        p = arena_alloc(s->a, (size_t)en->size + 1, 1);
        t.text = (sv){ p, 0 };
        *arena_push(s->a, s->d->text, s->d->n_text, s->cap_text) = t;
        return 0;
}

static int read_file(struct scan *s, const struct entry *en, struct deb_conffile *conf, struct err *e)
{
        bool lib = library_name(sv_basename(en->path)), text = wanted(s->want, en->path);
        struct deb_text *kept = NULL;
        char piece[16384];
        size_t n = 0;

        if (!lib && !text && !conf)
                return 0;
        if (text) {
                if (keep_text(s, en, e) < 0)
                        return -(int)e->code;
                kept = &s->d->text[s->d->n_text - 1];
        }
        if (lib)
                elf_begin(&s->elf);
        do {
                if (s->t->read(s->r, piece, sizeof(piece), &n, e) < 0)
                        return -(int)e->code;
                if (lib)
                        elf_feed(&s->elf, piece, n);
                if (conf)
                        hash_add(s->md5, piece, n);
                if (kept && kept->text.n + n <= en->size) {
                        memcpy((char *)kept->text.p + kept->text.n, piece, n);
                        kept->text.n += n;
                }
        } while (n);
        if (conf) {
                uint8_t raw[16];
                hash_end(s->md5, raw);
                hex_write(raw, sizeof(raw), conf->md5);
        }
        if (lib) {
                struct deb_library l = { .path = en->path };
                if (elf_end(&s->elf, &l.soname, &l.machine))
                        *arena_push(s->a, s->d->lib, s->d->n_lib, s->cap_lib) = l;
        }
        return 0;
}

static int read_data(struct scan *s, bool usrmerged, struct err *e)
{
        const struct archive_item *it;
        int got;

        while ((got = s->t->next(s->r, &it, e)) == 1) {
                struct deb_item item;
                int ours = deb_item_of(s->a, it, usrmerged, &item, e);

                if (ours < 0)
                        return ours;
                if (ours == 0)
                        continue;
                *arena_push(s->a, s->d->path, s->d->n_path, s->cap_path) =
                        (struct deb_path){ .path = item.entry.path,
                                           .wrote = item.wrote,
                                           .type = item.entry.type,
                                           .mode = item.entry.mode,
                                           .uid = item.entry.uid,
                                           .gid = item.entry.gid,
                                           .mtime = item.entry.mtime,
                                           .target = item.entry.target };
                if (item.entry.type == ENTRY_FILE && read_file(s, &item.entry, conffile_of(s->d, item.wrote), e) < 0)
                        return -(int)e->code;
        }
        return got;
}

static void sort_paths(struct deb_info *d)
{
        size_t kept = 0;

        if (d->n_path)
                qsort(d->path, d->n_path, sizeof(*d->path), by_path);
        for (size_t i = 0; i < d->n_path; i++)
                if (kept == 0 || !sv_eq(d->path[kept - 1].path, d->path[i].path) || d->path[i].type != ENTRY_DIR)
                        d->path[kept++] = d->path[i];
        d->n_path = kept;
        if (d->n_lib)
                qsort(d->lib, d->n_lib, sizeof(*d->lib), by_path);
        if (d->n_text)
                qsort(d->text, d->n_text, sizeof(*d->text), by_path);
}

int deb_info_read(struct arena *a, const struct artifact *art, sv bytes, bool usrmerged, const struct deb_want *want,
                  struct deb_info *ret, struct err *e)
{
        AUTO(scan_done) struct scan s = {
                .a = a, .d = ret, .want = want, .elf = { .a = a }, .md5 = hash_new(HASH_MD5)
        };
        struct deb_parts parts;

        *ret = (struct deb_info){ .sha256 = art->sha256 };
        if (archive_load(&s.t, e) < 0 || deb_split(bytes, &parts, e) < 0 ||
            deb_control_read(a, parts.control, &ret->control, e) < 0)
                return err_while(e, "reading the package '%.*s %.*s'", SV_ARG(art->name), SV_ARG(art->version));
        read_conffiles(&s);
        if (deb_data_open(s.t, &parts, &s.r, e) < 0 || read_data(&s, usrmerged, e) < 0)
                return err_while(e, "reading the package '%.*s %.*s'", SV_ARG(art->name), SV_ARG(art->version));
        sort_paths(ret);
        return 0;
}

const struct deb_text *deb_info_text(const struct deb_info *d, sv path)
{
        return d->n_text ? bsearch(&path, d->text, d->n_text, sizeof(*d->text), by_path) : NULL;
}
