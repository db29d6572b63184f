/* image/reuse_priv.h - layers that need not be made: what the lock pins, and what cache repositories say of a key (docs/internals/reuse.md).
 * Trust, in this order: the lock's image half, the own store, repositories that the user, the system or a flag names. A repository that fails
 * is told of once and left out; it never fails a build. One struct reuse for one build; its calls belong to one thread. */
#ifndef IMAGE_REUSE_PRIV_H
#define IMAGE_REUSE_PRIV_H

#include <stdatomic.h>

#include "image/image_priv.h"
#include "image/settings.h"
#include "layer/remote.h"

#define REUSE_JOBS 16 /* requests at once: they wait, they do not compute */

struct reuse_repo {
        struct reg_repo repo;
        sv name;         /* "registry.example/team/layers" */
        bool facts;      /* it is believed about keys; else it is only asked for blobs that are pinned */
        bool implied;    /* <target>-layers: it need not exist */
        atomic_bool off; /* it failed, which was told */
};
struct reuse_fact { /* of a key, from a repository */
        struct fact_doc doc;
        struct reuse_repo *repo;
        bool listed; /* its path lists and texts are in the store */
};
struct reuse {
        struct image_ctx *c;
        const struct image_build_opts *o;
        const struct settings *settings;
        struct arena *arena;
        struct reuse_repo **repo;
        size_t n_repo, cap_repo;
        const struct reuse_repo *target; /* of -t; NULL: a name of the store alone */
        struct map fact;                 /* 32 bytes of the key → struct reuse_fact */
        struct map pin;                  /* the same → const struct lock_layer of the platform */
        struct map again;                /* keys whose layers --verify makes again */
        size_t n_facts;                  /* repositories with facts */
};

int reuse_open(struct image_ctx *c, const struct image_build_opts *o, struct arena *a, struct reuse **ret,
               struct err *e);
/** The platform whose layers are next: its image half is what is pinned. */
void reuse_platform(struct reuse *r, const struct lock_platform *p);
/** --no-cache: nothing that is known counts. */
bool reuse_anew(const struct reuse *r);
/** The repository of that name, added when it is new; NULL: it is no name of one. */
struct reuse_repo *reuse_repo(struct reuse *r, sv name);
/** What a request to it said: 0 when the build goes on without it. code and cause of *why are told once. Any thread. */
int reuse_failed(struct reuse *r, struct reuse_repo *repo, struct err *why, struct err *e);
/** A key and its diff_id as somebody says it: -ERR_INTEGRITY, naming both, when the lock says another. */
int reuse_check(const struct reuse *r, const sha256 *key, const sha256 *diff_id, const char *who, struct err *e);
static inline sv reuse_key(const sha256 *key)
{
        return (sv){ (const char *)key->b, sizeof(key->b) };
}

/* --- image/reuse_look.c: facts by key */
struct reuse_want {
        sha256 key;
        bool lists; /* the path lists are needed too */
};
/** Ask all repositories for all of them at once. -ERR_INTEGRITY: two of them say two diff_ids of one key, or one says another than the lock. */
int reuse_look(struct reuse *r, const struct reuse_want *want, size_t n, struct err *e);
/** A fact that can be used as it is, or NULL. */
const struct reuse_fact *reuse_get(const struct reuse *r, const sha256 *key, enum oci_codec codec, bool lists);

/* --- image/reuse_verify.c: --verify */
/** Choose among these keys what is made again, and keep in mind what is known of it. */
int reuse_choose(struct reuse *r, const sha256 *key, size_t n, struct err *e);
bool reuse_is_again(const struct reuse *r, const sha256 *key);
/** What was made again is what was known: -ERR_INTEGRITY names both digests. */
int reuse_verify(struct reuse *r, const struct built_layers *made, struct err *e);

/* --- image/reuse_image.c: the lock's image half alone */
/**
 * Every layer of the image, ours and the base's, is here, or a repository that may have it says so: what is not here is noted down
 * (store_origin_add). *ret_ok false: layers have to be made.
 */
int reuse_image(struct reuse *r, const struct lock_platform *p, struct built_layers *ret, bool *ret_ok, struct err *e);
/** The config that the lock's image id names, from the store or where the image is; -ERR_NOT_FOUND. */
int reuse_config(struct reuse *r, const struct lock_platform *p, struct arena *a, sv *ret, struct err *e);

/* --- image/reuse_note.c: images/<manifest>: what publishing needs to know of an image that was built here */
void reuse_note_keep(struct image_ctx *c, const sha256 *manifest, const struct built_layers *layers,
                     enum oci_codec codec);
int reuse_note_read(struct store *s, const sha256 *manifest, struct arena *a, struct fact_doc **ret, size_t *ret_n,
                    size_t *ret_unknown, struct err *e);

#endif
