/* lock/lock.h - the lock file: what was resolved and what was built, exactly (design/lock.md). Pure: text in, struct out, text out;
 * same struct, same bytes. Reading a lock that we wrote and writing it again gives the same bytes. Texts live in one arena. */
#ifndef LOCK_LOCK_H
#define LOCK_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hex.h"
#include "pkg/artifact.h"

#define LOCK_VERSION 1
#define LAYER_FORMAT 1
#define PLAN_VERSION 1
#define LOCK_MAX     ((size_t)64 << 20) /* bytes of a lock file */

struct lock_pair {
        sv key, value;
};

struct lock_config { /* what the definition adds to the image's config; absent lists are NULL with has_* false */
        sv *env;     /* "K=V", file order */
        size_t n_env;
        sv user, workdir;
        bool has_entrypoint, has_cmd;
        sv *entrypoint, *cmd;
        size_t n_entrypoint, n_cmd;
        struct lock_pair *labels; /* sorted by key */
        size_t n_labels;
};

struct lock_file { /* envbuild: {files: …} and certificates: enough to make the last layer again from the definition's folder */
        sv path, source;
        sha256 sha256;
        uint64_t size;
        uint32_t mode;
};

struct lock_base_layer {
        sha256 diff_id, digest;
        uint64_t size;
        sv type; /* media type */
};
struct lock_base {
        sv recipe; /* recipe base: its name; else empty */
        sha256 recipe_sha256;
        sv suite;
        int64_t release; /* Date of the Release file */
        sv ref;          /* image base: as written, a note */
        sha256 manifest, config;
        struct lock_base_layer *layer;
        size_t n_layer;
};
struct lock_dir { /* a base directory that is not 0755 0:0 */
        sv path;
        uint32_t mode, uid, gid;
};
struct lock_facts { /* of the base's file system */
        sv root;    /* real path of the prefix's parent, no leading slash: "opt" */
        bool usrmerged;
        sv libc_name, libc_version; /* "glibc", "2.41" */
        sv os_name, os_version;     /* "debian", "13"; from os-release */
        struct lock_dir *odd_dir;   /* those our layers may pass through, sorted by path */
        size_t n_odd_dir;
};
struct lock_python {
        sv version;       /* "3.13.5" */
        sv path;          /* "/usr/bin/python3.13": the real interpreter, not a link */
        sv abi;           /* "cp313" */
        sv site_packages; /* "lib/python3.13/site-packages" */
        sv from;          /* "base" or "conda" */
};

struct lock_encoding {
        sv codec; /* "gzip", "zstd", "none" */
        sha256 digest;
        uint64_t size;
};
struct lock_layer {
        sv of; /* "env venv", "bucket: idna 3.20, pyjwt 1.7.1", "numpy 2.1.0", "numpy 2.1.0 part 1/2", "os debian-13-python", "last" */
        sha256 key, diff_id;
        sv from;                        /* repository, only when taken as a fact */
        struct lock_encoding *encoding; /* sorted by codec */
        size_t n_encoding;
};
struct lock_image {
        struct lock_layer *layer; /* ours, base layers left out; image order */
        size_t n_layer;
        sha256 image_id;                /* digest of the config */
        struct lock_encoding *manifest; /* per codec: digest (size 0) */
        size_t n_manifest;
};

struct lock_platform {
        sv platform;                /* "linux/amd64" */
        struct lock_pair *virtual_; /* sorted: __archspec, __glibc, __linux, __unix, … */
        size_t n_virtual;
        struct lock_base base;
        struct lock_facts facts;
        bool has_python;
        struct lock_python python;
        struct artifact *artifact; /* artifact_cmp order */
        size_t n_artifact;
        bool has_image;
        struct lock_image image;
};

struct lock {
        uint32_t lock, layer_format, plan;
        sv name, definition;
        sha256 request;
        int64_t created;
        struct lock_config config;
        sv *channels; /* canonical URLs, priority order; no credentials or tokens */
        size_t n_channels;
        sv channel_priority; /* "strict", "flexible", "disabled"; empty without channels */
        sv *pip_replaces;    /* sorted */
        size_t n_pip_replaces;
        sv *conda_specs; /* what was asked for, as written: conda-meta/history says it */
        size_t n_conda_specs;
        sv *indexes;
        size_t n_indexes;
        sv *find_links;
        size_t n_find_links;
        sv index_strategy;     /* "first" or "pip" */
        int64_t exclude_newer; /* 0: none */
        bool pre;
        struct lock_file *file; /* sorted by path */
        size_t n_file;
        sv *scripts_skip; /* apt-scripts-skip, sorted */
        size_t n_scripts_skip;
        struct lock_platform *platform; /* sorted by platform */
        size_t n_platform;
        bool has_index; /* several platforms: digest of the index */
        sha256 index;
};

/**
 * Read a lock's text. Faults go to ds with file:line:column (EB120 syntax, EB121 unknown key, EB122 bad value).
 * @return 0 · -ERR_USAGE: ds has errors · -ERR_STALE: written by a newer envbuild (lock, layer-format or plan unknown)
 */
int lock_parse(struct arena *a, sv text, sv file, struct diags *ds, struct lock **ret, struct err *e);
/** The whole file. Layout: design/lock.md "Shape"; one key a line, stable order, empty keys left out. */
void lock_write(const struct lock *l, struct buf *out);
/** Only the resolution half: what --locked compares. */
void lock_write_resolution(const struct lock *l, struct buf *out);
/** Every list that the struct calls sorted, sorted: for whoever fills one. lock_parse has done it. */
void lock_sort(struct lock *l);
/** NULL when it is not there. Both need sorted lists. */
const struct lock_platform *lock_find_platform(const struct lock *l, sv platform);
const struct artifact *lock_find(const struct lock_platform *p, enum artifact_kind kind, sv name);
/** The package of this platform that a need means: conda's are MatchSpecs, a wheel's may be supplied by a conda package. NULL: none. */
const struct artifact *lock_find_need(const struct lock_platform *p, const struct artifact *a, sv need);

#endif
