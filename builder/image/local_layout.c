#include "image/local_layout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "layer/tar.h"

#define LAYOUT_TEXT     "{\"imageLayoutVersion\":\"1.0.0\"}"
#define CONTAINERD_NAME "io.containerd.image.name"

/* --- what it consists of */

static int add_blob(struct store *s, const sha256 *d, struct arena *a, struct local_blobs *b, struct err *e)
{
        AUTO(free_ptr) char *path = NULL;
        struct local_blob one = { .digest = *d };

        for (size_t i = 0; i < b->n; i++)
                if (sha256_eq(&b->v[i].digest, d))
                        return 0;
        path = store_find(s, STORE_BLOB, d);
        if (!path || !store_has(s, STORE_BLOB, d, &one.size))
                return err_set(e, ERR_NOT_FOUND, "the store lacks a blob of the image: sha256:%s", sha256_hex(d).s);
        one.path = arena_str(a, sv_from(path));
        b->v[b->n++] = one;
        b->bytes += one.size;
        return 0;
}

int local_blobs_read(struct store *s, const sha256 *manifest, struct arena *a, struct local_blobs *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(OCI_DOC_MAX);
        struct local_blobs b = { 0 };

        if (store_read(s, STORE_BLOB, manifest, &text, e) < 0 ||
            oci_manifest_parse(a, arena_sv(a, buf_sv(&text)), "manifest", &b.m, e) < 0)
                return err_while(e, "reading the image sha256:%s", sha256_hex(manifest).s);
        b.manifest = (struct oci_desc){ .media_type = SV(OCI_MANIFEST), .digest = *manifest, .size = text.n };
        b.v = arena_array(a, struct local_blob, b.m.n_layer + 2);
        if (add_blob(s, manifest, a, &b, e) < 0 || add_blob(s, &b.m.config.digest, a, &b, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < b.m.n_layer; i++)
                if (add_blob(s, &b.m.layer[i].digest, a, &b, e) < 0)
                        return -(int)e->code;
        *ret = b;
        return 0;
}

/* --- its documents */

static void index_text(const struct local_blobs *b, const sv *name, size_t n, struct arena *a, struct buf *out)
{
        struct oci_desc *v = arena_array(a, struct oci_desc, n);
        struct oci_index x = { v, n };

        for (size_t i = 0; i < n; i++) {
                v[i] = b->manifest;
                v[i].annotation = arena_array(a, struct oci_pair, 2);
                v[i].n_annotation = 2;
                v[i].annotation[0] = (struct oci_pair){ SV(CONTAINERD_NAME), name[i] };
                v[i].annotation[1] = (struct oci_pair){ SV(OCI_REF_NAME), name[i] };
        }
        oci_index_write(&x, out);
}

static sv blob_name(struct arena *a, const sha256 *d)
{
        return arena_fmt(a, "blobs/sha256/%s", sha256_hex(d).s);
}

/* docker's: [{"Config": …, "RepoTags": […], "Layers": […]}]. */
static void docker_text(const struct local_blobs *b, const sv *name, size_t n, struct arena *a, struct buf *out)
{
        struct js *all = js_new_arr(a), *j = js_new_obj(a), *tags = js_new_arr(a), *layers = js_new_arr(a);

        js_put_str(a, j, "Config", blob_name(a, &b->m.config.digest));
        for (size_t i = 0; i < n; i++)
                js_add(a, tags, js_new_str(a, name[i]));
        js_put(a, j, SV("RepoTags"), tags);
        for (size_t i = 0; i < b->m.n_layer; i++)
                js_add(a, layers, js_new_str(a, blob_name(a, &b->m.layer[i].digest)));
        js_put(a, j, SV("Layers"), layers);
        js_add(a, all, j);
        js_write(all, out);
}

/* --- a folder */

int local_layout_write(const struct local_blobs *b, const sv *name, size_t n_name, const char *dir, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf index = BUF_INIT(OCI_DOC_MAX);
        AUTO(free_ptr) char *layout = fs_path("%s/oci-layout", dir);
        AUTO(free_ptr) char *index_path = fs_path("%s/index.json", dir);
        AUTO(free_ptr) char *blobs = fs_path("%s/blobs/sha256", dir);

        index_text(b, name, n_name, &a, &index);
        if (buf_check(&index, e) < 0 || fs_mkdirs(blobs, 0755, e) < 0 ||
            fs_write(layout, SV(LAYOUT_TEXT), 0644, e) < 0 || fs_write(index_path, buf_sv(&index), 0644, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < b->n; i++) {
                AUTO(free_ptr) char *to = fs_path("%s/%s", blobs, sha256_hex(&b->v[i].digest).s);
                AUTO(free_ptr) char *from = realpath(b->v[i].path, NULL);
                if (!from || symlink(from, to) < 0)
                        return err_errno(e, "cannot link '%s'", to);
        }
        return 0;
}

/* --- an archive */

struct archive {
        int fd;
        const char *path;
        struct op *op;
};

static int put_head(const struct archive *t, sv name, enum entry_type type, uint64_t size, struct err *e)
{
        struct entry en = { .path = name,
                            .type = type,
                            .mode = type == ENTRY_DIR ? 0755 : 0644,
                            .mtime = ENTRY_MTIME_FLOOR,
                            .size = size };
        struct tar_head h;

        tar_head(&en, &h);
        return fs_write_all(t->fd, h.b, h.n, t->path, e);
}

static int put_pad(const struct archive *t, uint64_t size, struct err *e)
{
        static const uint8_t zeros[TAR_BLOCK];

        return fs_write_all(t->fd, zeros, tar_pad(size), t->path, e);
}

static int put_text(const struct archive *t, sv name, sv text, struct err *e)
{
        if (put_head(t, name, ENTRY_FILE, text.n, e) < 0 || fs_write_all(t->fd, text.p, text.n, t->path, e) < 0)
                return -(int)e->code;
        return put_pad(t, text.n, e);
}

/* A file that got shorter would make the archive lie: what was announced is what is written. */
static int put_file(const struct archive *t, sv name, const struct local_blob *b, struct err *e)
{
        AUTO(close_fd) int fd = open(b->path, O_RDONLY | O_CLOEXEC);
        uint64_t left = b->size;
        char part[65536];

        if (fd < 0)
                return err_errno(e, "cannot read '%s'", b->path);
        if (put_head(t, name, ENTRY_FILE, b->size, e) < 0)
                return -(int)e->code;
        while (left) {
                ssize_t n = read(fd, part, left < sizeof(part) ? left : sizeof(part));
                if (n < 0)
                        return err_errno(e, "cannot read '%s'", b->path);
                if (n == 0)
                        return err_set(e, ERR_INTEGRITY, "'%s' is shorter than it was", b->path);
                if (op_check(t->op, e) < 0 || fs_write_all(t->fd, part, (size_t)n, t->path, e) < 0)
                        return -(int)e->code;
                left -= (uint64_t)n;
        }
        return put_pad(t, b->size, e);
}

static int put_all(const struct archive *t, const struct local_blobs *b, sv index, sv docker, struct arena *a,
                   struct err *e)
{
        static const uint8_t end[2 * TAR_BLOCK];

        if (put_text(t, SV("oci-layout"), SV(LAYOUT_TEXT), e) < 0 || put_text(t, SV("index.json"), index, e) < 0 ||
            put_text(t, SV("manifest.json"), docker, e) < 0 || put_head(t, SV("blobs"), ENTRY_DIR, 0, e) < 0 ||
            put_head(t, SV("blobs/sha256"), ENTRY_DIR, 0, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < b->n; i++)
                if (put_file(t, blob_name(a, &b->v[i].digest), &b->v[i], e) < 0)
                        return -(int)e->code;
        return fs_write_all(t->fd, end, sizeof(end), t->path, e);
}

int local_archive_write(const struct local_blobs *b, const sv *name, size_t n_name, const char *path, struct op *op,
                        struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf index = BUF_INIT(OCI_DOC_MAX);
        AUTO(buf_done) struct buf docker = BUF_INIT(OCI_DOC_MAX);
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        struct archive t = { fd, path, op };

        if (fd < 0)
                return err_errno(e, "cannot write '%s'", path);
        index_text(b, name, n_name, &a, &index);
        docker_text(b, name, n_name, &a, &docker);
        if (buf_check(&index, e) < 0 || buf_check(&docker, e) < 0)
                return -(int)e->code;
        return put_all(&t, b, buf_sv(&index), buf_sv(&docker), &a, e);
}
