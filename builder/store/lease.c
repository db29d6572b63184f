#include "store/store_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define LEASE_MAX ((size_t)16 << 20) /* a quarter of a million digests */

struct store_lease {
        struct store *store;
        char *path;
        pthread_mutex_t lock;
        struct buf text; /* a digest a line */
};

/* Replaced by rename, so that a reader never sees half of it. Nothing waits for the disk: a lease that a crash loses belongs to nobody. */
static int write_lease(struct store_lease *l, struct err *e)
{
        AUTO(free_ptr) char *tmp = NULL;
        AUTO(close_fd) int fd = -1;

        if (buf_check(&l->text, e) < 0 || store_temp(l->store, &tmp, &fd, e) < 0)
                return -(int)e->code;
        if (fs_write_all(fd, l->text.p, l->text.n, l->path, e) == 0 && rename(tmp, l->path) < 0)
                err_errno(e, "cannot replace '%s'", l->path);
        if (e->code)
                unlink(tmp);
        return -(int)e->code;
}

int store_lease_take(struct store *s, struct store_lease **ret, struct err *e)
{
        AUTO(store_lease_dropp) struct store_lease *l = NULL;

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        l = xcalloc(1, sizeof(*l));
        l->store = s;
        l->text = (struct buf)BUF_INIT(LEASE_MAX);
        l->path = fs_path("%s/leases/%s-%ld-%016" PRIx64, s->root[0], s->host, (long)getpid(), store_random());
        pthread_mutex_init(&l->lock, NULL);
        if (write_lease(l, e) < 0 || store_beat_add(s, l->path, s->times.lease_touch, e) < 0)
                return err_while(e, "telling others what this command uses");
        *ret = STEAL(l);
        return 0;
}

int store_lease_add(struct store_lease *l, const sha256 *d, size_t n, struct err *e)
{
        int r;

        pthread_mutex_lock(&l->lock);
        for (size_t i = 0; i < n; i++)
                buf_fmt(&l->text, "%s\n", sha256_hex(&d[i]).s);
        r = write_lease(l, e);
        pthread_mutex_unlock(&l->lock);
        return r;
}

void store_lease_drop(struct store_lease *l)
{
        if (!l)
                return;
        store_beat_drop(l->store, l->path);
        unlink(l->path);
        pthread_mutex_destroy(&l->lock);
        buf_done(&l->text);
        free(l->path);
        free(l);
}
