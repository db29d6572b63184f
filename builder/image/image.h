/* image/image.h - the build: definition → lock → layers → image → store. The only orchestrator (design §2): everything below it is a part
 * that can be tested alone. Nothing here prints; faults of the user's files go to ctx->diags, progress to ctx->op. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/op.h"
#include "lock/lock.h"
#include "net/net.h"
#include "oci/oci.h"
#include "registry/client.h"
#include "spec/spec.h"
#include "store/store.h"

struct condarc;
struct settings;
struct reg_client;
struct image_ctx { /* opened when first needed: a warm build opens no network, `why` no store */
        struct op *op;
        struct diags *diags;
        bool offline;
        struct store *store;
        bool store_writable;
        struct net *net;
        struct arena arena; /* of what is kept as long as this */
        const struct condarc *conda;
        const struct settings *settings;
        struct reg_opts registry; /* what flags say of registries; set by cli/ before the first use */
        struct reg_client *reg;
        sv base_ref; /* what a base's tag meant for the platform before: all of a lock's stand on one index */
        sha256 base_index;
};
int image_ctx_store(struct image_ctx *c, bool write, struct err *e);
int image_ctx_net(struct image_ctx *c, struct err *e);
/** The client of every registry, over that network. */
int image_ctx_registry(struct image_ctx *c, struct reg_client **ret, struct err *e);
/** conda's settings on this machine, read once. -ERR_USAGE: one that cannot be read. */
int image_ctx_conda(struct image_ctx *c, const struct condarc **ret, struct err *e);
/** config.yml (image/settings.h), read once. -ERR_USAGE (ctx->diags). */
int image_ctx_settings(struct image_ctx *c, const struct settings **ret, struct err *e);
void image_ctx_done(struct image_ctx *c);

struct image_request {  /* what flags say; texts borrowed */
        const sv *file; /* definitions, or one lock ("train.lock": taken as it is) */
        size_t n_file;
        const sv *pip; /* --pip SPEC */
        size_t n_pip;
        const sv *conda; /* --conda SPEC */
        size_t n_conda;
        const sv *channel; /* -c CHANNEL */
        size_t n_channel;
        const sv *env; /* -e K=V */
        size_t n_env;
        const sv *platform;
        size_t n_platform;
        const sv *upgrade; /* names whose locked version is not kept */
        size_t n_upgrade;
        bool upgrade_all, upgrade_base;
        sv base, exclude_newer;
        bool pre;          /* --pre */
        sv index_strategy; /* "first", "pip" or empty */
        bool locked, frozen, refresh;
};
struct image_locked {
        struct spec *spec; /* NULL when the lock itself was given or --frozen found it alone */
        struct lock *lock;
        sv path;       /* of the lock file */
        bool resolved; /* false: the lock file was used as it is */
        bool changed;  /* its text differs from the file's */
};
/**
 * Load the definition and use its lock when `request` matches; else resolve, keeping what still fits. Does not write the file.
 * @return 0 · -ERR_USAGE (ctx->diags) · -ERR_CONFLICT (the explanation is e's cause) · -ERR_STALE with --locked or --frozen · -ERR_NET, …
 */
int image_lock(struct image_ctx *c, const struct image_request *r, struct arena *a, struct image_locked *ret,
               struct err *e);
/** Write it back: atomically, only when it differs. */
int image_lock_write(const struct image_locked *l, struct err *e);

struct image_build_opts {
        sv tag; /* -t: name in the store; empty: the lock's name */
        enum oci_codec codec;
        bool dry_run;
        const sv *cache_repo; /* --cache-repo: where facts about layers are looked up */
        size_t n_cache_repo;
        bool no_cache;          /* make every layer anew */
        bool verify;            /* make layers again and compare */
        unsigned verify_layers; /* so many, those of the lowest keys; 0: all */
};
struct image_count { /* for the closing line and --metadata-file */
        size_t layers, reused, made;
        size_t remote;    /* of the reused ones: not here, a registry has them */
        uint64_t fetched; /* bytes of packages */
};
enum image_layer_how {
        IMAGE_LOCAL,    /* here */
        IMAGE_REGISTRY, /* where the image would be pushed, or in another registry */
        IMAGE_MOUNT,    /* in another repository of the registry that it would be pushed to */
        IMAGE_MAKE
};
struct image_layer_view {
        sv of;
        enum image_layer_how how;
        uint64_t need; /* bytes of packages to fetch; 0 when it need not be made */
};
struct image_built {
        sv name;       /* "train" */
        sha256 digest; /* of the manifest, or of the index over several platforms */
        sha256 image_id;
        struct image_count count;
        struct image_layer_view *layer; /* --dry-run: what each layer is and needs */
        size_t n_layer;
};
/** Layers, image, reference in the store; fills the lock's image half (l->lock, l->changed) unless --locked or --frozen. */
int image_build(struct image_ctx *c, const struct image_request *r, const struct image_build_opts *o, struct arena *a,
                struct image_locked *l, struct image_built *ret, struct err *e);

/* --- reading an image that is in the store (run, inspect) */
struct image_view {
        sv name;
        sha256 digest; /* what the name means: of the manifest, or of the index over several platforms */
        struct oci_manifest manifest;
        struct oci_config config;
        sha256 manifest_digest;
        bool has_index;
        struct oci_index index;
        sv from; /* repositories that have what is not here, a blank between two (image/fetch.h) */
};
/** "train", "train:v1", "train@sha256:…", "sha256:…": -ERR_NOT_FOUND names what is there. platform: of an index. */
int image_open(struct image_ctx *c, sv ref, sv platform, struct arena *a, struct image_view *ret, struct err *e);
/** This machine's platform: "linux/amd64". */
sv image_host_platform(struct arena *a);

#endif
