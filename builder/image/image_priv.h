/* image/image_priv.h - what the files of image/ share. */
#ifndef IMAGE_IMAGE_PRIV_H
#define IMAGE_IMAGE_PRIV_H

#include <pthread.h>

#include "image/image.h"
#include "base/map.h"
#include "catalog/conda_fetch.h"
#include "catalog/pypi.h"
#include "image/condarc.h"
#include "layer/fact_doc.h"
#include "layer/layer.h"
#include "resolve/resolve.h"
#include "spec/recipe.h"
#include "tree/join.h"
#include "tree/plan.h"

#define IMAGE_PREFIX  "/opt/env"
#define PREFIX_NAME   "env" /* below lock_facts.root */
#define DEFAULT_INDEX "https://pypi.org/simple"
/* `certificates:` stand here in the image and in the lock's files; without the leading slash in entries. */
#define CERTIFICATES_DIR      "/usr/local/share/ca-certificates/"
#define DEFAULT_BASE          "recipe:debian-13-python"
#define DEFAULT_BASE_OF_CONDA "recipe:debian-13"

/* --- image/base.c: the base an image stands on */
/** Fill into->base, ->facts, ->python (and, for a recipe, the debs) from a definition's base. old: the locked one, kept unless told. */
int base_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                 const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e);
/** The base's config as a document (an empty one for recipes and scratch), fetched again by the digests in the lock. */
int base_config(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, sv dir, struct arena *a,
                struct oci_config *ret, struct err *e);
/** What a build needs of the base's layers: those of a layout are copied into the store; those of a registry stay there, and the store notes
 *  where they are (image/fetch.h). */
int base_fetch(struct image_ctx *c, const struct lock_platform *p, sv dir, struct err *e);
/** All of them into the store, to be read. */
int base_fetch_layers(struct image_ctx *c, const struct lock_platform *p, sv dir, struct err *e);
/** Facts and python of the base that stands in `into`, read from its layers, which are in the store or in a layout, and kept. */
int base_scan(struct image_ctx *c, const struct oci_config *cfg, sv dir, struct arena *a, struct lock_platform *into,
              struct err *e);

/* --- image/recipe.c: bases of Debian packages */
int recipe_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                   const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e);
/** The recipe that a lock names, as it was then; -ERR_STALE when it has changed. */
int recipe_locked(struct image_ctx *c, const struct lock_platform *p, sv dir, struct arena *a, struct recipe **ret,
                  struct err *e);

/* --- image/layout.c: OCI layouts on disk as bases: "DIR[:TAG]" */
struct layout {
        sv dir;
        sv manifest_text, config_text;
        sha256 manifest_digest;
        struct oci_manifest manifest;
        struct oci_config config;
};
int layout_open(sv ref, sv dir, sv platform, struct arena *a, struct layout *ret, struct err *e);
/** The folder of "oci:DIR[:TAG]" relative to dir, for finding a locked manifest again. */
sv layout_dir(struct arena *a, sv ref, sv dir, sv *ret_tag);
char *layout_blob_path(const char *dir, const sha256 *d);

/* --- image/scan.c: what a base's file system holds, read from its layers once */
struct scan_file {
        sv path;
        enum entry_type type; /* links to files inside are resolved by scan_real */
        uint32_t mode, uid, gid;
        sv target;
        sv content; /* kept for a few small files only */
};
struct scan {
        struct scan_file **v; /* sorted by path once finished */
        size_t n, cap;
        struct map by_path;
};
/** Read the layers of blobs (paths of files, base first); digests and diff_ids are checked. Bounded: 4 million entries, 32 MiB
 *  a kept file, 1 GiB of paths and kept files together. */
int scan_layers(const char *const *blob, const struct oci_desc *layer, const sha256 *diff_id, size_t n, struct op *op,
                struct arena *a, struct scan *ret, struct err *e);
