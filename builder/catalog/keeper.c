#include "catalog/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

enum { WRITERS = 4, QUEUE_MAX = 64 << 20 };

struct note {
        struct note *next;
        enum store_note kind;
        sha256 key;
        size_t n;
        char *text;
};

struct keeper {
        struct store *store;
        struct op *op;
        pthread_mutex_t lock;
        pthread_cond_t more, room;
        struct note *first, **last;
        size_t queued; /* bytes, those being written included */
        bool end, failed;
        pthread_t thread[WRITERS];
        unsigned n_thread;
};

static void note_free(struct note *n)
{
        free(n->text);
        free(n);
}

static void write_one(struct keeper *k, struct note *n)
{
        AUTO(err_done) struct err e = { 0 };
        bool first;

        if (store_note_put(k->store, n->kind, &n->key, (sv){ n->text, n->n }, &e) == 0)
                return;
        pthread_mutex_lock(&k->lock);
        first = !k->failed;
        k->failed = true;
        pthread_mutex_unlock(&k->lock);
        if (first)
                op_say(k->op, OP_WARN, "index pages cannot be kept: %s", e.cause);
}

static void *writer(void *arg)
{
        struct keeper *k = arg;

        pthread_mutex_lock(&k->lock);
        for (;;) {
                struct note *n = k->first;

                if (!n && k->end)
                        break;
                if (!n) {
                        pthread_cond_wait(&k->more, &k->lock);
                        continue;
                }
                if (!(k->first = n->next))
                        k->last = &k->first;
                pthread_mutex_unlock(&k->lock);
                write_one(k, n);
                pthread_mutex_lock(&k->lock);
                k->queued -= n->n;
                pthread_cond_signal(&k->room);
                note_free(n);
        }
        pthread_mutex_unlock(&k->lock);
        return NULL;
}

struct keeper *keeper_new(struct store *store, struct op *op)
{
        struct keeper *k = xcalloc(1, sizeof(*k));

        k->store = store;
        k->op = op;
        k->last = &k->first;
        pthread_mutex_init(&k->lock, NULL);
        pthread_cond_init(&k->more, NULL);
        pthread_cond_init(&k->room, NULL);
        return k;
}

/* Threads begin with the first notes: a warm run has none. */
static void add_thread(struct keeper *k)
{
        sigset_t all, old;

        if (k->n_thread == WRITERS)
                return;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        if (pthread_create(&k->thread[k->n_thread], NULL, writer, k) == 0)
                k->n_thread++;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void keeper_put(struct keeper *k, enum store_note kind, const sha256 *key, sv text)
{
        struct note *n = xcalloc(1, sizeof(*n));

        *n = (struct note){ .kind = kind, .key = *key, .n = text.n, .text = xmalloc(text.n + 1) };
        if (text.n)
                memcpy(n->text, text.p, text.n);
        pthread_mutex_lock(&k->lock);
        if (k->failed) {
                pthread_mutex_unlock(&k->lock);
                note_free(n);
                return;
        }
        add_thread(k);
        while (k->queued > QUEUE_MAX && k->n_thread)
                pthread_cond_wait(&k->room, &k->lock);
        *k->last = n;
        k->last = &n->next;
        k->queued += n->n;
        pthread_cond_signal(&k->more);
        pthread_mutex_unlock(&k->lock);
}

void keeper_free(struct keeper *k)
{
        if (!k)
                return;
        pthread_mutex_lock(&k->lock);
        k->end = true;
        pthread_cond_broadcast(&k->more);
        pthread_mutex_unlock(&k->lock);
        for (unsigned i = 0; i < k->n_thread; i++)
                pthread_join(k->thread[i], NULL);
        for (struct note *n = k->first, *next; n; n = next) { /* no thread could be started */
                next = n->next;
                note_free(n);
        }
        pthread_cond_destroy(&k->more);
        pthread_cond_destroy(&k->room);
        pthread_mutex_destroy(&k->lock);
        free(k);
}
