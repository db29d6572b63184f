/* What a base's file system holds, read from its layers once: paths, kinds, attributes, and the texts of a few files.
 * Whiteouts as image-spec says: they hide what lower layers hold. Digests and diff_ids are checked on the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/archive.h"
#include "image/image_priv.h"

#define ENTRIES_MAX ((size_t)4 << 20)
#define KEEP_MAX    ((uint64_t)32 << 20) /* bytes of one kept file */
#define TEXT_MAX                                                                                                       \
        ((uint64_t)1 << 30) /* of all paths and kept files: a layer of zeros unpacks to a thousand times its size */
#define LINKS_MAX 40        /* as the kernel's */

/* --- paths as tar archives write them → ours: no "./", no leading or trailing slash, ".." clamped at the root */

static sv clean(struct arena *a, sv path)
{
        char *out = arena_alloc(a, path.n + 1, 1);
        size_t n = 0;
        sv part;

        while (sv_cut(&path, '/', &part)) {
                if (part.n == 0 || sv_is(part, "."))
                        continue;
                if (sv_is(part, "..")) {
                        while (n && out[n - 1] != '/')
                                n--;
                        n -= n > 0;
                        continue;
                }
                if (n)
                        out[n++] = '/';
                memcpy(out + n, part.p, part.n);
                n += part.n;
        }
        return (sv){ out, n };
}

static sv parent_of(sv path)
{
        ptrdiff_t slash = sv_rfind(path, '/');
        return slash < 0 ? (sv){ 0 } : sv_from_to(path, 0, (size_t)slash);
}

/* Files whose text facts.c wants. */
static bool is_kept(sv path)
{
        static const char *const names[] = { "etc/ssl/certs/ca-certificates.crt",
                                             "etc/pki/tls/certs/ca-bundle.crt",
                                             "etc/ssl/cert.pem",
                                             "etc/os-release",
                                             "usr/lib/os-release",
                                             "var/lib/dpkg/status",
                                             "lib/apk/db/installed",
                                             "usr/lib/apk/db/installed" };
        sv name = sv_basename(path);

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (sv_is(path, names[i]))
                        return true;
        return sv_is(name, "libc.so.6") || (sv_starts(name, SV("libc-2.")) && sv_ends(name, SV(".so"))) ||
               (sv_starts(name, SV("python3.")) && sv_ends(parent_of(path), SV("bin")) &&
                sv_find(sv_skip(name, 8), '-') < 0);
}

/* --- one layer as a stream: file → digest → decoder → diff_id */

struct layer_stream {
        int fd;
        const char *path;
        struct hash *blob, *tar;
        struct fd_reader file;
        struct reader hashed; /* what is read of the file passes the digest */
        struct reader *decode;
};

static int read_hashed(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct layer_stream *l = (struct layer_stream *)((char *)r - offsetof(struct layer_stream, hashed));

        if (reader_read(&l->file.r, p, max, ret_n, e) < 0)
                return -(int)e->code;
        hash_add(l->blob, p, *ret_n);
        return 0;
}

static const struct reader_ops hashed_ops = { "digest", read_hashed };

static int read_tar(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct layer_stream *l = arg;
        struct reader *from = l->decode ? l->decode : &l->hashed;

        if (reader_read(from, p, max, ret_n, e) < 0)
                return -(int)e->code;
        hash_add(l->tar, p, *ret_n);
        return 0;
}

static void stream_done(struct layer_stream *l)
{
        decode_reader_free(l->decode);
        hash_free(l->blob);
        hash_free(l->tar);
        close_fd(&l->fd);
}

static int stream_open(struct layer_stream *l, const char *path, sv media_type, struct err *e)
{
        enum oci_codec codec;

        if (!oci_layer_codec(media_type, &codec))
                return err_set(e, ERR_FAILED, "a layer of the base is of a kind we cannot read: %.*s",
                               SV_ARG(media_type));
        l->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (l->fd < 0)
                return err_errno(e, "cannot read the base's layer '%s'", path);
        l->path = path;
        l->blob = hash_new(HASH_SHA256);
        l->tar = hash_new(HASH_SHA256);
        fd_reader_init(&l->file, l->fd, path);
        l->hashed.ops = &hashed_ops;
        l->decode = codec == OCI_CODEC_GZIP   ? gunzip_reader_new(&l->hashed)
                    : codec == OCI_CODEC_ZSTD ? zstd_reader_new(&l->hashed)
                                              : NULL;
        return 0;
}

