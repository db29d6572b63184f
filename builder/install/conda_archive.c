#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/zstd.h"
#include "install/conda_priv.h"
#include "pkg/zip.h"
#include "stream/deflate_walk.h"

#define ITEMS_MAX    ((uint64_t)1 << 20)
#define BYTES_MAX    ((uint64_t)64 << 30)
#define BYTES_FLOOR  ((uint64_t)256 << 20)
#define BYTES_RATIO  1000
#define TAIL_MAX     ((uint64_t)64 << 20) /* bytes of a section after its tar's end */
#define METADATA_MAX 65536
#define PIECE        65536

/* --- the outer form */

static int part_of(sv bytes, const struct zip_member *m, struct conda_part *ret, struct err *e)
{
        if (m->method != 0 && m->method != 8)
                return err_set(e, ERR_FAILED, "member '%.*s' uses compression method %u; packages have 0 or 8",
                               SV_ARG(m->name), m->method);
        ret->method = m->method;
        ret->crc = m->crc;
        ret->size = m->size;
        return zip_data(bytes, m, &ret->packed, e);
}

/* Members are known by their names without a folder: one that was zipped again may have them in one. */
static bool is_part(sv name, const char *begin)
{
        sv base = sv_basename(name);

        return sv_starts(base, sv_from(begin)) && sv_ends(base, SV(".tar.zst"));
}

static int text_of(struct arena *a, const struct conda_part *p, sv *ret, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = NULL;
        char *text;
        size_t have = 0, n;

        *ret = p->packed;
        if (p->method == 0)
                return 0;
        if (p->size > METADATA_MAX)
                return err_set(e, ERR_LIMIT, "metadata.json is over %d bytes", METADATA_MAX);
        z = deflate_walk_new();
        text = arena_alloc(a, (size_t)p->size + 1, 1);
        deflate_walk_begin(z, p->packed, DEFLATE_CLOSED);
        do {
                if (deflate_walk_next(z, text + have, (size_t)p->size + 1 - have, &n, NULL, e) < 0)
                        return -(int)e->code;
                have += n;
        } while (n && have <= p->size);
        if (have != p->size)
                return err_set(e, ERR_INTEGRITY, "metadata.json is not as long as its archive says");
        *ret = (sv){ text, have };
        return 0;
}

static int check_version(struct arena *a, const struct conda_part *p, struct err *e)
{
        struct js *doc;
        int64_t version;
        sv text;

        if (text_of(a, p, &text, e) < 0)
                return -(int)e->code;
        if (text.n > METADATA_MAX || js_parse(a, text, &doc, e) < 0) {
                err_done(e);
                return err_set(e, ERR_INTEGRITY, "metadata.json is no JSON document");
        }
        if (!js_int(js_get(doc, "conda_pkg_format_version"), &version))
                return err_set(e, ERR_INTEGRITY, "metadata.json has no conda_pkg_format_version");
        if (version == 2)
                return 0;
        err_set(e, ERR_FAILED, "the package has the format %lld; format 2 can be installed", (long long)version);
        err_hint(e, "choose an older build of it, or a newer envbuild");
        return -(int)e->code;
}

