#include "stream/stream.h"

static int hash_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        struct hash_writer *h = (struct hash_writer *)w;

        hash_add(h->hash, p, n);
        h->size += n;
        return w->next ? writer_write(w->next, p, n, e) : 0;
}

static int hash_finish(struct writer *w, struct err *e)
{
        struct hash_writer *h = (struct hash_writer *)w;

        hash_end(h->hash, h->digest.b);
        return w->next ? writer_finish(w->next, e) : 0;
}

struct writer *hash_writer_init(struct hash_writer *h, struct writer *next)
{
        static const struct writer_ops ops = { "hash", hash_write, hash_finish };

        *h = (struct hash_writer){ .w = { &ops, next }, .hash = hash_new(HASH_SHA256) };
        return &h->w;
}

void hash_writer_done(struct hash_writer *h)
{
        hash_free(h->hash);
        h->hash = NULL; /* digest and size stay readable */
}
