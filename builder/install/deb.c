#include "install/deb.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "ext/hash.h"

#define LIST_MAX ((size_t)64 << 20)

/* The members of data.tar, then the info files of dpkg. What the archive has twice as a directory (only ever after usrmerge) is given once. */
struct deb_source {
        struct entry_source s;
        struct arena arena;
        const struct archive_table *t;
        struct archive_reader *r;
        struct deb_parts parts;
        struct deb_control control;
        bool usrmerged;
        struct map dirs;
        struct buf list, sums; /* the info files of these names; md5sums only for a package that has none */
        bool makes_sums;
        struct hash *md5;
        struct entry entry;
        uint64_t left; /* of the file that is given */
        sv summed;     /* its name in sums; empty: nothing to sum */
        struct entry *info;
        sv *info_text;
        size_t n_info, at_info;
        bool ended; /* data.tar is read */
};

static struct deb_source *of(struct entry_source *s)
{
        return (struct deb_source *)s;
}

/* --- contents */

static int stream_read(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct deb_source *d = arg;

        if (d->left == 0) {
                *ret_n = 0;
                return 0;
        }
        if (d->t->read(d->r, p, max < d->left ? max : (size_t)d->left, ret_n, e) < 0)
                return -(int)e->code;
        if (*ret_n == 0)
                return err_set(e, ERR_INTEGRITY, "'%.*s' is cut off", SV_ARG(d->entry.path));
        if (d->summed.n)
                hash_add(d->md5, p, *ret_n);
        d->left -= *ret_n;
        return 0;
}

/* dpkg makes md5sums for a package without them: of plain files that are no conffiles, once each was read. */
static int end_file(struct deb_source *d, struct err *e)
{
        char skip[4096], digest[33];
        uint8_t raw[16];
        size_t n;

        if (d->summed.n == 0)
                return 0;
        while (d->left)
                if (stream_read(d, skip, sizeof(skip), &n, e) < 0)
                        return -(int)e->code;
        hash_end(d->md5, raw);
        hex_write(raw, sizeof(raw), digest);
        buf_fmt(&d->sums, "%s  %.*s\n", digest, SV_ARG(d->summed));
        d->summed = (sv){ 0 };
        return 0;
}

static bool is_conffile(const struct deb_source *d, sv wrote)
{
        sv rest = deb_control_file(&d->control, "conffiles"), line;

        while (sv_line(&rest, &line))
                if (sv_eq(sv_trim(line), wrote))
                        return true;
        return false;
}

/* --- entries */

static int next_data(struct deb_source *d, struct content *ret, struct err *e)
{
        const struct archive_item *it;
        struct deb_item item;
        int got, ours;

        if (end_file(d, e) < 0)
                return -(int)e->code;
        while ((got = d->t->next(d->r, &it, e)) == 1) {
                item.wrote = (sv){ 0 };
                if ((ours = deb_item_of(&d->arena, it, d->usrmerged, &item, e)) < 0)
                        return ours;
                if (item.wrote.n)
                        buf_fmt(&d->list, "%.*s\n", SV_ARG(item.wrote));
                if (!ours)
                        continue;
                if (item.entry.type == ENTRY_DIR) {
                        if (map_get(&d->dirs, item.entry.path))
                                continue;
                        map_put(&d->dirs, &d->arena, item.entry.path, d);
                }
                d->entry = item.entry;
                d->left = item.entry.size;
                if (d->makes_sums && item.entry.type == ENTRY_FILE && !is_conffile(d, item.wrote))
                        d->summed = sv_skip(item.wrote, 1);
                if (item.entry.type == ENTRY_FILE && item.entry.size)
                        *ret = (struct content){ .kind = CONTENT_STREAM, .arg = d, .read = stream_read };
                return 1;
        }
        return got;
}

static void info_add(struct deb_source *d, const char *file, uint32_t mode, int64_t mtime, sv text)
{
        d->info[d->n_info] = (struct entry){ .path = deb_info_path(&d->arena, &d->control, sv_from(file)),
                                             .type = ENTRY_FILE,
                                             .mode = mode,
                                             .mtime = mtime < ENTRY_MTIME_FLOOR ? ENTRY_MTIME_FLOOR : mtime,
                                             .size = text.n,
                                             .generated = true };
        d->info_text[d->n_info++] = text;
}

