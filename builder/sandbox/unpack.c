#include "sandbox/sandbox_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "stream/stream.h"

#define LAYER_BYTES_MAX ((uint64_t)1 << 40)
#define EVENT_EVERY     ((uint64_t)8 << 20)

/* The blob as it comes off the disk: where Ctrl-C and progress live. */
struct source {
        struct reader r;
        struct fd_reader file;
        struct op *op;
        sv subject;
        uint64_t done, told, total;
};

static int source_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct source *s = (struct source *)r;

        if (op_check(s->op, e) < 0 || reader_read(&s->file.r, p, max, ret_n, e) < 0)
                return -(int)e->code;
        s->done += *ret_n;
        if (s->done - s->told >= EVENT_EVERY) {
                s->told = s->done;
                op_event(s->op, OP_UNPACK, OP_STEP, s->subject, s->done, s->total);
        }
        return 0;
}

/* The tar on its way to libarchive: hashed as it passes, to the last byte of its padding. */
struct tap {
        struct reader *from;
        struct hash *hash;
};

static int tap_read(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct tap *t = arg;

        if (reader_read(t->from, p, max, ret_n, e) < 0)
                return -(int)e->code;
        hash_add(t->hash, p, *ret_n);
        return 0;
}

static int drain(struct tap *t, struct err *e)
{
        char chunk[32768];
        size_t n = 1;

        while (n)
                if (tap_read(t, chunk, sizeof(chunk), &n, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int grow_all(struct sandbox_grow *g, const struct archive_table *t, struct tap *tap, struct err *e)
{
        struct archive_opts o = { .flags = ARCHIVE_TAR, .max_bytes = LAYER_BYTES_MAX, .read = tap_read, .arg = tap };
        const struct archive_item *it;
        struct archive_reader *r = NULL;
        int got;

        if (t->open(&o, &r, e) < 0)
                return -(int)e->code;
        while ((got = t->next(r, &it, e)) == 1)
                if ((got = sandbox_grow_add(g, t, r, it, e)) < 0)
                        break;
        t->close(r);
        return got < 0 || drain(tap, e) < 0 ? -(int)e->code : sandbox_grow_finish(g, e);
}

static int check_diff_id(struct hash *h, const sha256 *want, struct err *e)
{
        sha256 got;

        hash_end(h, got.b);
        if (sha256_eq(&got, want))
                return 0;
        err_set(e, ERR_INTEGRITY, "the layer unpacks to sha256:%s, not to its diff_id sha256:%s", sha256_hex(&got).s,
                sha256_hex(want).s);
        err_hint(e, "envbuild cache verify");
        return -(int)e->code;
}

static int unpack_into(const char *dir, struct reader *tar, const sha256 *diff_id, struct err *e)
{
        AUTO(sandbox_grow_done) struct sandbox_grow g = { 0 };
        AUTO(hash_freep) struct hash *hash = hash_new(HASH_SHA256);
        struct tap tap = { tar, hash };
        const struct archive_table *t = NULL;

        if (archive_load(&t, e) < 0 || sandbox_grow_open(&g, dir, e) < 0 || grow_all(&g, t, &tap, e) < 0)
                return -(int)e->code;
        return check_diff_id(hash, diff_id, e);
}

static int unpack_blob(const char *dir, int fd, const char *path, const struct oci_desc *layer, const sha256 *diff_id,
                       struct op *op, struct err *e)
{
        static const struct reader_ops ops = { "blob", source_read };
        struct source src = { .r = { &ops }, .op = op, .total = layer->size };
        struct reader *decode = NULL;
        enum oci_codec codec;
        char subject[32];
        int r;

        if (!oci_layer_codec(layer->media_type, &codec))
                return err_set(e, ERR_FAILED, "'%.*s' is not a layer that can be unpacked", SV_ARG(layer->media_type));
        snprintf(subject, sizeof(subject), "layer %.12s", sha256_hex(diff_id).s);
        src.subject = sv_from(subject);
        fd_reader_init(&src.file, fd, path);
        if (codec != OCI_CODEC_NONE)
                decode = codec == OCI_CODEC_GZIP ? gunzip_reader_new(&src.r) : zstd_reader_new(&src.r);
        op_event(op, OP_UNPACK, OP_BEGIN, src.subject, 0, src.total);
        r = unpack_into(dir, decode ? decode : &src.r, diff_id, e);
        decode_reader_free(decode);
        if (r == 0)
                op_event(op, OP_UNPACK, OP_END, src.subject, src.total, src.total);
        return r;
}

int sandbox_unpack(struct store *s, const struct oci_desc *layer, const sha256 *diff_id, struct op *op, struct err *e)
{
        AUTO(free_ptr) char *place = NULL, *blob = NULL, *dir = NULL;
        AUTO(close_fd) int fd = -1;
        bool there;

        place = store_unpacked(s, diff_id, &there);
        if (there)
                return 0;
        blob = store_find(s, STORE_BLOB, &layer->digest);
        if (!blob)
                return err_set(e, ERR_NOT_FOUND, "the layer sha256:%s is not in the store",
                               sha256_hex(&layer->digest).s);
        fd = open(blob, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_errno(e, "cannot read '%s'", blob);
        if (store_tmp_dir(s, &dir, e) < 0)
                return -(int)e->code;
        if (unpack_blob(dir, fd, blob, layer, diff_id, op, e) < 0) {
                AUTO(err_done) struct err ignored = { 0 };
                fs_remove(dir, &ignored);
                return err_while(e, "unpacking the layer sha256:%s", sha256_hex(&layer->digest).s);
        }
        return store_unpacked_put(s, diff_id, dir, e);
}