/** Follow links: the real path of `path` (no leading slash), empty when there is none. */
sv scan_real(const struct scan *s, struct arena *a, sv path);
const struct scan_file *scan_find(const struct scan *s, sv path); /* exact */
/** A kept file's text, links followed; empty when absent. */
sv scan_text(const struct scan *s, struct arena *a, sv path);

/* --- image/facts.c: pure: a scan → facts and python of a base */
int facts_read(const struct scan *s, struct arena *a, struct lock_facts *ret, struct err *e);
/** false: no python. */
int facts_python(const struct scan *s, const struct oci_config *cfg, struct arena *a, bool *ret_has,
                 struct lock_python *ret, struct err *e);

/* --- image/facts_note.c: the same in the store, by ChainID and what the config says of python, so that a base is read once */
bool facts_recall(struct store *s, const struct oci_config *cfg, struct arena *a, struct lock_platform *into);
void facts_keep(struct store *s, const struct oci_config *cfg, const struct lock_platform *p);
/** What runtimes know stacked layers by (image-spec, "Layer ChainID"). */
sha256 image_chain_id(const struct oci_config *cfg);

/* --- image/target.c: pure: names of one platform in the tongues of OCI, uname, conda, Debian */
struct target {
        sv platform; /* "linux/amd64" */
        sv arch;     /* "amd64" */
        sv machine;  /* "x86_64" */
};
bool target_read(sv platform, struct target *ret);
/** A declared glibc above the base's is an error: wheels would be chosen that do not start. */
int target_virtual(struct arena *a, const struct target *t, const struct spec *s, struct lock_platform *into,
                   struct diags *ds, struct err *e);

/** Versions of a libc, "2.36" against "2.41", part by part. */
int target_libc_cmp(sv a, sv b);
/** A lock's virtual packages are still what definition and CONDA_OVERRIDE_* declare. */
bool target_virtual_unchanged(struct arena *a, const struct spec *s, const struct lock_platform *p);

/* --- image/lock.c */
/** `created` of a lock: SOURCE_DATE_EPOCH when locking, else the newest date of anything that went in (design/lock.md). */
int lock_created(const struct lock *l, int64_t *ret, struct err *e);

/* --- image/artifacts.c: the packages of a platform, of all kinds */
/** Adds them, and sorts them all: from then on lock_find finds them. */
void artifacts_add(struct arena *a, struct lock_platform *into, const struct artifact *v, size_t n);
/** A package whose locked version is not to be kept. */
bool artifact_is_upgraded(const struct image_request *r, sv name);

/* --- image/environment.c */
/** getenv, as those ask who expand ${NAME}; arg: struct arena. False: it is not set. */
bool image_environment(void *arg, sv name, sv *ret);

/* --- image/conda_setup.c: which channels are asked, and how */
struct conda_setup {
        struct conda_channel *channel; /* priority order */
        size_t n_channel;
        struct conda_channel_settings settings;
        const struct conda_mirror *mirror;
        size_t n_mirror;
        sv priority; /* "strict", "flexible", "disabled" */
};
int conda_setup(struct image_ctx *c, const struct spec *s, struct arena *a, struct conda_setup *ret, struct err *e);
/** The same for a build from a lock, which asks no channel before it fetches (s may be NULL): what cannot be read is left out. */
void conda_setup_again(struct image_ctx *c, const struct spec *s, struct arena *a, struct conda_setup *ret);
struct conda_ask conda_ask(struct image_ctx *c, const struct conda_setup *x);

/* --- image/conda.c: the conda part of a platform: solve, artifacts, the python it chose. Does nothing when no conda package is asked for */
int conda_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                  const struct lock_platform *old, struct arena *a, struct lock *lock, struct lock_platform *into,
                  struct err *e);
/** What the conda artifact `python` says, or none. */
void conda_python(struct lock_platform *p, struct arena *a);
const struct artifact *conda_artifact_find(const struct lock_platform *p, const char *name);

