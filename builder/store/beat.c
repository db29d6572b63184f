/* store/beat.c - one thread touches the files that say we live: claims every 10 s, leases every 60 s. It begins with the first of them. */
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"

static int64_t touch_due(struct store *s)
{
        int64_t now = clock_ms(), next = now + 60000;

        for (size_t i = 0; i < s->n_beat; i++) {
                struct store_beat *b = &s->beat[i];
                if (b->next <= now) {
                        (void)utimensat(AT_FDCWD, b->path, NULL, 0); /* gone: taken over, which its owner finds out */
                        b->next = now + b->every;
                }
                if (b->next < next)
                        next = b->next;
        }
        return next;
}

static void *heart(void *arg)
{
        struct store *s = arg;

        pthread_mutex_lock(&s->lock);
        while (!s->stop) {
                int64_t next = touch_due(s);
                struct timespec until = { next / 1000, next % 1000 * 1000000 };
                pthread_cond_timedwait(&s->wake, &s->lock, &until);
        }
        pthread_mutex_unlock(&s->lock);
        return NULL;
}

/* Signals are for the thread that waits for them. */
static int start(struct store *s)
{
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&s->heart, NULL, heart, s);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return r;
}

int store_beat_add(struct store *s, const char *path, int64_t every, struct err *e)
{
        int r = 0;

        pthread_mutex_lock(&s->lock);
        if (!s->beating)
                r = start(s);
        if (r == 0) {
                s->beating = true;
                s->beat = xgrow(s->beat, &s->cap_beat, s->n_beat + 1, sizeof(*s->beat));
                s->beat[s->n_beat++] = (struct store_beat){ xstrdup(path), every, clock_ms() + every };
                pthread_cond_signal(&s->wake);
        }
        pthread_mutex_unlock(&s->lock);
        if (r == 0)
                return 0;
        errno = r;
        return err_errno(e, "cannot start a thread");
}

void store_beat_drop(struct store *s, const char *path)
{
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < s->n_beat; i++)
                if (strcmp(s->beat[i].path, path) == 0) {
                        free(s->beat[i].path);
                        s->beat[i] = s->beat[--s->n_beat];
                        break;
                }
        pthread_mutex_unlock(&s->lock);
}

void store_beat_stop(struct store *s)
{
        if (!s->beating)
                return;
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->heart, NULL);
        s->beating = false;
}
