#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"

struct pool {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct op *op;
        const struct pool_job **queue; /* a ring of n places: each job is in it at most once */
        size_t n, head, count;         /* waiting ones: queue[(head + i) % n] */
        size_t running, again;         /* again: answers of POOL_AGAIN since the last job that finished */
        bool stop;
        struct err err;
};

static int by_size(const void *pa, const void *pb)
{
        const struct pool_job *a = *(const struct pool_job *const *)pa, *b = *(const struct pool_job *const *)pb;
        if (a->size != b->size)
                return a->size > b->size ? -1 : 1;
        return a < b ? -1 : a > b;
}

static void wait_a_little(struct pool *p)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        ts.tv_nsec += 50000000;
        if (ts.tv_nsec >= 1000000000) {
                ts.tv_nsec -= 1000000000;
                ts.tv_sec++;
        }
        pthread_cond_timedwait(&p->changed, &p->lock, &ts);
}

static void fail(struct pool *p, struct err *e)
{
        if (!p->stop)
                err_move(&p->err, e);
        else
                err_done(e);
        p->stop = true;
        pthread_cond_broadcast(&p->changed);
}

static void *worker(void *arg)
{
        struct pool *p = arg;

        pthread_mutex_lock(&p->lock);
        while (!p->stop && (p->count || p->running)) {
                struct err e = { 0 };
                const struct pool_job *job;
                int r;

                if (op_check(p->op, &e) < 0) {
                        fail(p, &e);
                        break;
                }
                if (p->count == 0 || p->again >= p->count + p->running) {
                        wait_a_little(p);
                        if (p->count == 0)
                                continue;
                        p->again = 0;
                }
                job = p->queue[p->head];
                p->head = (p->head + 1) % p->n;
                p->count--;
                p->running++;
                pthread_mutex_unlock(&p->lock);
                r = job->run(job->arg, &e);
                pthread_mutex_lock(&p->lock);
                p->running--;
                if (r < 0) {
                        fail(p, &e);
                } else if (r == POOL_AGAIN) {
                        p->queue[(p->head + p->count) % p->n] = job;
                        p->count++;
                        p->again++;
                } else {
                        p->again = 0;
                        pthread_cond_broadcast(&p->changed);
                }
        }
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

int pool_run(struct op *op, const struct pool_job *job, size_t n, struct err *e)
{
        struct pool p = { .op = op, .n = n, .count = n };
        size_t threads = op && op->jobs ? op->jobs : 1, started = 0;
        pthread_t *t;
        sigset_t all, old;

        if (n == 0)
                return op_check(op, e);
        if (threads > n)
                threads = n;
        pthread_mutex_init(&p.lock, NULL);
        pthread_cond_init(&p.changed, NULL);
        p.queue = xcalloc(n, sizeof(const struct pool_job *));
        for (size_t i = 0; i < n; i++)
                p.queue[i] = &job[i];
        qsort(p.queue, n, sizeof(const struct pool_job *), by_size);
        t = xcalloc(threads, sizeof(*t));
        /* Signals belong to the main thread: a worker must not take one in the middle of a job. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        for (size_t i = 1; i < threads; i++)
                if (pthread_create(&t[started], NULL, worker, &p) == 0)
                        started++;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        worker(&p);
        for (size_t i = 0; i < started; i++)
                pthread_join(t[i], NULL);
        free(t);
        free(p.queue);
        pthread_cond_destroy(&p.changed);
        pthread_mutex_destroy(&p.lock);
        return p.stop ? err_move(e, &p.err) : 0;
}
