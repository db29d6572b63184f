#include <fcntl.h>

#include "base/cleanup.h"
#include "layer/layer_priv.h"

#define ZSTD_LEVEL 3

/* Made by us or not, any encoding gives the tar. */
struct source {
        int fd;
        char *path;
        struct fd_reader file;
        struct reader *decoded; /* NULL: the file is the tar */
};

static void source_done(struct source *s)
{
        decode_reader_free(s->decoded);
        free_ptr(&s->path);
        close_fd(&s->fd);
}

static int source_open(struct source *s, struct store *store, const struct layer_encoding *en, struct reader **ret,
                       struct err *e)
{
        s->path = store_find(store, STORE_BLOB, &en->digest);
        if (!s->path)
                return err_set(e, ERR_NOT_FOUND, "the layer sha256:%s is not in the store", sha256_hex(&en->digest).s);
        s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
        if (s->fd < 0)
                return err_errno(e, "cannot read '%s'", s->path);
        *ret = fd_reader_init(&s->file, s->fd, s->path);
        if (en->codec == OCI_CODEC_GZIP)
                *ret = s->decoded = gunzip_reader_new(*ret);
        if (en->codec == OCI_CODEC_ZSTD)
                *ret = s->decoded = zstd_reader_new(*ret);
        return 0;
}

/* reader_copy that can be interrupted. */
static int copy(struct reader *r, struct writer *w, struct op *op, struct err *e)
{
        char piece[32768];
        size_t n = 1;

        while (n) {
                if (op_check(op, e) < 0 || reader_read(r, piece, sizeof(piece), &n, e) < 0 ||
                    (n && writer_write(w, piece, n, e) < 0))
                        return -(int)e->code;
        }
        return writer_finish(w, e);
}

static void zstd_freep(struct writer **w)
{
        zstd_writer_free(*w);
}

static void hash_donep(struct hash_writer *h)
{
        hash_writer_done(h);
}

/* A gzip form again, of a layer whose first one is gone. */
static int copy_gzip(struct reader *r, struct writer *w, struct hash_writer *tar, struct op *op, struct err *e)
{
        AUTO(gzip_writer_done) struct gzip_writer gzip = { 0 };

        return copy(r, hash_writer_init(tar, gzip_writer_init(&gzip, w, op)), op, e);
}

static int make(struct store *s, const struct layer_fact *f, enum oci_codec codec, struct op *op,
                struct layer_encoding *ret, struct err *e)
{
        AUTO(source_done) struct source src = { .fd = -1 };
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(zstd_freep) struct writer *zstd = NULL;
        AUTO(hash_donep) struct hash_writer tar = { 0 };
        struct reader *r = NULL;
        struct writer *w = NULL;

        if (source_open(&src, s, &f->encoding[0], &r, e) < 0 || store_put_begin(s, STORE_BLOB, &put, &w, e) < 0)
                return -(int)e->code;
        if (codec == OCI_CODEC_ZSTD)
                w = zstd = zstd_writer_new(w, ZSTD_LEVEL, op ? op->jobs : 1);
        if ((codec == OCI_CODEC_GZIP ? copy_gzip(r, w, &tar, op, e) : copy(r, hash_writer_init(&tar, w), op, e)) < 0)
                return -(int)e->code;
        if (!sha256_eq(&tar.digest, &f->diff_id))
                return err_set(e, ERR_INTEGRITY, "the layer sha256:%s in the store is damaged",
                               sha256_hex(&f->encoding[0].digest).s);
        if (store_put_commit(&put, NULL, e) < 0)
                return -(int)e->code;
        *ret = (struct layer_encoding){ codec, put.hash.digest, put.hash.size };
        return 0;
}

/* --- reading one again --- */

static int count_nothing(struct writer *w, const void *p, size_t n, struct err *e)
{
        (void)w, (void)p, (void)n, (void)e;
        return 0;
}

static int end_nothing(struct writer *w, struct err *e)
{
        (void)w, (void)e;
        return 0;
}

static const struct writer_ops nowhere = { "nowhere", count_nothing, end_nothing };

int layer_encoding_check(struct store *s, const struct layer_encoding *en, const sha256 *diff_id, struct op *op,
                         struct err *e)
{
        AUTO(source_done) struct source src = { .fd = -1 };
        AUTO(hash_donep) struct hash_writer tar = { 0 };
        struct writer sink = { &nowhere, NULL };
        struct reader *r = NULL;

        if (source_open(&src, s, en, &r, e) < 0 || copy(r, hash_writer_init(&tar, &sink), op, e) < 0)
                return -(int)e->code;
        return sha256_eq(&tar.digest, diff_id)
                       ? 0
                       : err_set(e, ERR_INTEGRITY, "the blob sha256:%s holds the tar sha256:%s, not sha256:%s",
                                 sha256_hex(&en->digest).s, sha256_hex(&tar.digest).s, sha256_hex(diff_id).s);
}

int layer_encode(struct store *s, struct layer_fact *f, enum oci_codec codec, struct op *op, struct err *e)
{
        struct layer_encoding en;

        if (layer_fact_encoding(f, codec))
                return 0;
        if (!f->n_encoding)
                return err_set(e, ERR_FAILED, "of key %.12s only a body was made, no layer", sha256_hex(&f->key).s);
        if (make(s, f, codec, op, &en, e) < 0)
                return err_while(e, "making the %s form of the layer sha256:%.12s", oci_codec_name(codec),
                                 sha256_hex(&f->diff_id).s);
        f->encoding[f->n_encoding++] = en;
        return layer_fact_put(s, f, e);
}