/* --- image/foreign.c: conda-lock.yml, @EXPLICIT, pixi.lock given as the definition */
/** *ret_lock NULL: r names no such file. *ret: what stands in for a definition. -ERR_USAGE (ctx->diags). */
int foreign_load(struct image_ctx *c, const struct image_request *r, struct arena *a, struct spec **ret,
                 struct lock **ret_lock, struct err *e);
/** Its packages into a platform whose base is known: hashes and sizes that it does not say, and what only the packages say. */
int foreign_platform(struct image_ctx *c, const struct lock *from, struct arena *a, struct lock *l,
                     struct lock_platform *into, struct err *e);

/* --- image/joint.c: conda's distributions and the pip part (design §4) */
struct joint {
        struct image_ctx *c;
        const struct spec *spec;
        struct lock_platform *platform;
        struct arena *arena;
        struct pypi_fixed *fixed; /* what is there already */
        size_t n_fixed;
};
/** Those that pip-replaces names are left out. */
void joint_fixed(struct joint *j);
/** pypi_opts.fixed_metadata; arg: struct joint. */
int joint_metadata(void *arg, sv name, sv *ret, struct err *e);
/** Conda packages whose distributions are all among these wheels and in pip-replaces leave the platform. -ERR_USAGE: one that supplies
 *  others besides. */
int joint_replace(struct joint *j, const struct artifact *wheel, size_t n, struct err *e);

/* --- image/history.c: pure: conda-meta/history and conda-meta/state */
void history_write(const struct lock *l, const struct lock_platform *p, struct buf *out);
bool state_write(const struct lock *l, struct buf *out); /* false: there is nothing to say */

/* --- image/pip.c: the pip part of a platform: index settings, solve, artifacts */
int pip_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                const struct lock_platform *old, struct arena *a, struct lock *lock, struct lock_platform *into,
                struct err *e);

/** Tell the network the logins that stand in the addresses of indexes: a build from a lock asks no index before it fetches. */
void pip_logins(struct image_ctx *c, const struct spec *s, struct arena *a);

/* --- image/conflict.c */
int conflict_explain(struct image_ctx *c, struct catalog *catalog, const struct resolve_want *want, size_t n,
                     const struct resolve_opts *o, const struct resolution *res, struct err *e);

/* --- image/pipconf.c: pip's own settings (pip.conf, PIP_*) */
struct pip_conf {
        sv index_url;
        sv *extra, *find_links;
        size_t n_extra, n_find_links;
        bool no_index, pre;
        sv *from; /* "pip's index-url comes from /etc/pip.conf": for -v */
        size_t n_from;
        size_t cap_extra, cap_find_links, cap_from;
};
void pip_conf_read(struct arena *a, struct pip_conf *ret);
/** One file of it: [global], then [install]; what pip does not know is passed over. */
void pip_conf_parse(struct arena *a, sv text, const char *where, struct pip_conf *ret);

struct reuse;
struct reuse_fact;

/* --- image/package.c: one package: fetched, installed, made into its layers or its body */
struct package {
        const struct artifact *art;
        struct install_ctx ctx;
        bool bucketed;
        uint32_t parts;
        sha256 key[8];
        struct layer_fact fact[8];          /* one a part */
        const struct reuse_fact *remote[8]; /* where the layers are, when they are not here */
        bool have;                          /* facts were found, nothing to make */
        bool had;                           /* they were when we began: for counts */
        bool again;                         /* they do not count: --verify */
        struct paths paths;                 /* of all parts together, once loaded */
};
struct package_shop { /* what all jobs share */
        struct image_ctx *c;
        const struct lock *lock;
        const struct lock_platform *platform;
        enum oci_codec codec;
        pthread_mutex_t mutex; /* of c->diags, fetched and the arena */
        struct arena *arena;
        uint64_t fetched;
        struct conda_ask conda;      /* where conda packages are fetched */
        const struct recipe *recipe; /* of the debs; NULL when there are none */
        struct reuse *reuse;
};
enum layer_style package_style(const struct artifact *art);
void package_init(struct package *p, const struct artifact *art, const struct lock_platform *lp, bool bucketed,
                  uint32_t parts);
