#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "layer/layer_priv.h"

/* Bytes of our own in a run of their own: window and header blocks begin with it. */
static int add_run(struct frame *f, const void *p, size_t n, struct err *e)
{
        hash_add(f->tar, p, n);
        f->crc = crc32_add(f->crc, p, n);
        f->tar_size += n;
        return fixed_add(f->fixed, p, n, e);
}

static int write_dirs(struct frame *f, const struct paths *dirs, struct err *e)
{
        struct tar_head head;

        if (!dirs->n)
                return 0;
        fixed_begin(f->fixed, &f->out->w);
        fixed_run(f->fixed, 0);
        for (size_t i = 0; i < dirs->n; i++) {
                tar_head(&dirs->v[i], &head);
                if (add_run(f, head.b, head.n, e) < 0)
                        return -(int)e->code;
        }
        return fixed_end(f->fixed, e);
}

int frame_begin(struct frame *f, struct store *s, const struct paths *dirs, struct op *op, struct err *e)
{
        struct writer *w;

        *f = (struct frame){ .store = s, .op = op, .tar = hash_new(HASH_SHA256), .fixed = fixed_new() };
        f->out = xmalloc(sizeof(*f->out));
        if (store_put_begin(s, STORE_BLOB, &f->put, &w, e) < 0)
                return -(int)e->code;
        out_init(f->out, w);
        if (gzip_begin(&f->out->w, e) < 0)
                return -(int)e->code;
        return write_dirs(f, dirs, e);
}

void frame_joined(struct frame *f, uint32_t crc, uint64_t tar_size)
{
        f->crc = crc32_join(f->crc, crc, tar_size);
        f->tar_size += tar_size;
}

/* Everything that the body inflates to, into the diff_id. */
static int digest_body(struct frame *f, sv body, uint64_t *ret_size, uint32_t *ret_crc, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        AUTO(free_ptr) uint8_t *piece = xmalloc(PIPE_SLOT);
        size_t n = 1;

        deflate_walk_begin(z, body, DEFLATE_OPEN);
        while (n) {
                if (op_check(f->op, e) < 0 || deflate_walk_next(z, piece, PIPE_SLOT, &n, NULL, e) < 0)
                        return -(int)e->code;
                hash_add(f->tar, piece, n);
                *ret_crc = crc32_add(*ret_crc, piece, n);
                *ret_size += n;
        }
        return 0;
}

int frame_copy(struct frame *f, sv body, uint64_t tar_size, uint32_t tar_crc, struct err *e)
{
        uint64_t size = 0;
        uint32_t crc = 0;

        if (digest_body(f, body, &size, &crc, e) < 0 || (body.n && writer_write(&f->out->w, body.p, body.n, e) < 0))
                return -(int)e->code;
        if (size != tar_size || crc != tar_crc)
                return err_set(e, ERR_INTEGRITY, "a package's body in the store is damaged");
        frame_joined(f, crc, size);
        return 0;
}

static int write_end(struct frame *f, struct err *e)
{
        static const uint8_t zeros[2 * TAR_BLOCK];

        fixed_begin(f->fixed, &f->out->w);
        fixed_run(f->fixed, FIXED_NO_HEADER);
        if (add_run(f, zeros, sizeof(zeros), e) < 0 || fixed_end(f->fixed, e) < 0)
                return -(int)e->code;
        return gzip_end(&f->out->w, f->crc, f->tar_size, e);
}

int frame_end(struct frame *f, struct layer_fact *ret, struct err *e)
{
        if (write_end(f, e) < 0 || writer_finish(&f->out->w, e) < 0 || store_put_commit(&f->put, NULL, e) < 0)
                return -(int)e->code;
        hash_end(f->tar, ret->diff_id.b);
        ret->has_layer = true;
        ret->encoding[0] = (struct layer_encoding){ OCI_CODEC_GZIP, f->put.hash.digest, f->out->total };
        ret->n_encoding = 1;
        return 0;
}

void frame_done(struct frame *f)
{
        store_put_abort(&f->put);
        fixed_free(f->fixed);
        hash_free(f->tar);
        free(f->out);
        *f = (struct frame){ 0 };
}
