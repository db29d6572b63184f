#include "stream/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

static int buf_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct buf_writer *b = (struct buf_writer *)w;

        buf_add(b->buf, (sv){ p, n });
        return buf_check(b->buf, e);
}

static int nothing_to_flush(struct writer *w, struct err *e)
{
        (void)w;
        (void)e;
        return 0;
}

struct writer *buf_writer_init(struct buf_writer *b, struct buf *buf)
{
        static const struct writer_ops ops = { "memory", buf_write, nothing_to_flush };

        *b = (struct buf_writer){ .w = { &ops, NULL }, .buf = buf };
        return &b->w;
}

static int fd_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct fd_writer *f = (struct fd_writer *)w;

        if (fs_write_all(f->fd, p, n, f->path, e) < 0)
                return -(int)e->code;
        f->size += n;
        return 0;
}

struct writer *fd_writer_init(struct fd_writer *f, int fd, const char *path)
{
        static const struct writer_ops ops = { "file", fd_write, nothing_to_flush };

        *f = (struct fd_writer){ .w = { &ops, NULL }, .fd = fd, .path = path };
        return &f->w;
}

static int mem_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct mem_reader *m = (struct mem_reader *)r;
        size_t n = m->rest.n < max ? m->rest.n : max;

        (void)e;
        if (n)
                memcpy(p, m->rest.p, n);
        m->rest = sv_skip(m->rest, n);
        *ret_n = n;
        return 0;
}

struct reader *mem_reader_init(struct mem_reader *m, sv bytes)
{
        static const struct reader_ops ops = { "memory", mem_read };

        *m = (struct mem_reader){ .r = { &ops }, .rest = bytes };
        return &m->r;
}

static int fd_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct fd_reader *f = (struct fd_reader *)r;
        ssize_t n;

        do
                n = read(f->fd, p, max);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return err_errno(e, "cannot read '%s'", f->path);
        *ret_n = (size_t)n;
        return 0;
}

struct reader *fd_reader_init(struct fd_reader *f, int fd, const char *path)
{
        static const struct reader_ops ops = { "file", fd_read };

        *f = (struct fd_reader){ .r = { &ops }, .fd = fd, .path = path };
        return &f->r;
}
