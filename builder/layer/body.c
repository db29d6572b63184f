#include <string.h>

#include "layer/layer_priv.h"

void body_begin(struct body *b, enum layer_style style, struct writer *out, struct hash *tar, struct op *op)
{
        *b = (struct body){ .style = style, .out = out, .op = op };
        b->walk = deflate_walk_new();
        if (style == LAYER_JOIN) {
                b->fixed = fixed_new();
                fixed_begin(b->fixed, out);
        } else {
                b->chunks = chunks_new(out, op);
        }
        pipe_init(&b->pipe, tar, op && op->jobs > 1);
}

void body_done(struct body *b)
{
        if (!b->walk)
                return;
        pipe_done(&b->pipe);
        deflate_walk_free(b->walk);
        fixed_free(b->fixed);
        chunks_free(b->chunks);
        *b = (struct body){ 0 };
}

static void count(struct body *b, uint32_t crc, uint64_t n)
{
        b->tar_crc = crc32_join(b->tar_crc, crc, n);
        b->tar_size += n;
}

/* Bytes that stand in the pipe already, or were added to it, to the encoder. */
static int encode(struct body *b, const void *p, size_t n, struct err *e)
{
        return b->fixed ? fixed_add(b->fixed, p, n, e) : chunks_add(b->chunks, p, n, e);
}

static int add(struct body *b, const void *p, size_t n, struct err *e)
{
        b->tar_crc = crc32_add(b->tar_crc, p, n);
        b->tar_size += n;
        pipe_add(&b->pipe, p, n);
        return encode(b, p, n, e);
}

static int write_pad(struct body *b, struct err *e)
{
        static const uint8_t zeros[TAR_BLOCK];
        unsigned n = b->pad;

        b->pad = 0;
        return add(b, zeros, n, e);
}

static void open_run(struct body *b, uint64_t first_header)
{
        if (b->fixed && !b->run_open)
                fixed_run(b->fixed, first_header);
        b->run_open = true;
}

static int close_run(struct body *b, struct err *e)
{
        bool open = b->run_open;

        b->run_open = false;
        return b->fixed && open ? fixed_end(b->fixed, e) : 0;
}

/* The padding of the content before belongs to the run that begins with this header. */
static int write_head(struct body *b, const struct tar_head *h, struct err *e)
{
        uint64_t at = b->tar_size + b->pad;

        open_run(b, at);
        if (b->fixed) {
                fixed_header(b->fixed, at);
                if (h->main_at)
                        fixed_header(b->fixed, at + h->main_at);
        }
        return write_pad(b, e) < 0 ? -(int)e->code : add(b, h->b, h->n, e);
}

/* --- contents --- */

static int size_fault(const struct entry *en, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' is not %llu bytes long, as its archive says", SV_ARG(en->path),
                       (unsigned long long)en->size);
}

static int crc_fault(const struct entry *en, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' has a wrong CRC: the archive is corrupt", SV_ARG(en->path));
}

/* Inflates a zip member into the pipe. In LAYER_CHUNK the bytes are compressed again, else its stream is copied when all is well. */
static int inflate_member(struct body *b, const struct entry *en, const struct content *c,
                          struct deflate_shape *ret_shape, struct err *e)
{
        uint64_t size = 0;
        uint32_t crc = 0;
        size_t n = 1;

        deflate_walk_begin(b->walk, (sv){ c->p, c->n }, DEFLATE_CLOSED);
        while (n) {
                size_t room;
                uint8_t *to = pipe_room(&b->pipe, &room);

                if (op_check(b->op, e) < 0 || deflate_walk_next(b->walk, to, room, &n, ret_shape, e) < 0)
                        return err_while(e, "reading '%.*s'", SV_ARG(en->path));
                size += n;
                if (size > en->size)
                        return size_fault(en, e);
                crc = crc32_add(crc, to, n);
                if (b->chunks && encode(b, to, n, e) < 0)
                        return -(int)e->code;
                if (b->fixed && n)
                        fixed_pass(b->fixed, to, n);
                pipe_took(&b->pipe, n);
        }
        if (size != en->size)
                return size_fault(en, e);
        if (crc != c->crc)
                return crc_fault(en, e);
        count(b, crc, size);
        return 0;
}