/* Both sums cover every byte, what follows the archive's end included. */
static int stream_check(struct layer_stream *l, const sha256 *digest, const sha256 *diff_id, struct err *e)
{
        char rest[16384];
        sha256 got;
        size_t n;

        do
                if (read_tar(l, rest, sizeof(rest), &n, e) < 0)
                        return -(int)e->code;
        while (n);
        do
                if (read_hashed(&l->hashed, rest, sizeof(rest), &n, e) < 0)
                        return -(int)e->code;
        while (n);
        hash_end(l->blob, got.b);
        if (!sha256_eq(&got, digest))
                return err_set(e, ERR_INTEGRITY, "'%s' is not what its name says (sha256:%s)", l->path,
                               sha256_hex(&got).s);
        hash_end(l->tar, got.b);
        if (!sha256_eq(&got, diff_id))
                return err_set(e, ERR_INTEGRITY, "the layer '%s' has diff_id sha256:%s, but the config says sha256:%s",
                               l->path, sha256_hex(&got).s, sha256_hex(diff_id).s);
        return 0;
}

/* --- the merged tree */

static const char HIDDEN[] = "hidden", OPAQUE[] = "opaque"; /* values of the map of what a layer hides */

struct scanner {
        struct scan *scan;
        struct arena *a, *tmp;
        struct scan_file **fresh; /* of the layer under way */
        size_t n_fresh, cap_fresh;
        struct map hides; /* path → HIDDEN or OPAQUE */
        uint64_t *text;   /* bytes held so far, over all layers */
};

static int hold(struct scanner *s, uint64_t n, struct err *e)
{
        *s->text += n;
        return *s->text <= TEXT_MAX ? 0
                                    : err_set(e, ERR_LIMIT, "the base's paths and package lists are larger than %u MiB",
                                              (unsigned)(TEXT_MAX >> 20));
}

static void hide(struct scanner *s, sv path, const char *how)
{
        if (map_get(&s->hides, path) != HIDDEN)
                map_put(&s->hides, s->tmp, path, (void *)(uintptr_t)how);
}

static bool is_hidden(const struct scanner *s, sv path)
{
        if (map_get(&s->hides, path) == HIDDEN)
                return true;
        for (sv dir = parent_of(path);; dir = parent_of(dir)) {
                if (map_get(&s->hides, dir))
                        return true;
                if (dir.n == 0)
                        return false;
        }
}

static enum entry_type type_of(enum archive_type t)
{
        return t == ARCHIVE_DIR        ? ENTRY_DIR
               : t == ARCHIVE_SYMLINK  ? ENTRY_SYMLINK
               : t == ARCHIVE_HARDLINK ? ENTRY_HARDLINK
                                       : ENTRY_FILE;
}

static int keep_text(const struct archive_table *t, struct archive_reader *r, const struct archive_item *it,
                     struct scanner *s, struct scan_file *f, struct err *e)
{
        size_t done = 0, n;
        char *p;

        if (hold(s, it->size, e) < 0)
                return -(int)e->code;
        p = arena_alloc(s->a, it->size + 1, 1);
        while (done < it->size) {
                if (t->read(r, p + done, it->size - done, &n, e) < 0)
                        return -(int)e->code;
                if (n == 0)
                        break;
                done += n;
        }
        f->content = (sv){ p, done };
        return 0;
}

static int take(const struct archive_table *t, struct archive_reader *r, const struct archive_item *it,
                struct scanner *s, struct err *e)
{
        sv path = clean(s->a, it->path), name = sv_basename(path);
        struct scan_file *f;

        if (sv_is(name, ".wh..wh..opq")) {
                hide(s, parent_of(path), OPAQUE);
                return 0;
        }
        if (sv_starts(name, SV(".wh."))) {
                sv dir = parent_of(path);
                hide(s,
                     dir.n ? arena_fmt(s->tmp, "%.*s/%.*s", SV_ARG(dir), SV_ARG(sv_skip(name, 4))) : sv_skip(name, 4),
                     HIDDEN);
                return 0;
        }
        if (path.n == 0)
                return 0;
        if (hold(s, it->path.n + it->link.n, e) < 0)
                return -(int)e->code;
        if (s->scan->n + s->n_fresh >= ENTRIES_MAX)
                return err_set(e, ERR_LIMIT, "the base has more than %zu files", ENTRIES_MAX);
        f = arena_new(s->a, struct scan_file);
        *f = (struct scan_file){ .path = path,
                                 .type = type_of(it->type),
                                 .mode = it->mode,
                                 .uid = (uint32_t)it->uid,
                                 .gid = (uint32_t)it->gid };
        if (f->type == ENTRY_SYMLINK)
                f->target = arena_sv(s->a, it->link);
        if (f->type == ENTRY_HARDLINK)
                f->target = clean(s->a, it->link);
        *arena_push(s->tmp, s->fresh, s->n_fresh, s->cap_fresh) = f;
        if (f->type != ENTRY_DIR)
                hide(s, path, OPAQUE); /* nothing of a lower layer stays below what is no directory */
        return it->type == ARCHIVE_FILE && it->size <= KEEP_MAX && is_kept(path) ? keep_text(t, r, it, s, f, e) : 0;
}

