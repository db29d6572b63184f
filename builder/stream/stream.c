#include "stream/stream.h"

/* What reader_copy holds: large enough that a hash or a compressor sees few calls, small enough for a stack. */
#define COPY_SIZE ((size_t)64 * 1024)

int writer_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        return w->ops->write(w, p, n, e);
}

int writer_finish(struct writer *w, struct err *e)
{
        return w->ops->finish(w, e);
}

int reader_read(struct reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        return r->ops->read(r, p, max, ret_n, e);
}

int reader_copy(struct reader *r, struct writer *w, uint64_t *ret_n, struct err *e)
{
        char chunk[COPY_SIZE];
        uint64_t total = 0;
        size_t n;

        for (;;) {
                if (reader_read(r, chunk, sizeof(chunk), &n, e) < 0)
                        return -(int)e->code;
                if (n == 0)
                        break;
                if (writer_write(w, chunk, n, e) < 0)
                        return -(int)e->code;
                total += n;
        }
        if (ret_n)
                *ret_n = total;
        return 0;
}
