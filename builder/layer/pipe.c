#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "layer/layer_priv.h"

#define BIG ((uint64_t)256 << 10) /* a file of this size is worth handing over, and waiting for */

void pipe_init(struct pipe *p, struct hash *tar, bool may_thread)
{
        *p = (struct pipe){ .tar = tar, .may_thread = may_thread, .file = hash_new(HASH_SHA256) };
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->more, NULL);
        pthread_cond_init(&p->fewer, NULL);
        for (size_t i = 0; i < PIPE_SLOTS; i++)
                p->slot[i].p = xmalloc(PIPE_SLOT);
}

static void digest(struct pipe *p, const struct pipe_slot *s)
{
        if (p->tar)
                hash_add(p->tar, s->p, s->n);
        if (s->file)
                hash_add(p->file, s->p, s->n);
}

static void *run(void *arg)
{
        struct pipe *p = arg;

        pthread_mutex_lock(&p->lock);
        for (;;) {
                struct pipe_slot *s = &p->slot[p->drain];

                while (!p->waiting && !p->stop)
                        pthread_cond_wait(&p->more, &p->lock);
                if (!p->waiting)
                        break;
                pthread_mutex_unlock(&p->lock);
                digest(p, s);
                pthread_mutex_lock(&p->lock);
                p->drain = (p->drain + 1) % PIPE_SLOTS;
                p->waiting--;
                pthread_cond_signal(&p->fewer);
        }
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

static void start(struct pipe *p)
{
        p->drain = p->fill;
        p->threaded = pthread_create(&p->thread, NULL, run, p) == 0;
        p->may_thread = p->threaded; /* without a thread it only takes longer */
}

/* Hand the slot over; the next one is free and empty afterwards. */
static void push(struct pipe *p)
{
        struct pipe_slot *s = &p->slot[p->fill];

        if (!s->n)
                return;
        if (!p->threaded) {
                digest(p, s);
                s->n = 0;
                return;
        }
        pthread_mutex_lock(&p->lock);
        p->waiting++;
        pthread_cond_signal(&p->more);
        while (p->waiting == PIPE_SLOTS)
                pthread_cond_wait(&p->fewer, &p->lock);
        pthread_mutex_unlock(&p->lock);
        p->fill = (p->fill + 1) % PIPE_SLOTS;
        p->slot[p->fill].n = 0;
}

void pipe_wait(struct pipe *p)
{
        push(p);
        if (!p->threaded)
                return;
        pthread_mutex_lock(&p->lock);
        while (p->waiting)
                pthread_cond_wait(&p->fewer, &p->lock);
        pthread_mutex_unlock(&p->lock);
}

uint8_t *pipe_room(struct pipe *p, size_t *ret_room)
{
        struct pipe_slot *s = &p->slot[p->fill];

        if (s->n == PIPE_SLOT) {
                push(p);
                s = &p->slot[p->fill];
        }
        if (!s->n)
                s->file = p->big_file;
        *ret_room = PIPE_SLOT - s->n;
        return s->p + s->n;
}

void pipe_took(struct pipe *p, size_t n)
{
        struct pipe_slot *s = &p->slot[p->fill];

        if (p->inline_file)
                hash_add(p->file, s->p + s->n, n);
        s->n += n;
}

void pipe_add(struct pipe *p, const void *bytes, size_t n)
{
        const uint8_t *from = bytes;

        while (n) {
                size_t room;
                uint8_t *to = pipe_room(p, &room);

                if (room > n)
                        room = n;
                memcpy(to, from, room);
                pipe_took(p, room);
                from += room;
                n -= room;
        }
}

void pipe_file_begin(struct pipe *p, uint64_t size)
{
        if (p->may_thread && !p->threaded && size >= BIG)
                start(p);
        p->big_file = p->threaded && size >= BIG;
        p->inline_file = !p->big_file;
        if (p->big_file)
                push(p); /* what came before is not of the file */
}

sha256 pipe_file_end(struct pipe *p)
{
        sha256 d;

        if (p->big_file)
                pipe_wait(p);
        p->big_file = p->inline_file = false;
        hash_end(p->file, d.b);
        return d;
}

void pipe_done(struct pipe *p)
{
        if (!p->file)
                return;
        if (p->threaded) {
                pthread_mutex_lock(&p->lock);
                p->stop = true;
                pthread_cond_signal(&p->more);
                pthread_mutex_unlock(&p->lock);
                pthread_join(p->thread, NULL);
        }
        pthread_mutex_destroy(&p->lock);
        pthread_cond_destroy(&p->more);
        pthread_cond_destroy(&p->fewer);
        for (size_t i = 0; i < PIPE_SLOTS; i++)
                free(p->slot[i].p);
        hash_free(p->file);
        *p = (struct pipe){ 0 };
}