/* What the layer hides goes, what it holds comes; a hard link is its target again. */
static void merge(struct scanner *s)
{
        struct scan fresh = { 0 };

        for (size_t i = 0; i < s->scan->n; i++) {
                struct scan_file *f = s->scan->v[i];
                if (!is_hidden(s, f->path)) {
                        *arena_push(s->a, fresh.v, fresh.n, fresh.cap) = f;
                        map_put(&fresh.by_path, s->a, f->path, f);
                }
        }
        for (size_t i = 0; i < s->n_fresh; i++) {
                struct scan_file *f = s->fresh[i], *was = map_get(&fresh.by_path, f->path);
                if (f->type == ENTRY_HARDLINK) {
                        const struct scan_file *to = map_get(&fresh.by_path, f->target);
                        sv path = f->path;
                        if (!to)
                                continue;
                        *f = *to;
                        f->path = path;
                }
                if (was)
                        *was = *f;
                else
                        *arena_push(s->a, fresh.v, fresh.n, fresh.cap) = f;
                map_put(&fresh.by_path, s->a, f->path, was ? was : f);
        }
        *s->scan = fresh;
}

static int scan_one(const struct archive_table *t, const char *path, const struct oci_desc *desc, const sha256 *diff_id,
                    struct op *op, struct arena *a, struct scan *scan, uint64_t *text, struct err *e)
{
        AUTO(stream_done) struct layer_stream l = { .fd = -1 };
        struct archive_opts o = { .flags = ARCHIVE_TAR, .read = read_tar, .arg = &l };
        struct archive_reader *r = NULL;
        const struct archive_item *it;
        AUTO(arena_done) struct arena tmp = { 0 };
        struct scanner s = { .scan = scan, .a = a, .tmp = &tmp, .text = text };
        int k;

        if (stream_open(&l, path, desc->media_type, e) < 0 || t->open(&o, &r, e) < 0)
                return -(int)e->code;
        while ((k = t->next(r, &it, e)) == 1)
                if (op_check(op, e) < 0 || take(t, r, it, &s, e) < 0) {
                        k = -(int)e->code;
                        break;
                }
        t->close(r);
        if (k < 0 || stream_check(&l, &desc->digest, diff_id, e) < 0)
                return -(int)e->code;
        merge(&s);
        return 0;
}

static int by_path(const void *a, const void *b)
{
        return sv_cmp((*(struct scan_file *const *)a)->path, (*(struct scan_file *const *)b)->path);
}

int scan_layers(const char *const *blob, const struct oci_desc *layer, const sha256 *diff_id, size_t n, struct op *op,
                struct arena *a, struct scan *ret, struct err *e)
{
        const struct archive_table *t;
        uint64_t text = 0;

        *ret = (struct scan){ 0 };
        if (archive_load(&t, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (scan_one(t, blob[i], &layer[i], &diff_id[i], op, a, ret, &text, e) < 0)
                        return err_while(e, "reading layer %zu of the base", i + 1);
        if (ret->n)
                qsort(ret->v, ret->n, sizeof(struct scan_file *), by_path);
        return 0;
}

/* --- asking */

const struct scan_file *scan_find(const struct scan *s, sv path)
{
        return map_get(&s->by_path, path);
}

sv scan_real(const struct scan *s, struct arena *a, sv path)
{
        sv rest = clean(a, path), done = { 0 }, part;

        for (int links = 0; sv_cut(&rest, '/', &part);) {
                sv here = done.n ? arena_fmt(a, "%.*s/%.*s", SV_ARG(done), SV_ARG(part)) : part;
                const struct scan_file *f = scan_find(s, here);

                if (f && f->type == ENTRY_SYMLINK) {
                        sv to = f->target.n && f->target.p[0] == '/'
                                        ? f->target
                                        : arena_fmt(a, "%.*s/%.*s", SV_ARG(done), SV_ARG(f->target));
                        if (++links > LINKS_MAX)
                                return (sv){ 0 };
                        rest = clean(a, arena_fmt(a, "%.*s/%.*s", SV_ARG(to), SV_ARG(rest)));
                        done = (sv){ 0 };
                        continue;
                }
                if (!f && rest.n == 0)
                        return (sv){ 0 };
                done = here;
        }
        return done;
}

sv scan_text(const struct scan *s, struct arena *a, sv path)
{
        sv real = scan_real(s, a, path);
        const struct scan_file *f = real.n ? scan_find(s, real) : NULL;

        return f ? f->content : (sv){ 0 };
}