static int copy_deflate(struct body *b, const struct entry *en, const struct content *c, struct err *e)
{
        struct deflate_shape shape;

        if (en->size && close_run(b, e) < 0)
                return -(int)e->code;
        if (inflate_member(b, en, c, &shape, e) < 0)
                return -(int)e->code;
        if (!en->size || b->chunks)
                return 0;
        return splice_deflate(b->out, (sv){ c->p, c->n }, &shape, e);
}

static int check_memory(const struct entry *en, const struct content *c, struct err *e)
{
        if (c->n != en->size)
                return size_fault(en, e);
        if (c->kind == CONTENT_STORED && crc32_add(0, c->p, c->n) != c->crc)
                return crc_fault(en, e);
        return 0;
}

static int copy_stored(struct body *b, const struct entry *en, const struct content *c, struct err *e)
{
        if (check_memory(en, c, e) < 0)
                return -(int)e->code;
        if (b->chunks)
                return add(b, c->p, c->n, e);
        if (!c->n)
                return 0;
        if (close_run(b, e) < 0)
                return -(int)e->code;
        pipe_add(&b->pipe, c->p, c->n);
        fixed_pass(b->fixed, c->p, c->n);
        count(b, c->crc, c->n);
        return splice_stored(b->out, (sv){ c->p, c->n }, e);
}

static int add_stream(struct body *b, const struct entry *en, const struct content *c, struct err *e)
{
        uint64_t left = en->size;

        while (left) {
                size_t room, n;
                uint8_t *to = pipe_room(&b->pipe, &room);

                if (room > left)
                        room = (size_t)left;
                if (op_check(b->op, e) < 0 || c->read(c->arg, to, room, &n, e) < 0)
                        return err_while(e, "reading '%.*s'", SV_ARG(en->path));
                if (!n)
                        return size_fault(en, e);
                pipe_took(&b->pipe, n);
                b->tar_crc = crc32_add(b->tar_crc, to, n);
                b->tar_size += n;
                if (encode(b, to, n, e) < 0)
                        return -(int)e->code;
                left -= n;
        }
        return 0;
}

static int add_content(struct body *b, const struct entry *en, const struct content *c, struct err *e)
{
        switch (c->kind) {
        case CONTENT_NONE:
                return en->size ? size_fault(en, e) : 0;
        case CONTENT_BYTES:
                return check_memory(en, c, e) < 0 ? -(int)e->code : add(b, c->p, c->n, e);
        case CONTENT_DEFLATE:
                return copy_deflate(b, en, c, e);
        case CONTENT_STORED:
                return copy_stored(b, en, c, e);
        case CONTENT_STREAM:
                return add_stream(b, en, c, e);
        }
        return err_set(e, ERR_FAILED, "'%.*s' has no content that can be read", SV_ARG(en->path));
}

int body_entry(struct body *b, struct entry *en, const struct content *c, struct err *e)
{
        struct tar_head head;
        int rc;

        tar_head(en, &head);
        if (op_check(b->op, e) < 0 || write_head(b, &head, e) < 0)
                return -(int)e->code;
        if (en->type != ENTRY_FILE)
                return 0;
        pipe_file_begin(&b->pipe, en->size);
        rc = add_content(b, en, c, e);
        en->sha256 = pipe_file_end(&b->pipe);
        b->pad = tar_pad(en->size);
        return rc;
}

int body_end(struct body *b, struct err *e)
{
        if (b->pad) {
                open_run(b, FIXED_NO_HEADER);
                if (write_pad(b, e) < 0)
                        return -(int)e->code;
        }
        if (close_run(b, e) < 0)
                return -(int)e->code;
        pipe_wait(&b->pipe);
        return b->chunks ? chunks_end(b->chunks, e) : 0;
}