static int make_info(struct deb_source *d, struct err *e)
{
        size_t n = d->control.n_member + 2;

        if (buf_check(&d->list, e) < 0 || buf_check(&d->sums, e) < 0)
                return err_while(e, "listing a package's files");
        d->info = arena_array(&d->arena, struct entry, n);
        d->info_text = arena_array(&d->arena, sv, n);
        d->n_info = d->at_info = 0;
        for (size_t i = 0; i < d->control.n_member; i++) {
                const struct deb_member *m = &d->control.member[i];
                info_add(d, m->name.p, m->mode, m->mtime, m->text);
        }
        info_add(d, "list", 0644, 0, buf_sv(&d->list));
        if (d->makes_sums)
                info_add(d, "md5sums", 0644, 0, buf_sv(&d->sums));
        /* Few and nearly in order: by path, each text with its entry. */
        for (size_t i = 1; i < d->n_info; i++)
                for (size_t k = i; k && sv_cmp(d->info[k - 1].path, d->info[k].path) > 0; k--) {
                        struct entry en = d->info[k];
                        sv text = d->info_text[k];
                        d->info[k] = d->info[k - 1], d->info_text[k] = d->info_text[k - 1];
                        d->info[k - 1] = en, d->info_text[k - 1] = text;
                }
        return 0;
}

static int source_next(struct entry_source *s, struct entry **ret, struct content *ret_content, struct err *e)
{
        struct deb_source *d = of(s);
        int got;

        *ret_content = (struct content){ 0 };
        if (!d->ended) {
                *ret = &d->entry;
                got = next_data(d, ret_content, e);
                if (got != 0)
                        return got < 0 ? err_while(e, "unpacking '%.*s %.*s'", SV_ARG(d->control.name),
                                                   SV_ARG(d->control.version))
                                       : got;
                d->ended = true;
                if (make_info(d, e) < 0)
                        return -(int)e->code;
        }
        if (d->at_info == d->n_info)
                return 0;
        *ret = &d->info[d->at_info];
        if ((*ret)->size)
                *ret_content = (struct content){ .kind = CONTENT_BYTES,
                                                 .p = d->info_text[d->at_info].p,
                                                 .n = d->info_text[d->at_info].n };
        d->at_info++;
        return 1;
}

static int source_rewind(struct entry_source *s, struct err *e)
{
        struct deb_source *d = of(s);

        d->t->close(d->r);
        d->r = NULL;
        d->ended = false;
        d->n_info = d->at_info = 0;
        d->left = 0;
        d->summed = (sv){ 0 };
        d->dirs = (struct map){ 0 };
        buf_clear(&d->list);
        buf_clear(&d->sums);
        buf_add(&d->list, SV("/.\n"));
        return deb_data_open(d->t, &d->parts, &d->r, e);
}

static void source_free(struct entry_source *s)
{
        struct deb_source *d = of(s);

        if (d->t)
                d->t->close(d->r);
        hash_free(d->md5);
        buf_done(&d->list);
        buf_done(&d->sums);
        arena_done(&d->arena);
        free(d);
}

static const struct entry_source_ops deb_ops = { .next = source_next, .rewind = source_rewind, .free = source_free };

static int check_art(const struct artifact *art, const struct deb_control *c, struct err *e)
{
        if (sv_eq(c->name, art->name) && sv_eq(c->version, art->version) && sv_eq(c->arch, art->arch))
                return 0;
        return err_set(e, ERR_INTEGRITY, "the file of '%.*s %.*s %.*s' holds '%.*s %.*s %.*s'", SV_ARG(art->name),
                       SV_ARG(art->version), SV_ARG(art->arch), SV_ARG(c->name), SV_ARG(c->version), SV_ARG(c->arch));
}

static int source_open(struct deb_source *d, const struct artifact *art, sv bytes, struct err *e)
{
        if (archive_load(&d->t, e) < 0 || deb_split(bytes, &d->parts, e) < 0 ||
            deb_control_read(&d->arena, d->parts.control, &d->control, e) < 0 || check_art(art, &d->control, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < d->control.n_member; i++)
                if (sv_is(d->control.member[i].name, "list"))
                        return err_set(e, ERR_INTEGRITY, "control.tar has a file 'list', which is dpkg's own");
        d->makes_sums = deb_control_file(&d->control, "md5sums").p == NULL;
        return source_rewind(&d->s, e);
}

int install_deb(const struct artifact *art, sv bytes, const struct install_ctx *ctx, struct diags *ds,
                struct entry_source **ret, struct err *e)
{
        struct deb_source *d = xcalloc(1, sizeof(*d));

        (void)ds;
        d->s.ops = &deb_ops;
        d->usrmerged = ctx->usrmerged;
        d->list.max = d->sums.max = LIST_MAX;
        d->md5 = hash_new(HASH_MD5);
        if (source_open(d, art, bytes, e) < 0) {
                source_free(&d->s);
                return err_while(e, "opening the package '%.*s %.*s'", SV_ARG(art->name), SV_ARG(art->version));
        }
        *ret = &d->s;
        return 0;
}
