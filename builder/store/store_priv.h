/* store/store_priv.h - inside of the store: roots and folders, how a file gets to its place, the thread that keeps claims and leases alive. */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include <pthread.h>

#include "store/store.h"

/* Times in ms. Fields, not constants, so that a test can let hours pass. */
struct store_times {
        int64_t claim_touch, claim_dead, lease_touch;
};

/* A file whose mtime says that we live. */
struct store_beat {
        char *path;
        int64_t every, next;
};

/* What we have seen of somebody's claim: it is dead when its mtime does not change for claim_dead of our monotonic clock. */
struct store_watch {
        sha256 key;
        struct timespec mtime;
        int64_t since;
};

struct store {
        char **root; /* [0] is read-write */
        size_t n_root;
        bool write;
        struct op *op;
        char *host;     /* this host's name, fit for a file name */
        char *unpacked; /* the folder of unpacked layers */
        char *unpack;   /* where they are unpacked, on the same file system */
        struct store_times times;

        pthread_mutex_t lock; /* all below */
        pthread_cond_t wake;
        pthread_t heart;
        bool beating, stop;
        struct store_beat *beat;
        size_t n_beat, cap_beat;
        struct store_watch *watch;
        size_t n_watch, cap_watch;
};

extern const char *const store_folder[]; /* by enum store_kind */

char *store_path(const struct store *s, size_t root, enum store_kind kind, const sha256 *d);
/** 0, or -ERR_USAGE: the store was opened for reading. */
int store_must_write(const struct store *s, struct err *e);
uint64_t store_random(void);

/* store/place.c */
/** An O_EXCL temporary in tmp/, on the store's file system. */
int store_temp(struct store *s, char **ret_path, int *ret_fd, struct err *e);
/** fsync, close, rename to `to`, fsync of its folder. The temporary is gone afterwards, whatever happens. */
int store_place(char **tmp, int *fd, const char *to, struct err *e);
int store_replace(struct store *s, const char *to, sv text, struct err *e);
/** The same without waiting for the disk: what a crash may take. */
int store_replace_hint(struct store *s, const char *to, sv text, struct err *e);
/** Make a folder's listing fresh on NFS: create and unlink a file in it. */
void store_freshen(struct store *s, const char *folder);

/* store/index.c: make oci/index.json say what refs/ says; returns when it does. */
int store_index_sync(struct store *s, struct err *e);
/* store/ref.c: adds all refs of one root. Damaged ones are left out. */
int store_ref_read(struct store *s, size_t root, struct arena *a, struct store_ref **v, size_t *n, size_t *cap,
                   struct err *e);

/* store/beat.c */
int store_beat_add(struct store *s, const char *path, int64_t every, struct err *e);
void store_beat_drop(struct store *s, const char *path);
void store_beat_stop(struct store *s);

/* store/unpacked.c */
int store_unpacked_open(struct store *s, struct err *e);

#endif