static int open_zip(struct arena *a, struct conda_archive *ar, struct err *e)
{
        const struct zip_member *found[3] = { 0 };
        struct conda_part metadata;
        struct zip z = { 0 };

        if (zip_open(a, ar->bytes, ar->bytes.n, &z, NULL, e) < 0 || zip_check(ar->bytes, &z, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < z.n; i++) {
                sv name = z.v[i].name;
                int which = is_part(name, "pkg-")                       ? CONDA_PKG
                            : is_part(name, "info-")                    ? CONDA_INFO
                            : sv_is(sv_basename(name), "metadata.json") ? 2
                                                                        : -1;

                if (which < 0)
                        continue;
                if (found[which])
                        return err_set(e, ERR_INTEGRITY, "the package has both '%.*s' and '%.*s'",
                                       SV_ARG(found[which]->name), SV_ARG(name));
                found[which] = &z.v[i];
        }
        if (!found[CONDA_INFO])
                return err_set(e, ERR_INTEGRITY, "the package has no info-….tar.zst");
        for (int i = 0; i < 2; i++)
                if (found[i] && part_of(ar->bytes, found[i], &ar->part[i], e) < 0)
                        return -(int)e->code;
        ar->has_pkg = found[CONDA_PKG] != NULL;
        if (!found[2])
                return 0;
        return part_of(ar->bytes, found[2], &metadata, e) < 0 ? -(int)e->code : check_version(a, &metadata, e);
}

int conda_archive_open(struct arena *a, sv bytes, struct conda_archive *ret, struct err *e)
{
        struct conda_archive ar = { .bytes = bytes };

        if (sv_starts(bytes, SV("BZh"))) {
                *ret = ar;
                return 0;
        }
        if (!sv_starts(bytes, SV("PK")))
                return err_set(e, ERR_INTEGRITY, "the file is neither a .conda nor a .tar.bz2 package");
        ar.zip = true;
        if (open_zip(a, &ar, e) < 0)
                return -(int)e->code;
        *ret = ar;
        return 0;
}

/* --- one section */

struct conda_tar {
        const struct archive_table *table;
        struct archive_reader *r;
        const struct conda_part *part; /* NULL: .tar.bz2, which libarchive decodes */
        const char *name;
        sv rest;  /* of the member, still packed */
        sv plain; /* of its zstd stream, not yet decoded */
        struct deflate_walk *inflate;
        struct zstd_in *zstd;
        uint64_t n_plain;
        uint32_t crc;
        bool between, any, input_ended;
        char piece[PIECE];
};

/* The next piece of the zstd stream, when the last one is used up. */
static int fill(struct conda_tar *t, struct err *e)
{
        size_t n = t->rest.n < PIECE ? t->rest.n : PIECE;
        bool end = false;

        if (t->plain.n || t->input_ended)
                return 0;
        if (t->part->method == 0) {
                t->plain = sv_from_to(t->rest, 0, n);
                t->rest = sv_skip(t->rest, n);
                end = t->rest.n == 0;
        } else {
                if (deflate_walk_next(t->inflate, t->piece, sizeof(t->piece), &n, NULL, e) < 0)
                        return err_while(e, "unpacking the member %s", t->name);
                end = n == 0;
                t->plain = (sv){ t->piece, n };
        }
        t->crc = crc32_add(t->crc, t->plain.p, t->plain.n);
        t->n_plain += t->plain.n;
        t->input_ended = end;
        if (end && (t->crc != t->part->crc || t->n_plain != t->part->size))
                return err_set(e, ERR_INTEGRITY, "the member %s has a wrong CRC: the archive is corrupt", t->name);
        return 0;
}

static int give(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct conda_tar *t = arg;

        *ret_n = 0;
        while (!*ret_n) {
                bool ended;

                if (fill(t, e) < 0)
                        return -(int)e->code;
                ended = t->input_ended && !t->plain.n;
                if (ended && t->between && t->any)
                        return 0;
                t->any |= t->plain.n > 0;
                if (zstd_in_step(t->zstd, &t->plain, p, max, ret_n, &t->between, e) < 0)
                        return err_while(e, "decoding %s", t->name);
                if (ended && !*ret_n)
                        return t->any && t->between ? 0 : err_set(e, ERR_INTEGRITY, "%s is cut off", t->name);
        }
        return 0;
}

/* What follows the end of the tar must be whole frames too, or nobody would see that the archive was cut. */
static int drain(struct conda_tar *t, struct err *e)
{
        AUTO(free_ptr) char *sink = xmalloc(PIECE);
        uint64_t sum = 0;
        size_t n;

        if (!t->part)
                return 0;
        do {
                if (give(t, sink, PIECE, &n, e) < 0)
                        return -(int)e->code;
                sum += n;
                if (sum > TAIL_MAX)
                        return err_set(e, ERR_INTEGRITY, "%s goes on after the end of its tar", t->name);
        } while (n);
        return 0;
}

int conda_tar_open(const struct conda_archive *ar, enum conda_section section, struct conda_tar **ret, struct err *e)
{
        static const char *const names[] = { "pkg-….tar.zst", "info-….tar.zst", "the .tar.bz2" };
        struct conda_tar *t = xcalloc(1, sizeof(*t));
        uint64_t size = ar->zip ? ar->part[section].packed.n : ar->bytes.n;
        uint64_t max = size > BYTES_MAX / BYTES_RATIO ? BYTES_MAX : size * BYTES_RATIO;
        struct archive_opts opts = { .flags = ARCHIVE_TAR,
                                     .max_items = ITEMS_MAX,
                                     .max_bytes = max < BYTES_FLOOR ? BYTES_FLOOR : max };

        t->name = names[section];
        if (ar->zip) {
                t->part = &ar->part[section];
                t->rest = t->part->packed;
                t->zstd = zstd_in_new();
                t->between = true;
                if (t->part->method) {
                        t->inflate = deflate_walk_new();
                        deflate_walk_begin(t->inflate, t->part->packed, DEFLATE_CLOSED);
                }
                opts.read = give;
                opts.arg = t;
        } else {
                opts.flags |= ARCHIVE_DECODE;
                opts.bytes = ar->bytes;
        }
        if (archive_load(&t->table, e) < 0 || t->table->open(&opts, &t->r, e) < 0) {
                conda_tar_free(t);
                return -(int)e->code;
        }
        *ret = t;
        return 0;
}

int conda_tar_next(struct conda_tar *t, const struct archive_item **ret, struct err *e)
{
        int rc = t->table->next(t->r, ret, e);

        return rc == 0 && drain(t, e) < 0 ? -(int)e->code : rc;
}

int conda_tar_read(struct conda_tar *t, void *p, size_t max, size_t *ret_n, struct err *e)
{
        return t->table->read(t->r, p, max, ret_n, e);
}

void conda_tar_free(struct conda_tar *t)
{
        if (!t)
                return;
        if (t->table)
                t->table->close(t->r);
        deflate_walk_free(t->inflate);
        zstd_in_free(t->zstd);
        free(t);
}