/** Look its facts up; sets have. */
int package_find(struct package_shop *shop, struct package *p, struct err *e);
/** Fetch and make (a pool job): 0, POOL_AGAIN when another process is at it, or -code. */
int package_make(struct package_shop *shop, struct package *p, struct err *e);
/** Its bytes as entries again: for bucket members that lose a path, and for the last layer's winners. The map belongs to the caller. */
/** The file itself, fetched if need be. */
int package_bytes(struct package_shop *shop, const struct package *p, struct fs_map *ret, struct err *e);
int package_source(struct package_shop *shop, const struct package *p, struct fs_map *ret_map,
                   struct entry_source **ret, struct err *e);
/**
 * Its entries again, for who looks into a few of them: their digests are set where its path list is loaded, so that what is generated from
 * them (RECORD) is as it was. see: 0 goes on, 1 ends the walk, -code.
 */
int package_walk(struct package_shop *shop, const struct package *p,
                 int (*see)(void *arg, const struct entry *en, const struct content *c, struct err *e), void *arg,
                 struct err *e);
int package_paths(struct package_shop *shop, struct package *p, struct err *e);

/* --- image/content.c */
#define CONTENT_HOLD_MAX ((uint64_t)256 << 20) /* bytes of one file that we hold in memory */
/** CONTENT_BYTES in the arena, or CONTENT_NONE for an empty file. -ERR_LIMIT, -ERR_INTEGRITY. */
int content_hold(const struct entry *en, const struct content *c, struct arena *a, struct content *ret, struct err *e);

/* Layers of a platform, made or found, in image order. */
struct built_layer {
        sv of;
        struct layer_fact fact;
        sv from;                          /* the repository that has its blob, when it is not here */
        const struct fact_member *member; /* of a bucket */
        size_t n_member;
        struct fact_blob *text; /* what the image's config needs of it */
        size_t n_text, cap_text;
        bool reused;
        uint64_t need; /* bytes of packages that would have to be fetched to make it */
};
struct built_layers {
        struct built_layer *v;
        size_t n, cap;
        uint64_t fetched;
        size_t reused;
        sv *activation; /* "K=V": what conda's activation scripts would set, in order */
        size_t n_activation;
};
/* --- image/last.c: winners of disputed paths, `files:`, base directories that our layers pass through */
struct tree_list { /* a layer made from memory */
        struct entry *entry;
        struct content *content;
        size_t n, cap;
};
void tree_list_add(struct arena *a, struct tree_list *l, struct entry en, struct content c);
struct last_member {
        struct package *package; /* NULL: layer env */
        const struct paths *paths;
        uint32_t layer; /* its place in the image */
};
struct last { /* its entries are known from path lists; what packages hold of it is read when it has to be made */
        struct tree_list list;
        struct join_result join;
        const struct last_member *member;
        size_t n;
};
/** member: in link order, the later wins. Borrowed by *ret. */
int last_build(struct package_shop *shop, const struct last_member *member, size_t n, const struct built_layers *below,
               sv dir, struct last *ret, struct err *e);
/** The layer: found by its key, else made. */
int last_make(struct package_shop *shop, struct last *l, struct built_layer *ret, struct err *e);

/* --- image/activation.c: activation scripts of the packages that are in the image, read once each */
/** member: in link order. Sets below->activation; scripts that do more than set variables are warned of (EB532). */
int activation_collect(struct package_shop *shop, const struct last_member *member, size_t n,
                       struct built_layers *below, struct err *e);

/* --- image/bundle.c: certificates of the definition added to those of the layers below */
/** An empty *ret when there are none among files. */
int bundle_build(struct package_shop *shop, const struct built_layers *below, const struct tree_list *files, sv dir,
                 sv *ret_path, sv *ret, struct err *e);

/* --- image/layers.c: lock → layers */
/** It is a conda prefix, not a venv. */
bool image_is_conda(const struct lock_platform *p);
int layers_build(struct reuse *r, const struct lock *l, const struct lock_platform *p, const struct spec *spec, sv dir,
                 struct arena *a, struct built_layers *ret, struct err *e);

/* --- image/shelf.c: planned packages → their layers */
struct reuse_want;
struct shelf {
        struct package_shop *shop;
        struct plan plan;
        struct package *v; /* layer by layer; parts of one package are one here */
        size_t n;
        size_t *first;              /* of each planned layer, its first package in v */
        struct built_layer *bucket; /* of each planned layer that is a bucket: its key, and what is known of it */
};
/** Packages and keys of what is planned. */
void shelf_lay(struct shelf *s);
sha256 shelf_key(const struct shelf *s, size_t i); /* of a planned layer */
/** What is here of it. */
int shelf_find(struct shelf *s, struct err *e);
/** What is not, for repositories to be asked for; ret has room for plan.n. lists: path lists are needed too. */
size_t shelf_want(const struct shelf *s, bool lists, struct reuse_want *ret);
/** What they knew. */
void shelf_take(struct shelf *s, bool lists);
int shelf_make(struct shelf *s, struct err *e);
int shelf_layers(struct shelf *s, bool dry_run, struct built_layers *ret, struct err *e);
struct built_layer *layers_append(struct package_shop *shop, struct built_layers *b);
/** A repository's word for a layer. */
void layer_take(struct built_layer *b, const struct reuse_fact *f);
/** What the store knows of a key: sets ret->fact and ret->reused. */
int layer_here(struct package_shop *shop, const sha256 *key, struct built_layer *ret, struct err *e);
/** The same, or what a repository said; adds the encoding that is asked for. */
int layer_known(struct package_shop *shop, const sha256 *key, struct built_layer *ret, struct err *e);

/* --- image/generated.c: layers made from memory */
int layer_from_list(struct package_shop *shop, const sha256 *key, const struct tree_list *t, enum layer_style style,
                    bool deb_table, struct built_layer *ret, struct err *e);
int conda_env_build(struct package_shop *shop, struct built_layer *ret, struct paths *ret_paths, struct err *e);
int venv_build(struct package_shop *shop, struct built_layer *ret, struct paths *ret_paths, struct err *e);

/* --- image/debs.c */
struct debs {
        struct shelf recipe, apt;
        const struct artifact **v; /* all of them, in dpkg's order */
        size_t n;
        struct effects *effects;
        sha256 os; /* key of layer os */
};
int debs_plan(struct package_shop *shop, struct debs *ret, struct err *e);
int debs_build(struct package_shop *shop, struct debs *d, bool dry_run, struct built_layers *ret, struct err *e);

/* --- image/view.c: name and digest that a reference means; the store is open */
int image_find(struct image_ctx *c, sv ref, struct arena *a, struct image_view *ret, struct err *e);

/* --- image/assemble.c: layers → config and manifest (design/layers.md §6) */
int assemble(struct image_ctx *c, const struct lock *l, const struct lock_platform *p, const struct oci_config *base,
             const struct built_layers *layers, enum oci_codec codec, struct arena *a, sha256 *ret_image_id,
             struct oci_desc *ret_manifest, struct err *e);
/** The same around a config that is known already. */
int assemble_with(struct image_ctx *c, const struct lock *l, const struct lock_platform *p,
                  const struct built_layers *layers, enum oci_codec codec, sv config, struct arena *a,
                  sha256 *ret_image_id, struct oci_desc *ret_manifest, struct err *e);
/** Its pure half. */
void assemble_config(const struct lock *l, const struct lock_platform *p, const struct oci_config *base,
                     const struct built_layers *layers, struct arena *a, struct buf *out);

#endif
